-- Which set of policies there is: another revision with each change, so that the policies are read again only after one; and how many are
-- in it. None before the first change.
CREATE TABLE sla_policy_set (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision BLOB,
    policies INTEGER NOT NULL
);
INSERT INTO sla_policy_set (id, revision, policies) SELECT 1, NULL, COUNT(*) FROM sla_policies WHERE NOT deleted;
