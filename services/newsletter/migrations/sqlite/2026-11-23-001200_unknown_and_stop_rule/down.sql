ALTER TABLE deliveries DROP COLUMN resolution;
ALTER TABLE issue_counts DROP COLUMN bounced;
ALTER TABLE issues DROP COLUMN stop_rule;
