//! Each transport by itself: a route takes what its senders send, and one takes what names no transport that there is.

use std::collections::{BTreeMap, BTreeSet};

use rapport_core::ContactPurpose;
use rapport_testkit::both_databases;

use super::House;
use crate::{
    app::message::{self, SendMessage},
    domain::{Content, SiteLimit, SiteLimits, sender::Route},
};

fn unlimited() -> SiteLimits {
    SiteLimits { named: BTreeMap::new(), other: SiteLimit { at_a_time: 100, per_minute: 0 } }
}

both_databases! {
    async fn a_route_takes_the_issues_and_messages_of_its_senders_and_every_sender_has_one(backend: Backend) {
        let house = House::new(backend).await;
        let mut senders = BTreeMap::new();
        for (number, transport) in ["relay", "outbox", "gone"].into_iter().enumerate() {
            let (sender, _) = house.issue_by(transport, 2 * number..2 * number + 2).await;
            let (cx, keys) = (&house.cx, &house.keys);
            let id = cx.fresh();
            let content = Content { subject: "Hello".into(), html: String::new(), text: "Hello".into(), ..Content::default() };
            house
                .database
                .write(async |conn| {
                    let command = SendMessage {
                        id,
                        sender: Some(sender),
                        customer: None,
                        to_email: Some("person@example.com".parse().expect("an address")),
                        to_name: String::new(),
                        purpose: ContactPurpose::Service,
                        content: content.clone(),
                        variables: BTreeMap::new(),
                        in_reply_to: None,
                        allowed: Ok("the test".to_owned()),
                        asked: None,
                    };
                    message::send_message(conn, cx, keys, command).await
                })
                .await
                .expect("stored");
            senders.insert(transport, sender);
        }
        let routes = Route::all(["relay", "outbox"].map(str::to_owned));
        assert_eq!(routes.len(), 3);
        let mut whose = Vec::new();
        for route in &routes {
            let leased = house.claim_of(route, "worker", 100, unlimited()).await;
            assert_eq!(leased.iter().filter(|work| work.delivery.issue.is_some()).count(), 2, "{route:?}");
            assert_eq!(leased.len(), 3, "and a message: {route:?}");
            whose.push(leased.iter().map(|work| work.delivery.sender).collect::<BTreeSet<_>>());
        }
        assert_eq!(whose, ["relay", "outbox", "gone"].map(|transport| BTreeSet::from([senders[transport]])));
        assert!(house.claim_of(&Route::By("other".to_owned()), "worker", 100, unlimited()).await.is_empty());
    }
}
