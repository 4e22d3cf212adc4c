DROP INDEX suppressions_by_time;
DROP TABLE clicks;
ALTER TABLE publications DROP COLUMN track_clicks;
DROP TABLE issue_hours;
