DROP TABLE error_counts;
