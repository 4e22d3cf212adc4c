DROP TABLE training_records;
DROP TABLE agents;
DROP TABLE manual_in_force;
DROP TABLE manual_versions;
