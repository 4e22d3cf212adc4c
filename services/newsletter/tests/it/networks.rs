//! Where people come from: their network in the proofs of what they do on pages if the settings want it, and nothing anywhere if not.

use rapport_proto::newsletter::v1::{self as pb, ProofKind, event::Payload};
use rapport_server::{Host, Settings};
use rapport_testkit::{both_databases, world};

use crate::{
    newsletter::{Newsletter, token},
    pages::links,
};

const ADA: &str = "ada@example.test";
const KEEP: (&str, &str) = ("newsletter.keep_ip_addresses", "truncated");

/// Confirms on the page, with these headers.
async fn confirm(house: &Newsletter, publication: &str, headers: &str) {
    let seen = house.smtp.mails_to(ADA).len();
    house.ask(publication, ADA).await;
    let mail = rapport_testkit::until("the mail", async || house.smtp.mails_to(ADA).into_iter().nth(seen)).await.text();
    house.page_with("POST", &format!("/confirm/{}", token(&mail, "/confirm/")), headers, "").await;
}

/// The proofs with their networks.
fn proofs(subscription: &pb::Subscription) -> Vec<(ProofKind, &str)> {
    subscription.proofs.iter().map(|proof| (proof.kind(), proof.ip_prefix.as_str())).collect()
}

/// The networks that the events of subscriptions tell, until an end is told.
async fn told(house: &Newsletter) -> Vec<String> {
    let of_subscription = |event: pb::Event| match event.payload {
        Some(Payload::Subscription(subscription)) => subscription.proofs.into_iter().map(|proof| proof.ip_prefix).collect(),
        _ => Vec::new(),
    };
    let mut networks: Vec<String> = house.events_until("subscription.ended").await.into_iter().flat_map(of_subscription).collect();
    networks.retain(|network| !network.is_empty());
    networks
}

both_databases! {
    async fn a_proof_names_the_network_of_who_acted_on_a_page_and_an_erasure_empties_it(backend: Backend) {
        let house = Newsletter::start_with(backend, &[KEEP, ("newsletter.ip_address_header", "X-Real-IP")]).await;
        let publication = house.publication("relay").await;
        confirm(&house, &publication, "X-Real-IP: 203.0.113.77\r\nX-Forwarded-For: 198.51.100.1\r\n").await;
        let confirmed = house.subscription(&publication, ADA).await;
        assert_eq!(proofs(&confirmed), [(ProofKind::SignedUp, ""), (ProofKind::Confirmed, "203.0.113.0/24")]);
        let (leave, choose) = links(&house, &publication, ADA).await;
        let (leave, choose) = (format!("/unsubscribe/{leave}"), format!("/preferences/{choose}"));
        house.page_with("POST", &leave, "X-Real-IP: 2001:db8:1:2:3:4:5:6\r\n", "lang=en").await;
        house.page_with("POST", &choose, "X-Real-IP: 192.0.2.200\r\n", &format!("on={publication}&do=save")).await;
        house.page_with("POST", &leave, "X-Real-IP: 203.0.113.78\r\n", "List-Unsubscribe=One-Click").await;
        house.page_with("POST", &choose, "", &format!("on={publication}&do=save")).await;
        house.page_with("POST", &choose, "X-Real-IP: 192.0.2.201\r\n", "do=leave").await;
        let left = house.subscription(&publication, ADA).await;
        let expected = [
            (ProofKind::SignedUp, ""),
            (ProofKind::Confirmed, "203.0.113.0/24"),
            (ProofKind::Page, "2001:db8:1::/48"),
            (ProofKind::PreferencePage, "192.0.2.0/24"),
            (ProofKind::OneClick, ""),
            (ProofKind::PreferencePage, ""),
            (ProofKind::PreferencePage, "192.0.2.0/24"),
        ];
        assert_eq!(proofs(&left), expected);
        assert_eq!(told(&house).await, ["203.0.113.0/24", "203.0.113.0/24", "2001:db8:1::/48"]);
        let stored = house.stored().await;
        assert!(stored.contains("203.0.113.0/24") && stored.contains("2001:db8:1::/48"), "what is searched for would be found");
        for whole in ["203.0.113.7", "198.51.100", "192.0.2.20", "2001:db8:1:2", "127.0.0.1"] {
            assert!(!stored.contains(whole), "{whole}");
        }

        house.subscriptions.clone().erase_subscriber(pb::EraseSubscriberRequest { email: ADA.to_owned(), ..Default::default() }).await.expect("nothing is under way");
        let request = pb::ListSubscriptionsRequest { publication_id: publication, ..Default::default() };
        let forgotten = house.subscriptions.clone().list_subscriptions(request).await.expect("sound").into_inner().subscriptions.remove(0);
        assert_eq!(forgotten.proofs.len(), left.proofs.len(), "it had ended: nothing ends again");
        assert!(forgotten.proofs.iter().all(|proof| proof.ip_prefix.is_empty()));
        assert_eq!(told(&house).await, [] as [&str; 0]);
        house.stop().await;
    }

    async fn without_a_header_the_connection_tells_the_network_and_who_calls_cannot(backend: Backend) {
        let house = Newsletter::start_with(backend, &[KEEP]).await;
        let publication = house.publication("relay").await;
        confirm(&house, &publication, "X-Real-IP: 203.0.113.77\r\nX-Forwarded-For: 203.0.113.77\r\nForwarded: for=203.0.113.77\r\n").await;
        assert_eq!(proofs(&house.subscription(&publication, ADA).await)[1], (ProofKind::Confirmed, "127.0.0.0/24"));
        house.stop().await;
    }

    async fn by_default_nothing_of_where_people_come_from_is_stored_anywhere(backend: Backend) {
        let house = Newsletter::start_with(backend, &[("newsletter.ip_address_header", "x-forwarded-for")]).await;
        let publication = house.publication("relay").await;
        let from = "X-Forwarded-For: 203.0.113.77\r\n";
        confirm(&house, &publication, from).await;
        let (leave, choose) = links(&house, &publication, ADA).await;
        house.page_with("POST", &format!("/unsubscribe/{leave}"), from, "lang=en").await;
        house.page_with("POST", &format!("/preferences/{choose}"), from, &format!("on={publication}&do=save")).await;
        house.page_with("POST", &format!("/preferences/{choose}"), from, "do=leave").await;
        let left = house.subscription(&publication, ADA).await;
        assert_eq!(left.proofs.len(), 5);
        assert!(left.proofs.iter().all(|proof| proof.ip_prefix.is_empty()), "{:?}", proofs(&left));
        assert_eq!(told(&house).await, [] as [&str; 0]);
        let stored = house.stored().await;
        assert!(stored.contains("PREFERENCE_PAGE"), "what is searched for would be found");
        for nowhere in ["203.0.113", "127.0.0.", "ip_prefix"] {
            assert!(!stored.contains(nowhere), "{nowhere}");
        }
        house.stop().await;
    }
}

#[tokio::test]
async fn a_header_that_holds_no_addresses_is_refused() {
    for header in ["forwarded", "x real ip", "é"] {
        let settings = [("newsletter.ip_address_header", header), ("newsletter.listen", "127.0.0.1:0")];
        let settings = Settings::with(&settings).unwrap_or_else(|problems| panic!("{problems}"));
        let Err(refused) = rapport_newsletter::start(&Host::new(settings, world().world)).await else { panic!("{header} is taken") };
        let refused = refused.to_string();
        assert!(refused.contains("newsletter.ip_address_header"), "{header}: {refused}");
    }
}
