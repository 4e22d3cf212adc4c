ALTER TABLE interactions DROP COLUMN call_flow;
DROP TABLE call_flow_versions;
DROP TABLE call_flows;
