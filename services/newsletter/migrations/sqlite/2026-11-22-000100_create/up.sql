-- The newsletter service's own tables.

CREATE TABLE senders (
    id BLOB PRIMARY KEY,
    from_name TEXT NOT NULL,
    from_address TEXT NOT NULL,
    reply_domain TEXT NOT NULL,
    bounce_domain TEXT NOT NULL,
    transport TEXT NOT NULL,
    create_time INTEGER NOT NULL
);

CREATE TABLE publications (
    id BLOB PRIMARY KEY,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    sender BLOB NOT NULL REFERENCES senders (id),
    cadence TEXT NOT NULL,
    active_subscriptions BIGINT NOT NULL,
    create_time INTEGER NOT NULL
);

-- The projection of the customer service's feed, as far as it is needed here.
CREATE TABLE customers (
    id BLOB PRIMARY KEY,
    customer_version BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    email_normalized TEXT,
    risk_version BIGINT NOT NULL,
    risk TEXT
);

CREATE INDEX customers_by_email ON customers (email_normalized);

CREATE TABLE subscribers (
    id BLOB PRIMARY KEY,
    version BIGINT NOT NULL,
    email TEXT NOT NULL,
    email_normalized TEXT NOT NULL UNIQUE,
    customer BLOB,
    display_name TEXT NOT NULL,
    language TEXT,
    create_time INTEGER NOT NULL
);
CREATE INDEX subscribers_by_customer ON subscribers (customer) WHERE customer IS NOT NULL;

CREATE TABLE subscriptions (
    id BLOB PRIMARY KEY,
    version BIGINT NOT NULL,
    publication BLOB NOT NULL REFERENCES publications (id),
    subscriber BLOB NOT NULL REFERENCES subscribers (id),
    state TEXT NOT NULL,
    proofs TEXT NOT NULL,
    confirmation BLOB NOT NULL UNIQUE,
    journey BLOB NOT NULL,
    create_time INTEGER NOT NULL,
    ask_time INTEGER NOT NULL,
    expire_time INTEGER NOT NULL,
    confirm_time INTEGER,
    end_time INTEGER,
    end_reason TEXT NOT NULL,
    UNIQUE (publication, subscriber)
);
CREATE INDEX subscriptions_by_subscriber ON subscriptions (subscriber);
CREATE INDEX subscriptions_by_state ON subscriptions (publication, state, id);
CREATE INDEX subscriptions_to_expire ON subscriptions (state, expire_time);

-- Addresses that get no mail, by their fingerprint: it survives the erasure of the address.
CREATE TABLE suppressions (
    mark TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    create_time INTEGER NOT NULL
);

CREATE TABLE issues (
    id BLOB PRIMARY KEY,
    version BIGINT NOT NULL,
    publication BLOB NOT NULL REFERENCES publications (id),
    content TEXT NOT NULL,
    hold_customers_at_risk BOOLEAN NOT NULL,
    on_unknown TEXT NOT NULL,
    give_up_after_seconds BIGINT NOT NULL,
    state TEXT NOT NULL,
    journey BLOB NOT NULL,
    freeze_failure TEXT,
    frozen_to BLOB,
    create_time INTEGER NOT NULL,
    freeze_time INTEGER,
    start_time INTEGER,
    complete_time INTEGER
);
CREATE INDEX issues_by_publication ON issues (publication, create_time, id);
CREATE INDEX issues_by_state ON issues (state, id);

-- The kept counters: audience is the sum of the ten that follow it, in every committed state.
CREATE TABLE issue_counts (
    issue BLOB PRIMARY KEY REFERENCES issues (id),
    audience BIGINT NOT NULL,
    pending BIGINT NOT NULL CHECK (pending >= 0),
    in_flight BIGINT NOT NULL CHECK (in_flight >= 0),
    deferred BIGINT NOT NULL CHECK (deferred >= 0),
    accepted BIGINT NOT NULL CHECK (accepted >= 0),
    rejected BIGINT NOT NULL CHECK (rejected >= 0),
    unknown BIGINT NOT NULL CHECK (unknown >= 0),
    withheld BIGINT NOT NULL CHECK (withheld >= 0),
    expired BIGINT NOT NULL CHECK (expired >= 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0),
    failed BIGINT NOT NULL CHECK (failed >= 0),
    replied_after BIGINT NOT NULL,
    CHECK (audience = pending + in_flight + deferred + accepted + rejected + unknown + withheld + expired + cancelled + failed)
);

CREATE TABLE withheld_counts (
    issue BLOB NOT NULL REFERENCES issues (id),
    reason TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (issue, reason)
);

CREATE TABLE messages (
    id BLOB PRIMARY KEY,
    sender BLOB NOT NULL REFERENCES senders (id),
    customer BLOB,
    to_email TEXT NOT NULL,
    to_name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    content TEXT NOT NULL,
    variables TEXT NOT NULL,
    in_reply_to TEXT,
    confirms BLOB REFERENCES subscriptions (id),
    fingerprint TEXT NOT NULL,
    journey BLOB NOT NULL,
    create_time INTEGER NOT NULL
);

-- The ledger: one row per recipient of an issue, and one per single message.
CREATE TABLE deliveries (
    id BLOB PRIMARY KEY,
    version BIGINT NOT NULL,
    issue BLOB REFERENCES issues (id),
    message BLOB UNIQUE REFERENCES messages (id),
    subscriber BLOB REFERENCES subscribers (id),
    subscription BLOB REFERENCES subscriptions (id),
    customer BLOB,
    sender BLOB NOT NULL REFERENCES senders (id),
    email TEXT NOT NULL,
    display_name TEXT NOT NULL,
    language TEXT NOT NULL,
    site TEXT NOT NULL,
    bulk BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    withheld_reason TEXT,
    consent_basis TEXT NOT NULL,
    mail_message_id TEXT NOT NULL UNIQUE,
    attempts INTEGER NOT NULL,
    deferrals INTEGER NOT NULL,
    fence BIGINT NOT NULL,
    worker TEXT,
    lease_until INTEGER,
    repeatable BOOLEAN NOT NULL,
    waiting BOOLEAN NOT NULL,
    next_attempt_time INTEGER NOT NULL,
    give_up_time INTEGER NOT NULL,
    on_unknown TEXT NOT NULL,
    settle_time INTEGER,
    replied BOOLEAN NOT NULL,
    journey BLOB NOT NULL,
    traceparent TEXT,
    create_time INTEGER NOT NULL,
    UNIQUE (issue, subscriber),
    CHECK ((issue IS NULL) <> (message IS NULL))
);
-- What may be tried next: messages before issues, then by time.
CREATE INDEX deliveries_due ON deliveries (bulk, next_attempt_time, id) WHERE waiting AND worker IS NULL;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE worker IS NOT NULL;
CREATE INDEX deliveries_of_issue ON deliveries (issue, id) WHERE issue IS NOT NULL;

CREATE TABLE attempts (
    delivery BLOB NOT NULL REFERENCES deliveries (id),
    number INTEGER NOT NULL,
    fence BIGINT NOT NULL,
    worker TEXT NOT NULL,
    start_time INTEGER NOT NULL,
    end_time INTEGER,
    phase TEXT NOT NULL,
    outcome TEXT,
    code INTEGER NOT NULL,
    enhanced_code TEXT NOT NULL,
    reply TEXT NOT NULL,
    PRIMARY KEY (delivery, number)
);

CREATE TABLE inbound_mails (
    id BLOB PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    matched_by TEXT,
    delivery BLOB,
    issue BLOB,
    message BLOB,
    customer BLOB,
    from_email TEXT NOT NULL,
    from_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    mail_message_id TEXT NOT NULL,
    journey BLOB NOT NULL,
    receive_time INTEGER NOT NULL
);
