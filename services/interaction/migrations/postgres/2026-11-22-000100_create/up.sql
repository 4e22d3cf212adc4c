-- Every meeting with a customer.
CREATE TABLE interactions (
    id                        UUID NOT NULL PRIMARY KEY,
    version                   BIGINT NOT NULL,
    customer                  UUID,
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
    stages                    JSONB NOT NULL,
    waiting_since             TIMESTAMPTZ,
    first_human_response_time TIMESTAMPTZ,
    informal_offer            JSONB,
    feedback_solicited        BOOLEAN NOT NULL,
    conclusion                JSONB,
    reopen_count              INTEGER NOT NULL,
    previous                  UUID REFERENCES interactions (id),
    source                    TEXT NOT NULL,
    journey                   UUID NOT NULL,
    scheduled_time            TIMESTAMPTZ,
    start_time                TIMESTAMPTZ NOT NULL,
    end_time                  TIMESTAMPTZ,
    create_time               TIMESTAMPTZ NOT NULL,
    update_time               TIMESTAMPTZ NOT NULL,
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
    id           UUID NOT NULL PRIMARY KEY,
    interaction  UUID NOT NULL REFERENCES interactions (id),
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
    delivery     UUID,
    occur_time   TIMESTAMPTZ NOT NULL,
    create_time  TIMESTAMPTZ NOT NULL,
    -- The place among the entries of one call.
    ordinal      INTEGER NOT NULL,
    CHECK ((responder IS NULL) = (direction IS NULL))
);
CREATE INDEX entries_interaction ON entries (interaction, create_time, ordinal, id);
-- One message makes one entry.
CREATE UNIQUE INDEX entries_message ON entries (interaction, message_id) WHERE message_id IS NOT NULL;

-- Promises made to customers.
CREATE TABLE commitments (
    id           UUID NOT NULL PRIMARY KEY,
    version      BIGINT NOT NULL,
    customer     UUID,
    interaction  UUID REFERENCES interactions (id),
    made_by      TEXT NOT NULL,
    owner        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    text         TEXT NOT NULL,
    due_time     TIMESTAMPTZ NOT NULL,
    grace_micros BIGINT NOT NULL,
    -- due_time + grace: from then on it is broken.
    deadline     TIMESTAMPTZ NOT NULL,
    state        TEXT NOT NULL,
    evidence     TEXT,
    break_time   TIMESTAMPTZ,
    kept_time    TIMESTAMPTZ,
    journey      UUID NOT NULL,
    create_time  TIMESTAMPTZ NOT NULL,
    update_time  TIMESTAMPTZ NOT NULL,
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
    id       UUID NOT NULL PRIMARY KEY,
    version  BIGINT NOT NULL,
    standing TEXT NOT NULL,
    types    JSONB NOT NULL
);
CREATE INDEX customers_stubs ON customers (id) WHERE standing = 'STUB';

-- Which remarks document what was said in which interaction, as the feedback feed tells.
CREATE TABLE remarks (
    interaction UUID NOT NULL,
    remark      UUID NOT NULL,
    PRIMARY KEY (interaction, remark)
);
