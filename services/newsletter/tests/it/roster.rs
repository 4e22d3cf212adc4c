//! Importing people who subscribed elsewhere.

use prost_types::Timestamp;
use rapport_proto::newsletter::v1::{self as pb, ProofKind, SubscriberRowOutcome as Outcome, SubscriptionState};
use rapport_testkit::both_databases;

use crate::newsletter::{Newsletter, token};

fn import(publication_id: &str, emails: &[&str], confirmed: bool) -> pb::ImportSubscribersRequest {
    let row = |email: &&str| pb::SubscriberRow {
        email: (*email).to_owned(),
        display_name: "Ada".to_owned(),
        subscribe_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..Default::default()
    };
    pb::ImportSubscribersRequest {
        publication_id: publication_id.to_owned(),
        rows: emails.iter().map(row).collect(),
        confirmed,
        source: "the system before".to_owned(),
        wording: "Yes, send me news.".to_owned(),
        wording_version: "2023-11".to_owned(),
        ..Default::default()
    }
}

async fn outcomes(house: &Newsletter, request: pb::ImportSubscribersRequest) -> Vec<Outcome> {
    let answer = house.subscriptions.clone().import_subscribers(request).await.expect("sound").into_inner();
    answer.results.iter().map(pb::SubscriberRowResult::outcome).collect()
}

both_databases! {
    async fn who_confirmed_elsewhere_is_added_once_and_nobody_is_brought_back(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "active@example.test").await;
        let ended = house.subscribe(&publication, "ended@example.test").await;
        let request = pb::UnsubscribeRequest { subscription_id: ended.subscription_id, ..Default::default() };
        house.subscriptions.clone().unsubscribe(request).await.expect("it is there");
        let request = pb::SuppressAddressRequest { email: "suppressed@example.test".to_owned(), evidence: "asked by phone".to_owned(), ..Default::default() };
        house.suppressions.clone().suppress_address(request).await.expect("sound");
        let emails = ["new@example.test", "no address", "ACTIVE@example.test", "ended@example.test", "suppressed@example.test", "New@example.test"];
        let wanted = [Outcome::Added, Outcome::Refused, Outcome::Known, Outcome::Ended, Outcome::Suppressed, Outcome::Known];

        let dry = outcomes(&house, pb::ImportSubscribersRequest { dry_run: true, ..import(&publication, &emails[..5], true) }).await;
        assert_eq!(dry, wanted[..5]);
        let request = pb::ListSubscriptionsRequest { publication_id: publication.clone(), filter: "email = \"new@example.test\"".to_owned(), ..Default::default() };
        let listed = house.subscriptions.clone().list_subscriptions(request).await.expect("sound").into_inner();
        assert!(listed.subscriptions.is_empty(), "a dry run stores nothing");

        assert_eq!(outcomes(&house, import(&publication, &emails, true)).await, wanted);
        let again = outcomes(&house, import(&publication, &emails, true)).await;
        assert_eq!(again[0], Outcome::Known, "a repeated import changes nothing");
        let added = house.subscription(&publication, "new@example.test").await;
        assert_eq!((added.state(), added.display_name.as_str(), added.proofs.len()), (SubscriptionState::Active, "Ada", 1));
        let proof = &added.proofs[0];
        assert_eq!((proof.kind(), proof.time, proof.wording_version.as_str()), (ProofKind::Imported, Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }), "2023-11"));
        assert_eq!(house.subscription(&publication, "ended@example.test").await.state(), SubscriptionState::Unsubscribed);
        let request = pb::GetPublicationRequest { publication_id: publication.clone() };
        let found = house.publications.clone().get_publication(request).await.expect("it is there").into_inner().publication.expect("it");
        assert_eq!(found.active_subscriptions, 2, "active and new");
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == pb::IssueState::Completed && it.accepted == 2).await;
        house.stop().await;
    }

    async fn who_did_not_confirm_is_asked_once(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let emails = ["ada@example.test", "bob@example.test"];
        assert_eq!(outcomes(&house, import(&publication, &emails, false)).await, [Outcome::Asked, Outcome::Asked]);
        assert_eq!(outcomes(&house, import(&publication, &emails, false)).await, [Outcome::Known, Outcome::Known]);
        let mail = house.smtp.until_mail("ada@example.test").await.text();
        assert_eq!(house.subscription(&publication, "ada@example.test").await.state(), SubscriptionState::PendingConfirmation);
        assert_eq!(house.confirm(&token(&mail, "/confirm/")).await.state(), SubscriptionState::Active);
        // Their confirmation turns up after all.
        assert_eq!(outcomes(&house, import(&publication, &["bob@example.test"], true)).await, [Outcome::Added]);
        assert_eq!(house.subscription(&publication, "bob@example.test").await.state(), SubscriptionState::Active);
        house.stop().await;
    }

    async fn an_import_that_cannot_be_meant_is_refused_whole(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let many: Vec<String> = (0..501).map(|number| format!("reader{number}@example.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (request, field) in [
            (import(&publication, &[], true), "rows"),
            (import(&publication, &many, true), "rows"),
            (pb::ImportSubscribersRequest { source: String::new(), ..import(&publication, &["a@b.test"], true) }, "source"),
        ] {
            let status = house.subscriptions.clone().import_subscribers(request).await.expect_err("refused");
            assert!(status.code() == tonic::Code::InvalidArgument && status.message().contains(field), "{status}");
        }
        let mut late = import(&publication, &["a@b.test"], true);
        late.rows[0].subscribe_time = Some(Timestamp { seconds: 32_503_680_000, nanos: 0 });
        let answer = house.subscriptions.clone().import_subscribers(late).await.expect("row by row").into_inner();
        assert!(answer.results[0].problems[0].contains("future"), "{answer:?}");
        house.stop().await;
    }
}
