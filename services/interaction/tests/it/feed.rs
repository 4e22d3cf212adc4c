//! The feed: what happens to an interaction and its promises, in order, and the same as a snapshot.

use std::time::Duration;

use futures::StreamExt;
use rapport_proto::{
    common::v1::{Stage, WatchStart, watch_start::At},
    interaction::v1::{self as pb, event::Payload, watch_events_response::Item},
};
use rapport_testkit::{PATIENCE, both_databases};

use crate::house::{House, answer, callback, conclusion, customer, enquiry, ours, theirs};

/// The first `count` events from a start.
async fn watch(house: &House, at: At, count: usize) -> Vec<pb::Event> {
    let request = pb::WatchEventsRequest { start: Some(WatchStart { at: Some(at) }), types: Vec::new(), consumer: "test".to_owned() };
    let stream = house.feed().watch_events(request).await.expect("the feed opens").into_inner();
    let events = stream
        .filter_map(|item| async move {
            match item.expect("the feed goes on").item {
                Some(Item::Event(event)) => Some(event),
                _ => None,
            }
        })
        .take(count)
        .collect();
    tokio::time::timeout(PATIENCE, events).await.expect("the events come")
}

fn kinds(events: &[pb::Event]) -> Vec<&str> {
    events.iter().map(|event| event.meta.as_ref().expect("it has meta").r#type.as_str()).collect()
}

both_databases! {
    async fn it_tells_the_whole_story_in_order(backend: Backend) {
        let house = House::set(backend, &[("interaction.example_manual", "false")]).await;
        house.peers.know(&customer(1));
        let created = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await;
        let id = created.interaction_id.as_str();
        house.add(id, theirs("Where is it?")).await.expect("it is added");
        house.add(id, ours("It comes tomorrow.")).await.expect("it is added");
        let request = pb::AdvanceStageRequest { interaction_id: id.to_owned(), to: Stage::Closing.into(), ..Default::default() };
        house.interactions().advance_stage(request).await.expect("it advances");
        let request = pb::ConcludeInteractionRequest {
            interaction_id: id.to_owned(),
            conclusion: Some(pb::Conclusion { next_step: None, ..conclusion() }),
            new_commitment: Some(callback(house.time(Duration::from_secs(60)))),
            ..Default::default()
        };
        let made = answer(house.interactions().conclude_interaction(request).await).expect("it is concluded").new_commitment.expect("it is made");
        let keep = pb::KeepCommitmentRequest { commitment_id: made.commitment_id.clone(), evidence: "call 7".to_owned(), ..Default::default() };
        house.commitments().keep_commitment(keep).await.expect("it is kept");
        house.add(id, theirs("Thank you!")).await.expect("it opens again");

        let events = watch(&house, At::Earliest(true), 10).await;
        assert_eq!(kinds(&events), [
            "interaction.opened", "interaction.entry_added", "interaction.entry_added", "interaction.first_human_response", "interaction.stage_changed",
            "commitment.made", "interaction.concluded", "commitment.kept", "interaction.reopened", "interaction.entry_added",
        ]);
        for event in &events {
            let meta = event.meta.as_ref().expect("it has meta");
            assert_eq!(meta.journey_id, created.journey_id, "the whole story is one journey");
            assert_eq!(meta.actor.as_ref().expect("it has an actor").name, "local");
            let subject = if meta.r#type.starts_with("interaction.") { id } else { &made.commitment_id };
            assert_eq!(meta.subject_id, subject);
        }
        let Some(Payload::EntryAdded(added)) = &events[2].payload else { panic!("an entry: {:?}", events[2]) };
        assert!(added.first_human_response && added.customer_id == customer(1));
        assert_eq!(added.state(), pb::InteractionState::WaitingOnCustomer);
        let Some(Payload::Interaction(concluded)) = &events[6].payload else { panic!("an interaction: {:?}", events[6]) };
        assert_eq!(concluded.state(), pb::InteractionState::Concluded);

        let cursor = events[6].meta.as_ref().expect("it has meta").cursor.clone();
        assert_eq!(watch(&house, At::Cursor(cursor), 3).await, events[7..]);

        let snapshot = watch(&house, At::Snapshot(true), 2).await;
        assert_eq!(kinds(&snapshot), ["interaction.opened", "commitment.kept"]);
        assert_eq!(snapshot[0].payload, Some(Payload::Interaction(house.get(id).await)));
        assert_eq!(snapshot[1].payload, Some(Payload::Commitment(house.commitment(&made.commitment_id).await)));
    }

    async fn a_snapshot_of_many_pages_tells_each_subject_once(backend: Backend) {
        let house = House::set(backend, &[("interaction.example_manual", "false")]).await;
        for number in 0..205 {
            house.create(pb::Interaction { subject: number.to_string(), ..enquiry() }).await;
        }
        let events = watch(&house, At::Snapshot(true), 205).await;
        let subjects: std::collections::BTreeSet<String> = events.iter().filter_map(|event| Some(event.meta.as_ref()?.subject_id.clone())).collect();
        assert_eq!(subjects.len(), 205);
    }

    async fn a_logged_interaction_is_opened_and_concluded(backend: Backend) {
        let house = House::set(backend, &[("interaction.example_manual", "false")]).await;
        let request = pb::LogInteractionRequest {
            interaction: Some(enquiry()),
            entries: vec![theirs("Where is it?"), ours("Here.")],
            conclusion: Some(conclusion()),
            ..Default::default()
        };
        house.interactions().log_interaction(request).await.expect("it is recorded");
        let events = watch(&house, At::Earliest(true), 5).await;
        assert_eq!(kinds(&events), ["interaction.opened", "interaction.entry_added", "interaction.entry_added", "interaction.first_human_response", "interaction.concluded"]);
    }
}
