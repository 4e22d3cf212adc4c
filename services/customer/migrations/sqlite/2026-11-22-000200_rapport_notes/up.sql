-- What is worth knowing of customers as persons.
CREATE TABLE rapport_notes (
    id             BLOB NOT NULL PRIMARY KEY,
    version        INTEGER NOT NULL,
    customer_id    BLOB NOT NULL REFERENCES customers (id),
    kind           TEXT NOT NULL,
    text           TEXT NOT NULL,
    initiator      TEXT,
    interaction_id BLOB,
    month          INTEGER,
    day            INTEGER,
    year           INTEGER,
    author         TEXT NOT NULL,
    create_time    INTEGER NOT NULL,
    update_time    INTEGER NOT NULL
);
CREATE INDEX rapport_notes_customer ON rapport_notes (customer_id, id);
