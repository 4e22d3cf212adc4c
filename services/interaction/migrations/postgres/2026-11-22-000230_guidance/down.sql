DROP TABLE customer_notes;
DROP TABLE customer_risks;
ALTER TABLE customers DROP COLUMN preferred_setting;
ALTER TABLE customers DROP COLUMN language;
ALTER TABLE entries DROP COLUMN findings;
