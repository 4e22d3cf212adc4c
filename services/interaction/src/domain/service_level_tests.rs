//! The clocks of one interaction, moved by hand.

use rapport_core::{Direction, InteractionKind, Responder, Setting, SlaPolicyId};
use uuid::Uuid;

use super::*;
use crate::domain::{
    Effect, Entry,
    testing::{NOON, context, open, said},
};

const MINUTE: Duration = Duration::from_secs(60);

fn promised(terms: Terms) -> ServiceLevel {
    let policy = SlaPolicyId::from_uuid(Uuid::from_u128(7));
    let promise = Promise { policy, version: 1, display_name: "All".to_owned(), explanation: "applies everywhere".to_owned(), terms };
    ServiceLevel { promise: Some(promise), ..ServiceLevel::default() }
}

fn terms() -> Terms {
    Terms {
        first_human_response: Some(MINUTE * 60),
        next_response: Some(MINUTE * 30),
        resolution: Some(MINUTE * 480),
        pause_while_waiting_on_customer: true,
        escalate_to_queue: "late".to_owned(),
        escalate_priority: 5,
        ..Terms::default()
    }
}

/// What somebody says at a moment.
fn hear(interaction: Interaction, by: Responder, direction: Direction, now: Time) -> Interaction {
    let mut draft = said(by, direction);
    draft.occur_time = Some(now);
    let entry = Entry::record(draft, interaction.id, interaction.customer, &context());
    match interaction.clone().hear(&entry, Duration::MAX, now).expect("it is heard") {
        Effect::Changes(change) => change.interaction,
        _ => interaction,
    }
}

fn due(level: &ServiceLevel, target: SlaTarget) -> Option<Time> {
    level.clocks.iter().find(|clock| clock.target == target).and_then(|clock| clock.due_time)
}

#[test]
fn only_a_person_stops_the_clock_of_the_first_response() {
    let mut level = promised(terms());
    let mut interaction = open(Setting::Formal, InteractionKind::Expected);
    assert!(level.follow(&interaction, &OpenHours::Always, NOON).is_empty());
    assert_eq!(due(&level, SlaTarget::FirstHumanResponse), Some(NOON + MINUTE * 60));
    assert_eq!(due(&level, SlaTarget::NextResponse), None);
    interaction = hear(interaction, Responder::Automated, Direction::Outbound, NOON + MINUTE);
    assert!(level.follow(&interaction, &OpenHours::Always, NOON + MINUTE).is_empty());
    assert_eq!(due(&level, SlaTarget::FirstHumanResponse), Some(NOON + MINUTE * 60), "a machine stops no clock");

    interaction = hear(interaction, Responder::Human, Direction::Outbound, NOON + MINUTE * 10);
    assert!(level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 10).is_empty());
    assert_eq!((level.clocks.len(), level.next_due()), (1, None), "only the resolution is left, and it stands");

    interaction = hear(interaction, Responder::Human, Direction::Inbound, NOON + MINUTE * 100);
    assert!(level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 100).is_empty());
    assert_eq!(due(&level, SlaTarget::NextResponse), Some(NOON + MINUTE * 130));
    assert_eq!(due(&level, SlaTarget::Resolution), Some(NOON + MINUTE * 570), "ten minutes had passed, ninety did not count");
}

#[test]
fn a_breach_lies_at_the_moment_that_it_was_due_and_is_noted_once() {
    let mut level = promised(terms());
    let interaction = open(Setting::Formal, InteractionKind::Expected);
    level.follow(&interaction, &OpenHours::Always, NOON);
    let just_before = NOON + MINUTE * 60 - Duration::from_micros(1);
    assert!(level.follow(&interaction, &OpenHours::Always, just_before).is_empty());
    let found = level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 90);
    let breach =
        Breach { target: SlaTarget::FirstHumanResponse, start_time: NOON, due_time: NOON + MINUTE * 60, note_time: NOON + MINUTE * 90 };
    assert_eq!(found, [breach]);
    assert!(level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 91).is_empty());
    assert!(level.follow(&interaction, &OpenHours::Always, NOON).is_empty(), "a clock that jumps back takes nothing back");
    assert_eq!(level.next_due(), Some(NOON + MINUTE * 480));
}

#[test]
fn an_answer_that_comes_late_is_a_breach_also_when_nobody_swept() {
    let mut level = promised(terms());
    let mut interaction = open(Setting::Formal, InteractionKind::Expected);
    level.follow(&interaction, &OpenHours::Always, NOON);
    interaction = hear(interaction, Responder::Human, Direction::Outbound, NOON + MINUTE * 61);
    assert_eq!(level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 61).len(), 1);
    let mut level = promised(terms());
    let mut interaction = open(Setting::Formal, InteractionKind::Expected);
    level.follow(&interaction, &OpenHours::Always, NOON);
    interaction = hear(interaction, Responder::Human, Direction::Outbound, NOON + MINUTE * 59);
    assert!(level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 61).is_empty(), "told late, given in time");
}

#[test]
fn the_end_stops_all_clocks_and_a_new_beginning_starts_them_anew() {
    let mut level = promised(terms());
    let mut interaction = open(Setting::Formal, InteractionKind::Expected);
    level.follow(&interaction, &OpenHours::Always, NOON);
    interaction.state = InteractionState::Concluded;
    interaction.waiting_since = None;
    level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 20);
    assert_eq!((level.clocks.len(), level.ended), (0, true));
    interaction.state = InteractionState::Open;
    level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 1000);
    assert_eq!(due(&level, SlaTarget::Resolution), Some(NOON + MINUTE * 1480));
    assert_eq!(level.clocks.len(), 1);
}

#[test]
fn a_late_interaction_moves_to_where_it_is_seen_and_nowhere_once_it_has_ended() {
    let mut interaction = open(Setting::Formal, InteractionKind::Expected);
    let mut level = promised(terms());
    level.follow(&interaction, &OpenHours::Always, NOON);
    let found = level.follow(&interaction, &OpenHours::Always, NOON + MINUTE * 60);
    interaction.service_level = Some(level);
    let mut ended = Interaction { state: InteractionState::Concluded, ..interaction.clone() };
    assert_eq!(ended.escalate(&found), None);
    let told = interaction.escalate(&found).expect("it is escalated");
    assert_eq!((interaction.queue.as_str(), interaction.priority), ("late", 5));
    assert!(told.starts_with("Escalated, FIRST_HUMAN_RESPONSE was due at 2026-03-02T13:00:00Z: moved to the queue late, "), "{told}");
    assert_eq!(interaction.escalate(&found), None, "it is there already");
}
