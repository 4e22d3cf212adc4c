-- Who has an interaction, where it waits, what it is filed under and where it went.
ALTER TABLE interactions ADD COLUMN assignee BLOB;
ALTER TABLE interactions ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE interactions ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE interactions ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE interactions ADD COLUMN manual_version BLOB;
ALTER TABLE interactions ADD COLUMN incident TEXT NOT NULL DEFAULT '';
ALTER TABLE interactions ADD COLUMN merged_into BLOB REFERENCES interactions (id);
-- Why it is held, abandoned or cancelled.
ALTER TABLE interactions ADD COLUMN state_reason TEXT NOT NULL DEFAULT '';
CREATE INDEX interactions_assignee ON interactions (assignee, state) WHERE assignee IS NOT NULL;
CREATE INDEX interactions_queue ON interactions (queue, create_time, id) WHERE queue <> '';
CREATE INDEX interactions_incident ON interactions (incident, create_time, id) WHERE incident <> '';
CREATE INDEX interactions_merged ON interactions (merged_into) WHERE merged_into IS NOT NULL;

-- A mail is threaded by the messages that it answers.
CREATE INDEX entries_message_id ON entries (message_id) WHERE message_id IS NOT NULL;
