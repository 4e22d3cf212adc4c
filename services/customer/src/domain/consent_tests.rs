//! The rule of consent as examples and as properties.

use proptest::prelude::*;
use rapport_core::{ActorKind, words::Word};
use uuid::Uuid;

use super::*;

fn record(subject: Subject, status: ConsentStatus, second: i64) -> ConsentRecord {
    let at = Time::from_micros(second * 1_000_000);
    ConsentRecord {
        id: ConsentId::from_uuid(Uuid::from_u128(u128::try_from(second + 1).expect("not negative"))),
        customer: CustomerId::from_uuid(Uuid::from_u128(1)),
        channel: Channel::Email,
        subject,
        status,
        source: ConsentSource::Form,
        evidence: String::new(),
        wording_version: String::new(),
        actor: Actor { kind: ActorKind::Agent, name: "ada".to_owned() },
        effective_time: at,
        expire_time: None,
        create_time: at,
    }
}
fn topic(name: &str) -> Subject {
    Subject::Topic(ContactPurpose::Newsletters, name.to_owned())
}
const NEWSLETTERS: Subject = Subject::Purpose(ContactPurpose::Newsletters);
const NOW: Time = Time::from_micros(1_000_000_000);

fn ask(ledger: &[ConsentRecord], purpose: ContactPurpose, topic: Option<&str>) -> (bool, ConsentBasis) {
    let answer = decide(ledger, &Question { channel: Channel::Email, purpose, topic: topic.map(ToOwned::to_owned) }, NOW);
    (answer.allowed, answer.basis)
}

#[test]
fn without_a_record_only_service_is_allowed() {
    for (purpose, _, _) in ContactPurpose::ALL {
        assert_eq!(ask(&[], *purpose, None), (*purpose == ContactPurpose::Service, ConsentBasis::Default));
    }
}

#[test]
fn the_narrowest_record_decides_even_if_a_wider_one_is_newer() {
    let ledger = [record(topic("monthly"), ConsentStatus::Granted, 1), record(NEWSLETTERS, ConsentStatus::Denied, 2)];
    assert_eq!(ask(&ledger, ContactPurpose::Newsletters, Some("monthly")), (true, ConsentBasis::Topic));
    assert_eq!(ask(&ledger, ContactPurpose::Newsletters, Some("weekly")), (false, ConsentBasis::Purpose));
    assert_eq!(ask(&ledger, ContactPurpose::Survey, None), (false, ConsentBasis::Default));
}

#[test]
fn of_one_subject_the_newest_record_decides_whatever_the_order_of_recording() {
    let mut ledger = vec![record(NEWSLETTERS, ConsentStatus::Withdrawn, 9), record(NEWSLETTERS, ConsentStatus::Granted, 3)];
    assert_eq!(ask(&ledger, ContactPurpose::Newsletters, None), (false, ConsentBasis::Purpose));
    ledger.reverse();
    assert_eq!(ask(&ledger, ContactPurpose::Newsletters, None), (false, ConsentBasis::Purpose));
}

#[test]
fn an_expired_record_counts_as_none() {
    let mut granted = record(topic("monthly"), ConsentStatus::Granted, 1);
    granted.expire_time = Some(NOW);
    let ledger = [granted, record(Subject::Everything, ConsentStatus::Granted, 1)];
    assert_eq!(ask(&ledger, ContactPurpose::Newsletters, Some("monthly")), (true, ConsentBasis::Channel));
}

#[test]
fn only_a_subscription_grants_a_publication() {
    assert!(matches!(check_source(&record(topic("monthly"), ConsentStatus::Granted, 1)), Err(Refused::TopicNeedsSubscription { .. })));
    assert_eq!(check_source(&record(topic("monthly"), ConsentStatus::Withdrawn, 1)), Ok(()));
    assert_eq!(check_source(&record(NEWSLETTERS, ConsentStatus::Granted, 1)), Ok(()));
}

#[test]
fn a_withdrawal_ends_what_it_covers_unless_that_was_granted_later() {
    let ledger = [
        record(topic("monthly"), ConsentStatus::Granted, 1),
        record(topic("weekly"), ConsentStatus::Denied, 1),
        record(topic("daily"), ConsentStatus::Granted, 8),
        record(Subject::Purpose(ContactPurpose::Survey), ConsentStatus::Granted, 1),
    ];
    assert_eq!(ended_by(&ledger, &record(NEWSLETTERS, ConsentStatus::Withdrawn, 5), NOW), [topic("monthly")]);
    assert_eq!(ended_by(&ledger, &record(Subject::Everything, ConsentStatus::Denied, 9), NOW).len(), 3);
    assert_eq!(ended_by(&ledger, &record(NEWSLETTERS, ConsentStatus::Granted, 9), NOW), []);
}

#[test]
fn a_consent_that_is_told_late_does_not_undo_a_later_refusal() {
    let ledger = [record(Subject::Everything, ConsentStatus::Withdrawn, 5)];
    assert!(refused_since(&ledger, &record(topic("monthly"), ConsentStatus::Granted, 4)).is_some());
    assert!(refused_since(&ledger, &record(topic("monthly"), ConsentStatus::Granted, 6)).is_none(), "said again since");
    assert!(refused_since(&ledger, &record(topic("monthly"), ConsentStatus::Denied, 4)).is_none());
}

fn any_record() -> impl Strategy<Value = ConsentRecord> {
    let subject = prop_oneof![Just(Subject::Everything), Just(NEWSLETTERS), Just(topic("a")), Just(topic("b"))];
    (subject, 0..ConsentStatus::ALL.len(), 0..500_i64, any::<bool>()).prop_map(|(subject, status, second, expires)| {
        let mut record = record(subject, ConsentStatus::ALL[status].0, second);
        record.expire_time = expires.then_some(Time::from_micros(700_000_000));
        record
    })
}

proptest! {
    #[test]
    fn the_answer_does_not_depend_on_the_order_of_the_ledger(mut ledger in proptest::collection::vec(any_record(), 0..12)) {
        ledger.sort_by_key(|record| record.id);
        ledger.dedup_by_key(|record| record.id);
        let question = Question { channel: Channel::Email, purpose: ContactPurpose::Newsletters, topic: Some("a".to_owned()) };
        let forwards = decide(&ledger, &question, NOW);
        ledger.reverse();
        prop_assert_eq!(forwards, decide(&ledger, &question, NOW));
    }

    #[test]
    fn after_a_withdrawal_of_everything_nothing_is_allowed_any_more(mut ledger in proptest::collection::vec(any_record(), 0..12)) {
        let refusal = record(Subject::Everything, ConsentStatus::Withdrawn, 600);
        for (number, subject) in ended_by(&ledger, &refusal, NOW).into_iter().enumerate() {
            ledger.push(record(subject, ConsentStatus::Withdrawn, 600 + i64::try_from(number).expect("few")));
        }
        ledger.push(refusal);
        for topic in [None, Some("a"), Some("b")] {
            prop_assert!(!ask(&ledger, ContactPurpose::Newsletters, topic).0);
        }
    }
}
