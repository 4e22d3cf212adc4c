DROP TABLE issue_markers;
