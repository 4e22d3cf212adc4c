//! Customers whom this service does not know yet: asked for before the transaction, accepted on a stub, or refused by name.

use rapport_proto::interaction::v1 as pb;
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::house::{House, answer, customer, enquiry};

fn with(id: &str) -> pb::CreateInteractionRequest {
    let interaction = pb::Interaction { customer_id: id.to_owned(), ..enquiry() };
    pb::CreateInteractionRequest { interaction: Some(interaction), ..Default::default() }
}

both_databases! {
    async fn a_customer_is_asked_for_once(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        house.interactions().create_interaction(with(&customer(1))).await.expect("the customer is known there");
        let asked = house.peers.asked();
        assert_eq!(asked, 1);
        house.interactions().create_interaction(with(&customer(1))).await.expect("the customer is known here");
        assert_eq!(house.peers.asked(), asked);
    }

    async fn a_customer_of_the_feed_is_not_asked_for(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.tell_customer(&customer(2));
        eventually("the projection knows the customer", async || {
            house.peers.set_down(false);
            house.interactions().create_interaction(with(&customer(2))).await.is_ok()
        })
        .await;
        let asked = house.peers.asked();
        house.peers.set_down(true);
        house.interactions().create_interaction(with(&customer(2))).await.expect("the customer is known here");
        assert_eq!(house.peers.asked(), asked);
    }

    async fn a_customer_who_does_not_exist_is_refused_by_the_field(backend: Backend) {
        let house = House::open(backend).await;
        let refused = answer(house.interactions().create_interaction(with(&customer(3))).await).expect_err("nobody knows");
        assert_eq!((refused.code, refused.violations[0].field.as_str()), (Code::InvalidArgument, "interaction.customer_id"));
        let promise = pb::Commitment { customer_id: customer(3), ..crate::house::callback(house.time(std::time::Duration::from_secs(60))) };
        let request = pb::CreateCommitmentRequest { commitment: Some(promise), ..Default::default() };
        let refused = answer(house.commitments().create_commitment(request).await).expect_err("nobody knows");
        assert_eq!(refused.violations[0].field, "commitment.customer_id");
    }

    async fn what_happened_is_recorded_on_a_stub_while_nobody_can_say(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.set_down(true);
        house.interactions().create_interaction(with(&customer(4))).await.expect("it is recorded");
        house.interactions().create_interaction(with(&customer(5))).await.expect("it is recorded");
        house.peers.know(&customer(4));
        house.peers.set_down(false);
        // The stub of the second customer turns out to be nobody, so that a further one is asked for again, and refused.
        eventually("the stubs are settled", async || {
            let refused = answer(house.interactions().create_interaction(with(&customer(5))).await);
            refused.is_err_and(|refused| refused.violations.iter().any(|violation| violation.field == "interaction.customer_id"))
        })
        .await;
        house.interactions().create_interaction(with(&customer(4))).await.expect("the first one exists");
        assert_eq!(house.list(&format!("customer_id = {}", customer(5))).await.first().expect("what happened stays").customer_id, customer(5));
    }
}
