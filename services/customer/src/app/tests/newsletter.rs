//! What the newsletter service tells of addresses, on both databases.

use rapport_core::{Channel, ContactPurpose, CustomerId, Failure, Never};
use rapport_proto::{
    common::v1::EventMeta,
    newsletter::v1::{Delivery, Event, Proof, ProofKind, Subscription, SuppressedAddress, Suppression, SuppressionReason, event::Payload},
};
use rapport_testkit::both_databases;

use super::{Bench, bench, profile};
use crate::{
    app::risk::get_risk_assessment,
    domain::{ConsentRecord, ConsentSource, ConsentStatus, ContactPointHealth, RiskCode, Thresholds, consent::Subject},
    jobs::follow_newsletter,
    store,
};

const ADA: &str = "ada@example.com";
const PUBLICATION: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const DELIVERY: &str = "0190163d-8694-739b-aea5-966c26f8ad92";

impl Bench {
    pub async fn hear(&self, kind: &str, payload: Payload) {
        let cx = self.cx();
        let (seconds, nanos) = cx.now.parts();
        let meta = EventMeta {
            event_id: cx.fresh::<()>().to_string(),
            subject_id: DELIVERY.to_owned(),
            r#type: kind.to_owned(),
            time: Some(prost_types::Timestamp { seconds, nanos }),
            ..Default::default()
        };
        let event = Event { meta: Some(meta), payload: Some(payload) };
        self.database.write(async |conn| follow_newsletter(conn, &cx, &Thresholds::USUAL, &event).await).await.expect("noted");
        self.world.clock.advance(std::time::Duration::from_secs(1));
    }
    pub async fn subscribed(&self, kind: &str, proof: ProofKind) {
        self.subscribed_to(PUBLICATION, kind, proof).await;
    }
    pub async fn subscribed_to(&self, publication: &str, kind: &str, proof: ProofKind) {
        let proofs = vec![Proof { kind: proof.into(), ..Default::default() }];
        let subscription = Subscription {
            subscription_id: DELIVERY.to_owned(),
            publication_id: publication.to_owned(),
            email: ADA.to_owned(),
            proofs,
            ..Default::default()
        };
        self.hear(kind, Payload::Subscription(subscription)).await;
    }
    async fn delivery(&self, kind: &str, bounce: &str) {
        let delivery = Delivery {
            delivery_id: DELIVERY.to_owned(),
            email: "Ada@Example.com".to_owned(),
            bounce: bounce.to_owned(),
            ..Default::default()
        };
        self.hear(kind, Payload::Delivery(delivery)).await;
    }
    async fn suppressed(&self, reason: SuppressionReason, email: &str) {
        let suppression = Suppression { reason: reason.into(), evidence: "delivery 7".to_owned(), ..Default::default() };
        let address = SuppressedAddress { suppression: Some(suppression), email: email.to_owned(), ..Default::default() };
        self.hear("suppression.created", Payload::SuppressedAddress(address)).await;
    }
    async fn ledger(&self, customer: CustomerId) -> Vec<ConsentRecord> {
        let read = async |conn: &mut rapport_db::Conn<'_>| -> Result<_, Failure<Never>> {
            Ok(store::consent::ledger(conn, customer, Channel::Email).await?)
        };
        let mut ledger = self.database.read(read).await.expect("read");
        ledger.sort_by_key(|record| record.id);
        ledger
    }
    async fn health(&self, customer: CustomerId) -> ContactPointHealth {
        self.find(customer).await.profile.contact_points[0].health
    }
}

both_databases! {
    async fn an_address_that_does_not_exist_is_one_reason_however_many_events_tell_of_it(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.create(profile("Ada", ADA)).await.expect("created").id;
        bench.delivery("delivery.bounced", "SOFT 5.2.2 full").await;
        assert_eq!(bench.health(ada).await, ContactPointHealth::Failing);
        bench.delivery("delivery.bounced", "HARD 5.1.1 unknown").await;
        bench.suppressed(SuppressionReason::HardBounce, ADA).await;
        bench.delivery("delivery.bounced", "HARD 5.1.1 unknown").await;
        bench.delivery("delivery.bounced", "SOFT 5.2.2 full").await;
        bench.delivery("delivery.bounced", "REFUSED 5.7.1 spam").await;
        assert_eq!(bench.health(ada).await, ContactPointHealth::Invalid);
        let now = bench.cx().now;
        let risk = bench.database.read(async |conn| get_risk_assessment(conn, now, ada).await).await.expect("assessed");
        assert_eq!(risk.reasons.iter().map(|reason| (reason.code, reason.points)).collect::<Vec<_>>(), [(RiskCode::AddressInvalid, 10)]);
        // Forgotten meanwhile, somebody whom we do not know, and somebody of us who knows why.
        bench.suppressed(SuppressionReason::HardBounce, "").await;
        bench.suppressed(SuppressionReason::HardBounce, "bob@example.com").await;
        bench.suppressed(SuppressionReason::Manual, ADA).await;
        let told = bench.kinds(ada).await;
        assert_eq!(told.iter().filter(|kind| *kind == "delivery.bounced").count(), 4, "{told:?}");
        assert_eq!(told.iter().filter(|kind| *kind == "suppression.created").count(), 2, "{told:?}");
        assert!(bench.ledger(ada).await.is_empty());
    }

    async fn who_calls_a_mail_spam_withdraws_newsletters_and_marketing_once(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.create(profile("Ada", ADA)).await.expect("created").id;
        bench.subscribed("subscription.confirmed", ProofKind::SignedUp).await;
        bench.delivery("delivery.complained", "").await;
        bench.suppressed(SuppressionReason::Complaint, ADA).await;
        bench.subscribed("subscription.ended", ProofKind::Complaint).await;
        let topic = || Subject::Topic(ContactPurpose::Newsletters, PUBLICATION.to_owned());
        let said = |record: &ConsentRecord| (record.subject.clone(), record.status, record.source);
        let ledger = bench.ledger(ada).await;
        let withdrawn = |subject| (subject, ConsentStatus::Withdrawn, ConsentSource::Complaint);
        let expected = [
            (topic(), ConsentStatus::Granted, ConsentSource::DoubleOptIn),
            withdrawn(Subject::Purpose(ContactPurpose::Newsletters)),
            withdrawn(topic()),
            withdrawn(Subject::Purpose(ContactPurpose::MarketingContact)),
        ];
        assert_eq!(ledger.iter().map(said).collect::<Vec<_>>(), expected);
        assert_eq!(ledger[1].evidence, format!("delivery {DELIVERY}"));
        assert_eq!(bench.health(ada).await, ContactPointHealth::Verified, "the address works");
        // Who came back and complains again says something new, and only of what was granted.
        bench.subscribed("subscription.confirmed", ProofKind::SignedUp).await;
        bench.suppressed(SuppressionReason::Complaint, ADA).await;
        let more: Vec<_> = bench.ledger(ada).await.iter().skip(4).map(said).collect();
        let expected = [(topic(), ConsentStatus::Granted, ConsentSource::DoubleOptIn), withdrawn(Subject::Purpose(ContactPurpose::Newsletters)), withdrawn(topic())];
        assert_eq!(more, expected);
        // Whom the other service names before we know the customer has a line all the same.
        let stranger: CustomerId = bench.cx().fresh();
        let delivery = Delivery { delivery_id: DELIVERY.to_owned(), customer_id: stranger.to_string(), email: "eve@example.com".to_owned(), ..Default::default() };
        bench.hear("delivery.complained", Payload::Delivery(delivery)).await;
        assert_eq!(bench.kinds(stranger).await, ["delivery.complained"]);
    }
}
