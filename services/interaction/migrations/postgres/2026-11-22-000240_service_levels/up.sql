-- When somebody is there to answer, and within what time which interactions are answered and resolved.
CREATE TABLE calendars (
    id          uuid NOT NULL PRIMARY KEY,
    version     bigint NOT NULL,
    -- A deleted one stays for the clocks that run by it.
    deleted     boolean NOT NULL,
    document    jsonb NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL
);
CREATE INDEX calendars_listed ON calendars (deleted, create_time, id);
CREATE TABLE sla_policies (
    id          uuid NOT NULL PRIMARY KEY,
    version     bigint NOT NULL,
    deleted     boolean NOT NULL,
    calendar    uuid REFERENCES calendars (id),
    document    jsonb NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL
);
CREATE INDEX sla_policies_listed ON sla_policies (deleted, create_time, id);
CREATE INDEX sla_policies_calendar ON sla_policies (calendar) WHERE calendar IS NOT NULL;

-- The clocks of an interaction, and when the next of them is due.
ALTER TABLE interactions ADD COLUMN service_level jsonb;
ALTER TABLE interactions ADD COLUMN sla_due_time timestamptz;
CREATE INDEX interactions_sla_due ON interactions (sla_due_time) WHERE sla_due_time IS NOT NULL;
