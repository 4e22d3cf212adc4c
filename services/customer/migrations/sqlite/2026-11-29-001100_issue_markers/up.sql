-- Issues that went out: one row for all who had the subscription then.
CREATE TABLE issue_markers (
    issue_id    BLOB NOT NULL PRIMARY KEY,
    publication TEXT NOT NULL,
    time        INTEGER NOT NULL,
    event_id    BLOB NOT NULL,
    summary     TEXT NOT NULL,
    trace_id    TEXT NOT NULL,
    journey     BLOB
);
CREATE INDEX issue_markers_publication ON issue_markers (publication, time, event_id);
