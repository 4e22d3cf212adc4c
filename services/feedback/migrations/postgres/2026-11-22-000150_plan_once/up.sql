-- Statements bind the state, and a statement is planned once: it cannot know that a partial index would serve it.
DROP INDEX invitations_expiring;
CREATE INDEX invitations_expiring ON invitations (state, expire_time);
