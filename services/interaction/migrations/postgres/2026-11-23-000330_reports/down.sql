DROP TABLE report_cells;
DROP TABLE report_recounts;
DROP TABLE report_counts;
DROP TABLE report_state;
