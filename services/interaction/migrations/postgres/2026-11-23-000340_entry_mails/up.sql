-- The mails that carry entries to customers, and what became of them.
CREATE TABLE entry_mails (
    entry             UUID NOT NULL PRIMARY KEY REFERENCES entries (id),
    version           BIGINT NOT NULL,
    interaction       UUID NOT NULL,
    customer          UUID NOT NULL,
    state             TEXT NOT NULL,
    detail            TEXT NOT NULL,
    attempts          INTEGER NOT NULL,
    next_attempt_time TIMESTAMPTZ,
    create_time       TIMESTAMPTZ NOT NULL,
    update_time       TIMESTAMPTZ NOT NULL
);
CREATE INDEX entry_mails_due ON entry_mails (next_attempt_time) WHERE next_attempt_time IS NOT NULL;
