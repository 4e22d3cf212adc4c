//! What events of the interaction service come to, event by event.

use rapport_proto::interaction::v1::{Conclusion, Entry, SlaBreach};

use super::*;

const CUSTOMER: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad92";

fn meta(kind: &str) -> EventMeta {
    EventMeta {
        event_id: "0190163d-8694-739b-aea5-966c26f8ad93".to_owned(),
        subject_id: ID.to_owned(),
        r#type: kind.to_owned(),
        time: Some(prost_types::Timestamp { seconds: 100, nanos: 0 }),
        ..Default::default()
    }
}
fn interaction(kind: &str, change: impl FnOnce(&mut Interaction)) -> Option<Observation> {
    let mut interaction = Interaction {
        interaction_id: ID.to_owned(),
        customer_id: CUSTOMER.to_owned(),
        subject: "prices".to_owned(),
        start_time: Some(prost_types::Timestamp { seconds: 10, nanos: 0 }),
        end_time: Some(prost_types::Timestamp { seconds: 50, nanos: 0 }),
        ..Default::default()
    };
    change(&mut interaction);
    observation(&Event { meta: Some(meta(kind)), payload: Some(Payload::Interaction(interaction)), ..Default::default() })
}
fn commitment(kind: &str, state: CommitmentState) -> Observation {
    let commitment = Commitment {
        commitment_id: ID.to_owned(),
        customer_id: CUSTOMER.to_owned(),
        state: state.into(),
        text: "call back".to_owned(),
        ..Default::default()
    };
    observation(&Event { meta: Some(meta(kind)), payload: Some(Payload::Commitment(commitment)), ..Default::default() })
        .expect("an observation")
}
fn codes(noted: &Observation) -> Vec<(RiskCode, bool)> {
    let code = |change: &Change| match change {
        Change::Observe(signal) => Some((signal.code, signal.mended)),
        Change::Mend { code, .. } | Change::MendAll { code, .. } => Some((*code, true)),
        Change::Complaint { .. } => None,
        Change::HandOver { .. } | Change::TakeOver { .. } => panic!("nothing was moved"),
    };
    noted.changes.iter().filter_map(code).collect()
}

#[test]
fn an_unwanted_interaction_counts_until_it_is_concluded() {
    let unwanted = |interaction: &mut Interaction| interaction.kind = InteractionKind::Unwanted.number();
    let opened = interaction("interaction.opened", unwanted).expect("an observation");
    assert_eq!((codes(&opened), opened.met), (vec![(RiskCode::UnwantedInteraction, false)], Some(Time::from_micros(10_000_000))));
    let concluded = interaction("interaction.concluded", unwanted).expect("an observation");
    assert_eq!((codes(&concluded), concluded.met), (vec![(RiskCode::UnwantedInteraction, true)], Some(Time::from_micros(50_000_000))));
}

#[test]
fn a_missed_expectation_counts_and_a_resolved_purchase_is_a_sale() {
    let missed = interaction("interaction.concluded", |interaction| {
        interaction.phase = Phase::Purchase.into();
        interaction.conclusion = Some(Conclusion {
            outcome: Result::Resolved.into(),
            expectation: Expectation::Missed.into(),
            summary: "took\nlong".to_owned(),
            ..Default::default()
        });
    })
    .expect("an observation");
    assert_eq!(codes(&missed), [(RiskCode::ExpectationMissed, false)]);
    assert_eq!(missed.news.len(), 1);
    assert_eq!(missed.entry.expect("a line").summary, "ended, resolved: prices. took long");
}

#[test]
fn promises_count_as_they_are_kept() {
    assert_eq!(codes(&commitment("commitment.made", CommitmentState::Open)), []);
    assert_eq!(codes(&commitment("commitment.kept", CommitmentState::Kept)), [(RiskCode::PromiseKept, false)]);
    assert_eq!(codes(&commitment("commitment.broken", CommitmentState::Broken)), [(RiskCode::BrokenPromise, false)]);
    let late = codes(&commitment("commitment.kept", CommitmentState::KeptLate));
    assert_eq!(late, [(RiskCode::BrokenPromise, true), (RiskCode::BrokenPromise, true)]);
}

#[test]
fn a_note_for_ourselves_and_an_interaction_with_nobody_known_say_nothing() {
    let note = Entry { kind: EntryKind::InternalNote.into(), ..Default::default() };
    let added = EntryAdded { customer_id: CUSTOMER.to_owned(), entry: Some(note), ..Default::default() };
    assert_eq!(
        observation(&Event {
            meta: Some(meta("interaction.entry_added")),
            payload: Some(Payload::EntryAdded(added)),
            ..Default::default()
        }),
        None
    );
    assert_eq!(interaction("interaction.opened", |interaction| interaction.customer_id.clear()), None);
}

#[test]
fn what_was_with_another_customer_leaves_a_line_with_both_and_counts_for_the_right_one() {
    const OTHER: &str = "0190163d-8694-739b-aea5-966c26f8ad99";
    let moved = |kind: &str, payload| Event { meta: Some(meta(kind)), payload: Some(payload), moved_from_customer_id: OTHER.to_owned() };
    let (right, wrong): (CustomerId, CustomerId) = (CUSTOMER.parse().expect("an id"), OTHER.parse().expect("an id"));
    let evidence: SubjectId = ID.parse().expect("an id");
    let lines = |event: &Event| {
        let (old, new) = (left(event).expect("it left somebody"), observation(event).expect("it came to somebody"));
        assert_eq!((old.customer, new.customer, old.met), (wrong, right, None));
        assert_eq!(old.changes, [Change::HandOver { to: right, evidence }]);
        assert_eq!(new.changes.first(), Some(&Change::TakeOver { from: wrong, evidence }));
        (old.entry.expect("a line").summary, new.entry.expect("a line").summary)
    };
    let interaction = Interaction {
        interaction_id: ID.to_owned(),
        customer_id: CUSTOMER.to_owned(),
        subject: "prices".to_owned(),
        start_time: Some(prost_types::Timestamp { seconds: 10, nanos: 0 }),
        ..Default::default()
    };
    let event = moved("interaction.moved", Payload::Interaction(interaction));
    let expected = ("turned out to be with another customer: prices", "turned out to be with this customer: prices");
    assert_eq!(lines(&event), (expected.0.to_owned(), expected.1.to_owned()));
    assert_eq!(observation(&event).expect("an observation").met, Some(Time::from_micros(10_000_000)));
    let commitment = Commitment {
        commitment_id: ID.to_owned(),
        customer_id: CUSTOMER.to_owned(),
        state: CommitmentState::Open.into(),
        text: "call back".to_owned(),
        ..Default::default()
    };
    let event = moved("commitment.moved", Payload::Commitment(commitment));
    let expected = ("turned out to be promised to another customer: call back", "turned out to be promised to this customer: call back");
    assert_eq!(lines(&event), (expected.0.to_owned(), expected.1.to_owned()));

    // From nobody known to somebody: there is nobody who is told that it was a mistake.
    let unknown = Event { moved_from_customer_id: String::new(), ..event };
    assert_eq!((left(&unknown), observation(&unknown).expect("an observation").changes), (None, Vec::new()));
}

fn breached(target: SlaTarget) -> Observation {
    let breach =
        SlaBreach { target: target.into(), due_time: Some(prost_types::Timestamp { seconds: 30, nanos: 0 }), ..Default::default() };
    let breached =
        SlaBreached { interaction_id: ID.to_owned(), customer_id: CUSTOMER.to_owned(), breach: Some(breach), ..Default::default() };
    let event = Event { meta: Some(meta("interaction.sla_breached")), payload: Some(Payload::SlaBreached(breached)), ..Default::default() };
    observation(&event).expect("an observation")
}

#[test]
fn what_is_not_answered_in_time_counts_from_when_it_was_due() {
    let slow = breached(SlaTarget::FirstHumanResponse);
    assert_eq!(codes(&slow), [(RiskCode::SlowHumanResponse, false)]);
    let Some(Change::Observe(signal)) = slow.changes.first() else { panic!("an observation") };
    assert_eq!((signal.observe_time, signal.evidence.to_string().as_str()), (Time::from_micros(30_000_000), ID));
    assert_eq!(slow.met, None, "nobody met anybody");
    assert_eq!(codes(&breached(SlaTarget::NextResponse)), [(RiskCode::Unanswered, false)]);
    assert_eq!(codes(&breached(SlaTarget::Resolution)), [(RiskCode::Unanswered, false)]);
}

#[test]
fn a_first_answer_of_a_person_makes_good_what_was_unanswered_and_has_no_line_of_its_own() {
    let answered = interaction("interaction.first_human_response", |_| ()).expect("an observation");
    let evidence = ID.parse().expect("an id");
    assert_eq!(answered.changes, [Change::MendAll { code: RiskCode::Unanswered, evidence }]);
    assert_eq!((answered.entry, answered.met), (None, None));
}

#[test]
fn an_interaction_that_becomes_unwanted_by_a_merge_counts_as_one_that_began_so() {
    let updated = |kind: InteractionKind, state: InteractionState| {
        interaction("interaction.updated", |interaction| {
            interaction.kind = kind.number();
            interaction.state = state.into();
        })
    };
    let survivor = updated(InteractionKind::Unwanted, InteractionState::Open).expect("an observation");
    assert_eq!(codes(&survivor), [(RiskCode::UnwantedInteraction, false)]);
    assert_eq!(survivor.entry, None);
    let other = |kind, state| updated(kind, state).map(|noted| codes(&noted));
    assert_eq!(other(InteractionKind::Expected, InteractionState::Open), Some(Vec::new()));
    assert_eq!(other(InteractionKind::Unwanted, InteractionState::Concluded), Some(Vec::new()), "what is concluded was made good");
}

#[test]
fn a_complaint_is_open_from_its_opening_to_its_end_and_what_becomes_none_is_none() {
    use rapport_proto::interaction::v1::{InteractionState, Purpose};
    let says = |kind: &str, purpose: Purpose, state: InteractionState| {
        let noted = interaction(kind, |interaction| {
            interaction.purpose = purpose.into();
            interaction.state = state.into();
        });
        let of = |change: &Change| match change {
            Change::Complaint { open, .. } => Some(*open),
            _ => None,
        };
        noted.and_then(|noted| noted.changes.iter().find_map(of))
    };
    let (open, concluded) = (InteractionState::Open, InteractionState::Concluded);
    assert_eq!(says("interaction.opened", Purpose::Complaint, open), Some(true));
    assert_eq!(says("interaction.reopened", Purpose::Complaint, open), Some(true));
    assert_eq!(says("interaction.updated", Purpose::Complaint, InteractionState::WaitingOnCustomer), Some(true));
    assert_eq!(says("interaction.concluded", Purpose::Complaint, concluded), Some(false));
    assert_eq!(says("interaction.updated", Purpose::Enquiry, open), Some(false));
    assert_eq!(says("interaction.opened", Purpose::Enquiry, open), None);
}
