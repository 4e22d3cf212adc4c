//! Mixed writes, each with a request id and without an id of the caller's: only the request id keeps them from being doubled.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use prost_types::Timestamp;
use rapport_proto::{
    common::v1::{BusinessFunction, Channel as Way, ContactPurpose, CustomerType, Direction, InteractionKind, Responder, Setting},
    customer::v1::{self as customer, consent_service_client::ConsentServiceClient, customer_service_client::CustomerServiceClient},
    feedback::v1::{self as feedback, collection_service_client::CollectionServiceClient},
    interaction::v1::{
        self as interaction, commitment_service_client::CommitmentServiceClient, interaction_service_client::InteractionServiceClient,
    },
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::{calls::insist, suite::Suite};

/// What the suite has acknowledged: the id it gave to each thing, by the name that the thing was given.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    /// Customers.
    pub customers: BTreeMap<String, String>,
    /// Logged interactions.
    pub logged: BTreeMap<String, String>,
    /// Interactions that were opened, each with its entries by their text.
    pub opened: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// Kept commitments.
    pub kept: BTreeMap<String, String>,
    /// Remarks.
    pub remarks: BTreeMap<String, String>,
    /// Consent records.
    pub consents: BTreeMap<String, String>,
}

/// Writers that go on until they are told to finish.
pub struct Writers {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

impl Writers {
    /// Starts this many.
    pub fn start(suite: &Suite, count: usize) -> Self {
        Self::named(suite, "killed", count)
    }

    /// Starts this many, with a word of their own in the name of everything that they write.
    pub fn named(suite: &Suite, word: &'static str, count: usize) -> Self {
        let (stop, mut tasks, acknowledged) = (CancellationToken::new(), JoinSet::new(), Arc::<Mutex<Acknowledged>>::default());
        for number in 0..count {
            let writer = Writer {
                customers: suite.channel("customer"),
                interactions: suite.channel("interaction"),
                feedback: suite.channel("feedback"),
                acknowledged: Arc::clone(&acknowledged),
            };
            let stop = stop.clone();
            tasks.spawn(async move {
                let mut round = 0;
                while !stop.is_cancelled() {
                    writer.write(&format!("writer-{word}-{number}-{round}")).await;
                    round += 1;
                }
            });
        }
        Self { stop, tasks, acknowledged }
    }

    /// How many customers were acknowledged until now.
    pub fn progress(&self) -> usize {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).customers.len()
    }

    /// Lets each writer finish what it has begun, and gives everything that was acknowledged.
    pub async fn finish(mut self) -> Acknowledged {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a writer was refused");
        }
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Writer {
    customers: Channel,
    interactions: Channel,
    feedback: Channel,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

impl Writer {
    /// One customer with whom everything happens once; each thing carries the name.
    async fn write(&self, name: &str) {
        let (customer_id, now) = self.create_customer(name).await;
        self.update_customer(name, &customer_id).await;
        self.log_interaction(name, &customer_id).await;
        self.open_interaction(name, &customer_id).await;
        self.keep_commitment(name, &customer_id, now).await;
        self.record_remark(name, &customer_id).await;
        self.record_consent(name, &customer_id).await;
    }

    fn note(&self, note: impl FnOnce(&mut Acknowledged)) {
        note(&mut self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Its id, and the suite's time.
    async fn create_customer(&self, name: &str) -> (String, Timestamp) {
        let point = customer::ContactPoint {
            kind: customer::ContactPointKind::Email.into(),
            value: format!("{name}@example.test"),
            ..Default::default()
        };
        let customer = customer::Customer { display_name: name.to_owned(), contact_points: vec![point], ..Default::default() };
        let request = customer::CreateCustomerRequest {
            customer: Some(customer),
            customer_type: CustomerType::New.into(),
            // So that nothing but the request id keeps a repetition from making a second one.
            allow_duplicate: true,
            request_id: format!("create-{name}"),
            ..Default::default()
        };
        let client = CustomerServiceClient::new(self.customers.clone());
        let answer = insist!(client.create_customer(request));
        let created = answer.customer.expect("an answer has its customer");
        self.note(|known| drop(known.customers.insert(name.to_owned(), created.customer_id.clone())));
        (created.customer_id, created.create_time.expect("a customer has its time"))
    }

    async fn update_customer(&self, name: &str, customer_id: &str) {
        let request = customer::UpdateCustomerRequest {
            customer: Some(customer::Customer { customer_id: customer_id.to_owned(), tags: vec![name.to_owned()], ..Default::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["tags".to_owned()] }),
            request_id: format!("update-{name}"),
            ..Default::default()
        };
        let client = CustomerServiceClient::new(self.customers.clone());
        insist!(client.update_customer(request));
    }

    fn interaction(name: &str, customer_id: &str) -> interaction::Interaction {
        interaction::Interaction {
            customer_id: customer_id.to_owned(),
            subject: name.to_owned(),
            function: BusinessFunction::CustomerService.into(),
            purpose: interaction::Purpose::Enquiry.into(),
            kind: InteractionKind::Expected.into(),
            setting: Setting::Informal.into(),
            channel: Way::Phone.into(),
            direction: Direction::Inbound.into(),
            ..Default::default()
        }
    }

    fn entry(body: &str, direction: Direction) -> interaction::Entry {
        interaction::Entry {
            kind: interaction::EntryKind::Spoken.into(),
            responder: Responder::Human.into(),
            direction: direction.into(),
            body: body.to_owned(),
            ..Default::default()
        }
    }

    async fn log_interaction(&self, name: &str, customer_id: &str) {
        let next_step = interaction::NextStep { step: Some(interaction::next_step::Step::ThinkOver("our offer".to_owned())) };
        let conclusion = interaction::Conclusion {
            outcome: interaction::Outcome::Resolved.into(),
            summary: name.to_owned(),
            next_step: Some(next_step),
            ..Default::default()
        };
        let request = interaction::LogInteractionRequest {
            interaction: Some(Self::interaction(name, customer_id)),
            entries: vec![Self::entry("a question", Direction::Inbound), Self::entry("an answer", Direction::Outbound)],
            conclusion: Some(conclusion),
            request_id: format!("log-{name}"),
            ..Default::default()
        };
        let client = InteractionServiceClient::new(self.interactions.clone());
        let answer = insist!(client.log_interaction(request));
        let id = answer.interaction.expect("an answer has its interaction").interaction_id;
        self.note(|known| drop(known.logged.insert(name.to_owned(), id)));
    }

    async fn open_interaction(&self, name: &str, customer_id: &str) {
        let request = interaction::CreateInteractionRequest {
            interaction: Some(Self::interaction(&format!("open {name}"), customer_id)),
            request_id: format!("open-{name}"),
            ..Default::default()
        };
        let client = InteractionServiceClient::new(self.interactions.clone());
        let answer = insist!(client.create_interaction(request));
        let id = answer.interaction.expect("an answer has its interaction").interaction_id;
        let mut entries = BTreeMap::new();
        for (number, direction) in [Direction::Inbound, Direction::Outbound, Direction::Inbound].into_iter().enumerate() {
            let body = format!("{name}: {number}");
            let request = interaction::AddEntryRequest {
                interaction_id: id.clone(),
                entry: Some(Self::entry(&body, direction)),
                request_id: format!("entry-{name}-{number}"),
                ..Default::default()
            };
            let answer = insist!(client.add_entry(request));
            entries.insert(body, answer.entry.expect("an answer has its entry").entry_id);
        }
        self.note(|known| drop(known.opened.insert(name.to_owned(), (id, entries))));
    }

    async fn keep_commitment(&self, name: &str, customer_id: &str, now: Timestamp) {
        let commitment = interaction::Commitment {
            customer_id: customer_id.to_owned(),
            owner: "ada".to_owned(),
            kind: interaction::CommitmentKind::CallBack.into(),
            text: name.to_owned(),
            due_time: Some(Timestamp { seconds: now.seconds + 30 * 86_400, nanos: 0 }),
            ..Default::default()
        };
        let request = interaction::CreateCommitmentRequest {
            commitment: Some(commitment),
            request_id: format!("promise-{name}"),
            ..Default::default()
        };
        let client = CommitmentServiceClient::new(self.interactions.clone());
        let answer = insist!(client.create_commitment(request));
        let id = answer.commitment.expect("an answer has its commitment").commitment_id;
        let request = interaction::KeepCommitmentRequest {
            commitment_id: id.clone(),
            evidence: name.to_owned(),
            request_id: format!("keep-{name}"),
            ..Default::default()
        };
        insist!(client.keep_commitment(request));
        self.note(|known| drop(known.kept.insert(name.to_owned(), id)));
    }

    async fn record_remark(&self, name: &str, customer_id: &str) {
        let remark = feedback::Remark {
            customer_id: customer_id.to_owned(),
            verbatim: name.to_owned(),
            occasion: feedback::RemarkOccasion::Call.into(),
            ..Default::default()
        };
        let request = feedback::RecordRemarkRequest { remark: Some(remark), request_id: format!("remark-{name}"), ..Default::default() };
        let client = CollectionServiceClient::new(self.feedback.clone());
        let answer = insist!(client.record_remark(request));
        let id = answer.remark.expect("an answer has its remark").remark_id;
        self.note(|known| drop(known.remarks.insert(name.to_owned(), id)));
    }

    async fn record_consent(&self, name: &str, customer_id: &str) {
        let consent = customer::ConsentRecord {
            customer_id: customer_id.to_owned(),
            channel: Way::Email.into(),
            purpose: ContactPurpose::MarketingContact.into(),
            status: customer::ConsentStatus::Granted.into(),
            source: customer::ConsentSource::Agent.into(),
            evidence: name.to_owned(),
            ..Default::default()
        };
        let request = customer::RecordConsentRequest { consent: Some(consent), request_id: format!("consent-{name}") };
        let client = ConsentServiceClient::new(self.customers.clone());
        let answer = insist!(client.record_consent(request));
        let id = answer.consent.expect("an answer has its record").consent_id;
        self.note(|known| drop(known.consents.insert(name.to_owned(), id)));
    }
}
