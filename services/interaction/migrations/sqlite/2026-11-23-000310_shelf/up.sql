-- Counts the changes of canned messages and call flows, so that guidance may keep them in memory: one row.
CREATE TABLE shelf (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
);
INSERT INTO shelf (id, version) VALUES (1, 0);

-- The bonds between people of ours and customers, as the customer feed tells.
CREATE TABLE customer_connections (
    id       BLOB NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL,
    customer BLOB NOT NULL,
    agent    text NOT NULL,
    level    text NOT NULL
);
CREATE INDEX customer_connections_of ON customer_connections (customer, id);
