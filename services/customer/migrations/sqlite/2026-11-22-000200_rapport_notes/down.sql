DROP TABLE rapport_notes;
