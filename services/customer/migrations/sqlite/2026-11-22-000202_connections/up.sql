-- The bonds between us and customers; the history is JSON.
CREATE TABLE connections (
    id          BLOB NOT NULL PRIMARY KEY,
    version     INTEGER NOT NULL,
    customer_id BLOB NOT NULL REFERENCES customers (id),
    agent       TEXT NOT NULL,
    level       TEXT NOT NULL,
    history     TEXT NOT NULL,
    update_time INTEGER NOT NULL
);
CREATE UNIQUE INDEX connections_customer ON connections (customer_id, agent);
