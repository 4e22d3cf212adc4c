//! Follows a peer's feed: the effect of an event, the note that it was taken, and the cursor are one transaction.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use prost::Message;
use rapport_client::{
    backoff::Backoff,
    feed::Feed,
    follow::{Beginning, Follow, Item, follow},
};
use rapport_core::{Caller, Context, EventId, Failure, JourneyId, Never, Refusal, SubjectId, World};
use rapport_db::{
    Conn, Database,
    inbox::{self, Accepted, Arrival},
};
use rapport_proto::common::v1::{EventMeta, Heartbeat};
use rapport_telemetry::{
    meter::{
        self, KeyValue,
        metrics::{Counter, Gauge},
    },
    names, propagate, service,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field::Empty};

use crate::{call::reborrowed, job::panic_text};

/// How often an event is tried whose effect fails for a reason that may pass, before it is parked.
const ATTEMPTS: u32 = 3;

/// One who follows a feed and has effects of its events.
pub struct Consumer<F> {
    /// The service that consumes; the caller of its effects.
    pub service: &'static str,
    /// Its database.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The feed of the peer.
    pub feed: F,
    /// Only events of these types; empty for all.
    pub types: &'static [&'static str],
    /// Where to begin, being new.
    pub beginning: Beginning,
    /// Ends it.
    pub stop: CancellationToken,
}

/// The effect of one event: an async closure whose future is Send (see `rapport_db::Body` for why bounds come in pairs).
pub trait Effect<'r, E: 'r, A>: Fn(&'r mut Conn<'r>, &'r Context, &'r E) -> <Self as Effect<'r, E, A>>::Run + Send + Sync {
    /// The future of one run.
    type Run: Future<Output = A> + Send;
}

impl<'r, E: 'r, A, F, Run> Effect<'r, E, A> for F
where
    F: Fn(&'r mut Conn<'r>, &'r Context, &'r E) -> Run + Send + Sync,
    Run: Future<Output = A> + Send,
{
    type Run = Run;
}

/// Consumes the feed until it is told to stop. An event whose effect fails parks its subject, and the feed goes on; while
/// the database is out of reach, the event is tried again.
///
/// # Errors
/// When the database cannot say how far one has read.
pub async fn consume<F, R>(
    consumer: Consumer<F>,
    effect: impl for<'r> AsyncFn(&'r mut Conn<'r>, &'r Context, &'r F::Event) -> Result<(), Failure<R>>
    + for<'r> Effect<'r, F::Event, Result<(), Failure<R>>>,
) -> Result<(), Failure<Never>>
where
    F: Feed<Event: Message + Sync>,
    R: Refusal,
{
    let Consumer { service, database, world, feed, types, beginning, stop } = consumer;
    let name = feed.name();
    let cursor = database.read(async |conn| -> Result<_, Failure<Never>> { Ok(inbox::cursor(conn, name).await?) }).await?;
    let mut taker = Taker {
        service,
        database,
        world,
        feed: name,
        stored: cursor.clone(),
        stop: stop.clone(),
        consumed: meter::counter(names::FEED_CONSUMED),
        lag: meter::gauge(names::FEED_LAG),
    };
    let settings =
        Follow { beginning, types: types.iter().map(|kind| (*kind).to_owned()).collect(), ..Follow::new(service, cursor, stop.clone()) };
    let mut follower = follow(feed, settings);
    while let Some(item) = follower.next().await {
        match item {
            Item::Snapshot(why) => tracing::info!(feed = name, ?why, "a snapshot of the feed begins"),
            Item::Heartbeat(heartbeat) => taker.rest(heartbeat).await,
            Item::Event(event) => match F::meta(&event).cloned().and_then(Known::read) {
                Some(known) => taker.take(&event, &known, &effect).await,
                None => tracing::error!(feed = name, "an event without a readable id or subject was passed over"),
            },
        }
    }
    Ok(())
}

/// What is known of an event that is to be taken.
struct Known {
    meta: EventMeta,
    event_id: EventId,
    subject: SubjectId,
}

impl Known {
    fn read(meta: EventMeta) -> Option<Self> {
        let (event_id, subject) = (meta.event_id.parse().ok()?, meta.subject_id.parse().ok()?);
        Some(Self { meta, event_id, subject })
    }
    fn arrival<'a>(&'a self, feed: &'a str) -> Arrival<'a> {
        Arrival {
            feed,
            event_id: self.event_id,
            subject: self.subject,
            version: self.meta.subject_version,
            snapshot: self.meta.cursor.is_empty(),
            cursor: &self.meta.cursor,
        }
    }
    fn journey(&self) -> Option<JourneyId> {
        self.meta.journey_id.parse().ok()
    }
}

/// Takes events into the inbox.
struct Taker {
    service: &'static str,
    database: Database,
    world: World,
    feed: &'static str,
    /// The cursor that is stored.
    stored: Option<String>,
    stop: CancellationToken,
    consumed: Counter<u64>,
    lag: Gauge<i64>,
}

impl Taker {
    /// Takes one event, however long it takes.
    async fn take<E, R>(&mut self, event: &E, known: &Known, effect: &impl for<'r> Effect<'r, E, Result<(), Failure<R>>>)
    where
        E: Message + Sync,
        R: Refusal,
    {
        let span = self.span(known);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut attempts = 0;
        while !self.stop.is_cancelled() {
            attempts += 1;
            let tried = AssertUnwindSafe(self.attempt(event, known, effect, &span)).catch_unwind().instrument(span.clone()).await;
            let reason = match tried {
                Ok(Ok(outcome)) => return self.taken(known, &span, outcome),
                Ok(Err(Failure::Unavailable { .. } | Failure::Exhausted { .. })) => None,
                Ok(Err(Failure::Stale | Failure::Internal(_))) if attempts < ATTEMPTS => None,
                Ok(Err(failure)) => Some(failure.to_string()),
                Err(panic) => Some(panic_text(&*panic)),
            };
            if let Some(reason) = reason
                && self.park(event, known, &reason).instrument(span.clone()).await
            {
                return self.taken(known, &span, Outcome::Parked);
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(backoff.next_pause()) => {}
            }
        }
    }

    async fn attempt<E, R>(
        &self,
        event: &E,
        known: &Known,
        effect: &impl for<'r> Effect<'r, E, Result<(), Failure<R>>>,
        span: &Span,
    ) -> Result<Outcome, Failure<R>>
    where
        E: Message + Sync,
        R: Refusal,
    {
        let mut cx = self.world.context(Caller::service(self.service));
        cx.traceparent = propagate::traceparent(span);
        cx.journey = known.journey();
        cx.cause = Some(known.event_id);
        let (cx, arrival) = (&cx, known.arrival(self.feed));
        self.database
            .write(async |conn| -> Result<Outcome, Failure<R>> {
                match inbox::accept(conn, arrival, cx.now).await? {
                    Accepted::Known => Ok(Outcome::Duplicate),
                    Accepted::Behind => {
                        inbox::park(conn, arrival, "an earlier event of its subject is parked", &event.encode_to_vec(), cx.now).await?;
                        Ok(Outcome::Parked)
                    }
                    Accepted::New => {
                        effect(&mut reborrowed(conn), cx, event).await?;
                        Ok(Outcome::Applied)
                    }
                }
            })
            .await
    }

    async fn park<E: Message>(&self, event: &E, known: &Known, reason: &str) -> bool {
        tracing::error!(feed = self.feed, event = %known.event_id, reason, "an event was parked, and its subject with it");
        let (now, bytes, arrival) = (self.world.clock.now(), event.encode_to_vec(), known.arrival(self.feed));
        let bytes = bytes.as_slice();
        let parked = self
            .database
            .write(async |conn| -> Result<(), Failure<Never>> { Ok(inbox::park(conn, arrival, reason, bytes, now).await?) })
            .await;
        parked.inspect_err(|failure| tracing::warn!(%failure, "the event could not be parked; trying again")).is_ok()
    }

    fn taken(&mut self, known: &Known, span: &Span, outcome: Outcome) {
        span.record(names::RAPPORT_EVENT_OUTCOME, outcome.name());
        self.consumed.add(
            1,
            &[
                KeyValue::new(names::MESSAGING_DESTINATION_NAME, self.feed),
                KeyValue::new(names::MESSAGING_CONSUMER_GROUP_NAME, self.service),
                KeyValue::new(names::RAPPORT_EVENT_OUTCOME, outcome.name()),
            ],
        );
        if !known.meta.cursor.is_empty() {
            self.stored = Some(known.meta.cursor.clone());
        }
    }

    /// Notes how far one is when nothing happened, so that a restart does not read again what was not for us.
    async fn rest(&mut self, heartbeat: Heartbeat) {
        self.lag.record(
            heartbeat.lag,
            &[
                KeyValue::new(names::MESSAGING_DESTINATION_NAME, self.feed),
                KeyValue::new(names::MESSAGING_CONSUMER_GROUP_NAME, self.service),
            ],
        );
        if heartbeat.cursor.is_empty() || self.stored.as_ref() == Some(&heartbeat.cursor) {
            return;
        }
        let (feed, cursor, now) = (self.feed, heartbeat.cursor.as_str(), self.world.clock.now());
        let noted =
            self.database.write(async |conn| -> Result<(), Failure<Never>> { Ok(inbox::advance(conn, feed, cursor, now).await?) }).await;
        match noted {
            Ok(()) => self.stored = Some(heartbeat.cursor),
            Err(failure) => tracing::warn!(feed, %failure, "the cursor was not stored; the next heartbeat tries again"),
        }
    }

    fn span(&self, known: &Known) -> Span {
        let meta = &known.meta;
        let span = tracing::info_span!(
            parent: None,
            names::CONSUME,
            otel.name = format!("{} {}", self.feed, meta.r#type),
            otel.kind = "consumer",
            { names::MESSAGING_SYSTEM } = "rapport",
            { names::MESSAGING_OPERATION_NAME } = "process",
            { names::MESSAGING_OPERATION_TYPE } = "process",
            { names::MESSAGING_DESTINATION_NAME } = self.feed,
            { names::MESSAGING_CONSUMER_GROUP_NAME } = self.service,
            { names::MESSAGING_MESSAGE_ID } = meta.event_id,
            { names::RAPPORT_EVENT_TYPE } = meta.r#type,
            { names::RAPPORT_SUBJECT_ID } = meta.subject_id,
            { names::RAPPORT_JOURNEY_ID } = Empty,
            { names::RAPPORT_EVENT_OUTCOME } = Empty,
        );
        service::begin(&span, self.service);
        if !meta.traceparent.is_empty() {
            propagate::link(&span, &meta.traceparent);
        }
        if !meta.journey_id.is_empty() {
            span.record(names::RAPPORT_JOURNEY_ID, meta.journey_id.as_str());
        }
        span
    }
}

/// What became of an event.
#[derive(Clone, Copy)]
enum Outcome {
    Applied,
    Duplicate,
    Parked,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Parked => "parked",
        }
    }
}
