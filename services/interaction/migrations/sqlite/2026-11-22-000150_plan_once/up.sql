-- Statements bind the state, and a statement is planned once: it cannot know that a partial index would serve it.
DROP INDEX commitments_deadline;
CREATE INDEX commitments_deadline ON commitments (state, deadline);
DROP INDEX customers_stubs;
CREATE INDEX customers_stubs ON customers (standing, id);
