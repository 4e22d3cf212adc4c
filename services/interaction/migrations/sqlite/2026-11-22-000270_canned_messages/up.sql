-- Texts and material that are written once, approved version by version, and used many times.
CREATE TABLE canned_messages (
    id                BLOB NOT NULL PRIMARY KEY,
    version           INTEGER NOT NULL,
    short_code        TEXT NOT NULL,
    kind              TEXT NOT NULL,
    subject           TEXT NOT NULL,
    body              TEXT NOT NULL,
    file              TEXT NOT NULL,
    scope             TEXT NOT NULL,
    confidential      BOOLEAN NOT NULL,
    -- The version of the text, and the one that was approved last.
    revision          INTEGER NOT NULL,
    approved_revision INTEGER,
    approved_by       TEXT,
    approve_time      INTEGER,
    written_by        TEXT NOT NULL,
    create_time       INTEGER NOT NULL,
    update_time       INTEGER NOT NULL
);
CREATE UNIQUE INDEX canned_messages_short_code ON canned_messages (short_code);
CREATE INDEX canned_messages_created ON canned_messages (create_time, id);
