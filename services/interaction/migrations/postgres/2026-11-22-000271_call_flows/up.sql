-- The steps of calls. The versions are kept for the interactions that follow them.
CREATE TABLE call_flows (
    id          UUID NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    revision    INTEGER NOT NULL,
    draft       JSONB NOT NULL,
    create_time TIMESTAMPTZ NOT NULL,
    update_time TIMESTAMPTZ NOT NULL
);
CREATE INDEX call_flows_created ON call_flows (create_time, id);
CREATE TABLE call_flow_versions (
    call_flow UUID NOT NULL REFERENCES call_flows (id),
    revision  INTEGER NOT NULL,
    draft     JSONB NOT NULL,
    PRIMARY KEY (call_flow, revision)
);
-- How far an interaction has come in a call flow.
ALTER TABLE interactions ADD COLUMN call_flow JSONB;
