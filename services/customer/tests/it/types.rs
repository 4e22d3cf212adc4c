//! Types by rules as callers see them: which rule, why, and what shows it.

use rapport_proto::{
    common::v1::CustomerType,
    customer::v1::{self as pb, AgreementKind, LifecycleStage, TypeRule, TypeSource},
};
use rapport_testkit::both_databases;

use crate::running::{Running, customer, start};

const DAY: u64 = 24 * 60 * 60;

/// An agreement that was accepted so many days ago, in an interaction of its own.
async fn accepted(running: &Running, customer_id: &str, kind: AgreementKind, days: u64) -> pb::Agreement {
    let agreement = pb::Agreement {
        customer_id: customer_id.to_owned(),
        kind: kind.into(),
        title: "a year".to_owned(),
        eligibility: if kind == AgreementKind::Perk { "kind = PERSON".to_owned() } else { String::new() },
        ..Default::default()
    };
    let create = pb::CreateAgreementRequest { agreement: Some(agreement), ..Default::default() };
    let drafted = running.agreements().create_agreement(create).await.expect("drafted").into_inner().agreement.expect("a draft");
    let offer = pb::OfferAgreementRequest { agreement_id: drafted.agreement_id.clone(), ..Default::default() };
    running.agreements().offer_agreement(offer).await.expect("offered");
    let mut answer_time = drafted.create_time.expect("a time");
    answer_time.seconds -= i64::try_from(days * DAY).expect("small");
    let answer = pb::AnswerAgreementRequest {
        agreement_id: drafted.agreement_id.clone(),
        accepted: true,
        // Any id will do: another one each time.
        interaction_id: drafted.agreement_id,
        answer_time: Some(answer_time),
        ..Default::default()
    };
    running.agreements().answer_agreement(answer).await.expect("answered").into_inner().agreement.expect("an agreement")
}

async fn get(running: &Running, customer_id: &str) -> pb::Customer {
    let request = pb::GetCustomerRequest { customer_id: customer_id.to_owned() };
    running.customers().get_customer(request).await.expect("found").into_inner().customer.expect("a customer")
}

fn types(customer: &pb::Customer) -> Vec<(CustomerType, TypeRule)> {
    customer.types.iter().map(|held| (held.r#type(), held.rule())).collect()
}

both_databases! {
    async fn row_81_a_prospect_is_potential_by_a_rule_that_says_why(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await;
        let held = &ada.types[0];
        assert_eq!(types(&ada), [(CustomerType::Potential, TypeRule::NotBoughtYet)]);
        assert_eq!((held.source(), held.reason.as_str(), held.assigned_by.as_str()), (TypeSource::Rule, "has not bought yet", "customer"));
        let stage = pb::Customer { lifecycle_stage: LifecycleStage::Customer.into(), ..ada };
        let update = pb::UpdateCustomerRequest {
            customer: Some(pb::Customer { etag: String::new(), ..stage.clone() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["lifecycle_stage".to_owned()] }),
            ..Default::default()
        };
        let updated = running.customers().update_customer(update).await.expect("updated").into_inner().customer.expect("a customer");
        assert_eq!(types(&updated), [], "who is said to have bought is not potential");
        running.stop().await;
    }

    async fn row_82_the_first_contract_makes_a_new_customer_and_shows_it(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let contract = accepted(&running, &ada, AgreementKind::Contract, 3).await;
        let known = get(&running, &ada).await;
        assert_eq!(types(&known), [(CustomerType::New, TypeRule::FirstPurchase)]);
        assert_eq!((known.types[0].evidence_ids.as_slice(), known.lifecycle_stage()), ([contract.agreement_id.clone()].as_slice(), LifecycleStage::Customer));
        assert!(known.types[0].reason.starts_with("bought for the first time on 20"), "{}", known.types[0].reason);
        let (agreement_id, reason) = (contract.agreement_id, "moved away".to_owned());
        let cancel = pb::CancelAgreementRequest { agreement_id, reason, ..Default::default() };
        running.agreements().cancel_agreement(cancel).await.expect("cancelled");
        assert_eq!(types(&get(&running, &ada).await), [], "what was given back makes nobody new");
        running.stop().await;
    }

    async fn row_84_a_customer_who_takes_perk_after_perk_is_a_discount_customer(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let perks = [accepted(&running, &ada, AgreementKind::Perk, 20).await.agreement_id, accepted(&running, &ada, AgreementKind::Perk, 3).await.agreement_id];
        let known = get(&running, &ada).await;
        assert_eq!(types(&known), [(CustomerType::Potential, TypeRule::NotBoughtYet), (CustomerType::Discount, TypeRule::DealPurchases)]);
        assert_eq!(known.types[1].evidence_ids, perks);
        let list = pb::ListCustomersRequest { filter: "customer_type = DISCOUNT".to_owned(), ..Default::default() };
        assert_eq!(running.customers().list_customers(list).await.expect("listed").into_inner().customers.len(), 1);
        running.stop().await;
    }

    async fn row_85_kept_contracts_over_time_make_a_loyal_customer_and_are_named(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let mut contracts = Vec::new();
        for days in [400, 200] {
            contracts.push(accepted(&running, &ada, AgreementKind::Contract, days).await.agreement_id);
        }
        assert_eq!(types(&get(&running, &ada).await), [], "neither new any more nor loyal yet");
        contracts.push(accepted(&running, &ada, AgreementKind::Contract, 0).await.agreement_id);
        let known = get(&running, &ada).await;
        assert_eq!(types(&known), [(CustomerType::Loyal, TypeRule::KeptPurchases)]);
        assert_eq!(known.types[0].evidence_ids, contracts);
        assert!(known.types[0].reason.starts_with("bought 3 times from ") && known.types[0].reason.ends_with(" and kept it"));
        running.stop().await;
    }
}
