-- How long before the due time the owner is reminded, and when next.
ALTER TABLE commitments ADD COLUMN remind_before TEXT NOT NULL DEFAULT '[]';
ALTER TABLE commitments ADD COLUMN remind_time INTEGER;
-- Changes of the due time, and the one that the customer knows of.
ALTER TABLE commitments ADD COLUMN renegotiations TEXT NOT NULL DEFAULT '[]';
ALTER TABLE commitments ADD COLUMN agreed_due_time INTEGER NOT NULL DEFAULT 0;
-- Whether it was kept by the time that the customer knew of.
ALTER TABLE commitments ADD COLUMN kept_as_agreed BOOLEAN;
ALTER TABLE commitments ADD COLUMN settle_reason TEXT;
ALTER TABLE commitments ADD COLUMN settle_time INTEGER;
UPDATE commitments SET
    agreed_due_time = due_time,
    settle_time = kept_time,
    kept_as_agreed = CASE state WHEN 'KEPT' THEN 1 WHEN 'KEPT_LATE' THEN 0 END;
CREATE INDEX commitments_reminder ON commitments (state, remind_time);
CREATE INDEX commitments_owner ON commitments (owner, agreed_due_time);
