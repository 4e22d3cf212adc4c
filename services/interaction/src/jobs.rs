//! What this service does without being asked: follow the feeds of its peers, ask again about stubs, break overdue promises.

use std::sync::Arc;

use rapport_client::{CustomerFeed, FeedbackFeed, NewsletterFeed, Peer};
use rapport_core::World;
use rapport_db::Database;
use rapport_proto::newsletter::v1::message_service_client::MessageServiceClient;
use rapport_server::Job;
use tokio::sync::Notify;

use crate::{peers::CustomerPeer, settings::Settings};

mod customers;
mod endorsements;
mod entry_mails;
mod feedback;
mod newsletter;
mod reporter;
mod service_levels;
mod stubs;
mod sweeper;

/// What the jobs work with.
#[derive(Clone)]
pub struct Work {
    /// The database of this service.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The settings of this service.
    pub settings: Settings,
    /// Rings when a promise was made.
    pub promised: Promised,
    /// Rings when an agent was endorsed.
    pub endorsed: Promised,
    /// Rings when an entry is to be sent.
    pub mailed: Promised,
    /// The customer service, to be asked.
    pub customers: CustomerPeer,
    /// The newsletter service, which sends mails.
    pub messages: MessageServiceClient<Peer>,
}

/// The services whose feeds are followed.
#[derive(Clone, Debug)]
pub struct Peers {
    /// The customer service.
    pub customer: Peer,
    /// The newsletter service.
    pub newsletter: Peer,
    /// The feedback service.
    pub feedback: Peer,
}

/// A bell that wakes a job when there is something to do that may be due before all others: a promise was made, an agent endorsed,
/// an entry is to be sent.
#[derive(Clone, Debug, Default)]
pub struct Promised(Arc<Notify>);

impl Promised {
    /// Rings if something was made.
    pub fn wake_if(&self, made: bool) {
        if made {
            self.0.notify_one();
        }
    }
    async fn made(&self) {
        self.0.notified().await;
    }
}

/// All jobs of this service.
pub fn all(work: &Work, peers: &Peers) -> Vec<Job> {
    let (swept, asked, reviewed, timed, counted) = (work.clone(), work.clone(), work.clone(), work.clone(), work.clone());
    let (told, replied, rated, mailed) = (work.clone(), work.clone(), work.clone(), work.clone());
    let Peers { customer, newsletter, feedback } = peers.clone();
    vec![
        Job::new("sweeper", move |stop| sweeper::run(swept.clone(), stop)),
        Job::new("endorsement-sweeper", move |stop| endorsements::run(reviewed.clone(), stop)),
        Job::new("service-levels", move |stop| service_levels::run(timed.clone(), stop)),
        Job::new("mailer", move |stop| entry_mails::run(mailed.clone(), stop)),
        Job::new("reporter", move |stop| reporter::run(counted.clone(), stop)),
        Job::new("stub-checker", move |stop| stubs::run(asked.clone(), stop)),
        Job::new("customer-follower", move |stop| customers::run(told.clone(), CustomerFeed(customer.clone()), stop)),
        Job::new("newsletter-follower", move |stop| newsletter::run(replied.clone(), NewsletterFeed(newsletter.clone()), stop)),
        Job::new("feedback-follower", move |stop| feedback::run(rated.clone(), FeedbackFeed(feedback.clone()), stop)),
    ]
}
