//! What happens without being asked: following feeds, sending invitations, ending them.

mod collect;
mod customer;
mod expire;
mod hand_over;
mod settle;

use std::sync::Arc;

use rapport_client::Peer;
use rapport_core::{Caller, Context, JourneyId};
use rapport_db::Database;
use rapport_proto::{
    customer::v1::{consent_service_client::ConsentServiceClient, customer_service_client::CustomerServiceClient},
    newsletter::v1::message_service_client::MessageServiceClient,
};
use rapport_server::{Beginning, Consumer, Host, Job};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::{NAME, domain::token::TokenKeys, settings::FeedbackSettings};

/// Everything that the jobs of this service need; cheap to clone.
#[derive(Clone)]
pub struct Surroundings {
    /// The database.
    pub database: Database,
    /// What the service was given to start.
    pub host: Host,
    /// The customer service.
    pub customer: Peer,
    /// The interaction service.
    pub interaction: Peer,
    /// The newsletter service.
    pub newsletter: Peer,
    /// Asks who a customer is.
    pub customers: CustomerServiceClient<Peer>,
    /// Asks for consent.
    pub consents: ConsentServiceClient<Peer>,
    /// Sends mail.
    pub messages: MessageServiceClient<Peer>,
    /// The keys of the tokens of links.
    pub keys: TokenKeys,
    /// Rung when an invitation was made.
    pub invited: Arc<Notify>,
    /// The settings of the service.
    pub settings: FeedbackSettings,
}

impl Surroundings {
    /// One who follows this feed.
    fn consumer<F>(&self, feed: F, types: &'static [&'static str], beginning: Beginning, stop: CancellationToken) -> Consumer<F> {
        Consumer { service: NAME, database: self.database.clone(), world: self.host.world.clone(), feed, types, beginning, stop }
    }

    /// The context of what the service does by itself, within this span.
    fn context(&self, span: &Span, journey: Option<JourneyId>) -> Context {
        let mut cx = self.host.world.context(Caller::service(NAME));
        cx.traceparent = rapport_telemetry::propagate::traceparent(span);
        cx.journey = journey;
        cx
    }
}

/// The jobs of this service.
pub fn jobs(surroundings: Surroundings) -> Vec<Job> {
    let [customers, conclusions, settlements, invitations, ends] = std::array::from_fn(|_| surroundings.clone());
    vec![
        Job::new("projector", move |stop| customer::run(customers.clone(), stop)),
        Job::new("collector", move |stop| collect::run(conclusions.clone(), stop)),
        Job::new("settler", move |stop| settle::run(settlements.clone(), stop)),
        Job::new("inviter", move |stop| hand_over::run(invitations.clone(), stop)),
        Job::new("expirer", move |stop| expire::run(ends.clone(), stop)),
    ]
}
