DROP TABLE standings;
DROP TABLE signals;
DROP TABLE timeline;
DROP TABLE consents;
DROP TABLE identities;
DROP TABLE customers;
