-- How many attempts of an issue ended with which kind of failure.
CREATE TABLE error_counts (
    issue UUID NOT NULL REFERENCES issues (id),
    class TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (issue, class)
);
