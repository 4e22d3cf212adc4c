//! Double opt-in: nothing is revealed, nothing is sent without the person's confirmation, and leaving is for good.

use rapport_proto::newsletter::v1::{self as pb, ProofKind, SubscriptionState};
use rapport_testkit::{both_databases, eventually};

use crate::newsletter::{Newsletter, token};

const ADA: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

both_databases! {
    async fn a_subscription_is_active_after_its_confirmation_only(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.ask(&publication, "Ada@Example.test").await;
        let mail = house.smtp.until_mail("Ada@Example.test").await.text();
        let token = token(&mail, "/confirm/");
        let pending = house.subscription(&publication, "ada@example.test").await;
        assert_eq!((pending.state(), pending.proofs[0].wording_version.as_str()), (SubscriptionState::PendingConfirmation, "2026-11"));
        let page = house.page("GET", &format!("/confirm/{token}"), "").await;
        assert!(page.contains("<form method=\"post\">") && page.to_lowercase().contains("content-security-policy: default-src 'none'"), "{page}");
        assert_eq!(house.subscription(&publication, "ada@example.test").await.state(), SubscriptionState::PendingConfirmation);
        house.page("POST", &format!("/confirm/{token}"), "").await;
        let active = house.subscription(&publication, "ada@example.test").await;
        assert_eq!((active.state(), active.proofs[1].kind()), (SubscriptionState::Active, ProofKind::Confirmed));
        assert_eq!(house.confirm(&token).await.state(), SubscriptionState::Active);
        // Asking again for an active one sends nothing.
        house.ask(&publication, "ada@example.test").await;
        let request = pb::GetPublicationRequest { publication_id: publication.clone() };
        let found = house.publications.clone().get_publication(request).await.expect("it is there").into_inner().publication.expect("it");
        assert_eq!(found.active_subscriptions, 1);
        assert_eq!(house.smtp.mails().len(), 1);
        house.stop().await;
    }

    async fn a_withdrawn_consent_ends_the_subscription_but_not_a_later_one(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let confirmed = house.subscribe(&publication, "ada@example.test").await.confirm_time.expect("confirmed");
        house.customers.add(ADA, "ada@example.test");
        house.customers.withdraw(ADA, &publication, confirmed.seconds - 60);
        house.customers.withdraw(ADA, "0190163d-8694-739b-aea5-966c26f8ad99", confirmed.seconds + 60);
        house.customers.add("0190163d-8694-739b-aea5-966c26f8ad93", "nobody@example.test");
        eventually("Ada is known", async || house.subscription(&publication, "ada@example.test").await.customer_id == ADA).await;
        assert_eq!(house.subscription(&publication, "ada@example.test").await.state(), SubscriptionState::Active);
        house.customers.withdraw(ADA, "", confirmed.seconds + 60);
        eventually("it ended", async || house.subscription(&publication, "ada@example.test").await.state() == SubscriptionState::Unsubscribed).await;
        house.stop().await;
    }
}
