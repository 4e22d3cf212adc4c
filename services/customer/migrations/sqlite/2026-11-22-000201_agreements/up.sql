-- What customers and we agree on.
CREATE TABLE agreements (
    id             BLOB NOT NULL PRIMARY KEY,
    version        INTEGER NOT NULL,
    customer_id    BLOB NOT NULL REFERENCES customers (id),
    kind           TEXT NOT NULL,
    title          TEXT NOT NULL,
    text           TEXT NOT NULL,
    manual_version BLOB,
    section        TEXT NOT NULL,
    payment_mode   TEXT,
    payment_means  TEXT NOT NULL,
    eligibility    TEXT NOT NULL,
    expire_time    INTEGER,
    state          TEXT NOT NULL,
    interaction_id BLOB,
    entry_id       BLOB,
    reason         TEXT NOT NULL,
    accept_time    INTEGER,
    author         TEXT NOT NULL,
    create_time    INTEGER NOT NULL,
    update_time    INTEGER NOT NULL
);
CREATE INDEX agreements_customer ON agreements (customer_id, id);
