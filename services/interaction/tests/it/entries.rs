//! Entries: whose turn it is, the clock of the human response, one message one entry, opening again and beginning anew.

use std::time::Duration;

use rapport_proto::{
    common::v1::{ActorKind, Direction, Responder},
    interaction::v1 as pb,
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, conclusion, enquiry, fresh, ours, said, theirs};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn state(interaction: Option<pb::Interaction>) -> pb::InteractionState {
    interaction.expect("it is answered").state()
}

both_databases! {
    async fn the_turn_goes_to_and_fro_and_a_machine_stops_no_clock(backend: Backend) {
        let house = House::open(backend).await;
        let opened = house.create(enquiry()).await;
        assert_eq!(opened.state(), pb::InteractionState::Open);
        assert!(opened.waiting_since.is_some());
        let id = &opened.interaction_id;

        let robot = house.add(id, said(Responder::Automated, Direction::Outbound, "We got your mail.")).await.expect("it is added");
        assert_eq!(robot.entry.expect("it is answered").author.expect("it has an author").kind(), ActorKind::Automation);
        let after = robot.interaction.expect("it is answered");
        assert_eq!((after.state(), &after.waiting_since, &after.etag), (pb::InteractionState::Open, &opened.waiting_since, &opened.etag));

        house.clock.advance(Duration::from_secs(60));
        let answered = house.add(id, ours("It comes tomorrow.")).await.expect("it is added").interaction.expect("it is answered");
        assert_eq!(answered.state(), pb::InteractionState::WaitingOnCustomer);
        assert_eq!((answered.first_human_response_time, answered.waiting_since), (house.time(Duration::ZERO), None));

        house.clock.advance(Duration::from_secs(60));
        let again = house.add(id, theirs("At what time?")).await.expect("it is added").interaction.expect("it is answered");
        assert_eq!((again.state(), again.waiting_since), (pb::InteractionState::Open, house.time(Duration::ZERO)));
        assert_eq!(again.first_human_response_time, answered.first_human_response_time);
        assert_eq!(house.entries(id).await.len(), 3);
    }

    async fn one_message_makes_one_entry(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let mail = pb::Entry { message_id: "<17@example.com>".to_owned(), ..theirs("Hello?") };
        let first = house.add(&id, mail.clone()).await.expect("it is added");
        let second = house.add(&id, mail).await.expect("it is known");
        assert_eq!(first.entry, second.entry);
        assert_eq!(house.entries(&id).await.len(), 1);
    }

    async fn a_word_of_the_customer_opens_again_and_after_the_window_begins_anew(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(pb::Interaction { customer_id: String::new(), ..enquiry() }).await.interaction_id;
        house.conclude(&id, conclusion()).await.expect("it is concluded");

        let refused = house.add(&id, ours("One more thing.")).await.expect_err("it is concluded");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "INTERACTION_NOT_OPEN"));
        assert_eq!(refused.metadata["state"], "CONCLUDED");
        let note = pb::Entry { kind: pb::EntryKind::InternalNote.into(), body: "Nice.".to_owned(), ..Default::default() };
        assert_eq!(state(house.add(&id, note).await.expect("a note may be added").interaction), pb::InteractionState::Concluded);

        house.clock.advance(14 * DAY);
        let reopened = house.add(&id, theirs("It broke.")).await.expect("it opens").interaction.expect("it is answered");
        assert_eq!((reopened.interaction_id.as_str(), reopened.state(), reopened.reopen_count), (id.as_str(), pb::InteractionState::Open, 1));
        assert_eq!(reopened.end_time, None);

        house.conclude(&id, conclusion()).await.expect("it is concluded again");
        house.clock.advance(15 * DAY);
        let mail = pb::Entry { message_id: "<late@example.com>".to_owned(), ..theirs("It broke again.") };
        let anew = house.add(&id, mail.clone()).await.expect("a new one begins").interaction.expect("it is answered");
        assert_eq!((anew.previous_interaction_id.as_str(), anew.state()), (id.as_str(), pb::InteractionState::Open));
        assert_eq!(anew.journey_id, reopened.journey_id);

        // The conversation goes on there, and the same message is known there.
        let more = house.add(&id, theirs("Hello?")).await.expect("it is added").interaction.expect("it is answered");
        assert_eq!(more.interaction_id, anew.interaction_id);
        house.add(&id, mail).await.expect("it is known");
        assert_eq!(house.entries(&anew.interaction_id).await.len(), 2);
        assert_eq!(house.get(&id).await.state(), pb::InteractionState::Concluded);
    }

    async fn an_entry_of_the_first_call_is_stored_with_it(backend: Backend) {
        let house = House::open(backend).await;
        let (id, entry_id) = (fresh(), fresh());
        let request = pb::CreateInteractionRequest {
            interaction: Some(enquiry()),
            first_entry: Some(theirs("Where is it?")),
            interaction_id: id.clone(),
            request_id: "first".to_owned(),
        };
        let created = house.interactions().create_interaction(request.clone()).await.expect("it is created").into_inner();
        assert_eq!(created.interaction.as_ref().expect("it is answered").interaction_id, id);
        let repeated = house.interactions().create_interaction(request).await.expect("it is answered again").into_inner();
        assert_eq!(created, repeated);
        assert_eq!(house.entries(&id).await, [created.first_entry.expect("it is answered")]);

        house.clock.advance(Duration::from_secs(1));
        let request = pb::AddEntryRequest { interaction_id: id.clone(), entry: Some(ours("Here.")), entry_id: entry_id.clone(), ..Default::default() };
        house.interactions().add_entry(request.clone()).await.expect("it is added");
        let taken = crate::house::answer(house.interactions().add_entry(request).await).expect_err("the id is taken");
        assert_eq!((taken.code, taken.reason.as_str(), &taken.metadata["entry_id"]), (Code::AlreadyExists, "ENTRY_EXISTS", &entry_id));
        let entries = house.entries(&id).await;
        assert_eq!(entries.iter().map(|entry| entry.body.as_str()).collect::<Vec<_>>(), ["Where is it?", "Here."]);
    }

    async fn a_scheduled_interaction_begins_with_what_is_said(backend: Backend) {
        let house = House::open(backend).await;
        let call = pb::Interaction { scheduled_time: house.time(DAY), direction: Direction::Outbound.into(), ..enquiry() };
        let request = pb::CreateInteractionRequest { interaction: Some(call.clone()), first_entry: Some(ours("Hi")), ..Default::default() };
        let refused = crate::house::answer(house.interactions().create_interaction(request).await).expect_err("it has not begun");
        assert_eq!(refused.violations[0].field, "first_entry");

        let planned = house.create(call).await;
        assert_eq!((planned.state(), planned.start_time), (pb::InteractionState::Scheduled, house.time(DAY)));
        let refused = house.conclude(&planned.interaction_id, conclusion()).await.expect_err("it has not begun");
        assert_eq!(refused.reason, "INTERACTION_NOT_OPEN");
        let begun = house.add(&planned.interaction_id, ours("Good morning.")).await.expect("it begins").interaction.expect("it is answered");
        assert_eq!((begun.state(), begun.start_time), (pb::InteractionState::WaitingOnCustomer, house.time(Duration::ZERO)));
    }

    async fn reopening_keeps_its_reason(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let request = pb::ReopenInteractionRequest { interaction_id: id.clone(), reason: "Wrong parcel.".to_owned(), ..Default::default() };
        let refused = crate::house::answer(house.interactions().reopen_interaction(request.clone()).await).expect_err("it is open");
        assert_eq!((refused.reason.as_str(), refused.metadata["state"].as_str()), ("INTERACTION_NOT_CONCLUDED", "OPEN"));
        let concluded = house.conclude(&id, conclusion()).await.expect("it is concluded");

        let stale = pb::ReopenInteractionRequest { etag: "1".to_owned(), ..request.clone() };
        let stale = crate::house::answer(house.interactions().reopen_interaction(stale).await).expect_err("it changed");
        assert_eq!((stale.code, stale.reason.as_str()), (Code::Aborted, "STALE"));
        let request = pb::ReopenInteractionRequest { etag: concluded.etag, ..request };
        let reopened = house.interactions().reopen_interaction(request).await.expect("it opens").into_inner().interaction;
        assert_eq!(state(reopened), pb::InteractionState::Open);
        let entries = house.entries(&id).await;
        assert_eq!((entries[0].kind(), entries[0].body.as_str()), (pb::EntryKind::System, "Reopened: Wrong parcel."));
    }
}
