-- What else narrows an issue, what a publication is, and how it keeps its rhythm.
ALTER TABLE issues ADD COLUMN audience JSONB;

ALTER TABLE publications ADD COLUMN kind TEXT NOT NULL DEFAULT 'NEWSLETTER';
ALTER TABLE publications ADD COLUMN rhythm_time TIMESTAMPTZ NOT NULL DEFAULT 'epoch';
ALTER TABLE publications ADD COLUMN next_due_time TIMESTAMPTZ;
ALTER TABLE publications ADD COLUMN missed_slots BIGINT NOT NULL DEFAULT 0;
ALTER TABLE publications ADD COLUMN overdue_count BIGINT NOT NULL DEFAULT 0;
UPDATE publications SET rhythm_time = coalesce((SELECT max(start_time) FROM issues WHERE issues.publication = publications.id), create_time);
-- A rhythm that was promised before counts from now on: what was missed before nobody looked is not told.
UPDATE publications SET rhythm_time = now() WHERE cadence <> 'IRREGULAR';
UPDATE publications SET next_due_time = rhythm_time + INTERVAL '7 days' WHERE cadence = 'WEEKLY';
UPDATE publications SET next_due_time = rhythm_time + INTERVAL '1 month' WHERE cadence = 'MONTHLY';
UPDATE publications SET next_due_time = rhythm_time + INTERVAL '3 months' WHERE cadence = 'QUARTERLY';
CREATE INDEX publications_by_due ON publications (next_due_time);
