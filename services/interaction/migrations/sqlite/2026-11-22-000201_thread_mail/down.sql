DROP INDEX entries_delivery;
