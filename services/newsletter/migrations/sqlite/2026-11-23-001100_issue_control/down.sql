ALTER TABLE issues DROP COLUMN state_reason;
