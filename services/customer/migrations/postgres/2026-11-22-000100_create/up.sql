-- Who the customers are. Lists and maps are JSON; what they are searched by is beside them.
CREATE TABLE customers (
    id                UUID NOT NULL PRIMARY KEY,
    version           BIGINT NOT NULL,
    kind              TEXT NOT NULL,
    display_name      TEXT NOT NULL,
    given_name        TEXT NOT NULL,
    family_name       TEXT NOT NULL,
    salutation        TEXT NOT NULL,
    language          TEXT,
    time_zone         TEXT NOT NULL,
    contact_points    JSONB NOT NULL,
    external_ids      JSONB NOT NULL,
    organization      UUID REFERENCES customers (id),
    job_title         TEXT NOT NULL,
    lifecycle_stage   TEXT NOT NULL,
    preferred_setting TEXT,
    preferred_channel TEXT,
    owner             TEXT NOT NULL,
    tags              JSONB NOT NULL,
    attributes        JSONB NOT NULL,
    types             JSONB NOT NULL,
    -- The tags and the types as ",one,two,", for finding one of them.
    tag_words         TEXT NOT NULL,
    type_words        TEXT NOT NULL,
    create_time       TIMESTAMPTZ NOT NULL,
    update_time       TIMESTAMPTZ NOT NULL
);
CREATE INDEX customers_organization ON customers (organization) WHERE organization IS NOT NULL;
CREATE INDEX customers_owner ON customers (owner, id);

-- By what customers are found. Several may share a key, and one of them leads: that is the one it finds. A key is written
-- before its customer, so that of two transactions with one key the second waits and then sees the first one's customer.
CREATE TABLE identities (
    key         TEXT NOT NULL,
    customer_id UUID NOT NULL,
    leads       BOOLEAN NOT NULL,
    PRIMARY KEY (key, customer_id)
);
CREATE UNIQUE INDEX identities_leads ON identities (key) WHERE leads;
CREATE INDEX identities_customer ON identities (customer_id);

-- The consent ledger: rows are only ever added.
CREATE TABLE consents (
    id              UUID NOT NULL PRIMARY KEY,
    customer_id     UUID NOT NULL REFERENCES customers (id),
    channel         TEXT NOT NULL,
    purpose         TEXT,
    topic           TEXT,
    status          TEXT NOT NULL,
    source          TEXT NOT NULL,
    evidence        TEXT NOT NULL,
    wording_version TEXT NOT NULL,
    actor           JSONB NOT NULL,
    effective_time  TIMESTAMPTZ NOT NULL,
    expire_time     TIMESTAMPTZ,
    create_time     TIMESTAMPTZ NOT NULL,
    CHECK (topic IS NULL OR purpose IS NOT NULL)
);
CREATE INDEX consents_customer ON consents (customer_id, channel);

-- What happened with a customer in any service. The customer may be unknown here, so there is no reference.
CREATE TABLE timeline (
    customer_id UUID NOT NULL,
    time        TIMESTAMPTZ NOT NULL,
    event_id    UUID NOT NULL,
    service     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    subject     UUID NOT NULL,
    summary     TEXT NOT NULL,
    channel     TEXT,
    direction   TEXT,
    setting     TEXT,
    trace_id    TEXT NOT NULL,
    journey     UUID,
    PRIMARY KEY (customer_id, time, event_id)
);

-- What was observed that makes a bad experience more or less likely.
CREATE TABLE signals (
    customer_id  UUID NOT NULL,
    code         TEXT NOT NULL,
    key          UUID NOT NULL,
    evidence     UUID NOT NULL,
    observe_time TIMESTAMPTZ NOT NULL,
    mended       BOOLEAN NOT NULL,
    PRIMARY KEY (customer_id, code, key)
);

-- How a customer stands by all that was observed; the score holds until review_time.
CREATE TABLE standings (
    customer_id           UUID NOT NULL PRIMARY KEY,
    version               BIGINT NOT NULL,
    score                 INTEGER NOT NULL,
    level                 TEXT NOT NULL,
    last_interaction_time TIMESTAMPTZ,
    review_time           TIMESTAMPTZ
);
CREATE INDEX standings_score ON standings (score DESC, customer_id);
CREATE INDEX standings_review ON standings (review_time) WHERE review_time IS NOT NULL;
