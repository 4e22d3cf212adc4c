-- How far the reports have come: up to which position of the feed changes are counted, and up to which row everything is counted anew.
CREATE TABLE report_state (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch    TEXT NOT NULL,
    position BIGINT NOT NULL,
    formula  INTEGER NOT NULL,
    zone     TEXT NOT NULL,
    recount  JSONB
);
INSERT INTO report_state (id, epoch, position, formula, zone, recount) VALUES (1, '', 0, 0, '', NULL);
-- What each interaction and each promise adds to the sums, so that it can be taken away again.
CREATE TABLE report_counts (
    subject UUID NOT NULL PRIMARY KEY,
    count   JSONB NOT NULL
);
-- Interactions to be counted again although the feed does not tell of them.
CREATE TABLE report_recounts (
    interaction UUID NOT NULL PRIMARY KEY
);
-- The sums, by none, one or two dimensions beside day and setting; the cell names all of them.
CREATE TABLE report_cells (
    cell             TEXT NOT NULL PRIMARY KEY,
    day              INTEGER NOT NULL,
    setting          TEXT NOT NULL,
    first_dimension  TEXT NOT NULL,
    first_value      TEXT NOT NULL,
    second_dimension TEXT NOT NULL,
    second_value     TEXT NOT NULL,
    measures         JSONB NOT NULL
);
CREATE INDEX report_cells_by_first ON report_cells (first_dimension, second_dimension, first_value, day);
CREATE INDEX report_cells_by_second ON report_cells (first_dimension, second_dimension, second_value, day);
