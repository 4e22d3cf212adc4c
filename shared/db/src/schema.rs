//! The tables that every service has, as Diesel sees them.

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_core::sql::{Json, Moment, Uuid};
    outbox (seq) {
        seq -> BigInt,
        event_id -> Uuid,
        position -> Nullable<BigInt>,
        kind -> Text,
        subject -> Uuid,
        subject_version -> BigInt,
        time -> Moment,
        actor -> Json,
        traceparent -> Nullable<Text>,
        journey -> Nullable<Uuid>,
        cause -> Nullable<Uuid>,
        payload -> Json,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use rapport_core::sql::Moment;
    relay (name) {
        name -> Text,
        epoch -> Text,
        holder -> Text,
        fence -> BigInt,
        held_until -> Moment,
        position -> BigInt,
        pruned_position -> BigInt,
        generation -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::Text;
    use rapport_core::sql::Moment;
    feed_cursors (feed) {
        feed -> Text,
        cursor -> Text,
        time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::Text;
    use rapport_core::sql::{Moment, Uuid};
    inbox (feed, event_id) {
        feed -> Text,
        event_id -> Uuid,
        time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use rapport_core::sql::Uuid;
    inbox_subjects (feed, subject) {
        feed -> Text,
        subject -> Uuid,
        version -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use rapport_core::sql::{Moment, Uuid};
    parked_events (feed, event_id) {
        feed -> Text,
        event_id -> Uuid,
        subject -> Uuid,
        time -> Moment,
        reason -> Text,
        event -> Binary,
    }
}
diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use rapport_core::sql::Moment;
    requests (caller, method, request_id) {
        caller -> Text,
        method -> Text,
        request_id -> Text,
        body_hash -> Binary,
        answer -> Binary,
        time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use rapport_core::sql::Moment;
    audit (seq) {
        seq -> BigInt,
        time -> Moment,
        caller -> Text,
        method -> Text,
        subject -> Text,
        request_id -> Text,
        traceparent -> Nullable<Text>,
    }
}
diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use rapport_core::sql::Moment;
    leases (name) {
        name -> Text,
        holder -> Text,
        fence -> BigInt,
        held_until -> Moment,
    }
}
