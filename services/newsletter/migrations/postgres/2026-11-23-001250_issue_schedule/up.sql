-- When an issue is to be sent by itself, and how much later it may still begin.
ALTER TABLE issues ADD COLUMN send_time TIMESTAMPTZ;
ALTER TABLE issues ADD COLUMN max_lateness_seconds BIGINT NOT NULL DEFAULT 3600;
