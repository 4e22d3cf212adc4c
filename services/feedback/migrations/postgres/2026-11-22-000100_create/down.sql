DROP TABLE remarks;
DROP TABLE counts;
DROP TABLE responses;
DROP TABLE invitations;
DROP TABLE customers;
DROP TABLE rules;
DROP TABLE questionnaires;
