ALTER TABLE remarks DROP COLUMN recorded_by;
DROP TABLE merges;
DROP TABLE missing_remarks;
DROP TABLE undocumented;
