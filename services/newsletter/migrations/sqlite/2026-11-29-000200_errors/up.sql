-- How many attempts of an issue ended with which kind of failure.
CREATE TABLE error_counts (
    issue BLOB NOT NULL REFERENCES issues (id),
    class TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, class)
);
