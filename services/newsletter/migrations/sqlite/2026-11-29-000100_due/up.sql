-- What may be tried next, of each issue by time: an issue that is paused has its many rows in nobody's way. Single messages have no issue.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due_of_issue ON deliveries (issue, next_attempt_time, id) WHERE waiting AND worker IS NULL;

-- What destination sites with a limit have used of it: slots are given away under the lock of this row.
CREATE TABLE site_paces (
    site TEXT PRIMARY KEY,
    next_slot INTEGER NOT NULL
);
CREATE INDEX site_paces_by_slot ON site_paces (next_slot);
