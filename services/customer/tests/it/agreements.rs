//! What customers and we agree on.

use rapport_proto::{
    common::v1::{CustomerType, watch_start::At},
    customer::v1::{self as pb, AgreementKind, AgreementState, PaymentMode},
};
use rapport_testkit::both_databases;
use tonic::{Code, Status};

use crate::{
    feed::{events, kinds},
    running::{Running, customer, refusal, start},
};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn agreement(customer_id: &str, kind: AgreementKind, title: &str) -> pb::Agreement {
    pb::Agreement { customer_id: customer_id.to_owned(), kind: kind.into(), title: title.to_owned(), ..Default::default() }
}

async fn draft(running: &Running, agreement: pb::Agreement) -> Result<pb::Agreement, Status> {
    let request = pb::CreateAgreementRequest { agreement: Some(agreement), ..Default::default() };
    Ok(running.agreements().create_agreement(request).await?.into_inner().agreement.expect("a draft"))
}

async fn offer(running: &Running, id: &str) -> Result<pb::Agreement, Status> {
    let request = pb::OfferAgreementRequest { agreement_id: id.to_owned(), ..Default::default() };
    Ok(running.agreements().offer_agreement(request).await?.into_inner().agreement.expect("an offer"))
}

async fn answer(running: &Running, id: &str, accepted: bool) -> Result<pb::Agreement, Status> {
    let (agreement_id, interaction_id) = (id.to_owned(), ID.to_owned());
    let request = pb::AnswerAgreementRequest { agreement_id, accepted, interaction_id, entry_id: ID.to_owned(), ..Default::default() };
    Ok(running.agreements().answer_agreement(request).await?.into_inner().agreement.expect("an answer"))
}

both_databases! {
    async fn row_38_terms_are_accepted_in_an_exact_version_with_evidence(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let terms = agreement(&ada, AgreementKind::Terms, "terms of delivery");
        let fields = refusal(draft(&running, terms.clone()).await).2;
        assert_eq!(fields, ["agreement.manual_version_id", "agreement.section_id"]);
        let exact = pb::Agreement { manual_version_id: ID.to_owned(), section_id: "delivery".to_owned(), ..terms };
        let drafted = draft(&running, exact).await.expect("drafted");
        let (code, reason, _) = refusal(answer(&running, &drafted.agreement_id, true).await);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "AGREEMENT_STATE"));
        offer(&running, &drafted.agreement_id).await.expect("offered");
        let accepted = answer(&running, &drafted.agreement_id, true).await.expect("accepted");
        assert_eq!((accepted.manual_version_id.as_str(), accepted.section_id.as_str()), (ID, "delivery"));
        assert_eq!((accepted.interaction_id.as_str(), accepted.entry_id.as_str(), accepted.state()), (ID, ID, AgreementState::Accepted));
        assert!(accepted.accept_time.is_some());
        running.stop().await;
    }

    async fn row_39_a_contract_seals_the_deal_through_its_states(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let declined = draft(&running, agreement(&ada, AgreementKind::Contract, "one year")).await.expect("drafted").agreement_id;
        offer(&running, &declined).await.expect("offered");
        assert_eq!(answer(&running, &declined, false).await.expect("declined").state(), AgreementState::Declined);
        assert_eq!(refusal(offer(&running, &declined).await).1, "AGREEMENT_STATE");
        let sealed = draft(&running, agreement(&ada, AgreementKind::Contract, "two years")).await.expect("drafted").agreement_id;
        offer(&running, &sealed).await.expect("offered");
        answer(&running, &sealed, true).await.expect("accepted");
        let cancel = pb::CancelAgreementRequest { agreement_id: sealed, reason: "moved away".to_owned(), ..Default::default() };
        let ended = running.agreements().cancel_agreement(cancel).await.expect("cancelled").into_inner().agreement.expect("an agreement");
        assert_eq!((ended.state(), ended.reason.as_str(), ended.etag.as_str()), (AgreementState::Cancelled, "moved away", "4"));
        let list = pb::ListAgreementsRequest { customer_id: ada, filter: "state = DECLINED AND kind = CONTRACT".to_owned(), ..Default::default() };
        let listed = running.agreements().list_agreements(list).await.expect("listed").into_inner().agreements;
        assert_eq!(listed.iter().map(|agreement| agreement.title.as_str()).collect::<Vec<_>>(), ["one year"]);
        // The contract is a purchase while it holds: the customer was new for a moment.
        let told = events(&running, At::Earliest(true), 10).await;
        let agreements = kinds(&told).iter().filter(|kind| **kind == "agreement.changed").count();
        let types = kinds(&told).iter().filter(|kind| **kind == "customer.type_changed").count();
        assert_eq!((agreements, types), (7, 2));
        let present = events(&running, At::Snapshot(true), 3).await;
        assert_eq!(kinds(&present), ["customer.updated", "agreement.changed", "agreement.changed"]);
        running.stop().await;
    }

    async fn row_36_an_agreement_says_how_the_customer_pays(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let paid = pb::Agreement {
            payment_mode: PaymentMode::Instalments.into(),
            payment_means: "direct debit".to_owned(),
            ..agreement(&ada, AgreementKind::Contract, "a year")
        };
        let drafted = draft(&running, paid).await.expect("drafted");
        assert_eq!((drafted.payment_mode(), drafted.payment_means.as_str()), (PaymentMode::Instalments, "direct debit"));
        running.stop().await;
    }

    async fn row_49_a_perk_goes_to_those_who_are_eligible_and_the_reason_is_told(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let perk = agreement(&ada, AgreementKind::Perk, "a free year");
        assert_eq!(refusal(draft(&running, perk.clone()).await).2, ["agreement.eligibility"]);
        let rule = "customer_type = LOYAL AND kind = PERSON".to_owned();
        let drafted = draft(&running, pb::Agreement { eligibility: rule.clone(), ..perk }).await.expect("drafted");
        assert_eq!(refusal(offer(&running, &drafted.agreement_id).await).1, "NOT_ELIGIBLE");
        let check = pb::CheckEligibilityRequest { customer_id: ada.clone(), eligibility: rule };
        let told = running.agreements().check_eligibility(check.clone()).await.expect("checked").into_inner();
        let conditions: Vec<(&str, bool, &str)> =
            told.conditions.iter().map(|condition| (condition.rule.as_str(), condition.met, condition.actual.as_str())).collect();
        assert_eq!(conditions, [("customer_type = LOYAL", false, "POTENTIAL"), ("kind = PERSON", true, "PERSON")]);
        assert!(!told.eligible);
        let assign = pb::AssignCustomerTypeRequest {
            customer_id: ada,
            customer_type: CustomerType::Loyal.into(),
            reason: "came back three times".to_owned(),
            ..Default::default()
        };
        running.customers().assign_customer_type(assign).await.expect("assigned");
        assert!(running.agreements().check_eligibility(check).await.expect("checked").into_inner().eligible);
        offer(&running, &drafted.agreement_id).await.expect("offered");
        assert_eq!(answer(&running, &drafted.agreement_id, true).await.expect("accepted").state(), AgreementState::Accepted);
        running.stop().await;
    }
}
