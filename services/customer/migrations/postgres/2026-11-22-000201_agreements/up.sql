-- What customers and we agree on.
CREATE TABLE agreements (
    id             UUID NOT NULL PRIMARY KEY,
    version        BIGINT NOT NULL,
    customer_id    UUID NOT NULL REFERENCES customers (id),
    kind           TEXT NOT NULL,
    title          TEXT NOT NULL,
    text           TEXT NOT NULL,
    manual_version UUID,
    section        TEXT NOT NULL,
    payment_mode   TEXT,
    payment_means  TEXT NOT NULL,
    eligibility    TEXT NOT NULL,
    expire_time    TIMESTAMPTZ,
    state          TEXT NOT NULL,
    interaction_id UUID,
    entry_id       UUID,
    reason         TEXT NOT NULL,
    accept_time    TIMESTAMPTZ,
    author         TEXT NOT NULL,
    create_time    TIMESTAMPTZ NOT NULL,
    update_time    TIMESTAMPTZ NOT NULL
);
CREATE INDEX agreements_customer ON agreements (customer_id, id);
