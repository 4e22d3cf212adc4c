//! Lists: pages that neither miss nor repeat, filters by name, tokens that serve only their list.

use std::{collections::BTreeSet, time::Duration};

use rapport_proto::{common::v1::Channel, interaction::v1 as pb};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, callback, conclusion, customer, enquiry, theirs};

both_databases! {
    async fn pages_show_each_interaction_once_the_newest_first(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        for number in 0..7 {
            // Two and two at the same time: the order must be whole all the same.
            if number % 2 == 0 {
                house.clock.advance(Duration::from_secs(1));
            }
            house.create(pb::Interaction { customer_id: customer(1), subject: number.to_string(), ..enquiry() }).await;
        }
        house.create(enquiry()).await;
        let filter = format!("customer_id = \"{}\" AND channel = EMAIL AND create_time >= \"2026-03-02T09:00:00Z\"", customer(1));
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListInteractionsRequest { page_size: 3, page_token: page_token.clone(), filter: filter.clone() };
            let page = house.interactions().list_interactions(request).await.expect("it is listed").into_inner();
            assert!(page.interactions.len() <= 3);
            found.extend(page.interactions);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
            let other = pb::ListInteractionsRequest { page_size: 3, page_token: page_token.clone(), filter: String::new() };
            let refused = answer(house.interactions().list_interactions(other).await).expect_err("the token is of another list");
            assert_eq!((refused.code, refused.violations[0].field.as_str()), (Code::InvalidArgument, "page_token"));
        }
        let ids: BTreeSet<&str> = found.iter().map(|interaction| interaction.interaction_id.as_str()).collect();
        assert_eq!((ids.len(), found.len()), (7, 7));
        assert!(found.is_sorted_by_key(|interaction| std::cmp::Reverse(interaction.create_time.map(|time| time.seconds))));
        assert_eq!(house.list("state != OPEN").await.len(), 0);
        assert_eq!(house.list("channel != PHONE AND kind = UNPREDICTABLE AND purpose = ENQUIRY AND function = CUSTOMER_SERVICE").await.len(), 8);
        assert_eq!(house.list("phase = PRE_SALE").await.len(), 0);
    }

    async fn every_filter_of_interactions_finds_what_it_names(backend: Backend) {
        let house = House::open(backend).await;
        let wanted = pb::Interaction { channel: Channel::Phone.into(), source: "campaigns/spring".to_owned(), ..enquiry() };
        let wanted = house.create(wanted).await;
        house.conclude(&wanted.interaction_id, conclusion()).await.expect("it is concluded");
        let planned = house.create(pb::Interaction { scheduled_time: house.time(Duration::from_secs(60)), ..enquiry() }).await;
        for (filter, expected) in [
            (format!("journey_id = {}", wanted.journey_id), &wanted),
            ("source = \"campaigns/spring\"".to_owned(), &wanted),
            ("channel = PHONE AND setting = INFORMAL AND direction = INBOUND".to_owned(), &wanted),
            ("state = CONCLUDED".to_owned(), &wanted),
            ("state = SCHEDULED".to_owned(), &planned),
            ("scheduled_time > \"2026-03-02T09:00:00Z\"".to_owned(), &planned),
            ("start_time < \"2026-03-02T09:00:30Z\" AND create_time <= \"2026-03-02T09:00:00Z\"".to_owned(), &wanted),
        ] {
            let found: Vec<String> = house.list(&filter).await.into_iter().map(|found| found.interaction_id).collect();
            assert_eq!(found, std::slice::from_ref(&expected.interaction_id), "{filter}");
        }
        for wrong in [
            "colour = red",
            "state = HAPPY",
            "state > OPEN",
            "customer_id = ada",
            "customer_id != ada",
            "create_time = \"2026-03-02T09:00:00Z\"",
            "start_time < soon",
            "phase != PRE_SALE",
            "source = \"a\0b\"",
            "create_time > \"-009998-01-01T00:00:00Z\"",
        ] {
            let request = pb::ListInteractionsRequest { filter: wrong.to_owned(), ..Default::default() };
            let refused = answer(house.interactions().list_interactions(request).await).expect_err(wrong);
            assert_eq!((refused.code, refused.violations[0].field.as_str()), (Code::InvalidArgument, "filter"), "{wrong}");
        }
    }

    async fn commitments_come_by_due_time(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        let interaction = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await;
        for minutes in [50, 10, 30, 20, 40] {
            let due = house.time(Duration::from_secs(minutes * 60));
            house.promise(pb::Commitment { interaction_id: interaction.interaction_id.clone(), owner: format!("agent {}", minutes / 30), ..callback(due) }).await;
        }
        let mut due = Vec::new();
        let mut request = pb::ListCommitmentsRequest { page_size: 2, filter: format!("customer_id = {} AND state = OPEN AND kind = CALL_BACK", customer(1)), ..Default::default() };
        loop {
            let page = house.commitments().list_commitments(request.clone()).await.expect("it is listed").into_inner();
            due.extend(page.commitments.into_iter().map(|commitment| commitment.due_time.expect("it is set").seconds));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(due.len(), 5);
        assert!(due.is_sorted());
        for (filter, expected) in [
            (format!("interaction_id = {}", interaction.interaction_id), 5),
            (format!("journey_id = {}", interaction.journey_id), 5),
            ("owner = \"agent 1\"".to_owned(), 3),
            ("due_time < \"2026-03-02T09:25:00Z\" AND create_time >= \"2026-03-02T09:00:00Z\"".to_owned(), 2),
            ("state = BROKEN".to_owned(), 0),
        ] {
            let request = pb::ListCommitmentsRequest { filter: filter.clone(), ..Default::default() };
            let found = house.commitments().list_commitments(request).await.expect("it is listed").into_inner();
            assert_eq!(found.commitments.len(), expected, "{filter}");
        }
    }

    async fn notes_are_listed_only_when_asked_for(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        for number in 0..5 {
            house.add(&id, theirs(&number.to_string())).await.expect("it is added");
            let note = pb::Entry { kind: pb::EntryKind::InternalNote.into(), body: "hm".to_owned(), ..Default::default() };
            house.add(&id, note).await.expect("it is added");
        }
        let mut bodies = Vec::new();
        let mut request = pb::ListEntriesRequest { interaction_id: id.clone(), page_size: 2, ..Default::default() };
        loop {
            let page = house.interactions().list_entries(request.clone()).await.expect("it is listed").into_inner();
            bodies.extend(page.entries.into_iter().map(|entry| entry.body));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(bodies, ["0", "1", "2", "3", "4"]);
        assert_eq!(house.entries(&id).await.len(), 10);
    }
}
