//! The tables of this service, as Diesel sees them.

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    interactions (id) {
        id -> Uuid,
        version -> BigInt,
        customer -> Nullable<Uuid>,
        subject -> Text,
        function -> Word,
        purpose -> Word,
        phase -> Nullable<Word>,
        kind -> Word,
        setting -> Word,
        channel -> Word,
        direction -> Word,
        objective -> Nullable<Word>,
        customer_goal -> Text,
        customer_expectation -> Text,
        state -> Word,
        stage -> Nullable<Word>,
        stages -> Json,
        waiting_since -> Nullable<Moment>,
        first_human_response_time -> Nullable<Moment>,
        informal_offer -> Nullable<Json>,
        feedback_solicited -> Bool,
        conclusion -> Nullable<Json>,
        reopen_count -> Integer,
        previous -> Nullable<Uuid>,
        service_level -> Nullable<Json>,
        sla_due_time -> Nullable<Moment>,
        assignee -> Nullable<Uuid>,
        queue -> Text,
        priority -> Integer,
        tags -> Json,
        manual_version -> Nullable<Uuid>,
        incident -> Text,
        merged_into -> Nullable<Uuid>,
        state_reason -> Text,
        call_flow -> Nullable<Json>,
        source -> Text,
        journey -> Uuid,
        scheduled_time -> Nullable<Moment>,
        start_time -> Moment,
        end_time -> Nullable<Moment>,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    entries (id) {
        id -> Uuid,
        interaction -> Uuid,
        kind -> Word,
        author_kind -> Word,
        author_name -> Text,
        recorded_by -> Text,
        responder -> Nullable<Word>,
        direction -> Nullable<Word>,
        body -> Text,
        content_type -> Text,
        in_reply_to -> Nullable<Text>,
        message_id -> Nullable<Text>,
        delivery -> Nullable<Uuid>,
        occur_time -> Moment,
        create_time -> Moment,
        ordinal -> Integer,
        findings -> Json,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use rapport_db::sql_types::{Moment, Uuid, Word};
    entry_mails (entry) {
        entry -> Uuid,
        version -> BigInt,
        interaction -> Uuid,
        customer -> Uuid,
        state -> Word,
        detail -> Text,
        attempts -> Integer,
        next_attempt_time -> Nullable<Moment>,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer};
    use rapport_db::sql_types::{Json, Uuid, Word};
    customer_risks (customer) {
        customer -> Uuid,
        version -> BigInt,
        level -> Word,
        score -> Integer,
        reasons -> Json,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_db::sql_types::{Uuid, Word};
    customer_notes (id) {
        id -> Uuid,
        version -> BigInt,
        customer -> Uuid,
        kind -> Word,
        text -> Text,
        initiator -> Nullable<Word>,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    commitments (id) {
        id -> Uuid,
        version -> BigInt,
        customer -> Nullable<Uuid>,
        interaction -> Nullable<Uuid>,
        made_by -> Text,
        owner -> Text,
        kind -> Word,
        text -> Text,
        due_time -> Moment,
        grace_micros -> BigInt,
        deadline -> Moment,
        state -> Word,
        evidence -> Nullable<Text>,
        break_time -> Nullable<Moment>,
        kept_time -> Nullable<Moment>,
        journey -> Uuid,
        create_time -> Moment,
        update_time -> Moment,
        remind_before -> Json,
        remind_time -> Nullable<Moment>,
        renegotiations -> Json,
        agreed_due_time -> Moment,
        kept_as_agreed -> Nullable<Bool>,
        settle_reason -> Nullable<Text>,
        settle_time -> Nullable<Moment>,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_db::sql_types::{Json, Uuid, Word};
    customers (id) {
        id -> Uuid,
        version -> BigInt,
        standing -> Word,
        types -> Json,
        language -> Text,
        preferred_setting -> Nullable<Word>,
    }
}
diesel::table! {
    use rapport_db::sql_types::Uuid;
    remarks (interaction, remark) {
        interaction -> Uuid,
        remark -> Uuid,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    manual_versions (id) {
        id -> Uuid,
        version -> BigInt,
        number -> Integer,
        title -> Text,
        locale -> Json,
        state -> Word,
        base -> Nullable<Uuid>,
        published_by -> Nullable<Text>,
        contents -> Json,
        create_time -> Moment,
        update_time -> Moment,
        publish_time -> Nullable<Moment>,
        retire_time -> Nullable<Moment>,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Nullable};
    use rapport_db::sql_types::Uuid;
    manual_in_force (id) {
        id -> Integer,
        manual -> Nullable<Uuid>,
        number -> Integer,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    agents (id) {
        id -> Uuid,
        version -> BigInt,
        handle -> Text,
        display_name -> Text,
        email -> Nullable<Json>,
        role -> Word,
        endorsement -> Word,
        endorsed_version -> Nullable<Uuid>,
        endorse_time -> Nullable<Moment>,
        endorsed_by -> Nullable<Text>,
        expire_time -> Nullable<Moment>,
        note -> Text,
        languages -> Json,
        queues -> Json,
        capacity -> Integer,
        inactive -> Bool,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool};
    use rapport_db::sql_types::{Json, Moment, Uuid};
    calendars (id) {
        id -> Uuid,
        version -> BigInt,
        deleted -> Bool,
        document -> Json,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable};
    use rapport_db::sql_types::{Json, Moment, Uuid};
    sla_policies (id) {
        id -> Uuid,
        version -> BigInt,
        deleted -> Bool,
        calendar -> Nullable<Uuid>,
        document -> Json,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Nullable};
    use rapport_db::sql_types::Uuid;
    sla_policy_set (id) {
        id -> Integer,
        revision -> Nullable<Uuid>,
        policies -> Integer,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use rapport_db::sql_types::{Moment, Uuid, Word};
    training_records (id) {
        id -> Uuid,
        agent -> Uuid,
        course -> Text,
        mark -> Text,
        manual -> Uuid,
        score -> Integer,
        result -> Word,
        examiner -> Text,
        take_time -> Moment,
        expire_time -> Nullable<Moment>,
        create_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    canned_messages (id) {
        id -> Uuid,
        version -> BigInt,
        short_code -> Text,
        kind -> Word,
        subject -> Text,
        body -> Text,
        file -> Text,
        scope -> Json,
        confidential -> Bool,
        revision -> Integer,
        approved_revision -> Nullable<Integer>,
        approved_by -> Nullable<Text>,
        approve_time -> Nullable<Moment>,
        written_by -> Text,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer};
    use rapport_db::sql_types::{Json, Moment, Uuid};
    call_flows (id) {
        id -> Uuid,
        version -> BigInt,
        revision -> Integer,
        draft -> Json,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::Integer;
    use rapport_db::sql_types::{Json, Uuid};
    call_flow_versions (call_flow, revision) {
        call_flow -> Uuid,
        revision -> Integer,
        draft -> Json,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use rapport_db::sql_types::Json;
    report_state (id) {
        id -> Integer,
        epoch -> Text,
        position -> BigInt,
        formula -> Integer,
        zone -> Text,
        recount -> Nullable<Json>,
    }
}
diesel::table! {
    use rapport_db::sql_types::{Json, Uuid};
    report_counts (subject) {
        subject -> Uuid,
        count -> Json,
    }
}
diesel::table! {
    use rapport_db::sql_types::Uuid;
    report_recounts (interaction) {
        interaction -> Uuid,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Text};
    use rapport_db::sql_types::Json;
    report_cells (cell) {
        cell -> Text,
        day -> Integer,
        setting -> Text,
        first_dimension -> Text,
        first_value -> Text,
        second_dimension -> Text,
        second_value -> Text,
        measures -> Json,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer};
    shelf (id) {
        id -> Integer,
        version -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use rapport_db::sql_types::{Uuid, Word};
    customer_connections (id) {
        id -> Uuid,
        version -> BigInt,
        customer -> Uuid,
        agent -> Text,
        level -> Word,
    }
}
