DROP TABLE soft_bounces;
ALTER TABLE issue_counts DROP COLUMN complained;
ALTER TABLE issue_counts DROP COLUMN bounced_after;
ALTER TABLE deliveries DROP COLUMN complained;
ALTER TABLE deliveries DROP COLUMN bounce;
