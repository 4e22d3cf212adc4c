-- Interactions that were concluded although what the customer said is not written down.
CREATE TABLE undocumented (
    interaction   UUID NOT NULL PRIMARY KEY,
    customer      UUID,
    agent         TEXT NOT NULL,
    assignee      UUID,
    setting       TEXT,
    conclude_time TIMESTAMPTZ NOT NULL
);
CREATE INDEX undocumented_time ON undocumented (conclude_time, interaction);
CREATE INDEX undocumented_agent ON undocumented (agent, conclude_time, interaction);

-- The remarks that their conclusions name and that nobody has recorded; none for a conclusion that names none.
CREATE TABLE missing_remarks (
    remark      UUID NOT NULL,
    interaction UUID NOT NULL,
    PRIMARY KEY (remark, interaction)
);
CREATE INDEX missing_remarks_interaction ON missing_remarks (interaction);

-- Which interactions go on in which: what was said in them documents the other one too.
CREATE TABLE merges (
    interaction UUID NOT NULL PRIMARY KEY,
    survivor    UUID NOT NULL
);
CREATE INDEX merges_survivor ON merges (survivor);

-- Who wrote a remark down; empty for those of before.
ALTER TABLE remarks ADD COLUMN recorded_by TEXT NOT NULL DEFAULT '';
