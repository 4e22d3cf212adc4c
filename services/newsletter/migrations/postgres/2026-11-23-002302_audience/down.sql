DROP INDEX publications_by_due;
ALTER TABLE publications DROP COLUMN overdue_count;
ALTER TABLE publications DROP COLUMN missed_slots;
ALTER TABLE publications DROP COLUMN next_due_time;
ALTER TABLE publications DROP COLUMN rhythm_time;
ALTER TABLE publications DROP COLUMN kind;
ALTER TABLE issues DROP COLUMN audience;
