CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id UUID NOT NULL UNIQUE,
    position BIGINT UNIQUE,
    kind TEXT NOT NULL,
    subject UUID NOT NULL,
    subject_version BIGINT NOT NULL,
    time TIMESTAMPTZ NOT NULL,
    actor JSONB NOT NULL,
    traceparent TEXT,
    journey UUID,
    cause UUID,
    payload JSONB NOT NULL
);
CREATE INDEX outbox_unstamped ON outbox (seq) WHERE position IS NULL;
CREATE INDEX outbox_subject ON outbox (subject);

CREATE TABLE relay (
    name TEXT PRIMARY KEY NOT NULL,
    epoch TEXT NOT NULL,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    held_until TIMESTAMPTZ NOT NULL,
    position BIGINT NOT NULL,
    pruned_position BIGINT NOT NULL,
    generation BIGINT NOT NULL
);
INSERT INTO relay VALUES ('relay', replace(gen_random_uuid()::text, '-', ''), '', 0, 'epoch', 0, 0, 0);

CREATE TABLE feed_cursors (
    feed TEXT PRIMARY KEY NOT NULL,
    cursor TEXT NOT NULL,
    time TIMESTAMPTZ NOT NULL
);
CREATE TABLE inbox (
    feed TEXT NOT NULL,
    event_id UUID NOT NULL,
    time TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (feed, event_id)
);
CREATE INDEX inbox_time ON inbox (time);
CREATE TABLE inbox_subjects (
    feed TEXT NOT NULL,
    subject UUID NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (feed, subject)
);
CREATE TABLE parked_events (
    feed TEXT NOT NULL,
    event_id UUID NOT NULL,
    subject UUID NOT NULL,
    time TIMESTAMPTZ NOT NULL,
    reason TEXT NOT NULL,
    event BYTEA NOT NULL,
    PRIMARY KEY (feed, event_id)
);
CREATE INDEX parked_events_subject ON parked_events (feed, subject);

CREATE TABLE requests (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body_hash BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    time TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX requests_time ON requests (time);

CREATE TABLE audit (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time TIMESTAMPTZ NOT NULL,
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
    fence BIGINT NOT NULL,
    held_until TIMESTAMPTZ NOT NULL
);
