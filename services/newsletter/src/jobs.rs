//! What this service does without being asked: freeze audiences, hand letters over, recover what was lost, follow its peers.

use std::{collections::HashMap, sync::Arc};

use rapport_client::{CustomerFeed, Peer};
use rapport_core::{Caller, Context, World};
use rapport_db::Database;
use rapport_server::{Host, Job};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

use crate::{
    NAME,
    domain::Keys,
    mail::{Signers, Transport},
    peers::CustomerPeer,
    settings::Settings,
};

mod clerk;
mod committer;
mod customers;
mod desk;
mod dispatcher;
mod freezer;
mod leases;
mod letter;
mod lmtp;
mod sites;
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
    /// The keys of tokens and Message-IDs.
    pub keys: Keys,
    /// The keys that sign mails.
    pub signers: Signers,
    /// The ways for letters to leave.
    pub transports: Arc<HashMap<String, Transport>>,
    /// The customer service, to be asked.
    pub customers: CustomerPeer,
    /// The bells.
    pub bells: Bells,
    /// Says how people reach the pages.
    pub host: Host,
}

impl Work {
    /// A context of the service itself, now.
    fn context(&self) -> Context {
        let mut cx = self.world.context(Caller::service(NAME));
        cx.traceparent = rapport_telemetry::propagate::current_traceparent();
        cx
    }
}

/// The bells that wake jobs before their time.
#[derive(Clone, Debug, Default)]
pub struct Bells {
    freeze: Arc<Notify>,
    mail: watch::Sender<()>,
}

impl Bells {
    /// There is an issue to freeze.
    pub fn freeze(&self) {
        self.freeze.notify_one();
    }
    /// There is something to hand over.
    pub fn mail(&self) {
        self.mail.send_replace(());
    }
    async fn frozen(&self) {
        self.freeze.notified().await;
    }
    /// Each that hands over hears every ring.
    fn mails(&self) -> watch::Receiver<()> {
        self.mail.subscribe()
    }
}

/// All jobs of this service.
pub fn all(work: &Work, customer: Peer, lmtp: Option<TcpListener>) -> Vec<Job> {
    let (sent, frozen, swept, told) = (work.clone(), work.clone(), work.clone(), work.clone());
    let lmtp = lmtp.map(Arc::new).map(|listener| {
        let work = work.clone();
        Job::new("lmtp-listener", move |stop| lmtp::run(work.clone(), Arc::clone(&listener), stop))
    });
    let mut jobs = vec![
        Job::new("dispatcher", move |stop| dispatcher::run(sent.clone(), stop)),
        Job::new("freezer", move |stop| freezer::run(frozen.clone(), stop)),
        Job::new("sweeper", move |stop| sweeper::run(swept.clone(), stop)),
        Job::new("customer-follower", move |stop| customers::run(told.clone(), CustomerFeed(customer.clone()), stop)),
    ];
    jobs.extend(lmtp);
    jobs
}
