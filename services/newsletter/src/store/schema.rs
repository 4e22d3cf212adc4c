//! The tables of this service as Diesel sees them.

diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid};
    soft_bounces (mark, delivery) {
        mark -> Text, delivery -> Uuid, time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid};
    paces (sender) {
        sender -> Uuid, per_second -> Integer, per_day -> Integer, warm_up_first_day -> Integer, warm_up_growth_percent -> Integer,
        warm_up_days -> Integer, next_slot -> Moment, day -> BigInt, today -> BigInt, warm_up_began -> Nullable<BigInt>,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid};
    senders (id) {
        id -> Uuid, from_name -> Text, from_address -> Text, reply_domain -> Text, bounce_domain -> Text, transport -> Text,
        create_time -> Moment, brand_name -> Text, brand_color -> Text,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid, Word};
    publications (id) {
        id -> Uuid, display_name -> Text, description -> Text, sender -> Uuid, cadence -> Word, active_subscriptions -> BigInt,
        create_time -> Moment, kind -> Word, rhythm_time -> Moment, next_due_time -> Nullable<Moment>, missed_slots -> BigInt,
        overdue_count -> BigInt, track_clicks -> Bool,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Uuid, Word};
    customers (id) {
        id -> Uuid, customer_version -> BigInt, display_name -> Text, email -> Nullable<Text>, email_normalized -> Nullable<Text>,
        risk_version -> BigInt,
        risk -> Nullable<Word>,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid};
    subscribers (id) {
        id -> Uuid, version -> BigInt, email -> Text, email_normalized -> Text, customer -> Nullable<Uuid>, display_name -> Text,
        language -> Nullable<Text>, create_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    subscriptions (id) {
        id -> Uuid, version -> BigInt, publication -> Uuid, subscriber -> Uuid, state -> Word, proofs -> Json, confirmation -> Uuid,
        journey -> Uuid, create_time -> Moment, ask_time -> Moment, expire_time -> Moment, confirm_time -> Nullable<Moment>,
        end_time -> Nullable<Moment>, end_reason -> Text,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Word};
    suppressions (mark) {
        mark -> Text, reason -> Word, evidence -> Text, create_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    issues (id) {
        id -> Uuid, version -> BigInt, publication -> Uuid, content -> Json, hold_customers_at_risk -> Bool, on_unknown -> Word,
        give_up_after_seconds -> BigInt, state -> Word, journey -> Uuid, freeze_failure -> Nullable<Text>, frozen_to -> Nullable<Uuid>,
        create_time -> Moment, freeze_time -> Nullable<Moment>, start_time -> Nullable<Moment>, complete_time -> Nullable<Moment>,
        state_reason -> Text, stop_rule -> Word, send_time -> Nullable<Moment>, max_lateness_seconds -> BigInt,
        audience -> Nullable<Json>,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::Uuid;
    issue_counts (issue) {
        issue -> Uuid, audience -> BigInt, pending -> BigInt, in_flight -> BigInt, deferred -> BigInt, accepted -> BigInt,
        rejected -> BigInt, unknown -> BigInt, withheld -> BigInt, expired -> BigInt, cancelled -> BigInt, failed -> BigInt,
        replied_after -> BigInt, bounced -> BigInt, bounced_after -> BigInt, complained -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Uuid, Word};
    withheld_counts (issue, reason) {
        issue -> Uuid, reason -> Word, count -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Uuid, Word};
    error_counts (issue, class) {
        issue -> Uuid, class -> Word, count -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    messages (id) {
        id -> Uuid, sender -> Uuid, customer -> Nullable<Uuid>, to_email -> Text, to_name -> Text, purpose -> Word, content -> Json,
        variables -> Json, in_reply_to -> Nullable<Text>, confirms -> Nullable<Uuid>, fingerprint -> Text, journey -> Uuid,
        create_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid, Word};
    deliveries (id) {
        id -> Uuid, version -> BigInt, issue -> Nullable<Uuid>, message -> Nullable<Uuid>, subscriber -> Nullable<Uuid>,
        subscription -> Nullable<Uuid>, customer -> Nullable<Uuid>, sender -> Uuid, email -> Text, display_name -> Text,
        language -> Text, site -> Text, bulk -> Bool, state -> Word, withheld_reason -> Nullable<Word>, consent_basis -> Text,
        mail_message_id -> Text, attempts -> Integer, deferrals -> Integer, fence -> BigInt, worker -> Nullable<Text>,
        lease_until -> Nullable<Moment>, repeatable -> Bool, waiting -> Bool, next_attempt_time -> Moment, give_up_time -> Moment,
        on_unknown -> Word, settle_time -> Nullable<Moment>, replied -> Bool, journey -> Uuid, traceparent -> Nullable<Text>,
        create_time -> Moment,
        resolution -> Text, bounce -> Text, complained -> Bool,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid, Word};
    attempts (delivery, number) {
        delivery -> Uuid, number -> Integer, fence -> BigInt, worker -> Text, start_time -> Moment, end_time -> Nullable<Moment>,
        phase -> Word, outcome -> Nullable<Word>, code -> Integer, enhanced_code -> Text, reply -> Text,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    inbound_mails (id) {
        id -> Uuid, fingerprint -> Text, kind -> Word, matched_by -> Nullable<Word>, delivery -> Nullable<Uuid>,
        issue -> Nullable<Uuid>, message -> Nullable<Uuid>, customer -> Nullable<Uuid>, from_email -> Text, from_name -> Text,
        subject -> Text, body -> Text, mail_message_id -> Text, answers -> Json, journey -> Uuid,
        receive_time -> Moment,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::Uuid;
    issue_hours (issue, hour) {
        issue -> Uuid, hour -> BigInt, accepted -> BigInt, bounced -> BigInt, complained -> BigInt, unsubscribed -> BigInt,
        replied -> BigInt, clicks -> BigInt, human_clicks -> BigInt,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::{Moment, Uuid};
    clicks (delivery, link) {
        delivery -> Uuid, link -> Text, last_time -> Moment, human -> Bool,
    }
}
diesel::table! {
    use diesel::sql_types::*;
    use rapport_db::sql_types::Moment;
    site_paces (site) {
        site -> Text, next_slot -> Moment,
    }
}
diesel::joinable!(subscriptions -> subscribers (subscriber));
diesel::joinable!(deliveries -> issues (issue));
diesel::allow_tables_to_appear_in_same_query!(subscriptions, subscribers);
diesel::allow_tables_to_appear_in_same_query!(issues, publications);
diesel::allow_tables_to_appear_in_same_query!(deliveries, issues, issue_hours, subscriptions);
