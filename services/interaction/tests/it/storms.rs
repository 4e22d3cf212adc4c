//! Random calls over everything that has a state, and what no row may ever say, looked up in the tables after each call.

use std::time::Duration;

use rapport_proto::{
    common::v1::{Direction, InteractionKind, Responder, Setting, Stage},
    interaction::v1::{self as pb, next_step::Step},
};
use rapport_testkit::both_databases;

use crate::{
    house::{House, answer, callback, conclusion, customer, enquiry, said, step},
    staff::{agent, assign, create, endorsed},
};

const HOUR: Duration = Duration::from_secs(3600);
const CALLS: usize = 40;

/// A sequence that is the same in every run (Knuth's MMIX constants).
struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
    fn one<'a>(&mut self, of: &'a [String]) -> &'a str {
        &of[self.roll(of.len())]
    }
}

/// What no row may ever say, in the words of SQL after FROM, with what it would mean.
const NEVER: &[(&str, &str)] = &[
    (
        "an interaction ended in the air",
        "interactions WHERE state = 'CONCLUDED' AND (conclusion IS NULL OR conclusion->>'next_step' IS NULL)",
    ),
    (
        "an unwanted interaction ended with nothing to come",
        "interactions WHERE state = 'CONCLUDED' AND kind = 'UNWANTED' AND merged_into IS NULL AND conclusion->>'next_step' LIKE '%None%'",
    ),
    (
        "a formal interaction is with somebody who is not endorsed",
        "interactions JOIN agents ON agents.id = interactions.assignee WHERE interactions.setting = 'FORMAL' \
         AND interactions.state IN ('SCHEDULED', 'OPEN', 'WAITING_ON_CUSTOMER', 'WAITING_ON_US') AND agents.endorsement <> 'ENDORSED'",
    ),
    (
        "an interaction goes on in one that does not",
        "interactions one LEFT JOIN interactions other ON other.id = one.merged_into \
         WHERE one.merged_into IS NOT NULL AND (other.id IS NULL OR other.merged_into IS NOT NULL OR one.state <> 'CONCLUDED')",
    ),
    (
        "a promise is made to another customer than its interaction is with",
        "commitments JOIN interactions ON interactions.id = commitments.interaction WHERE commitments.customer <> interactions.customer",
    ),
    (
        "a clock went back",
        "interactions WHERE update_time < create_time OR end_time < start_time OR first_human_response_time < start_time",
    ),
    (
        "an event tells of an older state than one before it",
        "outbox one JOIN outbox other ON one.subject = other.subject AND one.seq < other.seq AND one.subject_version > other.subject_version",
    ),
    (
        "somebody waits for us in one that has ended",
        "interactions WHERE waiting_since IS NOT NULL AND state IN ('CONCLUDED', 'ABANDONED', 'CANCELLED')",
    ),
    ("a broken promise was never broken", "commitments WHERE state = 'BROKEN' AND break_time IS NULL"),
];

/// What is there to act on.
#[derive(Default)]
struct Scene {
    interactions: Vec<String>,
    promises: Vec<String>,
    agents: Vec<String>,
}

/// One random call; says whether it was the customer who spoke.
async fn act(house: &House, scene: &mut Scene, dice: &mut Dice) -> bool {
    let interaction_id = dice.one(&scene.interactions).to_owned();
    let (mut calls, mut promises, mut staff) = (house.interactions(), house.commitments(), house.staff());
    let reason = "so it goes".to_owned();
    match dice.roll(20) {
        0..=2 => {
            let responder = if dice.roll(4) == 0 { Responder::Automated } else { Responder::Human };
            drop(house.add(&interaction_id, said(responder, Direction::Inbound, "words")).await);
            return true;
        }
        3 | 4 => {
            let responder = if dice.roll(4) == 0 { Responder::Automated } else { Responder::Human };
            drop(house.add(&interaction_id, said(responder, Direction::Outbound, "words")).await);
        }
        5 => drop(calls.hold_interaction(pb::HoldInteractionRequest { interaction_id, reason, ..Default::default() }).await),
        6 => drop(calls.abandon_interaction(pb::AbandonInteractionRequest { interaction_id, reason, ..Default::default() }).await),
        7 => drop(calls.reopen_interaction(pb::ReopenInteractionRequest { interaction_id, reason, ..Default::default() }).await),
        8 => {
            let to = [Stage::Understanding, Stage::Agreeing, Stage::Delivering, Stage::Closing][dice.roll(4)];
            drop(calls.advance_stage(pb::AdvanceStageRequest { interaction_id, to: to.into(), ..Default::default() }).await);
        }
        9 | 10 => {
            let none = step(Step::None(pb::NoStep { reason: pb::NoStepReason::CustomerDeclined.into() }));
            let promised = scene.promises.first().map(|_| step(Step::CommitmentId(dice.one(&scene.promises).to_owned())));
            let next_step = [None, Some(step(Step::ThinkOver("it".to_owned()))), Some(none), promised][dice.roll(4)].clone();
            drop(house.conclude(&interaction_id, pb::Conclusion { next_step, ..conclusion() }).await);
        }
        11 => {
            let merged_ids = vec![dice.one(&scene.interactions).to_owned()];
            let request = pb::MergeInteractionsRequest { survivor_id: interaction_id, merged_ids, ..Default::default() };
            drop(calls.merge_interactions(request).await);
        }
        12 => {
            let customer_id = customer(u128::from(dice.roll(2) == 0));
            drop(calls.move_interaction(pb::MoveInteractionRequest { interaction_id, customer_id, reason, ..Default::default() }).await);
        }
        13 | 14 => drop(assign(house, &interaction_id, dice.one(&scene.agents), "").await),
        15 => {
            let due_time = house.time(HOUR * u32::try_from(1 + dice.roll(5)).expect("few"));
            let commitment = pb::Commitment { interaction_id, ..callback(due_time) };
            let request = pb::CreateCommitmentRequest { commitment: Some(commitment), ..Default::default() };
            if let Ok(made) = answer(promises.create_commitment(request).await) {
                scene.promises.push(made.commitment.expect("it is answered").commitment_id);
            }
        }
        16 | 17 if !scene.promises.is_empty() => {
            let (commitment_id, evidence) = (dice.one(&scene.promises).to_owned(), "call 17".to_owned());
            match dice.roll(4) {
                0 => drop(promises.keep_commitment(pb::KeepCommitmentRequest { commitment_id, evidence, ..Default::default() }).await),
                1 => drop(
                    promises
                        .release_commitment(pb::ReleaseCommitmentRequest { commitment_id, evidence, reason, ..Default::default() })
                        .await,
                ),
                2 => drop(promises.cancel_commitment(pb::CancelCommitmentRequest { commitment_id, reason, ..Default::default() }).await),
                _ => {
                    let due_time = house.time(HOUR * 3);
                    let request =
                        pb::RenegotiateCommitmentRequest { commitment_id, due_time, customer_agreed: true, reason, ..Default::default() };
                    drop(promises.renegotiate_commitment(request).await);
                }
            }
        }
        18 => {
            let agent_id = scene.agents[0].clone();
            drop(staff.suspend_agent(pb::SuspendAgentRequest { agent_id, reason, ..Default::default() }).await);
        }
        _ => {
            let agent_id = scene.agents[0].clone();
            drop(staff.reinstate_agent(pb::ReinstateAgentRequest { agent_id: agent_id.clone(), ..Default::default() }).await);
            drop(staff.endorse_agent(pb::EndorseAgentRequest { agent_id, ..Default::default() }).await);
        }
    }
    false
}

/// The promises as their rows say, but for what the clock does to them.
async fn promises(house: &House) -> i64 {
    house.count("commitments WHERE state <> 'BROKEN'").await
}

both_databases! {
    async fn whatever_is_called_no_row_says_what_must_not_be(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(0));
        house.peers.know(&customer(1));
        let policy = pb::SlaPolicy {
            display_name: "Prompt".to_owned(),
            first_human_response: Some(prost_types::Duration { seconds: 1800, nanos: 0 }),
            next_response: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
            resolution: Some(prost_types::Duration { seconds: 7200, nanos: 0 }),
            pause_while_waiting_on_customer: true,
            escalate_priority: 3,
            ..Default::default()
        };
        let request = pb::CreateSlaPolicyRequest { policy: Some(policy), ..Default::default() };
        answer(house.service_levels().create_sla_policy(request).await).expect("it is made");
        let mut dice = Dice(20_261_123);
        let mut made = 0;
        let any: Vec<String> = NEVER.iter().map(|(_, rows)| format!("SELECT 1 FROM {rows}")).collect();
        let any = format!("({}) AS never", any.join(" UNION ALL "));
        for walk in 0..8 {
            let ada = endorsed(&house, &format!("ada-{walk}")).await;
            let ben = create(&house, agent(&format!("ben-{walk}"), pb::AgentRole::FirstLine)).await;
            let mut scene = Scene { agents: vec![ada.agent_id, ben.agent_id], ..Scene::default() };
            for number in 0..4 {
                let kind = if number == 0 { InteractionKind::Unwanted } else { InteractionKind::Expected };
                let setting = if number % 2 == 0 { Setting::Formal } else { Setting::Informal };
                let customer_id = if number == 3 { String::new() } else { customer(0) };
                let begun = pb::Interaction { kind: kind.into(), setting: setting.into(), customer_id, ..enquiry() };
                scene.interactions.push(house.create(begun).await.interaction_id);
            }
            for call in 0..CALLS {
                house.clock.advance(Duration::from_secs(60 * u64::try_from(dice.roll(20)).expect("few")));
                // The clock breaks promises meanwhile: counted before and after what is looked at, so that none is missed.
                let broken = house.count("outbox WHERE kind = 'commitment.broken'").await;
                let before = promises(&house).await;
                let theirs = act(&house, &mut scene, &mut dice).await;
                if house.count(&any).await > 0 {
                    for (what, rows) in NEVER {
                        assert_eq!(house.count(rows).await, 0, "{what}, after call {call} of walk {walk}");
                    }
                }
                if theirs {
                    let after = promises(&house).await;
                    let broken = house.count("outbox WHERE kind = 'commitment.broken'").await - broken;
                    assert!(after >= before - broken, "a reply erased a promise");
                }
            }
            made += i64::try_from(scene.promises.len()).expect("few");
            assert_eq!(house.count("commitments").await, made, "no promise is ever gone");
        }
        let told = |kind: &str| format!("outbox WHERE kind = '{kind}'");
        for kind in ["interaction.concluded", "interaction.merged", "interaction.moved", "interaction.sla_breached", "commitment.kept", "agent.suspended"] {
            assert!(house.count(&told(kind)).await > 0, "the walks come to {kind}");
        }
        assert!(house.count("interactions WHERE setting = 'FORMAL' AND assignee IS NOT NULL").await > 0, "the walks assign");
        // The sweeper rests for a second at most.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut breaches = 0;
        let request = pb::ListInteractionsRequest { page_size: 1000, ..Default::default() };
        for interaction in answer(house.interactions().list_interactions(request).await).expect("they are listed").interactions {
            let level = house.get(&interaction.interaction_id).await.service_level.unwrap_or_default();
            let noted: Vec<_> = level.breaches.iter().map(|breach| breach.due_time.map(|due| (due.seconds, due.nanos))).collect();
            breaches += i64::try_from(noted.len()).expect("few");
        }
        assert_eq!(house.count(&told("interaction.sla_breached")).await, breaches, "each breach is told once");
    }
}
