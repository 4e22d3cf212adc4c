-- The messages that a mail answers by its headers: others thread by them.
ALTER TABLE inbound_mails ADD COLUMN answers jsonb NOT NULL DEFAULT '[]';
