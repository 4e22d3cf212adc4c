-- Every meeting with a customer.
CREATE TABLE interactions (
    id                        BLOB NOT NULL PRIMARY KEY,
    version                   INTEGER NOT NULL,
    customer                  BLOB,
    subject                   TEXT NOT NULL,
    function                  TEXT NOT NULL,
    purpose                   TEXT NOT NULL,
    phase                     TEXT,
    kind                      TEXT NOT NULL,
    setting                   TEXT NOT NULL,
    channel                   TEXT NOT NULL,
    direction                 TEXT NOT NULL,
    objective                 TEXT,
    customer_goal             TEXT NOT NULL,
    customer_expectation      TEXT NOT NULL,
    state                     TEXT NOT NULL,
    stage                     TEXT,
    stages                    TEXT NOT NULL,
    waiting_since             INTEGER,
    first_human_response_time INTEGER,
    informal_offer            TEXT,
    feedback_solicited        BOOLEAN NOT NULL,
    conclusion                TEXT,
    reopen_count              INTEGER NOT NULL,
    previous                  BLOB REFERENCES interactions (id),
    source                    TEXT NOT NULL,
    journey                   BLOB NOT NULL,
    scheduled_time            INTEGER,
    start_time                INTEGER NOT NULL,
    end_time                  INTEGER,
    create_time               INTEGER NOT NULL,
    update_time               INTEGER NOT NULL,
    -- A conclusion is never missing where the state says that there is one.
    CHECK (state <> 'CONCLUDED' OR conclusion IS NOT NULL)
);
CREATE INDEX interactions_newest ON interactions (create_time, id);
CREATE INDEX interactions_customer ON interactions (customer, create_time, id) WHERE customer IS NOT NULL;
CREATE INDEX interactions_journey ON interactions (journey);
CREATE INDEX interactions_source ON interactions (source) WHERE source <> '';
CREATE INDEX interactions_previous ON interactions (previous) WHERE previous IS NOT NULL;

-- What was said, written or noted: rows are only ever added.
CREATE TABLE entries (
    id           BLOB NOT NULL PRIMARY KEY,
    interaction  BLOB NOT NULL REFERENCES interactions (id),
    kind         TEXT NOT NULL,
    author_kind  TEXT NOT NULL,
    author_name  TEXT NOT NULL,
    recorded_by  TEXT NOT NULL,
    responder    TEXT,
    direction    TEXT,
    body         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    in_reply_to  TEXT,
    message_id   TEXT,
    delivery     BLOB,
    occur_time   INTEGER NOT NULL,
    create_time  INTEGER NOT NULL,
    -- The place among the entries of one call.
    ordinal      INTEGER NOT NULL,
    CHECK ((responder IS NULL) = (direction IS NULL))
);
CREATE INDEX entries_interaction ON entries (interaction, create_time, ordinal, id);
-- One message makes one entry.
CREATE UNIQUE INDEX entries_message ON entries (interaction, message_id) WHERE message_id IS NOT NULL;

-- Promises made to customers.
CREATE TABLE commitments (
    id           BLOB NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL,
    customer     BLOB,
    interaction  BLOB REFERENCES interactions (id),
    made_by      TEXT NOT NULL,
    owner        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    text         TEXT NOT NULL,
    due_time     INTEGER NOT NULL,
    grace_micros INTEGER NOT NULL,
    -- due_time + grace: from then on it is broken.
    deadline     INTEGER NOT NULL,
    state        TEXT NOT NULL,
    evidence     TEXT,
    break_time   INTEGER,
    kept_time    INTEGER,
    journey      BLOB NOT NULL,
    create_time  INTEGER NOT NULL,
    update_time  INTEGER NOT NULL,
    CHECK (customer IS NOT NULL OR interaction IS NOT NULL),
    CHECK (state NOT IN ('KEPT', 'KEPT_LATE') OR evidence IS NOT NULL)
);
CREATE INDEX commitments_due ON commitments (due_time, id);
CREATE INDEX commitments_deadline ON commitments (deadline) WHERE state = 'OPEN';
CREATE INDEX commitments_customer ON commitments (customer, due_time, id) WHERE customer IS NOT NULL;
CREATE INDEX commitments_interaction ON commitments (interaction) WHERE interaction IS NOT NULL;
CREATE INDEX commitments_journey ON commitments (journey);

-- The customers as their feed tells, and stubs for those whom it has not told of yet.
CREATE TABLE customers (
    id       BLOB NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL,
    standing TEXT NOT NULL,
    types    TEXT NOT NULL
);
CREATE INDEX customers_stubs ON customers (id) WHERE standing = 'STUB';

-- Which remarks document what was said in which interaction, as the feedback feed tells.
CREATE TABLE remarks (
    interaction BLOB NOT NULL,
    remark      BLOB NOT NULL,
    PRIMARY KEY (interaction, remark)
);
