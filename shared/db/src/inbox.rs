//! The inbox: what a consumer has taken of each feed. Its effect, the note that it took the event, and its cursor
//! are one transaction, so that an event has its effect exactly once.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::{EventId, SubjectId, Time};

use crate::{
    Conn, Fault, on,
    schema::{feed_cursors, inbox, inbox_subjects, parked_events},
};

/// An event as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The feed that it comes from, for example `customer`.
    pub feed: &'a str,
    /// The event's id.
    pub event_id: EventId,
    /// What it tells about.
    pub subject: SubjectId,
    /// The version of the subject after it.
    pub version: i64,
    /// Whether it is a state of a snapshot and not a change.
    pub snapshot: bool,
    /// How far the consumer is when it has taken this event; empty within a snapshot.
    pub cursor: &'a str,
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is new: apply it, in this transaction.
    New,
    /// It was taken before, or a later version of its subject was: do nothing.
    Known,
    /// An earlier event of its subject is parked: park it too.
    Behind,
}

/// How far this consumer has read a feed; none before the first event.
///
/// # Errors
/// When the database fails.
pub async fn cursor(conn: &mut Conn<'_>, feed: &str) -> Result<Option<String>, Fault> {
    Ok(on!(conn, |c| feed_cursors::table.find(feed).select(feed_cursors::cursor).first(c).await.optional())?)
}

/// Notes how far this consumer has read a feed, without an event: after a heartbeat or at the end of a snapshot.
///
/// # Errors
/// When the database fails.
pub async fn advance(conn: &mut Conn<'_>, feed: &str, cursor: &str, now: Time) -> Result<(), Fault> {
    if cursor.is_empty() {
        return Ok(());
    }
    on!(conn, |c| diesel::insert_into(feed_cursors::table)
        .values((feed_cursors::feed.eq(feed), feed_cursors::cursor.eq(cursor), feed_cursors::time.eq(now)))
        .on_conflict(feed_cursors::feed)
        .do_update()
        .set((feed_cursors::cursor.eq(cursor), feed_cursors::time.eq(now)))
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes an event: notes it and the cursor, and says whether to apply it.
///
/// # Errors
/// When the database fails.
pub async fn accept(conn: &mut Conn<'_>, arrival: Arrival<'_>, now: Time) -> Result<Accepted, Fault> {
    let Arrival { feed, event_id, subject, version, snapshot, cursor } = arrival;
    advance(conn, feed, cursor, now).await?;
    let fresh = on!(conn, |c| diesel::insert_into(inbox::table)
        .values((inbox::feed.eq(feed), inbox::event_id.eq(event_id), inbox::time.eq(now)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    if fresh == 0 {
        return Ok(Accepted::Known);
    }
    let parked: i64 = on!(conn, |c| parked_events::table
        .filter(parked_events::feed.eq(feed))
        .filter(parked_events::subject.eq(subject))
        .count()
        .get_result(c)
        .await)?;
    if parked > 0 {
        return Ok(Accepted::Behind);
    }
    let seen: Option<i64> =
        on!(conn, |c| inbox_subjects::table.find((feed, subject)).select(inbox_subjects::version).first(c).await.optional())?;
    // Several events may tell about one version; a snapshot tells nothing new about a version that was seen.
    if seen.is_some_and(|seen| version < seen || (snapshot && version == seen)) {
        return Ok(Accepted::Known);
    }
    on!(conn, |c| diesel::insert_into(inbox_subjects::table)
        .values((inbox_subjects::feed.eq(feed), inbox_subjects::subject.eq(subject), inbox_subjects::version.eq(version)))
        .on_conflict((inbox_subjects::feed, inbox_subjects::subject))
        .do_update()
        .set(inbox_subjects::version.eq(version))
        .execute(c)
        .await)?;
    Ok(Accepted::New)
}

/// Puts an event aside that cannot be applied: its subject waits, the feed goes on.
///
/// # Errors
/// When the database fails.
pub async fn park(conn: &mut Conn<'_>, arrival: Arrival<'_>, reason: &str, event: &[u8], now: Time) -> Result<(), Fault> {
    let Arrival { feed, event_id, subject, cursor, .. } = arrival;
    advance(conn, feed, cursor, now).await?;
    on!(conn, |c| diesel::insert_into(inbox::table)
        .values((inbox::feed.eq(feed), inbox::event_id.eq(event_id), inbox::time.eq(now)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    on!(conn, |c| diesel::insert_into(parked_events::table)
        .values((
            parked_events::feed.eq(feed),
            parked_events::event_id.eq(event_id),
            parked_events::subject.eq(subject),
            parked_events::time.eq(now),
            parked_events::reason.eq(reason),
            parked_events::event.eq(event),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

/// How many events are parked, over all feeds.
///
/// # Errors
/// When the database fails.
pub async fn parked(conn: &mut Conn<'_>) -> Result<i64, Fault> {
    Ok(on!(conn, |c| parked_events::table.count().get_result(c).await)?)
}
