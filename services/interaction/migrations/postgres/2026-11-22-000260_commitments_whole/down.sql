DROP INDEX commitments_owner;
DROP INDEX commitments_reminder;
ALTER TABLE commitments DROP COLUMN settle_time;
ALTER TABLE commitments DROP COLUMN settle_reason;
ALTER TABLE commitments DROP COLUMN kept_as_agreed;
ALTER TABLE commitments DROP COLUMN agreed_due_time;
ALTER TABLE commitments DROP COLUMN renegotiations;
ALTER TABLE commitments DROP COLUMN remind_time;
ALTER TABLE commitments DROP COLUMN remind_before;
