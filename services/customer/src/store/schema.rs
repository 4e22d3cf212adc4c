//! The tables of this service, as Diesel sees them.

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_core::sql::{Json, Moment, Uuid, Word};
    customers (id) {
        id -> Uuid,
        version -> BigInt,
        kind -> Word,
        display_name -> Text,
        given_name -> Text,
        family_name -> Text,
        salutation -> Text,
        language -> Nullable<Text>,
        time_zone -> Text,
        contact_points -> Json,
        external_ids -> Json,
        organization -> Nullable<Uuid>,
        job_title -> Text,
        lifecycle_stage -> Word,
        preferred_setting -> Nullable<Word>,
        preferred_channel -> Nullable<Word>,
        owner -> Text,
        tags -> Json,
        attributes -> Json,
        types -> Json,
        tag_words -> Text,
        type_words -> Text,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use rapport_core::sql::Uuid;
    identities (key, customer_id) {
        key -> Text,
        customer_id -> Uuid,
        leads -> Bool,
    }
}
diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use rapport_core::sql::{Json, Moment, Uuid, Word};
    consents (id) {
        id -> Uuid,
        customer_id -> Uuid,
        channel -> Word,
        purpose -> Nullable<Word>,
        topic -> Nullable<Text>,
        status -> Word,
        source -> Word,
        evidence -> Text,
        wording_version -> Text,
        actor -> Json,
        effective_time -> Moment,
        expire_time -> Nullable<Moment>,
        create_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use rapport_core::sql::{Moment, Uuid, Word};
    timeline (customer_id, time, event_id) {
        customer_id -> Uuid,
        time -> Moment,
        event_id -> Uuid,
        service -> Text,
        kind -> Text,
        subject -> Uuid,
        summary -> Text,
        channel -> Nullable<Word>,
        direction -> Nullable<Word>,
        setting -> Nullable<Word>,
        trace_id -> Text,
        journey -> Nullable<Uuid>,
    }
}
diesel::table! {
    use diesel::sql_types::Bool;
    use rapport_core::sql::{Moment, Uuid, Word};
    signals (customer_id, code, key) {
        customer_id -> Uuid,
        code -> Word,
        key -> Uuid,
        evidence -> Uuid,
        observe_time -> Moment,
        mended -> Bool,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable};
    use rapport_core::sql::{Moment, Uuid, Word};
    standings (customer_id) {
        customer_id -> Uuid,
        version -> BigInt,
        score -> Integer,
        level -> Word,
        last_interaction_time -> Nullable<Moment>,
        review_time -> Nullable<Moment>,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use rapport_core::sql::{Moment, Uuid, Word};
    rapport_notes (id) {
        id -> Uuid,
        version -> BigInt,
        customer_id -> Uuid,
        kind -> Word,
        text -> Text,
        initiator -> Nullable<Word>,
        interaction_id -> Nullable<Uuid>,
        month -> Nullable<Integer>,
        day -> Nullable<Integer>,
        year -> Nullable<Integer>,
        author -> Text,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_core::sql::{Moment, Uuid, Word};
    agreements (id) {
        id -> Uuid,
        version -> BigInt,
        customer_id -> Uuid,
        kind -> Word,
        title -> Text,
        text -> Text,
        manual_version -> Nullable<Uuid>,
        section -> Text,
        payment_mode -> Nullable<Word>,
        payment_means -> Text,
        eligibility -> Text,
        expire_time -> Nullable<Moment>,
        state -> Word,
        interaction_id -> Nullable<Uuid>,
        entry_id -> Nullable<Uuid>,
        reason -> Text,
        accept_time -> Nullable<Moment>,
        author -> Text,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use rapport_core::sql::{Json, Moment, Uuid, Word};
    connections (id) {
        id -> Uuid,
        version -> BigInt,
        customer_id -> Uuid,
        agent -> Text,
        level -> Word,
        history -> Json,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable};
    use rapport_core::sql::{Moment, Uuid};
    touches (customer_id) {
        customer_id -> Uuid,
        version -> BigInt,
        cadence_days -> Integer,
        next_touch_time -> Nullable<Moment>,
        told -> Bool,
        told_id -> Nullable<Uuid>,
        update_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool};
    use rapport_core::sql::{Moment, Uuid, Word};
    type_facts (evidence, kind) {
        evidence -> Uuid,
        kind -> Word,
        customer_id -> Uuid,
        occasion -> Uuid,
        time -> Moment,
        seconds -> BigInt,
        undone -> Bool,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable};
    use rapport_core::sql::{Json, Moment, Uuid};
    type_standings (customer_id) {
        customer_id -> Uuid,
        version -> BigInt,
        bought_before -> Bool,
        taken_away -> Json,
        review_time -> Nullable<Moment>,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Text};
    use rapport_core::sql::{Json, Moment, Uuid};
    segments (id) {
        id -> Uuid,
        version -> BigInt,
        display_name -> Text,
        description -> Text,
        filter -> Text,
        customer_ids -> Json,
        archived -> Bool,
        author -> Text,
        create_time -> Moment,
        update_time -> Moment,
    }
}
diesel::table! {
    use rapport_core::sql::Uuid;
    open_complaints (interaction_id) {
        interaction_id -> Uuid,
        customer_id -> Uuid,
    }
}
diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use rapport_core::sql::{Moment, Uuid};
    issue_markers (issue_id) {
        issue_id -> Uuid,
        publication -> Text,
        time -> Moment,
        event_id -> Uuid,
        summary -> Text,
        trace_id -> Text,
        journey -> Nullable<Uuid>,
    }
}
diesel::allow_tables_to_appear_in_same_query!(
    customers,
    identities,
    consents,
    timeline,
    signals,
    standings,
    rapport_notes,
    agreements,
    connections,
    touches,
    type_facts,
    type_standings,
    segments,
    open_complaints,
    issue_markers
);
