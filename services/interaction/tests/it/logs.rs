//! Interactions that are over: recorded in one call, through the same checks.

use std::time::Duration;

use rapport_proto::{
    common::v1::{Channel, Direction, Setting, Stage},
    interaction::v1::{self as pb, customer_contact::Point, next_step::Step},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, callback, conclusion, customer, enquiry, fresh, ours, theirs, timestamp};

const HOUR: Duration = Duration::from_secs(3600);

fn street() -> pb::Interaction {
    pb::Interaction {
        channel: Channel::Street.into(),
        direction: Direction::Outbound.into(),
        purpose: pb::Purpose::Sale.into(),
        informal_offer: Some(pb::InformalOffer {
            point_of_contact: "The cart at the station".to_owned(),
            service_delivery: "Over the counter".to_owned(),
            demand: pb::Demand::CreatedBySeller.into(),
            product_range: vec!["Umbrella".to_owned(), "Scarf".to_owned()],
            location: "Station square".to_owned(),
            supplier: "The wholesaler of the day".to_owned(),
            until: None,
        }),
        ..enquiry()
    }
}

both_databases! {
    async fn a_sale_in_the_street_is_one_call(backend: Backend) {
        let house = House::open(backend).await;
        let (smaller, larger) = (fresh(), fresh());
        let begun = {
            use rapport_core::Clock;
            timestamp(house.clock.now() - HOUR)
        };
        let request = pb::LogInteractionRequest {
            interaction: Some(street()),
            entries: vec![
                pb::Entry { kind: pb::EntryKind::Spoken.into(), occur_time: Some(begun), entry_id: larger, ..ours("An umbrella, sir?") },
                pb::Entry { kind: pb::EntryKind::Spoken.into(), occur_time: Some(begun), entry_id: smaller, ..theirs("A red one.") },
            ],
            conclusion: Some(pb::Conclusion { next_step: None, ..conclusion() }),
            commitments: vec![callback(house.time(HOUR)), callback(house.time(2 * HOUR))],
            interaction_id: fresh(),
            request_id: "street-1".to_owned(),
            ..Default::default()
        };
        let logged = house.interactions().log_interaction(request.clone()).await.expect("it is recorded").into_inner();
        let interaction = logged.interaction.clone().expect("it is answered");
        assert_eq!((interaction.state(), interaction.customer_id.as_str()), (pb::InteractionState::Concluded, ""));
        assert_eq!((interaction.start_time, interaction.end_time), (Some(begun), house.time(Duration::ZERO)));
        assert_eq!(interaction.informal_offer, street().informal_offer);
        let first = logged.commitments[0].commitment_id.clone();
        assert_eq!(interaction.conclusion.as_ref().and_then(|ended| ended.next_step.clone()).and_then(|next| next.step), Some(Step::CommitmentId(first)));
        assert_eq!(house.entries(&interaction.interaction_id).await, logged.entries);
        assert_eq!(house.get(&interaction.interaction_id).await, interaction);
        assert_eq!(house.interactions().log_interaction(request.clone()).await.expect("the same again").into_inner(), logged);
        let taken = pb::LogInteractionRequest { request_id: String::new(), ..request };
        let taken = answer(house.interactions().log_interaction(taken).await).expect_err("the id is taken");
        assert_eq!((taken.code, taken.reason.as_str()), (Code::AlreadyExists, "INTERACTION_EXISTS"));
    }

    async fn a_formal_one_names_the_closing_among_its_stages(backend: Backend) {
        let house = House::open(backend).await;
        let visit = pb::Interaction { setting: Setting::Formal.into(), ..enquiry() };
        let request = |stages: &[Stage]| pb::LogInteractionRequest {
            interaction: Some(visit.clone()),
            conclusion: Some(conclusion()),
            stages: stages.iter().map(|stage| (*stage).into()).collect(),
            ..Default::default()
        };
        let refused = answer(house.interactions().log_interaction(request(&[Stage::Greeting, Stage::Agreeing])).await).expect_err("it did not close");
        assert_eq!(refused.conditions[0].kind, "STAGE");
        let all = [Stage::Greeting, Stage::Understanding, Stage::Agreeing, Stage::Delivering, Stage::Closing];
        let logged = answer(house.interactions().log_interaction(request(&all)).await).expect("it is recorded").interaction;
        assert_eq!(logged.expect("it is answered").stage(), Stage::Closing);
    }

    async fn a_customer_is_found_or_created_by_a_contact(backend: Backend) {
        let house = House::open(backend).await;
        let request = |contact: Option<Point>| pb::LogInteractionRequest {
            interaction: Some(street()),
            customer_contact: Some(pb::CustomerContact { point: contact, display_name: "Ada".to_owned() }),
            conclusion: Some(conclusion()),
            ..Default::default()
        };
        let ada = request(Some(Point::Email("ada@example.com".to_owned())));
        let one = answer(house.interactions().log_interaction(ada.clone()).await).expect("it is recorded").interaction;
        let other = answer(house.interactions().log_interaction(ada.clone()).await).expect("it is recorded").interaction;
        let (one, other) = (one.expect("it is answered"), other.expect("it is answered"));
        assert!(!one.customer_id.is_empty() && one.customer_id == other.customer_id && one.interaction_id != other.interaction_id);

        let mut both = request(Some(Point::Phone("12".to_owned())));
        both.interaction.as_mut().expect("it is there").purpose = 0;
        let refused = answer(house.interactions().log_interaction(both).await).expect_err("both are wrong");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["interaction.purpose", "customer_contact.phone"]);
        let mut twice = ada.clone();
        twice.interaction.as_mut().expect("it is there").customer_id = customer(1);
        let refused = answer(house.interactions().log_interaction(twice).await).expect_err("one or the other");
        assert_eq!(refused.violations[0].field, "customer_contact");
        house.peers.set_down(true);
        let refused = answer(house.interactions().log_interaction(ada).await).expect_err("nobody can say who it is");
        assert_eq!(refused.code, Code::Unavailable);
        assert!(refused.retry_after.is_some());
    }
}
