CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BLOB NOT NULL UNIQUE,
    position INTEGER UNIQUE,
    kind TEXT NOT NULL,
    subject BLOB NOT NULL,
    subject_version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    traceparent TEXT,
    journey BLOB,
    cause BLOB,
    payload TEXT NOT NULL
);
CREATE INDEX outbox_unstamped ON outbox (seq) WHERE position IS NULL;
CREATE INDEX outbox_subject ON outbox (subject);

CREATE TABLE relay (
    name TEXT PRIMARY KEY NOT NULL,
    epoch TEXT NOT NULL,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    position INTEGER NOT NULL,
    pruned_position INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
INSERT INTO relay VALUES ('relay', lower(hex(randomblob(16))), '', 0, 0, 0, 0, 0);

CREATE TABLE feed_cursors (
    feed TEXT PRIMARY KEY NOT NULL,
    cursor TEXT NOT NULL,
    time INTEGER NOT NULL
);
CREATE TABLE inbox (
    feed TEXT NOT NULL,
    event_id BLOB NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (feed, event_id)
);
CREATE INDEX inbox_time ON inbox (time);
CREATE TABLE inbox_subjects (
    feed TEXT NOT NULL,
    subject BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (feed, subject)
);
CREATE TABLE parked_events (
    feed TEXT NOT NULL,
    event_id BLOB NOT NULL,
    subject BLOB NOT NULL,
    time INTEGER NOT NULL,
    reason TEXT NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (feed, event_id)
);
CREATE INDEX parked_events_subject ON parked_events (feed, subject);

CREATE TABLE requests (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (caller, method, request_id)
) WITHOUT ROWID;
CREATE INDEX requests_time ON requests (time);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    time INTEGER NOT NULL,
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    subject TEXT NOT NULL,
    request_id TEXT NOT NULL,
    traceparent TEXT
);
CREATE INDEX audit_time ON audit (time);

CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    held_until INTEGER NOT NULL
);
