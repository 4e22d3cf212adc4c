-- The steps of calls. The versions are kept for the interactions that follow them.
CREATE TABLE call_flows (
    id          BLOB NOT NULL PRIMARY KEY,
    version     INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    draft       TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL
);
CREATE INDEX call_flows_created ON call_flows (create_time, id);
CREATE TABLE call_flow_versions (
    call_flow BLOB NOT NULL REFERENCES call_flows (id),
    revision  INTEGER NOT NULL,
    draft     TEXT NOT NULL,
    PRIMARY KEY (call_flow, revision)
);
-- How far an interaction has come in a call flow.
ALTER TABLE interactions ADD COLUMN call_flow TEXT;
