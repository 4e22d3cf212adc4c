//! The consent ledger on both databases, as callers and subscriptions write it.

use rapport_core::{Channel, ContactPurpose, CustomerId, EventId, SubjectId};
use rapport_testkit::both_databases;

use super::{Bench, bench, mail, profile};
use crate::{
    app::{
        consent::{RecordConsent, Recorded, check_consent, record_consent},
        subscription::follow_subscription,
    },
    domain::{
        ConsentBasis, ConsentSource, ConsentStatus, ContactPointHealth, Thresholds, TimelineEntry,
        consent::{Question, Subject},
        observation::{SubscriptionChange, SubscriptionStep},
    },
};

const PUBLICATION: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

impl Bench {
    async fn say(&self, customer: CustomerId, subject: Subject, status: ConsentStatus) -> Recorded {
        let cx = self.cx();
        let command = RecordConsent {
            id: None,
            customer,
            channel: Channel::Email,
            subject,
            status,
            source: ConsentSource::Agent,
            evidence: String::new(),
            wording_version: String::new(),
            effective_time: None,
            expire_time: None,
        };
        self.database.write(async |conn| record_consent(conn, &cx, command.clone()).await).await.expect("recorded")
    }

    async fn allowed(&self, customer: CustomerId) -> (bool, ConsentBasis) {
        let cx = self.cx();
        let question = Question { channel: Channel::Email, purpose: ContactPurpose::Newsletters, topic: Some(PUBLICATION.to_owned()) };
        let answers = self.database.read(async |conn| check_consent(conn, cx.now, &[customer], &question).await).await;
        let answer = answers.expect("answered").remove(0);
        (answer.allowed, answer.basis)
    }

    async fn subscription(&self, what: SubscriptionStep) {
        let cx = self.cx();
        let change = SubscriptionChange {
            subscription: SubjectId::from_uuid(uuid::Uuid::from_u128(9)),
            publication: PUBLICATION.to_owned(),
            customer: None,
            email: "ada@example.com".parse().expect("an address"),
            display_name: "Ada".to_owned(),
            language: None,
            time: cx.now,
            what,
        };
        let event: EventId = cx.fresh();
        let line = |customer| TimelineEntry {
            event,
            customer,
            time: cx.now,
            service: "newsletter".to_owned(),
            kind: "subscription".to_owned(),
            subject: change.subscription,
            summary: String::new(),
            channel: None,
            direction: None,
            setting: None,
            trace_id: String::new(),
            journey: None,
        };
        self.database
            .write(async |conn| follow_subscription(conn, &cx, &Thresholds::USUAL, change.clone(), line).await)
            .await
            .expect("followed");
    }
}

both_databases! {
    async fn a_confirmed_subscription_makes_a_customer_and_its_consent(backend: Backend) {
        let bench = bench(backend).await;
        bench.subscription(SubscriptionStep::Pending).await;
        let confirmed = SubscriptionStep::Confirmed { wording_version: "1".to_owned() };
        bench.subscription(confirmed.clone()).await;
        let found = bench.resolve(vec![mail("Ada@example.com")]).await.expect("resolved");
        assert!(!found.created, "confirming created the customer");
        let customer = bench.find(found.customer.id).await;
        assert_eq!((customer.profile.display_name.as_str(), customer.profile.contact_points[0].health), ("Ada", ContactPointHealth::Verified));
        assert_eq!(bench.allowed(customer.id).await, (true, ConsentBasis::Topic));
        bench.world.clock.advance(std::time::Duration::from_secs(1));
        bench.subscription(SubscriptionStep::Ended { by: Some(ConsentSource::OneClick) }).await;
        assert_eq!(bench.allowed(customer.id).await, (false, ConsentBasis::Topic));
        bench.world.clock.advance(std::time::Duration::from_secs(1));
        bench.subscription(confirmed).await;
        assert_eq!(bench.allowed(customer.id).await, (true, ConsentBasis::Topic));
    }

    async fn a_withdrawal_of_everything_ends_every_subscription_at_once(backend: Backend) {
        let bench = bench(backend).await;
        let customer = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        bench.subscription(SubscriptionStep::Confirmed { wording_version: String::new() }).await;
        bench.say(customer, Subject::Purpose(ContactPurpose::Survey), ConsentStatus::Granted).await;
        bench.world.clock.advance(std::time::Duration::from_secs(1));
        let recorded = bench.say(customer, Subject::Everything, ConsentStatus::Withdrawn).await;
        assert_eq!(recorded.ended.len(), 2);
        assert_eq!(bench.allowed(customer).await, (false, ConsentBasis::Topic));
        // The newsletter service ends the subscription and tells so: the ledger has it already.
        bench.subscription(SubscriptionStep::Ended { by: None }).await;
        let cx = bench.cx();
        let ledger = bench.database.read(async |conn| -> crate::app::Outcome<_> { Ok(crate::store::consent::ledger(conn, customer, Channel::Email).await?) });
        assert_eq!(ledger.await.expect("read").len(), 5, "granted twice, withdrawn three times, at {}", cx.now);
    }

    async fn nobody_may_be_contacted_who_is_not_known(backend: Backend) {
        let bench = bench(backend).await;
        assert_eq!(bench.allowed(bench.cx().fresh()).await, (false, ConsentBasis::UnknownCustomer));
    }
}
