ALTER TABLE inbound_mails DROP COLUMN answers;
