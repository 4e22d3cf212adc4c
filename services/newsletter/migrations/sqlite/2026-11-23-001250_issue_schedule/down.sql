ALTER TABLE issues DROP COLUMN max_lateness_seconds;
ALTER TABLE issues DROP COLUMN send_time;
