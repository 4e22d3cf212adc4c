//! Forgetting a person.

use rapport_proto::newsletter::v1::{self as pb, IssueState, SubscriberRowOutcome, SubscriptionState, SuppressionReason};
use rapport_testkit::both_databases;

use crate::{
    newsletter::{Newsletter, header},
    suppressions,
};

const ZOE: &str = "zoe.person@example.test";

both_databases! {
    async fn an_erased_person_is_left_in_the_sums_only_and_no_import_brings_it_back(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let subscription = house.subscribe(&publication, ZOE).await;
        house.subscribe(&publication, "bob@example.test").await;
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let mail = house.smtp.mails_to(ZOE).pop().expect("the issue").text();
        house.ingest("From: Zoe Person <Zoe.Person@example.test>\r\nSubject: Re\r\nMessage-ID: <1@x>\r\n\r\nMy leg is broken.\r\n", &header(&mail, "Reply-To")).await;
        let message = pb::Message { to_email: "ZOE.Person@Example.test".to_owned(), to_name: "Zoe Person".to_owned(), subject: "Hello Zoe Person".to_owned(), text: "Get well.".to_owned(), purpose: 1, ..Default::default() };
        let request = pb::SendMessageRequest { message: Some(message), ..Default::default() };
        let message = house.messages.clone().send_message(request).await.expect("sound").into_inner().message.expect("it").message_id;
        house.until_message(&message, pb::DeliveryState::Accepted).await;
        let before = house.account(&issue).await;
        let request = pb::SuppressAddressRequest { email: ZOE.to_owned(), evidence: "asked by phone".to_owned(), ..Default::default() };
        house.suppressions.clone().suppress_address(request).await.expect("sound");
        let (meta, suppressed) = suppressions::told(&house, 1).await.pop().expect("it");
        assert_eq!(suppressed.email, ZOE);

        let request = pb::EraseSubscriberRequest { email: ZOE.to_owned(), request_id: "erase".to_owned() };
        let erased = house.subscriptions.clone().erase_subscriber(request.clone()).await.expect("nothing is under way").into_inner();
        // The confirmation, the issue and the message; the confirmation is a message too.
        assert_eq!((erased.subscriptions, erased.deliveries, erased.messages, erased.inbound_mails), (1, 3, 2, 1));
        assert_eq!(house.subscriptions.clone().erase_subscriber(request).await.expect("repeated").into_inner(), erased);
        let after = house.account(&issue).await;
        assert_eq!((after.audience, after.accepted, after.replied_after), (before.audience, before.accepted, before.replied_after));
        let request = pb::ListSubscriptionsRequest { publication_id: publication.clone(), ..Default::default() };
        let subscriptions = house.subscriptions.clone().list_subscriptions(request).await.expect("sound").into_inner().subscriptions;
        let gone = subscriptions.iter().find(|found| found.subscription_id == subscription.subscription_id).expect("it is kept");
        assert_eq!((gone.state(), gone.proofs.last().map(pb::Proof::kind)), (SubscriptionState::Unsubscribed, Some(pb::ProofKind::Erased)));
        // What is told, octet by octet: debug output leaves personal data out.
        let deliveries = house.deliveries(&issue).await;
        let octets = [
            subscriptions.iter().flat_map(prost::Message::encode_to_vec).collect(),
            deliveries.iter().flat_map(prost::Message::encode_to_vec).collect(),
            prost::Message::encode_to_vec(&house.message(&message).await),
        ];
        let told = String::from_utf8_lossy(&octets.concat()).to_lowercase();
        assert!(!told.contains("zoe.p") && !told.contains("zoe p") && !told.contains("get well") && told.contains("bob@example.test"), "{told}");

        let request = pb::FindSuppressionRequest { email: ZOE.to_owned() };
        let found = house.suppressions.clone().find_suppression(request).await.expect("sound").into_inner().suppression.expect("it");
        assert_eq!(found.reason(), SuppressionReason::Manual, "the first one stays");
        // The event stays where it is in the feed, and names nobody.
        let (stays, forgotten) = suppressions::told(&house, 1).await.pop().expect("it");
        assert_eq!((stays, forgotten.email.as_str(), forgotten.customer_id.as_str()), (meta, "", ""));
        assert_eq!(forgotten.suppression, suppressed.suppression);
        let rows = vec![pb::SubscriberRow { email: ZOE.to_owned(), ..Default::default() }];
        let request = pb::ImportSubscribersRequest { publication_id: publication.clone(), rows, confirmed: true, source: "old".to_owned(), wording_version: "1".to_owned(), ..Default::default() };
        let imported = house.subscriptions.clone().import_subscribers(request).await.expect("sound").into_inner();
        assert_eq!(imported.results[0].outcome(), SubscriberRowOutcome::Suppressed);
        // The person comes back.
        let request = pb::LiftSuppressionRequest { email: ZOE.to_owned(), reason: "came back".to_owned(), ..Default::default() };
        house.suppressions.clone().lift_suppression(request).await.expect("sound");
        let again = house.smtp.mails_to(ZOE).len();
        house.ask(&publication, ZOE).await;
        rapport_testkit::eventually("the person is asked", async || house.smtp.mails_to(ZOE).len() > again).await;
        assert_ne!(house.subscription(&publication, ZOE).await.subscriber_id, subscription.subscriber_id);
        house.stop().await;
    }

    async fn who_is_erased_while_an_issue_waits_does_not_get_it(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let rows = vec![pb::SubscriberRow { email: "greylist+zoe@example.test".to_owned(), ..Default::default() }];
        let request = pb::ImportSubscribersRequest { publication_id: publication.clone(), rows, confirmed: true, source: "old".to_owned(), wording_version: "1".to_owned(), ..Default::default() };
        house.subscriptions.clone().import_subscribers(request).await.expect("sound");
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "deferred", |it| it.deferred == 1).await;
        let request = pb::EraseSubscriberRequest { email: "greylist+zoe@example.test".to_owned(), ..Default::default() };
        house.subscriptions.clone().erase_subscriber(request).await.expect("nothing is under way");
        let request = pb::FindSuppressionRequest { email: "greylist+zoe@example.test".to_owned() };
        let found = house.suppressions.clone().find_suppression(request).await.expect("sound").into_inner().suppression.expect("it");
        assert_eq!(found.reason(), SuppressionReason::Erased);
        let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((account.withheld, account.withheld_reasons["UNSUBSCRIBED"]), (1, 1));
        house.stop().await;
    }
}
