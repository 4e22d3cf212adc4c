-- When somebody is there to answer, and within what time which interactions are answered and resolved.
CREATE TABLE calendars (
    id          BLOB NOT NULL PRIMARY KEY,
    version     INTEGER NOT NULL,
    -- A deleted one stays for the clocks that run by it.
    deleted     BOOLEAN NOT NULL,
    document    TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL
);
CREATE INDEX calendars_listed ON calendars (deleted, create_time, id);
CREATE TABLE sla_policies (
    id          BLOB NOT NULL PRIMARY KEY,
    version     INTEGER NOT NULL,
    deleted     BOOLEAN NOT NULL,
    calendar    BLOB REFERENCES calendars (id),
    document    TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL
);
CREATE INDEX sla_policies_listed ON sla_policies (deleted, create_time, id);
CREATE INDEX sla_policies_calendar ON sla_policies (calendar) WHERE calendar IS NOT NULL;

-- The clocks of an interaction, and when the next of them is due.
ALTER TABLE interactions ADD COLUMN service_level TEXT;
ALTER TABLE interactions ADD COLUMN sla_due_time INTEGER;
CREATE INDEX interactions_sla_due ON interactions (sla_due_time) WHERE sla_due_time IS NOT NULL;
