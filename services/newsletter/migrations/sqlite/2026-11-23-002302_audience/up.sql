-- What else narrows an issue, what a publication is, and how it keeps its rhythm.
ALTER TABLE issues ADD COLUMN audience TEXT;

ALTER TABLE publications ADD COLUMN kind TEXT NOT NULL DEFAULT 'NEWSLETTER';
ALTER TABLE publications ADD COLUMN rhythm_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE publications ADD COLUMN next_due_time INTEGER;
ALTER TABLE publications ADD COLUMN missed_slots BIGINT NOT NULL DEFAULT 0;
ALTER TABLE publications ADD COLUMN overdue_count BIGINT NOT NULL DEFAULT 0;
UPDATE publications SET rhythm_time = coalesce((SELECT max(start_time) FROM issues WHERE issues.publication = publications.id), create_time);
-- A rhythm that was promised before counts from now on: what was missed before nobody looked is not told.
UPDATE publications SET rhythm_time = max(rhythm_time, CAST(strftime('%s', 'now') AS INTEGER) * 1000000) WHERE cadence <> 'IRREGULAR';
UPDATE publications SET next_due_time = CAST(strftime('%s', rhythm_time / 1000000, 'unixepoch', '+7 days') AS INTEGER) * 1000000 WHERE cadence = 'WEEKLY';
UPDATE publications SET next_due_time = CAST(strftime('%s', rhythm_time / 1000000, 'unixepoch', '+1 month') AS INTEGER) * 1000000 WHERE cadence = 'MONTHLY';
UPDATE publications SET next_due_time = CAST(strftime('%s', rhythm_time / 1000000, 'unixepoch', '+3 months') AS INTEGER) * 1000000 WHERE cadence = 'QUARTERLY';
CREATE INDEX publications_by_due ON publications (next_due_time);
