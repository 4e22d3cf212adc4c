-- Saved filters over customers.
CREATE TABLE segments (
    id           UUID NOT NULL PRIMARY KEY,
    version      BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    description  TEXT NOT NULL,
    filter       TEXT NOT NULL,
    customer_ids JSONB NOT NULL,
    archived     BOOLEAN NOT NULL,
    author       TEXT NOT NULL,
    create_time  TIMESTAMPTZ NOT NULL,
    update_time  TIMESTAMPTZ NOT NULL
);

-- Interactions with the purpose COMPLAINT that are going on; the customer may be unknown here.
CREATE TABLE open_complaints (
    interaction_id UUID NOT NULL PRIMARY KEY,
    customer_id    UUID NOT NULL
);
CREATE INDEX open_complaints_customer ON open_complaints (customer_id);
