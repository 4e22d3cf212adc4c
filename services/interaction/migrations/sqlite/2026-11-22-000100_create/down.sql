DROP TABLE remarks;
DROP TABLE customers;
DROP TABLE commitments;
DROP TABLE entries;
DROP TABLE interactions;
