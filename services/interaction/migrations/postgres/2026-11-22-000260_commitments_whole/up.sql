-- How long before the due time the owner is reminded, and when next.
ALTER TABLE commitments ADD COLUMN remind_before jsonb NOT NULL DEFAULT '[]';
ALTER TABLE commitments ADD COLUMN remind_time timestamptz;
-- Changes of the due time, and the one that the customer knows of.
ALTER TABLE commitments ADD COLUMN renegotiations jsonb NOT NULL DEFAULT '[]';
ALTER TABLE commitments ADD COLUMN agreed_due_time timestamptz NOT NULL DEFAULT 'epoch';
-- Whether it was kept by the time that the customer knew of.
ALTER TABLE commitments ADD COLUMN kept_as_agreed boolean;
ALTER TABLE commitments ADD COLUMN settle_reason text;
ALTER TABLE commitments ADD COLUMN settle_time timestamptz;
UPDATE commitments SET
    agreed_due_time = due_time,
    settle_time = kept_time,
    kept_as_agreed = CASE state WHEN 'KEPT' THEN true WHEN 'KEPT_LATE' THEN false END;
CREATE INDEX commitments_reminder ON commitments (state, remind_time);
CREATE INDEX commitments_owner ON commitments (owner, agreed_due_time);
