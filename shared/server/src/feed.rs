//! Serves a change feed: from a cursor, from the oldest or newest event, or from a snapshot; with heartbeats, until the
//! watcher leaves or the service stops.

mod watcher;
mod wire;

use async_trait::async_trait;
use futures::stream::BoxStream;
use rapport_core::{Failure, Never, Violations};
use rapport_db::{
    Conn, Database,
    feed::{Cursor, Extent, extent},
    outbox::StoredEvent,
};
use rapport_proto::common::v1::{EventMeta, Heartbeat, WatchStart, watch_start::At};
use tonic::{Response, Status};

use crate::{scope, status};

/// What a service adds to its feed: its own messages, and the present state of its subjects.
#[async_trait]
pub trait FeedSource: Send + Sync + 'static {
    /// The service's `WatchEventsResponse`.
    type Response: Send + Sync + 'static;
    /// Every type of event there is, for example `customer.created`.
    const TYPES: &'static [&'static str];

    /// An event as a response. `payload` is the service's own event as it was appended to the outbox.
    ///
    /// # Errors
    /// When the payload is not one that this version can read.
    fn event(&self, meta: EventMeta, payload: serde_json::Value) -> Result<Self::Response, serde_json::Error>;

    /// A heartbeat as a response.
    fn heartbeat(&self, heartbeat: Heartbeat) -> Self::Response;

    /// At most `limit` subjects' present states after the key `after`, as events with position 0 (their event id is
    /// replaced by one of subject, type and version), and the key of the next page if there is one.
    async fn snapshot(
        &self,
        conn: &mut Conn<'_>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<StoredEvent>, Option<String>), Failure<Never>>;
}

/// What a `WatchEventsRequest` says.
#[derive(Clone, Debug)]
pub struct FeedRequest {
    /// `start`.
    pub start: Option<WatchStart>,
    /// `types`.
    pub types: Vec<String>,
    /// `consumer`.
    pub consumer: String,
}

/// What `WatchEvents` answers with.
pub type FeedStream<R> = BoxStream<'static, Result<R, Status>>;

/// Serves one watcher.
///
/// # Errors
/// INVALID_ARGUMENT for what is wrong with the request; OUT_OF_RANGE for a cursor that cannot be gone on from.
pub async fn watch<S: FeedSource>(
    database: &Database,
    request: FeedRequest,
    source: S,
) -> Result<Response<FeedStream<S::Response>>, Status> {
    let mut violations = Violations::new();
    for unknown in request.types.iter().filter(|named| !S::TYPES.contains(&named.as_str())) {
        violations.add("types", format!("{unknown:?} is none of {}", S::TYPES.join(", ")));
    }
    violations.text_optional("consumer", &request.consumer, 100);
    let at = request.start.and_then(|start| start.at).unwrap_or(At::Earliest(true));
    let cursor = match &at {
        At::Cursor(text) => violations.parse::<Cursor>("start.cursor", text),
        _ => None,
    };
    if !violations.is_empty() {
        return Err(status::invalid(violations));
    }
    let found = database.read(async |conn| -> Result<Extent, Failure<Never>> { Ok(extent(conn).await?) }).await;
    let extent = found.map_err(status::status)?;
    let (position, snapshot) = match (at, cursor) {
        (_, Some(cursor)) => (check(&cursor, &extent)?, false),
        (At::Latest(_), None) => (extent.head, false),
        (At::Snapshot(_), None) => (extent.head, true),
        (At::Earliest(_) | At::Cursor(_), None) => (extent.pruned, false),
    };
    let watcher = watcher::Watcher::new(database.clone(), source, extent, position, snapshot, request.types);
    tracing::debug!(consumer = request.consumer, position, snapshot, "a watcher came");
    Ok(Response::new(watcher.into_stream()))
}

/// The position to go on from.
fn check(cursor: &Cursor, extent: &Extent) -> Result<i64, Status> {
    use status::reason;
    if cursor.epoch != extent.epoch || cursor.position > extent.head {
        let text = "the cursor is of another life of this database: start again with a snapshot";
        return Err(status::cursor(reason::CURSOR_FOREIGN, text, scope::domain()));
    }
    if cursor.position < extent.pruned {
        let text = "events after this cursor are no longer kept: start again with a snapshot";
        return Err(status::cursor(reason::CURSOR_EXPIRED, text, scope::domain()));
    }
    Ok(cursor.position)
}
