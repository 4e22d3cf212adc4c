//! Types by rules, from what the interaction service tells to what callers read, on both databases.

use std::time::Duration;

use rapport_core::{CustomerId, CustomerType, InteractionKind, SubjectId, Time, words::Word};
use rapport_proto::{
    common::v1::{BusinessFunction, EventMeta, Phase},
    interaction::v1::{Conclusion, Demand, Event, InformalOffer, Interaction, Outcome as Result, Purpose, event::Payload},
};
use rapport_testkit::both_databases;

use super::{Bench, bench, profile};
use crate::{
    app::customer_type::{AssignCustomerType, assign_customer_type},
    domain::{
        Customer, Thresholds, TypeFact, TypeFactKind, TypeRule, TypeSource,
        observation::{News, Observation, Shown},
    },
    jobs::{follow_interaction, review_type},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// News of a purchase.
pub fn bought(customer: CustomerId, number: u128, at: Time) -> News {
    let by = subject(number);
    News::Shown(Shown { by, facts: vec![TypeFact::new(TypeFactKind::Purchase, customer, by, at)] })
}

fn subject(number: u128) -> SubjectId {
    SubjectId::from_uuid(uuid::Uuid::from_u128(number))
}
fn timestamp(time: Time) -> prost_types::Timestamp {
    let (seconds, nanos) = time.parts();
    prost_types::Timestamp { seconds, nanos }
}
fn types(customer: &Customer) -> Vec<(CustomerType, Option<TypeRule>)> {
    customer.types.iter().map(|held| (held.kind, held.rule)).collect()
}

impl Bench {
    /// Lets the interaction service tell that one with this customer was concluded just now.
    async fn conclude(&self, customer: CustomerId, number: u128, change: impl FnOnce(&mut Interaction)) {
        self.tell("interaction.concluded", customer, number, change).await;
    }
    async fn tell(&self, kind: &str, customer: CustomerId, number: u128, change: impl FnOnce(&mut Interaction)) {
        let cx = self.cx();
        let mut interaction = Interaction {
            interaction_id: subject(number).to_string(),
            customer_id: customer.to_string(),
            kind: InteractionKind::Expected.number(),
            function: BusinessFunction::Sales.into(),
            phase: Phase::Purchase.into(),
            start_time: Some(timestamp(cx.now - Duration::from_secs(300))),
            end_time: Some(timestamp(cx.now)),
            conclusion: Some(Conclusion { outcome: Result::Resolved.into(), ..Default::default() }),
            ..Default::default()
        };
        change(&mut interaction);
        let event_id: SubjectId = cx.fresh();
        let meta = EventMeta {
            event_id: event_id.to_string(),
            subject_id: interaction.interaction_id.clone(),
            r#type: kind.to_owned(),
            time: Some(timestamp(cx.now)),
            ..Default::default()
        };
        let event = Event { meta: Some(meta), payload: Some(Payload::Interaction(interaction)), ..Default::default() };
        self.database.write(async |conn| follow_interaction(conn, &cx, &Thresholds::USUAL, &event).await).await.expect("noted");
    }
    async fn known(&self) -> CustomerId {
        self.create(profile("Ada", "ada@example.com")).await.expect("created").id
    }
    async fn assign(&self, id: CustomerId, kind: CustomerType, remove: bool) -> Customer {
        let cx = self.cx();
        let command = AssignCustomerType { id, version: None, kind, reason: "said so".to_owned(), remove };
        self.database
            .write(async |conn| assign_customer_type(conn, &cx, &Thresholds::USUAL, command.clone()).await)
            .await
            .expect("assigned")
    }
    async fn review(&self) -> usize {
        review_type(&self.database, &self.world.world, &Thresholds::USUAL).await.expect("reviewed")
    }
}

both_databases! {
    async fn row_81_a_potential_customer_is_known_by_what_it_asked_before_buying(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        for number in [7, 8] {
            bench.conclude(ada, number, |interaction| interaction.phase = Phase::PreSale.into()).await;
        }
        let known = bench.find(ada).await;
        assert_eq!(types(&known), [(CustomerType::Potential, Some(TypeRule::NotBoughtYet))]);
        assert_eq!((known.types[0].evidence.as_slice(), known.version), ([subject(7)].as_slice(), 2), "the first interest is kept, the second is no news");
        assert!(known.types[0].reason.starts_with("has not bought yet; showed interest since "), "{}", known.types[0].reason);
    }

    async fn row_82_a_new_customer_is_new_for_a_time_only(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        bench.conclude(ada, 7, |_| ()).await;
        assert_eq!(types(&bench.find(ada).await), [(CustomerType::New, Some(TypeRule::FirstPurchase))]);
        assert_eq!(bench.review().await, 0);
        bench.world.clock.advance(90 * DAY);
        assert_eq!(bench.review().await, 1);
        assert_eq!(types(&bench.find(ada).await), []);
        let told = bench.kinds(ada).await;
        assert_eq!(told.iter().filter(|kind| *kind == "customer.type_changed").count(), 2, "it became new, and ceased to be: {told:?}");
        bench.world.clock.advance(2000 * DAY);
        assert_eq!((bench.review().await, bench.review().await), (1, 0), "there is nothing left to review");
    }

    async fn row_82_onboarding_ends_being_new(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        bench.conclude(ada, 7, |_| ()).await;
        bench.conclude(ada, 8, |interaction| {
            interaction.phase = Phase::AfterSale.into();
            interaction.purpose = Purpose::Onboarding.into();
        })
        .await;
        assert_eq!(types(&bench.find(ada).await), []);
    }

    async fn row_83_an_impulsive_customer_buys_what_was_not_asked_for(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        bench.conclude(ada, 7, |interaction| {
            interaction.informal_offer = Some(InformalOffer { demand: Demand::CreatedBySeller.into(), ..Default::default() });
        })
        .await;
        bench.conclude(ada, 8, |interaction| interaction.kind = InteractionKind::Unpredictable.number()).await;
        let known = bench.find(ada).await;
        let rules = [(CustomerType::New, Some(TypeRule::FirstPurchase)), (CustomerType::Impulsive, Some(TypeRule::ImpulsePurchases))];
        assert_eq!(types(&known), rules);
        assert_eq!(known.types[1].evidence, [subject(7), subject(8)]);
        assert_eq!(known.types[1].reason, "2 of 2 purchases in 365 days were on impulse");
    }

    async fn row_84_a_discount_customer_answers_campaigns(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        for number in [7, 8] {
            bench.conclude(ada, number, |interaction| interaction.purpose = Purpose::CampaignResponse.into()).await;
        }
        let known = bench.find(ada).await;
        assert_eq!(types(&known)[1], (CustomerType::Discount, Some(TypeRule::DealPurchases)));
        assert_eq!(known.types[1].evidence, [subject(7), subject(8)]);
    }

    async fn row_85_a_loyal_customer_is_recognised_by_the_history_that_was_kept(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        for number in [7, 8, 9] {
            bench.conclude(ada, number, |_| ()).await;
            bench.world.clock.advance(90 * DAY);
        }
        let known = bench.find(ada).await;
        assert_eq!(types(&known), [(CustomerType::Loyal, Some(TypeRule::KeptPurchases))]);
        assert_eq!((known.types[0].evidence.as_slice(), known.types[0].source), ([7, 8, 9].map(subject).as_slice(), TypeSource::Rule));
        bench.world.clock.advance(730 * DAY);
        while bench.review().await > 0 {}
        assert_eq!(types(&bench.find(ada).await), [], "who stayed away for two years is not loyal any more");
    }

    async fn what_was_told_in_any_order_comes_to_the_same_types(backend: Backend) {
        let bench = bench(backend).await;
        let now = bench.cx().now;
        let mut orders = Vec::new();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let customer = bench.create(profile("Ada", &format!("ada{}@example.com", orders.len()))).await.expect("created").id;
            let base = 100 * (u128::try_from(orders.len()).expect("small") + 1);
            for step in order {
                let kind = if step == 3 { TypeFactKind::Recommendation } else { TypeFactKind::Purchase };
                let by = subject(base + u128::from(step));
                let facts = vec![TypeFact::new(kind, customer, by, now - DAY * (400 - 100 * step))];
                bench.observe(Observation { news: vec![News::Shown(Shown { by, facts })], ..Observation::of(customer) }).await;
            }
            let known = bench.find(customer).await;
            orders.push((types(&known), known.types[0].evidence.len(), known.types[0].reason.clone()));
        }
        assert_eq!(orders[0].0, [(CustomerType::Loyal, Some(TypeRule::KeptPurchases))]);
        assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    }

    async fn what_a_person_said_no_rule_overrules(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        bench.assign(ada, CustomerType::Loyal, false).await;
        bench.conclude(ada, 7, |_| ()).await;
        let known = bench.find(ada).await;
        assert_eq!((types(&known), known.types[0].source), (vec![(CustomerType::Loyal, None)], TypeSource::Agent));
        let removed = bench.assign(ada, CustomerType::Loyal, true).await;
        assert_eq!(types(&removed), [(CustomerType::New, Some(TypeRule::FirstPurchase))], "the rules say the rest");
        assert_eq!(types(&bench.assign(ada, CustomerType::New, true).await), []);
        bench.conclude(ada, 8, |_| ()).await;
        assert_eq!(types(&bench.find(ada).await), [], "what a person took away stays away");
        assert_eq!(types(&bench.assign(ada, CustomerType::New, false).await), [(CustomerType::New, None)]);
    }

    async fn a_sale_that_is_concluded_again_as_none_counts_no_more(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        bench.conclude(ada, 7, |_| ()).await;
        bench.conclude(ada, 7, |interaction| {
            interaction.reopen_count = 1;
            interaction.phase = Phase::AfterSale.into();
            interaction.function = BusinessFunction::CustomerService.into();
        })
        .await;
        assert_eq!(types(&bench.find(ada).await), []);
    }

    async fn a_sale_that_was_with_somebody_else_moves_with_its_interaction(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.known().await;
        let bea = bench.create(profile("Bea", "bea@example.com")).await.expect("created").id;
        bench.conclude(ada, 7, |_| ()).await;
        bench.tell("interaction.moved", bea, 7, |_| ()).await;
        assert_eq!(types(&bench.find(bea).await), [(CustomerType::New, Some(TypeRule::FirstPurchase))]);
        assert_eq!(bench.review().await, 1);
        assert_eq!(types(&bench.find(ada).await), []);
    }
}
