CREATE TABLE questionnaires (
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    version BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    style TEXT NOT NULL,
    state TEXT NOT NULL,
    content TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    publish_time INTEGER,
    PRIMARY KEY (id, number)
);
CREATE UNIQUE INDEX questionnaires_draft ON questionnaires (id) WHERE state = 'DRAFT';
CREATE UNIQUE INDEX questionnaires_published ON questionnaires (id) WHERE state = 'PUBLISHED';

CREATE TABLE rules (
    id BLOB PRIMARY KEY NOT NULL,
    display_name TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    filter_text TEXT NOT NULL,
    comparisons TEXT NOT NULL,
    delay_micros BIGINT NOT NULL,
    questionnaire BLOB NOT NULL,
    sample_millionths INTEGER NOT NULL,
    per_customer_gap_micros BIGINT NOT NULL,
    any_survey_gap_micros BIGINT NOT NULL,
    expire_after_micros BIGINT NOT NULL,
    create_time INTEGER NOT NULL
);
CREATE INDEX rules_listed ON rules (create_time, id);

CREATE TABLE customers (
    id BLOB PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    language TEXT,
    types TEXT NOT NULL
);

CREATE TABLE invitations (
    id BLOB PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    questionnaire BLOB NOT NULL,
    number INTEGER NOT NULL,
    customer BLOB NOT NULL REFERENCES customers (id),
    interaction BLOB,
    rule BLOB REFERENCES rules (id),
    state TEXT NOT NULL,
    withheld TEXT,
    failure TEXT,
    language TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    due_time INTEGER NOT NULL,
    expire_time INTEGER NOT NULL,
    hand_over_time INTEGER,
    send_time INTEGER,
    send_day INTEGER,
    settle_time INTEGER,
    settle_day INTEGER,
    attempts INTEGER NOT NULL,
    next_attempt_time INTEGER,
    journey BLOB,
    FOREIGN KEY (questionnaire, number) REFERENCES questionnaires (id, number)
);
-- A rule asks once about one interaction, however often its conclusion is told.
CREATE UNIQUE INDEX invitations_of_rule ON invitations (rule, interaction);
CREATE UNIQUE INDEX invitations_open ON invitations (customer, questionnaire) WHERE state IN ('PENDING', 'SENT', 'OPENED');
CREATE INDEX invitations_due ON invitations (next_attempt_time) WHERE next_attempt_time IS NOT NULL;
CREATE INDEX invitations_expiring ON invitations (expire_time) WHERE state IN ('PENDING', 'SENT', 'OPENED');
CREATE INDEX invitations_listed ON invitations (create_time, id);
CREATE INDEX invitations_of_customer ON invitations (customer, hand_over_time);
CREATE INDEX invitations_sent ON invitations (questionnaire, send_time);
CREATE INDEX invitations_settled ON invitations (questionnaire, settle_time);

CREATE TABLE responses (
    id BLOB PRIMARY KEY NOT NULL,
    questionnaire BLOB NOT NULL,
    number INTEGER NOT NULL,
    invitation BLOB UNIQUE REFERENCES invitations (id),
    customer BLOB NOT NULL REFERENCES customers (id),
    interaction BLOB,
    mode TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    language TEXT NOT NULL,
    answers TEXT NOT NULL,
    nps INTEGER,
    csat INTEGER,
    ces INTEGER,
    collect_time INTEGER NOT NULL,
    collect_day INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    journey BLOB,
    FOREIGN KEY (questionnaire, number) REFERENCES questionnaires (id, number)
);
CREATE INDEX responses_listed ON responses (create_time, id);
CREATE INDEX responses_of_customer ON responses (customer, create_time, id);
CREATE INDEX responses_collected ON responses (questionnaire, collect_time);

CREATE TABLE counts (
    response BLOB NOT NULL REFERENCES responses (id),
    question TEXT NOT NULL,
    kind TEXT NOT NULL,
    value INTEGER NOT NULL,
    questionnaire BLOB NOT NULL,
    number INTEGER NOT NULL,
    collect_time INTEGER NOT NULL,
    collect_day INTEGER NOT NULL,
    PRIMARY KEY (response, question)
);
CREATE INDEX counts_collected ON counts (questionnaire, collect_time);

CREATE TABLE remarks (
    id BLOB PRIMARY KEY NOT NULL,
    customer BLOB NOT NULL REFERENCES customers (id),
    interaction BLOB,
    verbatim TEXT NOT NULL,
    kind TEXT NOT NULL,
    occasion TEXT NOT NULL,
    setting TEXT,
    guide BLOB,
    question TEXT,
    heard_by TEXT NOT NULL,
    say_time INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    stars INTEGER,
    source TEXT NOT NULL,
    journey BLOB
);
CREATE INDEX remarks_listed ON remarks (create_time, id);
CREATE INDEX remarks_of_customer ON remarks (customer, create_time, id);
CREATE INDEX remarks_of_interaction ON remarks (interaction);
