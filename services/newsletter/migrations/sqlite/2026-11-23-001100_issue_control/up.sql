-- Why an issue was paused or cancelled; empty when nobody said.
ALTER TABLE issues ADD COLUMN state_reason TEXT NOT NULL DEFAULT '';
