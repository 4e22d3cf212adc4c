//! Addresses that get no mail.

use rapport_proto::{
    common::v1::EventMeta,
    newsletter::v1::{self as pb, IssueState, SuppressionReason, event::Payload, watch_events_response::Item},
};
use rapport_testkit::both_databases;

use crate::newsletter::Newsletter;

async fn find(house: &Newsletter, email: &str) -> Option<pb::Suppression> {
    let request = pb::FindSuppressionRequest { email: email.to_owned() };
    house.suppressions.clone().find_suppression(request).await.expect("sound").into_inner().suppression
}

/// The first that is told of suppressed addresses.
pub async fn told(house: &Newsletter, count: usize) -> Vec<(EventMeta, pb::SuppressedAddress)> {
    let request = pb::WatchEventsRequest { types: vec!["suppression.created".to_owned()], ..Default::default() };
    let mut feed = house.feed.clone().watch_events(request).await.expect("a feed").into_inner();
    let mut told = Vec::new();
    while told.len() < count {
        if let Some(Item::Event(event)) = feed.message().await.expect("a response").expect("no end").item {
            let Some(Payload::SuppressedAddress(address)) = event.payload else { panic!("of another type") };
            told.push((event.meta.expect("it"), address));
        }
    }
    told
}

fn suppress(email: &str, evidence: &str) -> pb::SuppressAddressRequest {
    pb::SuppressAddressRequest { email: email.to_owned(), evidence: evidence.to_owned(), ..Default::default() }
}

both_databases! {
    async fn an_address_that_gets_no_mail_any_more_is_told_once_with_its_customer_and_an_erased_one_not_at_all(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let customer = "0190163d-8694-739b-aea5-966c26f8ad91";
        house.customers.add(customer, "ada@example.test");
        let subscribed = pb::SubscribeRequest { publication_id: publication.clone(), email: "ada@example.test".to_owned(), customer_id: customer.to_owned(), source: "form".to_owned(), wording_version: "1".to_owned(), ..Default::default() };
        house.subscriptions.clone().subscribe(subscribed).await.expect("sound");
        house.subscriptions.clone().erase_subscriber(pb::EraseSubscriberRequest { email: "zoe@example.test".to_owned(), ..Default::default() }).await.expect("unknown here");
        for (email, evidence) in [("Ada@Example.test", "asked by phone"), ("ada@example.test", "again"), ("zoe@example.test", "is erased")] {
            house.suppressions.clone().suppress_address(suppress(email, evidence)).await.expect("sound");
        }
        let lift = pb::LiftSuppressionRequest { email: "ada@example.test".to_owned(), reason: "asked for it".to_owned(), ..Default::default() };
        house.suppressions.clone().lift_suppression(lift).await.expect("sound");
        house.suppressions.clone().suppress_address(suppress("ada@example.test", "asked anew")).await.expect("sound");
        house.suppressions.clone().suppress_address(suppress("bob@example.test", "asked by letter")).await.expect("sound");
        let told = told(&house, 3).await;
        let said: Vec<_> = told.iter().map(|(_, it)| (it.email.as_str(), it.suppression.as_ref().expect("it").reason())).collect();
        let [ada, bob] = ["ada@example.test", "bob@example.test"];
        assert_eq!(said, [(ada, SuppressionReason::Manual), (ada, SuppressionReason::Manual), (bob, SuppressionReason::Manual)]);
        assert_eq!((told[0].1.customer_id.as_str(), told[2].1.customer_id.as_str()), (customer, ""));
        assert_eq!(told[0].0.subject_id, told[1].0.subject_id, "one address, one order");
        assert_ne!(told[0].0.subject_id, told[2].0.subject_id);
        assert!(told.iter().all(|(meta, _)| meta.journey_id.len() == 36), "{told:?}");
        house.stop().await;
    }

    async fn a_suppressed_address_gets_nothing_until_that_is_lifted(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        assert_eq!(find(&house, "ada@example.test").await, None);
        let request = pb::SuppressAddressRequest { email: "Ada@Example.test".to_owned(), evidence: "asked by phone".to_owned(), ..Default::default() };
        let first = house.suppressions.clone().suppress_address(request.clone()).await.expect("sound").into_inner().suppression.expect("it");
        let again = pb::SuppressAddressRequest { evidence: "asked again".to_owned(), ..request };
        let again = house.suppressions.clone().suppress_address(again).await.expect("sound").into_inner().suppression.expect("it");
        assert_eq!((again.evidence.as_str(), again.reason()), ("asked by phone", SuppressionReason::Manual), "the first one stays");
        assert_eq!(find(&house, "ada@example.test").await.as_ref(), Some(&first));
        assert!(first.mark.len() == 64 && first.mark.bytes().all(|letter| letter.is_ascii_hexdigit()), "{first:?}");
        let issue = house.send(house.draft(&publication).await).await;
        let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((account.withheld, account.withheld_reasons["SUPPRESSED"]), (1, 1));

        let request = pb::LiftSuppressionRequest { email: "ada@example.test".to_owned(), reason: "asked for it".to_owned(), ..Default::default() };
        let lifted = house.suppressions.clone().lift_suppression(request.clone()).await.expect("sound").into_inner().suppression;
        assert_eq!(lifted, Some(first));
        assert_eq!(house.suppressions.clone().lift_suppression(request).await.expect("sound").into_inner().suppression, None);
        let issue = house.send(house.draft(&publication).await).await;
        let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((account.accepted, account.withheld), (1, 0));
        house.stop().await;
    }

    async fn suppressions_are_listed_by_reason_and_in_pages(backend: Backend) {
        let house = Newsletter::start(backend).await;
        for number in 0..5 {
            let request = pb::SuppressAddressRequest { email: format!("reader{number}@example.test"), evidence: format!("call {number}"), ..Default::default() };
            house.suppressions.clone().suppress_address(request).await.expect("sound");
        }
        let mut request = pb::ListSuppressionsRequest { page_size: 2, filter: "reason = MANUAL".to_owned(), ..Default::default() };
        let mut evidence = Vec::new();
        loop {
            let page = house.suppressions.clone().list_suppressions(request.clone()).await.expect("sound").into_inner();
            assert!(page.suppressions.len() <= 2);
            evidence.extend(page.suppressions.into_iter().map(|suppression| suppression.evidence));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        evidence.sort();
        assert_eq!(evidence, ["call 0", "call 1", "call 2", "call 3", "call 4"]);
        let other = pb::ListSuppressionsRequest { filter: "reason = COMPLAINT".to_owned(), ..Default::default() };
        assert!(house.suppressions.clone().list_suppressions(other).await.expect("sound").into_inner().suppressions.is_empty());
        let wrong = pb::ListSuppressionsRequest { filter: "reason = DISLIKE".to_owned(), ..Default::default() };
        assert_eq!(house.suppressions.clone().list_suppressions(wrong).await.expect_err("no reason").code(), tonic::Code::InvalidArgument);
        house.stop().await;
    }
}
