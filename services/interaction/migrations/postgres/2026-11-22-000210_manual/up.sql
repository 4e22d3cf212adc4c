-- Versions of the customer service manual; one at most is in force.
CREATE TABLE manual_versions (
    id           UUID NOT NULL PRIMARY KEY,
    version      BIGINT NOT NULL,
    number       INTEGER NOT NULL,
    title        TEXT NOT NULL,
    locale       JSONB NOT NULL,
    state        TEXT NOT NULL,
    base         UUID REFERENCES manual_versions (id),
    published_by TEXT,
    contents     JSONB NOT NULL,
    create_time  TIMESTAMPTZ NOT NULL,
    update_time  TIMESTAMPTZ NOT NULL,
    publish_time TIMESTAMPTZ,
    retire_time  TIMESTAMPTZ
);
CREATE INDEX manual_versions_newest ON manual_versions (create_time, id);
CREATE UNIQUE INDEX manual_versions_in_force ON manual_versions (state) WHERE state = 'PUBLISHED';
CREATE UNIQUE INDEX manual_versions_number ON manual_versions (number) WHERE number > 0;

-- One row: which version is in force. What publishes or endorses locks it, so that the two never pass each other.
CREATE TABLE manual_in_force (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    manual UUID REFERENCES manual_versions (id),
    number INTEGER NOT NULL
);
INSERT INTO manual_in_force (id, manual, number) VALUES (1, NULL, 0);

-- The people of ours who meet customers.
CREATE TABLE agents (
    id               UUID NOT NULL PRIMARY KEY,
    version          BIGINT NOT NULL,
    handle           TEXT NOT NULL UNIQUE,
    display_name     TEXT NOT NULL,
    email            JSONB,
    role             TEXT NOT NULL,
    endorsement      TEXT NOT NULL,
    endorsed_version UUID REFERENCES manual_versions (id),
    endorse_time     TIMESTAMPTZ,
    endorsed_by      TEXT,
    expire_time      TIMESTAMPTZ,
    note             TEXT NOT NULL,
    languages        JSONB NOT NULL,
    queues           JSONB NOT NULL,
    capacity         INTEGER NOT NULL,
    inactive         BOOLEAN NOT NULL,
    create_time      TIMESTAMPTZ NOT NULL,
    update_time      TIMESTAMPTZ NOT NULL
);
CREATE INDEX agents_expiring ON agents (expire_time, id) WHERE expire_time IS NOT NULL;

-- How an agent did in a course: rows are only ever added.
CREATE TABLE training_records (
    id          UUID NOT NULL PRIMARY KEY,
    agent       UUID NOT NULL REFERENCES agents (id),
    course      TEXT NOT NULL,
    mark        TEXT NOT NULL,
    manual      UUID NOT NULL REFERENCES manual_versions (id),
    score       INTEGER NOT NULL,
    result      TEXT NOT NULL,
    examiner    TEXT NOT NULL,
    take_time   TIMESTAMPTZ NOT NULL,
    expire_time TIMESTAMPTZ,
    create_time TIMESTAMPTZ NOT NULL
);
CREATE INDEX training_records_agent ON training_records (agent, take_time, id);
