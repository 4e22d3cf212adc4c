-- What shows of what types customers are, as the rules need it; one resource shows each kind of fact once.
CREATE TABLE type_facts (
    evidence    UUID NOT NULL,
    kind        TEXT NOT NULL,
    customer_id UUID NOT NULL REFERENCES customers (id),
    occasion    UUID NOT NULL,
    time        TIMESTAMPTZ NOT NULL,
    seconds     BIGINT NOT NULL,
    undone      BOOLEAN NOT NULL,
    PRIMARY KEY (evidence, kind)
);
CREATE INDEX type_facts_customer ON type_facts (customer_id);

-- What the rules need to know of a customer besides, and when their verdict may change by time alone.
CREATE TABLE type_standings (
    customer_id   UUID NOT NULL PRIMARY KEY REFERENCES customers (id),
    version       BIGINT NOT NULL,
    bought_before BOOLEAN NOT NULL,
    -- The types that people took away: no rule gives them.
    taken_away    JSONB NOT NULL,
    review_time   TIMESTAMPTZ
);
CREATE INDEX type_standings_review ON type_standings (review_time);
