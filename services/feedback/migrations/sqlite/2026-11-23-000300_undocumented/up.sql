-- Interactions that were concluded although what the customer said is not written down.
CREATE TABLE undocumented (
    interaction   BLOB NOT NULL PRIMARY KEY,
    customer      BLOB,
    agent         TEXT NOT NULL,
    assignee      BLOB,
    setting       TEXT,
    conclude_time INTEGER NOT NULL
);
CREATE INDEX undocumented_time ON undocumented (conclude_time, interaction);
CREATE INDEX undocumented_agent ON undocumented (agent, conclude_time, interaction);

-- The remarks that their conclusions name and that nobody has recorded; none for a conclusion that names none.
CREATE TABLE missing_remarks (
    remark      BLOB NOT NULL,
    interaction BLOB NOT NULL,
    PRIMARY KEY (remark, interaction)
) WITHOUT ROWID;
CREATE INDEX missing_remarks_interaction ON missing_remarks (interaction);

-- Which interactions go on in which: what was said in them documents the other one too.
CREATE TABLE merges (
    interaction BLOB NOT NULL PRIMARY KEY,
    survivor    BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX merges_survivor ON merges (survivor);

-- Who wrote a remark down; empty for those of before.
ALTER TABLE remarks ADD COLUMN recorded_by TEXT NOT NULL DEFAULT '';
