-- Whether the stop rule watches an issue, has paused it, or was overruled.
ALTER TABLE issues ADD COLUMN stop_rule TEXT NOT NULL DEFAULT 'ARMED';
-- How many rejected ones were hard bounces: the address does not exist.
ALTER TABLE issue_counts ADD COLUMN bounced BIGINT NOT NULL DEFAULT 0;
-- Who settled an unknown outcome by hand, to what and why; empty when nobody did.
ALTER TABLE deliveries ADD COLUMN resolution TEXT NOT NULL DEFAULT '';
