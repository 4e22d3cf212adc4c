DROP TABLE open_complaints;
DROP TABLE segments;
