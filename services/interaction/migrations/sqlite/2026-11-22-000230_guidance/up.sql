-- What guidance needs to know of a customer, as the customer feed tells, and what a review found in an entry.
ALTER TABLE entries ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE customers ADD COLUMN language text NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN preferred_setting text;

-- The risk has versions of its own: it is no part of the customer.
CREATE TABLE customer_risks (
    customer BLOB NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL,
    level    text NOT NULL,
    score    INTEGER NOT NULL,
    reasons  TEXT NOT NULL
);

CREATE TABLE customer_notes (
    id        BLOB NOT NULL PRIMARY KEY,
    version   INTEGER NOT NULL,
    customer  BLOB NOT NULL,
    kind      text NOT NULL,
    text      text NOT NULL,
    initiator text
);
CREATE INDEX customer_notes_of ON customer_notes (customer, kind, id);
