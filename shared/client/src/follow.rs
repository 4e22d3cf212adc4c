//! Follows a change feed for ever: opens it again whenever it breaks, and begins with a snapshot when its cursor is lost.

use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use rapport_proto::common::v1::{Heartbeat, WatchStart, watch_start::At};
use rapport_telemetry::{
    meter::{self, KeyValue, metrics::Counter},
    names,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::{
    backoff::Backoff,
    errors,
    feed::{Feed, Opened, Sent},
};

/// From where a feed is followed that one has no cursor of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beginning {
    /// First the present state of every subject, then what happens: for projections.
    #[default]
    Snapshot,
    /// From the oldest event that is kept; when a cursor was lost, too.
    Earliest,
    /// Only what happens from now on; when a cursor was lost, too.
    Latest,
}

/// How a feed is followed.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The cursor that was stored with the last effect; none for one who is new.
    pub cursor: Option<String>,
    /// Where to begin without a cursor, or when the feed does not know it any more.
    pub beginning: Beginning,
    /// Only events of these types; empty for all.
    pub types: Vec<String>,
    /// Who follows, for the metrics of the feed.
    pub consumer: String,
    /// Ends the following.
    pub stop: CancellationToken,
    /// The pause before a broken feed is opened again; it doubles each time.
    pub pause: Duration,
    /// No pause gets longer than this.
    pub longest_pause: Duration,
    /// A feed that is silent for so long, without even a heartbeat, is opened again.
    pub silence: Duration,
}

impl Follow {
    /// As `consumer`, from this cursor on, until it is stopped.
    pub fn new(consumer: impl Into<String>, cursor: Option<String>, stop: CancellationToken) -> Self {
        Self {
            cursor,
            beginning: Beginning::default(),
            types: Vec::new(),
            consumer: consumer.into(),
            stop,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            silence: Duration::from_secs(120),
        }
    }
}

/// What a follower gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<E> {
    /// The present state of every subject comes next, as events without a cursor of their own; the first heartbeat or event
    /// with a cursor says that it is complete.
    Snapshot(Why),
    /// Something happened.
    Event(E),
    /// Nothing happened for a while, or the snapshot is complete: the cursor to store, and how far behind one is.
    Heartbeat(Heartbeat),
}

/// Why a snapshot begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There was no cursor yet, or a snapshot broke off before it was complete.
    New,
    /// The cursor was older than what the feed keeps.
    CursorExpired,
    /// The cursor was of another database, for example of one before a restore.
    CursorForeign,
}

/// Follows a feed; see [`Follower::next`].
pub fn follow<F: Feed>(feed: F, settings: Follow) -> Follower<F> {
    let backoff = Backoff::new(settings.pause, settings.longest_pause);
    Follower {
        cursor: settings.cursor.clone().filter(|cursor| !cursor.is_empty()),
        feed,
        settings,
        why: Why::New,
        opened: None,
        backoff,
        was_open: false,
        told: false,
        reconnects: meter::counter(names::FEED_RECONNECTS),
    }
}

/// One who follows a feed.
pub struct Follower<F: Feed> {
    feed: F,
    settings: Follow,
    cursor: Option<String>,
    why: Why,
    opened: Option<Opened<F::Event>>,
    backoff: Backoff,
    was_open: bool,
    // Whether the trouble was told already: an outage is one line, not one per attempt.
    told: bool,
    reconnects: Counter<u64>,
}

impl<F: Feed> Follower<F> {
    /// The next item; nothing when it was stopped. It waits for ever while the feed is out of reach.
    /// It may be dropped and called again: nothing gets lost.
    pub async fn next(&mut self) -> Option<Item<F::Event>> {
        let stop = self.settings.stop.clone();
        stop.run_until_cancelled(self.advance()).await
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Item<F::Event>> + Send {
        stream::unfold(self, |mut follower| async move { follower.next().await.map(|item| (item, follower)) })
    }

    /// The cursor of the last item that had one.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    async fn advance(&mut self) -> Item<F::Event> {
        loop {
            let Some(opened) = &mut self.opened else {
                match self.open().await {
                    Ok(Some(snapshot)) => return snapshot,
                    Ok(None) => continue,
                    Err(status) => {
                        self.broken(&status).await;
                        continue;
                    }
                }
            };
            let status = match timeout(self.settings.silence, opened.next()).await {
                Ok(Some(Ok(sent))) => return self.received(sent),
                Ok(Some(Err(status))) => status,
                Ok(None) => Status::unavailable("the feed ended"),
                Err(_) => Status::unavailable("the feed was silent, without a heartbeat"),
            };
            self.opened = None;
            self.broken(&status).await;
        }
    }

    /// Opens the feed; then the snapshot that begins, if one does.
    async fn open(&mut self) -> Result<Option<Item<F::Event>>, Status> {
        let (at, snapshot) = match (&self.cursor, self.settings.beginning) {
            (Some(cursor), _) => (At::Cursor(cursor.clone()), None),
            (None, Beginning::Snapshot) => (At::Snapshot(true), Some(Item::Snapshot(self.why))),
            (None, Beginning::Earliest) => (At::Earliest(true), None),
            (None, Beginning::Latest) => (At::Latest(true), None),
        };
        let start = WatchStart { at: Some(at) };
        let opened = self.feed.open(start, self.settings.types.clone(), self.settings.consumer.clone()).await?;
        if self.was_open {
            self.count_reconnect();
        }
        self.was_open = true;
        self.opened = Some(opened);
        Ok(snapshot)
    }

    fn received(&mut self, sent: Sent<F::Event>) -> Item<F::Event> {
        self.backoff.reset();
        if std::mem::take(&mut self.told) {
            tracing::info!(feed = self.feed.name(), consumer = %self.settings.consumer, "the feed is followed again");
        }
        let cursor = match &sent {
            Sent::Event(event) => F::meta(event).map(|meta| &meta.cursor),
            Sent::Heartbeat(heartbeat) => Some(&heartbeat.cursor),
        };
        if let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) {
            self.cursor = Some(cursor.clone());
            self.why = Why::New;
        }
        match sent {
            Sent::Event(event) => Item::Event(event),
            Sent::Heartbeat(heartbeat) => Item::Heartbeat(heartbeat),
        }
    }

    /// The feed broke or could not be opened: forget a cursor that it does not know, else pause.
    async fn broken(&mut self, status: &Status) {
        if status.code() == Code::OutOfRange && self.cursor.take().is_some() {
            self.why = if errors::reason(status) == "CURSOR_FOREIGN" { Why::CursorForeign } else { Why::CursorExpired };
            tracing::warn!(feed = self.feed.name(), consumer = %self.settings.consumer, why = ?self.why, "the cursor of the feed is lost");
            return;
        }
        if !std::mem::replace(&mut self.told, true) {
            let (feed, consumer, code) = (self.feed.name(), &self.settings.consumer, rapport_telemetry::layer::code_name(status.code()));
            tracing::info!(feed, %consumer, code, "the feed broke off and is opened again until it succeeds: {}", status.message());
        }
        tokio::time::sleep(self.backoff.next_pause()).await;
    }

    fn count_reconnect(&self) {
        let attributes = [
            KeyValue::new(names::MESSAGING_DESTINATION_NAME, self.feed.name()),
            KeyValue::new(names::MESSAGING_CONSUMER_GROUP_NAME, self.settings.consumer.clone()),
        ];
        self.reconnects.add(1, &attributes);
    }
}
