//! Random walks over the verbs of an interaction: what must hold after every step, whatever came before.

use std::time::Duration;

use rapport_proto::{
    common::v1::{Direction, InteractionKind, Responder, Setting, Stage},
    interaction::v1::{self as pb, InteractionState as State, next_step::Step},
};
use rapport_testkit::both_databases;

use crate::house::{House, callback, conclusion, enquiry, said, step};

const HOUR: Duration = Duration::from_secs(3600);
const STEPS: usize = 30;

/// A sequence that is the same in every run (Knuth's MMIX constants).
pub struct Dice(pub u64);
impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// From where to where one step may lead.
fn allowed(from: State, to: State) -> bool {
    use State::{Abandoned, Cancelled, Concluded, Open, Scheduled, WaitingOnCustomer, WaitingOnUs};
    from == to
        || match from {
            Scheduled => matches!(to, Open | WaitingOnCustomer | Cancelled),
            Open | WaitingOnCustomer => matches!(to, Open | WaitingOnCustomer | WaitingOnUs | Concluded | Abandoned),
            WaitingOnUs => matches!(to, Open | WaitingOnCustomer | Concluded | Abandoned),
            Concluded | Abandoned => to == Open,
            Cancelled | State::Unspecified => false,
        }
}

/// One random verb; says whether it was an entry by a machine, and whether one by a person of ours.
pub async fn act(house: &House, id: &str, dice: &mut Dice) -> (bool, bool) {
    let interaction_id = id.to_owned();
    let mut calls = house.interactions();
    match dice.roll(11) {
        0..=3 => {
            let responder = if dice.roll(3) == 0 { Responder::Automated } else { Responder::Human };
            let direction = if dice.roll(2) == 0 { Direction::Inbound } else { Direction::Outbound };
            let added = house.add(id, said(responder, direction, "words")).await.is_ok();
            return (responder == Responder::Automated, added && responder == Responder::Human && direction == Direction::Outbound);
        }
        4 => drop(
            calls.hold_interaction(pb::HoldInteractionRequest { interaction_id, reason: "stock".to_owned(), ..Default::default() }).await,
        ),
        5 => drop(calls.start_interaction(pb::StartInteractionRequest { interaction_id, ..Default::default() }).await),
        6 => drop(
            calls
                .abandon_interaction(pb::AbandonInteractionRequest { interaction_id, reason: "left".to_owned(), ..Default::default() })
                .await,
        ),
        7 if dice.roll(3) == 0 => {
            drop(
                calls
                    .cancel_interaction(pb::CancelInteractionRequest { interaction_id, reason: "no".to_owned(), ..Default::default() })
                    .await,
            );
        }
        8 => drop(
            calls
                .reopen_interaction(pb::ReopenInteractionRequest { interaction_id, reason: "again".to_owned(), ..Default::default() })
                .await,
        ),
        9 => {
            let to = [Stage::Understanding, Stage::Agreeing, Stage::Delivering, Stage::Closing][dice.roll(4)];
            drop(calls.advance_stage(pb::AdvanceStageRequest { interaction_id, to: to.into(), ..Default::default() }).await);
        }
        _ => {
            let none = pb::NoStep { reason: pb::NoStepReason::CustomerDeclined.into() };
            let next_step = [None, Some(step(Step::ThinkOver("it".to_owned()))), Some(step(Step::None(none)))][dice.roll(3)].clone();
            drop(house.conclude(id, pb::Conclusion { next_step, ..conclusion() }).await);
        }
    }
    (false, false)
}

/// What must hold of any interaction.
fn check(now: &pb::Interaction) {
    if now.state() == State::Concluded {
        let next = now.conclusion.as_ref().and_then(|ended| ended.next_step.as_ref()).and_then(|next| next.step.as_ref());
        assert!(next.is_some(), "no interaction ends in the air: {now:?}");
        assert!(now.kind() != InteractionKind::Unwanted || !matches!(next, Some(Step::None(_))), "an unwanted one has a next step");
        assert!(now.setting() != Setting::Formal || now.stage() == Stage::Closing, "a formal one ends in its last stage");
        assert!(now.end_time.is_some());
    }
    let ended = matches!(now.state(), State::Concluded | State::Abandoned | State::Cancelled);
    assert!(!ended || now.waiting_since.is_none(), "nobody waits for us in one that has ended");
    assert!(now.state() != State::WaitingOnCustomer || now.waiting_since.is_none(), "the customer's turn");
    let reasons = matches!(now.state(), State::WaitingOnUs | State::Abandoned | State::Cancelled);
    assert_eq!(!now.state_reason.is_empty(), reasons, "{now:?}");
}

/// What must hold between one state and the next.
fn compare(before: &pb::Interaction, after: &pb::Interaction, machine: bool, answered: bool) {
    assert!(allowed(before.state(), after.state()), "{:?} to {:?}", before.state(), after.state());
    let version = |of: &pb::Interaction| of.etag.parse::<i64>().expect("a number");
    assert!(version(after) >= version(before), "versions grow");
    let micros = |time: &Option<prost_types::Timestamp>| time.map(|time| (time.seconds, time.nanos));
    assert!(micros(&after.update_time) >= micros(&before.update_time), "clocks are monotone");
    if before.first_human_response_time.is_some() {
        assert_eq!(after.first_human_response_time, before.first_human_response_time, "the first answer is the first for ever");
    }
    if let Some(since) = before.waiting_since {
        let ended = matches!(after.state(), State::Concluded | State::Abandoned);
        assert!(ended || answered || after.waiting_since == Some(since), "only a person's answer or the end stops the clock");
    }
    if machine {
        assert_eq!(before, after, "a machine changes nothing");
    }
}

both_databases! {
    async fn whatever_happens_the_state_machine_holds(backend: Backend) {
        let house = House::open(backend).await;
        let mut dice = Dice(20_261_122);
        for walk in 0..12 {
            let scheduled_time = if walk % 4 == 0 { house.time(HOUR) } else { None };
            let kind = if walk % 3 == 0 { InteractionKind::Unwanted } else { InteractionKind::Expected };
            let setting = if walk % 2 == 0 { Setting::Formal } else { Setting::Informal };
            let opened = pb::Interaction { scheduled_time, kind: kind.into(), setting: setting.into(), ..enquiry() };
            let mut before = house.create(opened).await;
            let id = before.interaction_id.clone();
            let promise = house.promise(pb::Commitment { interaction_id: id.clone(), ..callback(house.time(9999 * HOUR)) }).await;
            for _ in 0..STEPS {
                house.clock.advance(Duration::from_secs(60));
                let (machine, answered) = act(&house, &id, &mut dice).await;
                let after = house.get(&id).await;
                check(&after);
                compare(&before, &after, machine, answered);
                before = after;
            }
            assert_eq!(house.commitment(&promise.commitment_id).await, promise, "nothing but keeping and breaking changes a promise");
        }
    }
}
