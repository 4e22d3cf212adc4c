-- The bonds between us and customers; the history is JSON.
CREATE TABLE connections (
    id          UUID NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    customer_id UUID NOT NULL REFERENCES customers (id),
    agent       TEXT NOT NULL,
    level       TEXT NOT NULL,
    history     JSONB NOT NULL,
    update_time TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX connections_customer ON connections (customer_id, agent);
