//! The page of all that a person receives: ending, renewing, leaving everything, and a language.

use rapport_proto::newsletter::v1::{self as pb, ProofKind, SubscriptionState};
use rapport_testkit::both_databases;

use crate::{newsletter::Newsletter, pages::links};

const ADA: &str = "ada@example.test";

fn sender(name: &str) -> pb::Sender {
    pb::Sender {
        from_name: name.to_owned(),
        from_address: "news@shop.example".to_owned(),
        transport: "relay".to_owned(),
        ..Default::default()
    }
}

async fn two_of_ada(house: &Newsletter) -> [String; 2] {
    let publications = [
        house.publication_of(sender("The Shop"), "Weekly <1>", "What is new & cheap").await,
        house.publication_of(sender("The Shop"), "Offers", "").await,
    ];
    for publication in &publications {
        let seen = house.smtp.mails_to(ADA).len();
        house.ask(publication, ADA).await;
        let mail = rapport_testkit::until("the mail", async || house.smtp.mails_to(ADA).into_iter().nth(seen)).await.text();
        house.confirm(&crate::newsletter::token(&mail, "/confirm/")).await;
    }
    publications
}

async fn active(house: &Newsletter, publication_id: &str) -> i64 {
    let request = pb::GetPublicationRequest { publication_id: publication_id.to_owned() };
    let found = house.publications.clone().get_publication(request).await.expect("it is there").into_inner().publication.expect("it");
    found.active_subscriptions
}

both_databases! {
    async fn a_person_ends_and_renews_what_comes_and_chooses_a_language(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let [weekly, offers] = two_of_ada(&house).await;
        let never = house.publication_of(sender("The Shop"), "Never asked for", "").await;
        let (_, choose) = links(&house, &weekly, ADA).await;
        let page = format!("/preferences/{choose}");
        let shown = house.page("GET", &page, "").await;
        assert!(shown.contains("Weekly &lt;1&gt;") && shown.contains("What is new &amp; cheap") && shown.contains("Offers"), "{shown}");
        assert!(!shown.contains("Never asked for") && !shown.contains(&never) && !shown.contains(ADA), "{shown}");
        assert_eq!(shown.matches(" checked").count(), 2);
        assert_eq!(shown.matches("<header><p>The Shop</p></header>").count(), 1);

        let done = house.page("POST", &page, &format!("was={weekly}&was={offers}&on={offers}&lang=de&do=save")).await;
        assert!(done.contains("<html lang=\"de\"") && done.contains("Ihre Auswahl ist gespeichert."), "{done}");
        assert_eq!(done.matches(" checked").count(), 1);
        let [ended, kept] = [house.subscription(&weekly, ADA).await, house.subscription(&offers, ADA).await];
        assert_eq!((ended.state(), kept.state()), (SubscriptionState::Unsubscribed, SubscriptionState::Active));
        assert_eq!(ended.proofs.last().map(pb::Proof::kind), Some(ProofKind::PreferencePage));
        assert_eq!((ended.language.as_str(), kept.proofs.len()), ("de", 2));
        assert_eq!((active(&house, &weekly).await, active(&house, &offers).await), (0, 1));

        // The same again, and a page that was open when nothing had ended yet: no wish, no change.
        for stale in [format!("was={weekly}&was={offers}&on={weekly}&on={offers}&do=save"), format!("was={offers}&on={offers}"), "do=save".to_owned()] {
            house.page("POST", &page, &stale).await;
            assert_eq!([house.subscription(&weekly, ADA).await, house.subscription(&offers, ADA).await], [ended.clone(), kept.clone()], "{stale}");
        }

        let done = house.page("POST", &page, &format!("was={offers}&on={offers}&on={weekly}&on={never}&on=x&lang=xx&do=save")).await;
        assert_eq!(done.matches(" checked").count(), 2, "{done}");
        let renewed = house.subscription(&weekly, ADA).await;
        let proof = renewed.proofs.last().expect("it").clone();
        assert_eq!((renewed.state(), proof.kind(), proof.source.as_str()), (SubscriptionState::Active, ProofKind::PreferencePage, "preferences"));
        assert_eq!((proof.wording.as_str(), proof.wording_version.as_str()), ("Ja, bitte senden Sie mir Weekly <1>", "preferences/de"));
        assert_eq!((renewed.end_time, renewed.language.as_str(), active(&house, &weekly).await), (None, "de", 1));
        assert!(house.page("GET", &page, "").await.contains("<option value=\"de\" lang=\"de\" selected>Deutsch</option>"));
        let told = house.events_until("subscription.ended").await;
        assert_eq!(told.last().expect("it").meta.as_ref().expect("it").subject_id, ended.subscription_id);
        house.stop().await;
    }

    async fn a_person_leaves_everything_at_once(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let [weekly, offers] = two_of_ada(&house).await;
        let pending = house.publication("relay").await;
        let (_, choose) = links(&house, &weekly, ADA).await;
        house.ask(&pending, ADA).await;
        let done = house.page("POST", &format!("/preferences/{choose}"), "do=leave").await;
        assert!(done.starts_with("HTTP/1.1 200") && !done.contains(" checked") && done.contains("Your choice is saved."), "{done}");
        for (publication, state) in [(&weekly, SubscriptionState::Unsubscribed), (&offers, SubscriptionState::Unsubscribed), (&pending, SubscriptionState::Expired)] {
            let left = house.subscription(publication, ADA).await;
            assert_eq!((left.state(), left.proofs.last().map(pb::Proof::kind)), (state, Some(ProofKind::PreferencePage)));
            assert_eq!(active(&house, publication).await, 0);
        }
        house.stop().await;
    }

    async fn a_suppressed_address_is_not_renewed(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let [weekly, _] = two_of_ada(&house).await;
        let (_, choose) = links(&house, &weekly, ADA).await;
        let original = house.smtp.mails_to(ADA).pop().expect("the issue").text();
        let complaint = format!(
            "From: feedback@isp.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n\r\nSpam.\r\n\
             --x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: Loop/1\r\n\r\n\
             --x\r\nContent-Type: message/rfc822\r\n\r\n{original}\r\n--x--\r\n"
        );
        house.ingest(&complaint, "abuse@shop.example").await;
        let left = house.subscription(&weekly, ADA).await;
        assert_eq!(left.state(), SubscriptionState::Unsubscribed);
        let done = house.page("POST", &format!("/preferences/{choose}"), &format!("on={weekly}&do=save")).await;
        assert!(done.contains("We send nothing to your address at present"), "{done}");
        assert_eq!(house.subscription(&weekly, ADA).await, left);
        house.stop().await;
    }

    async fn several_brands_are_told_apart(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let [weekly, _] = two_of_ada(&house).await;
        let other = house.publication_of(sender("Another House"), "Letters", "").await;
        let seen = house.smtp.mails_to(ADA).len();
        house.ask(&other, ADA).await;
        let mail = rapport_testkit::until("the mail", async || house.smtp.mails_to(ADA).into_iter().nth(seen)).await.text();
        let (_, choose) = links(&house, &weekly, ADA).await;
        house.confirm(&crate::newsletter::token(&mail, "/confirm/")).await;
        let shown = house.page("GET", &format!("/preferences/{choose}"), "").await;
        assert!(shown.contains("From Another House") && shown.contains("From The Shop") && shown.contains("<header></header>"), "{shown}");
        house.stop().await;
    }
}
