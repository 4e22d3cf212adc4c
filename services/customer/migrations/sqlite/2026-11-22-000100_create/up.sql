-- Who the customers are. Lists and maps are JSON; what they are searched by is beside them.
CREATE TABLE customers (
    id                BLOB NOT NULL PRIMARY KEY,
    version           INTEGER NOT NULL,
    kind              TEXT NOT NULL,
    display_name      TEXT NOT NULL,
    given_name        TEXT NOT NULL,
    family_name       TEXT NOT NULL,
    salutation        TEXT NOT NULL,
    language          TEXT,
    time_zone         TEXT NOT NULL,
    contact_points    TEXT NOT NULL,
    external_ids      TEXT NOT NULL,
    organization      BLOB REFERENCES customers (id),
    job_title         TEXT NOT NULL,
    lifecycle_stage   TEXT NOT NULL,
    preferred_setting TEXT,
    preferred_channel TEXT,
    owner             TEXT NOT NULL,
    tags              TEXT NOT NULL,
    attributes        TEXT NOT NULL,
    types             TEXT NOT NULL,
    -- The tags and the types as ",one,two,", for finding one of them.
    tag_words         TEXT NOT NULL,
    type_words        TEXT NOT NULL,
    create_time       INTEGER NOT NULL,
    update_time       INTEGER NOT NULL
);
CREATE INDEX customers_organization ON customers (organization) WHERE organization IS NOT NULL;
CREATE INDEX customers_owner ON customers (owner, id);

-- By what customers are found. Several may share a key, and one of them leads: that is the one it finds. A key is written
-- before its customer, so that of two transactions with one key the second waits and then sees the first one's customer.
CREATE TABLE identities (
    key         TEXT NOT NULL,
    customer_id BLOB NOT NULL,
    leads       BOOLEAN NOT NULL,
    PRIMARY KEY (key, customer_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX identities_leads ON identities (key) WHERE leads;
CREATE INDEX identities_customer ON identities (customer_id);

-- The consent ledger: rows are only ever added.
CREATE TABLE consents (
    id              BLOB NOT NULL PRIMARY KEY,
    customer_id     BLOB NOT NULL REFERENCES customers (id),
    channel         TEXT NOT NULL,
    purpose         TEXT,
    topic           TEXT,
    status          TEXT NOT NULL,
    source          TEXT NOT NULL,
    evidence        TEXT NOT NULL,
    wording_version TEXT NOT NULL,
    actor           TEXT NOT NULL,
    effective_time  INTEGER NOT NULL,
    expire_time     INTEGER,
    create_time     INTEGER NOT NULL,
    CHECK (topic IS NULL OR purpose IS NOT NULL)
);
CREATE INDEX consents_customer ON consents (customer_id, channel);

-- What happened with a customer in any service. The customer may be unknown here, so there is no reference.
CREATE TABLE timeline (
    customer_id BLOB NOT NULL,
    time        INTEGER NOT NULL,
    event_id    BLOB NOT NULL,
    service     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    subject     BLOB NOT NULL,
    summary     TEXT NOT NULL,
    channel     TEXT,
    direction   TEXT,
    setting     TEXT,
    trace_id    TEXT NOT NULL,
    journey     BLOB,
    PRIMARY KEY (customer_id, time, event_id)
) WITHOUT ROWID;

-- What was observed that makes a bad experience more or less likely.
CREATE TABLE signals (
    customer_id  BLOB NOT NULL,
    code         TEXT NOT NULL,
    key          BLOB NOT NULL,
    evidence     BLOB NOT NULL,
    observe_time INTEGER NOT NULL,
    mended       BOOLEAN NOT NULL,
    PRIMARY KEY (customer_id, code, key)
) WITHOUT ROWID;

-- How a customer stands by all that was observed; the score holds until review_time.
CREATE TABLE standings (
    customer_id           BLOB NOT NULL PRIMARY KEY,
    version               INTEGER NOT NULL,
    score                 INTEGER NOT NULL,
    level                 TEXT NOT NULL,
    last_interaction_time INTEGER,
    review_time           INTEGER
);
CREATE INDEX standings_score ON standings (score DESC, customer_id);
CREATE INDEX standings_review ON standings (review_time) WHERE review_time IS NOT NULL;
