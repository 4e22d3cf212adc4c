-- How the pages show whose they are; empty for the name that recipients see, and for a neutral colour.
ALTER TABLE senders ADD COLUMN brand_name TEXT NOT NULL DEFAULT '';
ALTER TABLE senders ADD COLUMN brand_color TEXT NOT NULL DEFAULT '';
