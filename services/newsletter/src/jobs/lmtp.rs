//! Listens for mail servers that deliver what comes back.

use std::sync::Arc;

use rapport_core::Failure;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    app::inbound::{self, IngestInboundMail, MAX_MAIL},
    domain::Refused,
    mail::lmtp::{self, Delivered, Mailbox},
};

/// The most connections at a time: a mail server uses a handful.
const CONNECTIONS: usize = 50;

/// Listens until it is told to stop; mails that are being taken in may end.
///
/// # Errors
/// When the port no longer takes connections.
pub async fn run(work: Work, listener: Arc<TcpListener>, stop: CancellationToken) -> Result<(), Failure<Refused>> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut sessions = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            Some(_ended) = sessions.join_next() => continue,
            accepted = listener.accept() => accepted.map_err(Failure::internal)?.0,
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            refuse(stream);
            continue;
        };
        let (desk, stop) = (Desk(work.clone()), stop.clone());
        sessions.spawn(async move {
            if let Err(error) = lmtp::serve(stream, &desk, MAX_MAIL, &stop).await {
                tracing::debug!(%error, "a mail server went away");
            }
            drop(place);
        });
    }
    while sessions.join_next().await.is_some() {}
    Ok(())
}

fn refuse(stream: TcpStream) {
    // Whether it is heard does not matter: the connection is closed.
    let _heard = stream.try_write(b"421 4.3.2 Too many connections: try again later\r\n");
}

struct Desk(Work);

impl Mailbox for Desk {
    async fn takes(&self, recipient: &str) -> Delivered {
        match self.0.database.read(async |conn| inbound::ours(conn, recipient).await).await {
            Ok(true) => Delivered::Taken,
            Ok(false) => Delivered::Refused("the address is of no domain of our senders".to_owned()),
            Err(failure) => {
                tracing::warn!(%failure, "a mail server has to wait");
                Delivered::Later
            }
        }
    }

    async fn deliver(&self, recipient: &str, raw: &[u8]) -> Delivered {
        let Some(command) = IngestInboundMail::read(raw, recipient) else {
            return Delivered::Refused("it is no mail: it must be in the form of RFC 5322, with its headers".to_owned());
        };
        let cx = self.0.context();
        let taken = self.0.database.write(async |conn| inbound::ingest_inbound_mail(conn, &cx, &self.0.keys, command.clone()).await).await;
        match taken {
            Ok(_) => Delivered::Taken,
            Err(failure) => {
                tracing::warn!(%failure, "a mail could not be taken in; its mail server is told to try again");
                Delivered::Later
            }
        }
    }
}
