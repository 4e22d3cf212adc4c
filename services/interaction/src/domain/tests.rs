//! The rules of the domain, most of them as properties over all states and inputs.

use std::time::Duration;

use proptest::prelude::*;
use rapport_core::{Direction, InteractionKind, Refusal, Responder, Setting, Stage, words::Word};

use super::{
    testing::{NOON, conclusion, context, customer, draft, open, promise, said},
    *,
};

const WINDOW: Duration = Duration::from_secs(14 * 24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

fn word<W: Word + std::fmt::Debug>() -> impl Strategy<Value = W> {
    (0..W::ALL.len()).prop_map(|index| W::ALL[index].0)
}

fn record(draft: EntryDraft, interaction: &Interaction) -> Entry {
    Entry::record(draft, interaction.id, interaction.customer, &context())
}

fn changed(effect: Effect) -> Change {
    match effect {
        Effect::Changes(change) => *change,
        other => panic!("the entry should change the interaction, but: {other:?}"),
    }
}

fn concluded(setting: Setting) -> Interaction {
    let mut interaction = open(setting, InteractionKind::Expected);
    if setting == Setting::Formal {
        interaction.stage = Some(Stage::Closing);
    }
    interaction.conclude(conclusion(), &Evidence::default(), "ada", NOON).expect("nothing is missing")
}

fn unmet(refused: Refused) -> Vec<&'static str> {
    refused.conditions().into_iter().map(|condition| condition.kind).collect()
}

proptest! {
    #[test]
    fn a_machine_and_a_note_change_nothing_but_a_note_ends_a_hold(direction in word::<Direction>(), setting in word::<Setting>(), state in word::<InteractionState>()) {
        let interaction = Interaction { state, ..open(setting, InteractionKind::Expected) };
        let note = EntryDraft { kind: EntryKind::InternalNote, said: None, ..said(Responder::Human, direction) };
        for entry in [said(Responder::Automated, direction), note] {
            let entry = record(entry, &interaction);
            let ends_a_hold = state == InteractionState::WaitingOnUs && entry.kind == EntryKind::InternalNote;
            prop_assert_eq!(interaction.clone().hear(&entry, WINDOW, NOON) == Ok(Effect::Nothing), !ends_a_hold);
        }
    }

    #[test]
    fn the_turn_is_always_with_the_other_side(turns in prop::collection::vec(word::<Direction>(), 1..20)) {
        let mut interaction = open(Setting::Informal, InteractionKind::Expected);
        for (index, direction) in turns.iter().enumerate() {
            let entry = record(said(Responder::Human, *direction), &interaction);
            let change = changed(interaction.hear(&entry, WINDOW, NOON + HOUR).expect("it is open"));
            interaction = change.interaction;
            let (state, waits) = match direction {
                Direction::Inbound => (InteractionState::Open, true),
                Direction::Outbound => (InteractionState::WaitingOnCustomer, false),
            };
            prop_assert_eq!(interaction.state, state);
            prop_assert_eq!(interaction.waiting_since.is_some(), waits);
            let first = turns[..=index].iter().filter(|turn| **turn == Direction::Outbound).count() == 1 && *direction == Direction::Outbound;
            prop_assert_eq!(change.first_human_response, first, "the first answer is told once");
        }
        prop_assert_eq!(interaction.first_human_response_time.is_some(), turns.contains(&Direction::Outbound));
    }

    #[test]
    fn a_formal_interaction_never_skips_a_stage(wishes in prop::collection::vec(word::<Stage>(), 0..30)) {
        let mut interaction = open(Setting::Formal, InteractionKind::Expected);
        for to in wishes {
            let from = interaction.stage.expect("a formal one has a stage");
            match interaction.clone().advance(to, String::new(), "ada", NOON) {
                Ok(advanced) => {
                    let forward = to.number() == from.number() + 1;
                    let back = to == Stage::Understanding && from > to;
                    prop_assert!(forward || back, "{from} to {to}");
                    prop_assert_eq!(advanced.stages.len(), interaction.stages.len() + 1);
                    interaction = advanced;
                }
                Err(Refused::StageSkipped { next }) => prop_assert!(to > next && next.number() == from.number() + 1),
                Err(Refused::StagePassed { stage }) => prop_assert!(stage == from && to <= from && (to != Stage::Understanding || from == to)),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
        let conclusion = interaction.clone().conclude(conclusion(), &Evidence::default(), "ada", NOON);
        prop_assert_eq!(conclusion.is_ok(), interaction.stage == Some(Stage::Closing));
    }

    #[test]
    fn an_informal_interaction_moves_freely(from in prop::option::of(word::<Stage>()), to in word::<Stage>()) {
        let interaction = Interaction { stage: from, ..open(Setting::Informal, InteractionKind::Expected) };
        prop_assert_eq!(interaction.advance(to, String::new(), "ada", NOON).is_ok(), from != Some(to));
    }

    #[test]
    fn only_an_open_interaction_is_concluded_or_advanced(state in word::<InteractionState>()) {
        let interaction = Interaction { state, ..open(Setting::Informal, InteractionKind::Expected) };
        let may = state.live();
        prop_assert_eq!(interaction.clone().conclude(conclusion(), &Evidence::default(), "ada", NOON).is_ok(), may);
        prop_assert_eq!(interaction.clone().advance(Stage::Agreeing, String::new(), "ada", NOON).is_ok(), may);
        let ended = matches!(state, InteractionState::Concluded | InteractionState::Abandoned);
        prop_assert_eq!(interaction.reopen(NOON).is_ok(), ended);
    }

    #[test]
    fn a_concluded_interaction_opens_within_the_window_and_a_new_one_begins_after_it(late in 0_u64..2 * 14 * 24 * 3600) {
        let interaction = concluded(Setting::Informal);
        let now = NOON + Duration::from_secs(late);
        let entry = record(said(Responder::Human, Direction::Inbound), &interaction);
        match interaction.clone().hear(&entry, WINDOW, now).expect("the customer may always speak") {
            Effect::Changes(change) => {
                prop_assert!(late <= WINDOW.as_secs() && change.reopened);
                prop_assert_eq!(change.interaction.state, InteractionState::Open);
                prop_assert_eq!(change.interaction.reopen_count, 1);
                prop_assert_eq!(change.interaction.end_time, None);
            }
            Effect::BeginsAnew => prop_assert!(late > WINDOW.as_secs()),
            Effect::Nothing => prop_assert!(false),
        }
        let ours = record(said(Responder::Human, Direction::Outbound), &interaction);
        prop_assert!(interaction.hear(&ours, WINDOW, now).is_err());
    }

    #[test]
    fn every_condition_that_is_not_met_is_named_at_once(
        outcome in any::<bool>(), summary in any::<bool>(), step in any::<bool>(), formal in any::<bool>(), closing in any::<bool>(),
        solicited in any::<bool>(), remark in any::<bool>(), said_nothing in any::<bool>(), unwanted in any::<bool>(), reply in any::<bool>(),
    ) {
        let setting = if formal { Setting::Formal } else { Setting::Informal };
        let kind = if unwanted { InteractionKind::Unwanted } else { InteractionKind::Unpredictable };
        let stage = if closing { Stage::Closing } else { Stage::Agreeing };
        let interaction = Interaction { stage: Some(stage), feedback_solicited: solicited, ..open(setting, kind) };
        let full = conclusion();
        let draft = ConclusionDraft {
            outcome: full.outcome.filter(|_| outcome),
            summary: if summary { full.summary } else { "  ".to_owned() },
            next_step: full.next_step.filter(|_| step),
            said_nothing,
            ..ConclusionDraft::default()
        };
        let evidence = Evidence { remark, human_reply: reply, ..Evidence::default() };
        let expected: Vec<&str> = [
            (outcome, "OUTCOME"),
            (summary, "SUMMARY"),
            (step, "NEXT_STEP"),
            (!formal || closing, "STAGE"),
            (!solicited || remark || said_nothing, "FEEDBACK"),
            (!unwanted || reply, "HUMAN_REPLY"),
        ].into_iter().filter(|(met, _)| !met).map(|(_, kind)| kind).collect();
        match interaction.conclude(draft, &evidence, "ada", NOON) {
            Ok(concluded) => {
                prop_assert!(expected.is_empty());
                prop_assert_eq!(concluded.state, InteractionState::Concluded);
                prop_assert!(concluded.waiting_since.is_none() && concluded.end_time == Some(NOON));
            }
            Err(refused) => prop_assert_eq!(unmet(refused), expected),
        }
    }

    #[test]
    fn a_promise_is_kept_before_its_deadline_and_broken_from_then_on(due in 1_u64..1000, grace in 0_u64..100, at in 0_u64..1200) {
        let draft = CommitmentDraft { grace: Duration::from_secs(grace), ..promise(Duration::from_secs(due)) };
        let cx = context();
        let commitment = Commitment::make(draft, Some(customer()), cx.fresh(), &cx);
        let at = NOON + Duration::from_secs(at);
        let in_time = at < commitment.deadline();
        let kept = commitment.clone().keep("call 17".to_owned(), at, at).expect("it is open");
        prop_assert_eq!(kept.state == CommitmentState::Kept, in_time);
        prop_assert_eq!(kept.break_time.is_none(), in_time, "the break stays in the history");
        prop_assert!(kept.clone().keep("again".to_owned(), at, at).is_err());
        prop_assert_eq!(kept.lapse(NOON + Duration::from_secs(9999)), None);
        match commitment.clone().lapse(at) {
            None => prop_assert!(in_time),
            Some(broken) => {
                prop_assert!(!in_time && broken.state == CommitmentState::Broken);
                prop_assert_eq!(broken.break_time, Some(commitment.deadline()));
                prop_assert_eq!(broken.clone().lapse(at), None, "a promise breaks once");
                let late = broken.keep("sorry".to_owned(), at, at).expect("it can be made good");
                prop_assert_eq!((late.state, late.break_time), (CommitmentState::KeptLate, Some(commitment.deadline())));
            }
        }
    }

    #[test]
    fn the_next_step_is_an_open_commitment_to_the_same_customer(state in word::<CommitmentState>(), same in any::<bool>(), known in any::<bool>()) {
        let cx = context();
        let other = rapport_core::CustomerId::from_uuid(uuid::Uuid::from_u128(7));
        let interaction = Interaction { customer: known.then(customer), ..open(Setting::Informal, InteractionKind::Expected) };
        let draft = CommitmentDraft { interaction: same.then_some(interaction.id), ..promise(HOUR) };
        let owner = if same { interaction.customer } else { Some(other) };
        let commitment = Commitment { state, ..Commitment::make(draft, owner, cx.fresh(), &cx) };
        let wish = ConclusionDraft { next_step: Some(NextStep::Commitment(commitment.id)), ..conclusion() };
        let evidence = Evidence { commitment: Some(commitment), ..Evidence::default() };
        match interaction.conclude(wish, &evidence, "ada", NOON) {
            Ok(_) => prop_assert!(state == CommitmentState::Open && same),
            Err(refused) => {
                let expected = usize::from(state != CommitmentState::Open) + usize::from(!same);
                prop_assert_eq!(unmet(refused), vec!["COMMITMENT"; expected]);
            }
        }
    }
}

#[test]
fn a_commitment_that_does_not_exist_is_no_next_step() {
    let wish = ConclusionDraft { next_step: Some(NextStep::Commitment(context().fresh())), ..conclusion() };
    let refused = open(Setting::Informal, InteractionKind::Expected).conclude(wish, &Evidence::default(), "ada", NOON).expect_err("none");
    assert_eq!(unmet(refused), ["COMMITMENT"]);
}

#[test]
fn an_unwanted_interaction_never_ends_without_a_next_step() {
    for (reason, _, _) in NoStepReason::ALL {
        let wish = ConclusionDraft { next_step: Some(NextStep::None(*reason)), ..conclusion() };
        let replied = Evidence { human_reply: true, ..Evidence::default() };
        let refused =
            open(Setting::Informal, InteractionKind::Unwanted).conclude(wish.clone(), &replied, "ada", NOON).expect_err("unwanted");
        assert_eq!(unmet(refused), ["NEXT_STEP"]);
        assert!(open(Setting::Informal, InteractionKind::Expected).conclude(wish, &replied, "ada", NOON).is_ok(), "{reason}");
    }
}

#[test]
fn self_service_is_no_reason_when_a_person_took_part() {
    let wish = ConclusionDraft { next_step: Some(NextStep::None(NoStepReason::SelfService)), ..conclusion() };
    let evidence = Evidence { human_entry: true, ..Evidence::default() };
    let refused = open(Setting::Informal, InteractionKind::Expected).conclude(wish, &evidence, "ada", NOON).expect_err("a person");
    assert_eq!(unmet(refused), ["SELF_SERVICE"]);
}

#[test]
fn a_scheduled_interaction_begins_with_its_first_human_entry() {
    let cx = context();
    let planned = InteractionDraft {
        scheduled_time: Some(NOON + HOUR),
        direction: Direction::Outbound,
        ..draft(Setting::Formal, InteractionKind::Expected)
    };
    let interaction = Interaction::begin(cx.fresh(), planned.clone(), cx.fresh(), NOON);
    assert_eq!((interaction.state, interaction.start_time), (InteractionState::Scheduled, NOON + HOUR));
    let entry = record(said(Responder::Human, Direction::Outbound), &interaction);
    let change = changed(interaction.hear(&entry, WINDOW, NOON + HOUR).expect("it begins"));
    assert!(change.began && !change.first_human_response, "a call of ours answers nobody");
    assert_eq!(change.interaction.state, InteractionState::WaitingOnCustomer);

    let past = InteractionDraft { scheduled_time: Some(NOON), ..planned };
    assert_eq!(Interaction::begin(cx.fresh(), past, cx.fresh(), NOON).state, InteractionState::Open);
}

#[test]
fn an_answer_is_never_older_than_the_question() {
    let interaction = open(Setting::Informal, InteractionKind::Expected);
    let early = EntryDraft { occur_time: Some(NOON - HOUR), ..said(Responder::Human, Direction::Outbound) };
    let entry = record(early, &interaction);
    let change = changed(interaction.hear(&entry, WINDOW, NOON).expect("it is open"));
    assert_eq!(change.interaction.first_human_response_time, Some(NOON));
}

#[test]
fn the_author_of_an_inbound_entry_is_the_customer() {
    let interaction = open(Setting::Informal, InteractionKind::Expected);
    let theirs = record(said(Responder::Human, Direction::Inbound), &interaction);
    assert_eq!((theirs.author.kind, theirs.author.name), (rapport_core::ActorKind::Customer, customer().to_string()));
    let robot = record(said(Responder::Automated, Direction::Outbound), &interaction);
    assert_eq!(robot.author.kind, rapport_core::ActorKind::Automation);
    assert_eq!(robot.recorded_by, "local");
}

#[test]
fn every_refusal_has_a_reason_of_the_list_once() {
    let mut reasons = Refused::REASONS.to_vec();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), Refused::REASONS.len());
    let concluded = concluded(Setting::Informal);
    for refused in [
        Refused::InteractionExists(concluded.id),
        Refused::StageSkipped { next: Stage::Agreeing },
        Refused::CustomerDiffers { interaction: concluded.id },
        concluded.clone().advance(Stage::Closing, String::new(), "ada", NOON).expect_err("it is over"),
        open(Setting::Informal, InteractionKind::Expected).reopen(NOON).expect_err("it is open"),
    ] {
        assert!(Refused::REASONS.contains(&refused.reason()));
        assert!(!refused.to_string().is_empty());
    }
}

#[test]
fn the_same_confirmation_is_the_same_interaction() {
    let cx = context();
    let signup = origin::Signup { subscription: cx.fresh(), customer: None, journey: None, time: NOON };
    assert_eq!(signup.id(), signup.clone().id());
    assert_ne!(signup.id(), origin::Signup { time: NOON + HOUR, ..signup.clone() }.id(), "who comes back signs up once more");
    let interaction = Interaction::begin(signup.id(), signup.interaction(), cx.fresh(), NOON);
    let concluded = interaction.conclude(signup.conclusion(), &Evidence::default(), "interaction", NOON).expect("self-service");
    assert_eq!(concluded.state, InteractionState::Concluded);
}

#[test]
fn events_come_back_from_json_as_they_went() {
    let interaction = concluded(Setting::Formal);
    let entry = record(said(Responder::Human, Direction::Inbound), &interaction);
    let cx = context();
    let commitment = Commitment::make(promise(HOUR), Some(customer()), cx.fresh(), &cx);
    for event in
        [Event::EntryAdded(EntryAdded::of(entry, &interaction, true)), Event::of_commitment(commitment), Event::of_interaction(interaction)]
    {
        let json = serde_json::to_value(&event).expect("an event is JSON");
        assert_eq!(serde_json::from_value::<Event>(json).expect("it is an event"), event);
    }
}

#[test]
fn a_move_that_was_stored_before_it_said_from_whom_is_still_read() {
    let moved = open(Setting::Informal, InteractionKind::Expected);
    let from = Some(customer());
    let event = Event::InteractionMoved(event::Moved { subject: moved.clone(), moved_from: from });
    let mut stored = serde_json::to_value(&event).expect("it is written");
    assert_eq!(serde_json::from_value::<Event>(stored.clone()).expect("it is read"), event);
    stored.as_object_mut().expect("an object").remove("moved_from").expect("it was there");
    let read = serde_json::from_value::<Event>(stored).expect("it is read");
    assert_eq!(read, Event::InteractionMoved(event::Moved { subject: moved, moved_from: None }));
}
