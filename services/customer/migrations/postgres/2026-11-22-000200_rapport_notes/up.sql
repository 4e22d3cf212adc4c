-- What is worth knowing of customers as persons.
CREATE TABLE rapport_notes (
    id             UUID NOT NULL PRIMARY KEY,
    version        BIGINT NOT NULL,
    customer_id    UUID NOT NULL REFERENCES customers (id),
    kind           TEXT NOT NULL,
    text           TEXT NOT NULL,
    initiator      TEXT,
    interaction_id UUID,
    month          INTEGER,
    day            INTEGER,
    year           INTEGER,
    author         TEXT NOT NULL,
    create_time    TIMESTAMPTZ NOT NULL,
    update_time    TIMESTAMPTZ NOT NULL
);
CREATE INDEX rapport_notes_customer ON rapport_notes (customer_id, id);
