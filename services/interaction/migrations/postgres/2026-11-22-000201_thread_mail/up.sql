-- A mail is threaded by the delivery that it answers.
CREATE INDEX entries_delivery ON entries (delivery) WHERE delivery IS NOT NULL;
