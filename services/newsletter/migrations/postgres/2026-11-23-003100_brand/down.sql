ALTER TABLE senders DROP COLUMN brand_color;
ALTER TABLE senders DROP COLUMN brand_name;
