DROP TABLE customer_connections;
DROP TABLE shelf;
