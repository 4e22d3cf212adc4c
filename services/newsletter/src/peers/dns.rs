//! Asking the DNS about a sender.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use futures::future::{join, join_all};
use hickory_resolver::{
    Resolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
};

use crate::domain::{
    Sender,
    sender_check::{self, Found, SenderCheck, SenderCheckOutcome},
};

/// How long one check may take in all; what has not answered by then is told as unavailable.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks a DNS server.
#[derive(Clone, Debug)]
pub struct Dns {
    server: Option<SocketAddr>,
    keys: Arc<HashMap<String, KeyRecords>>,
}

/// The selector and the record of each key of a domain.
pub type KeyRecords = Vec<(String, String)>;

impl Dns {
    /// Asks this server, or those of the system, about senders whose domains have these keys.
    pub fn new(server: Option<SocketAddr>, keys: HashMap<String, KeyRecords>) -> Self {
        Self { server, keys: Arc::new(keys) }
    }

    /// Everything that the DNS should say of a sender.
    pub async fn check(&self, sender: &Sender) -> Vec<SenderCheck> {
        let resolver = self.resolver();
        let ask = async |name: String, kind: RecordType| -> Found {
            match &resolver {
                Ok(resolver) => ask(resolver, &name, kind).await,
                Err(why) => Found::Unavailable(why.clone()),
            }
        };
        let from = sender.from_address.domain().to_lowercase();
        let keys = self.keys.get(&from).map(Vec::as_slice).unwrap_or_default();
        let spf = async { sender_check::spf(&sender.bounce_domain, &ask(sender.bounce_domain.clone(), RecordType::TXT).await) };
        let dkim = join_all(keys.iter().map(|(selector, record)| {
            let (ask, from) = (&ask, &from);
            async move {
                let found = ask(sender_check::dkim_name(from, selector), RecordType::TXT).await;
                sender_check::dkim(from, selector, record, &found)
            }
        }));
        let dmarc = async {
            let names = sender_check::dmarc_names(&from);
            // All at once, so that a slow server is not waited for again and again.
            let ask = &ask;
            let found = join_all(names.iter().map(|name| async move { ask(name.clone(), RecordType::TXT).await })).await;
            let checks = names.iter().zip(&found);
            let mut checks =
                checks.map(|(name, found)| sender_check::dmarc(&from, &sender.bounce_domain, !keys.is_empty(), name, found)).peekable();
            let nearest = checks.peek().cloned();
            checks.find(|check| check.outcome != SenderCheckOutcome::Missing).or(nearest)
        };
        let mut back = vec![sender.reply_domain.clone()];
        if sender.bounce_domain != sender.reply_domain {
            back.push(sender.bounce_domain.clone());
        }
        let mx = join_all(back.into_iter().map(|domain| {
            let ask = &ask;
            async move { sender_check::mx(&domain, &ask(domain.clone(), RecordType::MX).await) }
        }));
        let ((spf, dkim), (dmarc, mx)) = join(join(spf, dkim), join(dmarc, mx)).await;
        let mut checks = vec![spf];
        checks.extend(if keys.is_empty() { vec![sender_check::unsigned(&from)] } else { dkim });
        checks.extend(dmarc);
        checks.extend(mx);
        checks
    }

    fn resolver(&self) -> Result<Resolver<TokioRuntimeProvider>, String> {
        let mut builder = match self.server {
            Some(address) => {
                let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
                (udp.port, tcp.port) = (address.port(), address.port());
                let server = NameServerConfig::new(address.ip(), true, vec![udp, tcp]);
                Resolver::builder_with_config(ResolverConfig::from_name_servers(vec![server]), TokioRuntimeProvider::default())
            }
            None => Resolver::builder_tokio().map_err(|error| format!("this machine names no DNS servers: {error}"))?,
        };
        let options = builder.options_mut();
        options.timeout = Duration::from_secs(2);
        options.attempts = 1;
        builder.build().map_err(|error| error.to_string())
    }
}

async fn ask(resolver: &Resolver<TokioRuntimeProvider>, name: &str, kind: RecordType) -> Found {
    // With a dot at its end a name is whole: the system's search domains are not tried.
    let answered = tokio::time::timeout(PATIENCE, resolver.lookup(format!("{name}."), kind)).await;
    match answered {
        Err(_) => Found::Unavailable(format!("no answer within {} seconds", PATIENCE.as_secs())),
        Ok(Err(error)) if error.is_no_records_found() => Found::Records(Vec::new()),
        Ok(Err(error)) => Found::Unavailable(error.to_string()),
        Ok(Ok(lookup)) => Found::Records(lookup.answers().iter().filter_map(|record| text(&record.data)).collect()),
    }
}

fn text(data: &RData) -> Option<String> {
    match data {
        RData::TXT(txt) => Some(txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect()),
        RData::MX(mx) => {
            let name = mx.exchange.to_utf8();
            Some(if name == "." { name } else { name.trim_end_matches('.').to_owned() })
        }
        _ => None,
    }
}
