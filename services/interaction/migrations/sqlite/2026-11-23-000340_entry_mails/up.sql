-- The mails that carry entries to customers, and what became of them.
CREATE TABLE entry_mails (
    entry             BLOB NOT NULL PRIMARY KEY REFERENCES entries (id),
    version           INTEGER NOT NULL,
    interaction       BLOB NOT NULL,
    customer          BLOB NOT NULL,
    state             TEXT NOT NULL,
    detail            TEXT NOT NULL,
    attempts          INTEGER NOT NULL,
    next_attempt_time INTEGER,
    create_time       INTEGER NOT NULL,
    update_time       INTEGER NOT NULL
);
CREATE INDEX entry_mails_due ON entry_mails (next_attempt_time) WHERE next_attempt_time IS NOT NULL;
