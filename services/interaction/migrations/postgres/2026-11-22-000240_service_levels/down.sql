DROP INDEX interactions_sla_due;
ALTER TABLE interactions DROP COLUMN sla_due_time;
ALTER TABLE interactions DROP COLUMN service_level;
DROP TABLE sla_policies;
DROP TABLE calendars;
