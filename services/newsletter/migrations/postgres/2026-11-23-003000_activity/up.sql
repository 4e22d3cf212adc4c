-- What became of issues, by the hour (of the Unix epoch).
CREATE TABLE issue_hours (
    issue UUID NOT NULL,
    hour BIGINT NOT NULL,
    accepted BIGINT NOT NULL DEFAULT 0,
    bounced BIGINT NOT NULL DEFAULT 0,
    complained BIGINT NOT NULL DEFAULT 0,
    unsubscribed BIGINT NOT NULL DEFAULT 0,
    replied BIGINT NOT NULL DEFAULT 0,
    clicks BIGINT NOT NULL DEFAULT 0,
    human_clicks BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (issue, hour)
);

-- The links of mails that were visited: each link of each mail once.
ALTER TABLE publications ADD COLUMN track_clicks BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE clicks (
    delivery UUID NOT NULL,
    link TEXT NOT NULL,
    last_time TIMESTAMPTZ NOT NULL,
    human BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (delivery, link)
);

-- Suppressions are listed by their time.
CREATE INDEX suppressions_by_time ON suppressions (create_time, mark);
