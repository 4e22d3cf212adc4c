//! The verbs that move an interaction without an entry: start, hold, abandon, cancel, update, merge, move.

use std::time::Duration;

use prost_types::FieldMask;
use rapport_proto::{
    common::v1::{Direction, InteractionKind, Responder, Setting},
    interaction::v1::{self as pb, InteractionState, next_step::Step},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, callback, conclusion, customer, enquiry, ours, said, step, theirs};

const HOUR: Duration = Duration::from_secs(3600);

fn planned(house: &House) -> pb::Interaction {
    pb::Interaction { scheduled_time: house.time(HOUR), direction: Direction::Outbound.into(), ..enquiry() }
}

fn hold(id: &str, reason: &str) -> pb::HoldInteractionRequest {
    pb::HoldInteractionRequest { interaction_id: id.to_owned(), reason: reason.to_owned(), ..Default::default() }
}

fn merge(survivor: &str, merged: &[&str]) -> pb::MergeInteractionsRequest {
    pb::MergeInteractionsRequest {
        survivor_id: survivor.to_owned(),
        merged_ids: merged.iter().map(|id| (*id).to_owned()).collect(),
        ..Default::default()
    }
}

fn update(interaction: pb::Interaction, paths: &[&str]) -> pb::UpdateInteractionRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    pb::UpdateInteractionRequest { interaction: Some(interaction), update_mask: Some(FieldMask { paths }), ..Default::default() }
}

both_databases! {
    async fn a_planned_interaction_is_started_or_cancelled_and_nothing_else(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(planned(&house)).await.interaction_id;
        let start = pb::StartInteractionRequest { interaction_id: id.clone(), request_id: "start".to_owned(), ..Default::default() };
        let refused = answer(house.interactions().hold_interaction(hold(&id, "the stock list")).await).expect_err("it has not begun");
        assert_eq!(refused.reason, "INTERACTION_NOT_OPEN");
        let started = house.interactions().start_interaction(start.clone()).await.expect("it starts").into_inner();
        assert_eq!(house.interactions().start_interaction(start.clone()).await.expect("the same again").into_inner(), started);
        let started = started.interaction.expect("it is answered");
        assert_eq!((started.state(), started.start_time), (InteractionState::Open, house.time(Duration::ZERO)));
        assert_eq!(started.waiting_since, None, "a call of ours keeps nobody waiting");
        let again = pb::StartInteractionRequest { request_id: String::new(), ..start };
        let again = answer(house.interactions().start_interaction(again).await).expect_err("it has begun");
        assert_eq!((again.code, again.reason.as_str(), again.metadata["state"].as_str()), (Code::FailedPrecondition, "INTERACTION_NOT_SCHEDULED", "OPEN"));
        let cancel = |id: &str| pb::CancelInteractionRequest { interaction_id: id.to_owned(), reason: "no need".to_owned(), ..Default::default() };
        let late = answer(house.interactions().cancel_interaction(cancel(&id)).await).expect_err("it has begun");
        assert_eq!(late.reason, "INTERACTION_NOT_SCHEDULED");

        let other = house.create(planned(&house)).await.interaction_id;
        let cancelled = house.interactions().cancel_interaction(cancel(&other)).await.expect("it is cancelled").into_inner();
        let cancelled = cancelled.interaction.expect("it is answered");
        assert_eq!((cancelled.state(), cancelled.state_reason.as_str()), (InteractionState::Cancelled, "no need"));
        for entry in [ours("Hello?"), theirs("Hello?")] {
            assert_eq!(house.add(&other, entry).await.expect_err("it is over").reason, "INTERACTION_NOT_OPEN");
        }
        let reopen = pb::ReopenInteractionRequest { interaction_id: other, reason: "after all".to_owned(), ..Default::default() };
        assert_eq!(answer(house.interactions().reopen_interaction(reopen).await).expect_err("never begun").reason, "INTERACTION_NOT_CONCLUDED");
    }

    async fn a_hold_stops_no_clock_and_any_entry_but_a_machines_ends_it(backend: Backend) {
        let house = House::open(backend).await;
        let note = pb::Entry { kind: pb::EntryKind::InternalNote.into(), body: "Asked the warehouse.".to_owned(), ..Default::default() };
        for (entry, after) in [
            (theirs("Any news?"), InteractionState::Open),
            (note, InteractionState::Open),
            (ours("Soon."), InteractionState::WaitingOnCustomer),
            (said(Responder::Automated, Direction::Outbound, "Ticket 7"), InteractionState::WaitingOnUs),
        ] {
            let opened = house.create(enquiry()).await;
            let id = opened.interaction_id;
            let held = house.interactions().hold_interaction(hold(&id, "the stock list")).await.expect("it is held").into_inner();
            let held = held.interaction.expect("it is answered");
            assert_eq!((held.state(), held.state_reason.as_str()), (InteractionState::WaitingOnUs, "the stock list"));
            assert_eq!(held.waiting_since, opened.waiting_since, "the customer waits on");
            let twice = answer(house.interactions().hold_interaction(hold(&id, "still")).await).expect_err("it is held");
            assert_eq!(twice.reason, "INTERACTION_NOT_OPEN");
            let after_it = house.add(&id, entry).await.expect("it is added").interaction.expect("it is answered");
            assert_eq!(after_it.state(), after);
            assert_eq!(after_it.state_reason.is_empty(), after != InteractionState::WaitingOnUs);
        }
    }

    async fn an_abandoned_interaction_has_a_reason_or_a_follow_up_and_opens_again(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let abandon = pb::AbandonInteractionRequest { interaction_id: id.clone(), ..Default::default() };
        let neither = answer(house.interactions().abandon_interaction(abandon.clone()).await).expect_err("neither");
        assert_eq!((neither.code, neither.violations[0].field.as_str()), (Code::InvalidArgument, "reason"));
        let promised = pb::AbandonInteractionRequest { follow_up: Some(callback(house.time(HOUR))), ..abandon };
        let answered = house.interactions().abandon_interaction(promised).await.expect("it is abandoned").into_inner();
        let (abandoned, made) = (answered.interaction.expect("answered"), answered.follow_up.expect("made"));
        assert_eq!((abandoned.state(), abandoned.waiting_since), (InteractionState::Abandoned, None));
        assert_eq!((made.state(), &made.interaction_id), (pb::CommitmentState::Open, &id));
        let back = house.add(&id, theirs("I was cut off.")).await.expect("the customer comes back").interaction.expect("answered");
        assert_eq!((back.state(), back.reopen_count, back.interaction_id), (InteractionState::Open, 1, id));
        assert_eq!(house.commitment(&made.commitment_id).await, made, "a reply erases no promise");
    }

    async fn an_update_changes_what_the_mask_names_and_never_loosens_a_rule(backend: Backend) {
        let house = House::open(backend).await;
        let opened = house.create(enquiry()).await;
        let wanted = pb::Interaction {
            queue: "parcels".to_owned(),
            priority: 7,
            tags: vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
            incident: "incidents/storm".to_owned(),
            kind: InteractionKind::Unwanted.into(),
            feedback_solicited: true,
            subject: "not named by the mask".to_owned(),
            ..opened.clone()
        };
        let paths = ["queue", "priority", "tags", "incident", "kind", "feedback_solicited"];
        let changed = house.interactions().update_interaction(update(wanted.clone(), &paths)).await.expect("it is changed").into_inner();
        let changed = changed.interaction.expect("it is answered");
        assert_eq!((changed.queue.as_str(), changed.priority, changed.tags.as_slice()), ("parcels", 7, &["a".to_owned(), "b".to_owned()][..]));
        assert_eq!((changed.subject.clone(), changed.kind()), (opened.subject.clone(), InteractionKind::Unwanted));
        let stale = answer(house.interactions().update_interaction(update(wanted, &["queue"])).await).expect_err("it was changed since");
        assert_eq!(stale.code, Code::Aborted);

        let loosened = pb::Interaction { interaction_id: opened.interaction_id.clone(), ..enquiry() };
        for path in ["kind", "feedback_solicited"] {
            let refused = answer(house.interactions().update_interaction(update(loosened.clone(), &[path])).await).expect_err("looser");
            assert_eq!((refused.reason.as_str(), refused.metadata["field"].as_str()), ("STRICTER_RULE_STAYS", path));
        }
        let wrong = pb::Interaction { interaction_id: "x".to_owned(), priority: 101, purpose: 99, ..Default::default() };
        let wrong = answer(house.interactions().update_interaction(update(wrong, &["priority", "purpose", "state"])).await).expect_err("wrong");
        let fields: Vec<&str> = wrong.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["interaction.interaction_id", "interaction.priority", "interaction.purpose", "update_mask"]);
        assert_eq!(house.list("queue = \"parcels\" AND priority >= 7 AND incident = \"incidents/storm\"").await.len(), 1);
    }

    async fn a_merged_interaction_goes_on_in_the_survivor(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        house.peers.know(&customer(2));
        let of = |number| pb::Interaction { customer_id: customer(number), ..enquiry() };
        let unwanted = house.create(pb::Interaction { kind: InteractionKind::Unwanted.into(), ..of(1) }).await.interaction_id;
        house.add(&unwanted, ours("We are sorry.")).await.expect("it is added");
        house.add(&unwanted, theirs("So am I.")).await.expect("it is added");
        let survivor = house.create(enquiry()).await;
        let stranger = house.create(of(2)).await.interaction_id;
        let formal = house.create(pb::Interaction { setting: Setting::Formal.into(), ..of(1) }).await.interaction_id;
        let id = survivor.interaction_id;

        let answered = house.interactions().merge_interactions(merge(&id, &[&unwanted])).await.expect("they are merged").into_inner();
        let (goes_on, ended) = (answered.survivor.expect("answered"), &answered.merged[0]);
        assert_eq!((goes_on.customer_id.as_str(), goes_on.kind()), (customer(1).as_str(), InteractionKind::Unwanted));
        assert_eq!(goes_on.waiting_since, survivor.waiting_since);
        assert_eq!((ended.state(), &ended.merged_into_id), (InteractionState::Concluded, &id));
        for (other, reason) in [(&stranger, "CUSTOMER_DIFFERS"), (&formal, "STRICTER_RULE_STAYS"), (&unwanted, "INTERACTION_MERGED")] {
            let refused = answer(house.interactions().merge_interactions(merge(&id, &[other])).await).expect_err("it cannot be");
            assert_eq!(refused.reason, reason);
        }
        let itself = answer(house.interactions().merge_interactions(merge(&id, &[&id])).await).expect_err("itself");
        assert_eq!(itself.code, Code::InvalidArgument);

        let more = house.add(&unwanted, theirs("One more thing.")).await.expect("it is added").interaction.expect("answered");
        assert_eq!(more.interaction_id, id, "what comes in to the merged one goes to the survivor");
        let reopen = pb::ReopenInteractionRequest { interaction_id: unwanted, reason: "?".to_owned(), ..Default::default() };
        assert_eq!(answer(house.interactions().reopen_interaction(reopen).await).expect_err("merged").reason, "INTERACTION_MERGED");
        house.conclude(&id, conclusion()).await.expect("the reply in the merged one counts");
    }

    async fn a_moved_interaction_takes_its_promises_along(backend: Backend) {
        let house = House::open(backend).await;
        for number in 1..=2 {
            house.peers.know(&customer(number));
        }
        let id = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await.interaction_id;
        let made = house.promise(pb::Commitment { interaction_id: id.clone(), ..callback(house.time(HOUR)) }).await;
        assert_eq!(made.customer_id, customer(1));
        let ask = |id: &str, to: String| pb::MoveInteractionRequest {
            interaction_id: id.to_owned(),
            customer_id: to,
            reason: "it was the sister".to_owned(),
            ..Default::default()
        };
        let nobody = answer(house.interactions().move_interaction(ask(&id, customer(99))).await).expect_err("nobody");
        assert_eq!((nobody.code, nobody.violations[0].field.as_str()), (Code::InvalidArgument, "customer_id"));
        let moved = house.interactions().move_interaction(ask(&id, customer(2))).await.expect("it is moved").into_inner();
        assert_eq!(moved.interaction.expect("answered").customer_id, customer(2));
        assert_eq!(house.commitment(&made.commitment_id).await.customer_id, customer(2));
        assert!(house.entries(&id).await.iter().any(|entry| entry.body.contains("the sister")), "the reason is kept");

        // One that ended on a promise made elsewhere stays with whom the promise was made to.
        let elsewhere = house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(HOUR)) }).await;
        let ended = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await.interaction_id;
        let on = pb::Conclusion { next_step: Some(step(Step::CommitmentId(elsewhere.commitment_id))), ..conclusion() };
        house.conclude(&ended, on).await.expect("it is concluded");
        let refused = answer(house.interactions().move_interaction(ask(&ended, customer(2))).await).expect_err("it rests on a promise");
        assert_eq!(refused.reason, "CUSTOMER_DIFFERS");
    }
}
