DROP TABLE type_standings;
DROP TABLE type_facts;
