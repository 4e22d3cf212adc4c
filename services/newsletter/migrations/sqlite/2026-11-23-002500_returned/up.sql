-- What came back after a mail was accepted.
ALTER TABLE deliveries ADD COLUMN bounce TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN complained BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE issue_counts ADD COLUMN bounced_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE issue_counts ADD COLUMN complained BIGINT NOT NULL DEFAULT 0;

-- Mails that bounced softly, by the fingerprint of their address.
CREATE TABLE soft_bounces (
    mark TEXT NOT NULL,
    delivery BLOB NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (mark, delivery)
);
