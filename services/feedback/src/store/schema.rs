//! The tables as Diesel sees them.

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    questionnaires (id, number) {
        id -> Uuid,
        number -> Integer,
        version -> BigInt,
        display_name -> Text,
        style -> Word,
        state -> Word,
        content -> Json,
        create_time -> Moment,
        publish_time -> Nullable<Moment>,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid};
    rules (id) {
        id -> Uuid,
        display_name -> Text,
        disabled -> Bool,
        filter_text -> Text,
        comparisons -> Json,
        delay_micros -> BigInt,
        questionnaire -> Uuid,
        sample_millionths -> Integer,
        per_customer_gap_micros -> BigInt,
        any_survey_gap_micros -> BigInt,
        expire_after_micros -> BigInt,
        create_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_db::sql_types::{Json, Uuid};
    customers (id) {
        id -> Uuid,
        version -> BigInt,
        language -> Nullable<Text>,
        types -> Json,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use rapport_db::sql_types::{Moment, Uuid, Word};
    invitations (id) {
        id -> Uuid,
        version -> BigInt,
        questionnaire -> Uuid,
        number -> Integer,
        customer -> Uuid,
        interaction -> Nullable<Uuid>,
        rule -> Nullable<Uuid>,
        state -> Word,
        withheld -> Nullable<Word>,
        failure -> Nullable<Text>,
        language -> Text,
        create_time -> Moment,
        due_time -> Moment,
        expire_time -> Moment,
        hand_over_time -> Nullable<Moment>,
        send_time -> Nullable<Moment>,
        send_day -> Nullable<Integer>,
        settle_time -> Nullable<Moment>,
        settle_day -> Nullable<Integer>,
        attempts -> Integer,
        next_attempt_time -> Nullable<Moment>,
        journey -> Nullable<Uuid>,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    responses (id) {
        id -> Uuid,
        questionnaire -> Uuid,
        number -> Integer,
        invitation -> Nullable<Uuid>,
        customer -> Uuid,
        interaction -> Nullable<Uuid>,
        mode -> Word,
        recorded_by -> Text,
        language -> Text,
        answers -> Json,
        nps -> Nullable<Integer>,
        csat -> Nullable<Integer>,
        ces -> Nullable<Integer>,
        collect_time -> Moment,
        collect_day -> Integer,
        create_time -> Moment,
        journey -> Nullable<Uuid>,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Text};
    use rapport_db::sql_types::{Moment, Uuid, Word};
    counts (response, question) {
        response -> Uuid,
        question -> Text,
        kind -> Word,
        value -> Integer,
        questionnaire -> Uuid,
        number -> Integer,
        collect_time -> Moment,
        collect_day -> Integer,
    }
}
diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use rapport_db::sql_types::{Moment, Uuid, Word};
    remarks (id) {
        id -> Uuid,
        customer -> Uuid,
        interaction -> Nullable<Uuid>,
        verbatim -> Text,
        kind -> Word,
        occasion -> Word,
        setting -> Nullable<Word>,
        guide -> Nullable<Uuid>,
        question -> Nullable<Text>,
        heard_by -> Text,
        say_time -> Moment,
        create_time -> Moment,
        stars -> Nullable<Integer>,
        source -> Text,
        journey -> Nullable<Uuid>,
        recorded_by -> Text,
    }
}
diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use rapport_db::sql_types::{Moment, Uuid, Word};
    undocumented (interaction) {
        interaction -> Uuid,
        customer -> Nullable<Uuid>,
        agent -> Text,
        assignee -> Nullable<Uuid>,
        setting -> Nullable<Word>,
        conclude_time -> Moment,
    }
}
diesel::table! {
    use rapport_db::sql_types::Uuid;
    missing_remarks (remark, interaction) {
        remark -> Uuid,
        interaction -> Uuid,
    }
}
diesel::table! {
    use rapport_db::sql_types::Uuid;
    merges (interaction) {
        interaction -> Uuid,
        survivor -> Uuid,
    }
}
