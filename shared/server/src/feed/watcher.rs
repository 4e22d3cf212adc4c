//! One watcher of a feed: where it stands, and what it is sent next.

use std::{collections::VecDeque, time::Duration};

use futures::{StreamExt, stream};
use rapport_core::{Failure, Never};
use rapport_db::{
    Database,
    feed::{Cursor, Extent, after, extent},
    outbox::StoredEvent,
};
use rapport_proto::common::v1::Heartbeat;
use rapport_telemetry::{
    meter::{self, KeyValue, metrics::UpDownCounter},
    names,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::{FeedSource, FeedStream, check, wire};
use crate::{scope::Scope, status};

/// Events read at a time.
const BATCH: i64 = 200;
/// The safety net under the bell that the relay of this process rings: another process may be the relay.
const POLL: Duration = Duration::from_millis(200);
/// Silence before a heartbeat, outside of a running service.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// One watcher.
pub struct Watcher<S: FeedSource> {
    database: Database,
    source: S,
    types: Vec<String>,
    epoch: String,
    generation: i64,
    position: i64,
    /// Within a snapshot, the key to go on after.
    snapshot: Option<Option<String>>,
    ready: VecDeque<S::Response>,
    bell: watch::Receiver<i64>,
    scope: Option<Scope>,
    /// When to send a heartbeat if nothing comes before.
    silent_until: Instant,
    ended: bool,
    /// Counts this watcher for as long as it lives.
    _counted: Counted,
}

impl<S: FeedSource> Watcher<S> {
    pub fn new(database: Database, source: S, extent: Extent, position: i64, snapshot: bool, types: Vec<String>) -> Self {
        let scope = Scope::current();
        Self {
            bell: database.head(),
            database,
            source,
            types,
            epoch: extent.epoch,
            generation: extent.generation,
            position,
            snapshot: snapshot.then_some(None),
            ready: VecDeque::new(),
            _counted: Counted::new(scope.as_ref().map_or("", |scope| scope.service)),
            scope,
            // The first heartbeat comes at once: it says where one stands.
            silent_until: Instant::now(),
            ended: false,
        }
    }

    pub fn into_stream(self) -> FeedStream<S::Response> {
        stream::unfold(self, |mut watcher| async move {
            let sent = match watcher.scope.clone() {
                Some(scope) => scope.run(watcher.next()).await,
                None => watcher.next().await,
            };
            sent.map(|sent| (sent, watcher))
        })
        .boxed()
    }

    /// What to send next; nothing at the end.
    async fn next(&mut self) -> Option<Result<S::Response, Status>> {
        loop {
            if let Some(response) = self.ready.pop_front() {
                self.silent_until = Instant::now() + self.silence();
                return Some(Ok(response));
            }
            if self.ended {
                return None;
            }
            if self.draining().is_cancelled() {
                self.ended = true;
                let text = "the service is stopping: connect again with the last cursor";
                return Some(Err(status::again(Code::Unavailable, status::reason::UNAVAILABLE, text, Duration::from_secs(1))));
            }
            if let Err(status) = self.advance().await {
                self.ended = true;
                return Some(Err(status));
            }
        }
    }

    /// Reads what comes next, or waits for it.
    async fn advance(&mut self) -> Result<(), Status> {
        if let Some(key) = self.snapshot.take() {
            return self.read_snapshot(key).await;
        }
        // Before the read: what is stamped after it rings the bell again.
        self.bell.borrow_and_update();
        let (extent, events) = self.read().await?;
        check(&Cursor { epoch: self.epoch.clone(), position: self.position }, &extent)?;
        if events.is_empty() {
            // There was nothing of these types up to the head, so it need not be read again.
            self.position = extent.head;
            if Instant::now() >= self.silent_until {
                self.push_heartbeat(extent.head);
                return Ok(());
            }
            self.wait().await;
            return Ok(());
        }
        for event in events {
            self.position = event.position;
            let cursor = self.cursor(event.position);
            self.push(event, cursor)?;
        }
        Ok(())
    }

    async fn read(&self) -> Result<(Extent, Vec<StoredEvent>), Status> {
        let (position, types) = (self.position, &self.types);
        let read = self
            .database
            .read(async |conn| -> Result<_, Failure<Never>> {
                let extent = extent(conn).await?;
                let events = if extent.head > position { after(conn, position, types, BATCH).await? } else { Vec::new() };
                Ok((extent, events))
            })
            .await;
        read.map_err(status::status)
    }

    async fn read_snapshot(&mut self, key: Option<String>) -> Result<(), Status> {
        let (source, after) = (&self.source, key.as_deref());
        let page = self.database.bulk_read(async |conn| source.snapshot(conn, after, BATCH).await).await;
        let (states, next) = page.map_err(status::status)?;
        for state in states {
            if self.types.is_empty() || self.types.contains(&state.kind) {
                self.push(StoredEvent { position: 0, ..state }, String::new())?;
            }
        }
        match next {
            Some(_) => self.snapshot = Some(next),
            // The snapshot is complete: the cursor of the moment before it began.
            None => self.push_heartbeat(self.position),
        }
        Ok(())
    }

    fn push(&mut self, event: StoredEvent, cursor: String) -> Result<(), Status> {
        let meta = wire::meta(&event, cursor, self.generation);
        let response = self.source.event(meta, event.payload).map_err(|error| status::internal(&error))?;
        self.ready.push_back(response);
        Ok(())
    }

    fn push_heartbeat(&mut self, head: i64) {
        let lag = (head - self.position).max(0);
        let heartbeat = Heartbeat { cursor: self.cursor(self.position), head: self.cursor(head), lag };
        self.ready.push_back(self.source.heartbeat(heartbeat));
    }

    async fn wait(&mut self) {
        let draining = self.draining();
        tokio::select! {
            () = draining.cancelled() => {}
            _ = self.bell.changed() => {}
            () = tokio::time::sleep_until(self.silent_until.min(Instant::now() + POLL)) => {}
        }
    }

    fn cursor(&self, position: i64) -> String {
        Cursor { epoch: self.epoch.clone(), position }.to_string()
    }

    fn draining(&self) -> CancellationToken {
        self.scope.as_ref().map(|scope| scope.draining.clone()).unwrap_or_default()
    }

    fn silence(&self) -> Duration {
        self.scope.as_ref().map_or(HEARTBEAT, |scope| scope.heartbeat)
    }
}

/// One more watcher, until it is dropped.
struct Counted {
    watchers: UpDownCounter<i64>,
    service: &'static str,
}

impl Counted {
    fn new(service: &'static str) -> Self {
        let counted = Self { watchers: meter::up_down_counter(names::FEED_WATCHERS), service };
        counted.add(1);
        counted
    }
    fn add(&self, number: i64) {
        self.watchers.add(number, &[KeyValue::new(names::RAPPORT_SERVICE, self.service)]);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.add(-1);
    }
}
