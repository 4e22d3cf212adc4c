DROP TABLE site_paces;
DROP INDEX deliveries_due_of_issue;
CREATE INDEX deliveries_due ON deliveries (bulk, next_attempt_time, id) WHERE waiting AND worker IS NULL;
