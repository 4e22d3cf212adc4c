//! Reading the feed: stamped events in the order of their commits, and the cursors that say how far one has read.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, SelectableHelper, sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rapport_core::SubjectId;

use crate::{
    Conn, Fault, on,
    outbox::{Row, StoredEvent},
    schema::{outbox, relay},
};

/// How far a consumer has read: the epoch of the feed and the position of the last event it has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The life of the database that the position counts in; renewed after a restore.
    pub epoch: String,
    /// The position of the last event taken; 0 before the first.
    pub position: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(format!("1.{}.{}", self.epoch, self.position).as_bytes()))
    }
}

/// A text that is no cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of a feed: pass the cursor of the last event or heartbeat, unchanged")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let decoded = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotACursor)?;
        let text = String::from_utf8(decoded).map_err(|_| NotACursor)?;
        let mut parts = text.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("1"), Some(epoch), Some(position), None) if !epoch.is_empty() => {
                let position = position.parse().ok().filter(|position| *position >= 0).ok_or(NotACursor)?;
                Ok(Self { epoch: epoch.to_owned(), position })
            }
            _ => Err(NotACursor),
        }
    }
}

/// What there is to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The feed's epoch.
    pub epoch: String,
    /// The position of the newest event; 0 when there is none.
    pub head: i64,
    /// Events up to this position are no longer kept.
    pub pruned: i64,
    /// Grows with every new epoch: events of a later one count as newer, whatever the versions of the rows.
    pub generation: i64,
}

/// What there is to read now.
///
/// # Errors
/// When the database fails.
pub async fn extent(conn: &mut Conn<'_>) -> Result<Extent, Fault> {
    let (epoch, head, pruned, generation) = on!(conn, |c| relay::table
        .select((relay::epoch, relay::position, relay::pruned_position, relay::generation))
        .first::<(String, i64, i64, i64)>(c)
        .await)?;
    Ok(Extent { epoch, head, pruned, generation })
}

/// The events after a position, oldest first, at most `limit`; only these kinds, or all when none is named.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, position: i64, kinds: &[String], limit: i64) -> Result<Vec<StoredEvent>, Fault> {
    let rows: Vec<Row> = if kinds.is_empty() {
        on!(conn, |c| outbox::table
            .filter(outbox::position.gt(position))
            .order(outbox::position)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await)?
    } else {
        on!(conn, |c| outbox::table
            .filter(outbox::position.gt(position))
            .filter(outbox::kind.eq_any(kinds))
            .order(outbox::position)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await)?
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many events were committed and have no position yet, counted up to `most`.
///
/// # Errors
/// When the database fails.
pub async fn unstamped(conn: &mut Conn<'_>, most: i64) -> Result<i64, Fault> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    // In order, so that the small index is read and not the table.
    let sql = "SELECT count(*) AS count FROM (SELECT seq FROM outbox WHERE position IS NULL ORDER BY seq LIMIT $1) AS oldest";
    let counted: Counted = on!(conn, |c| sql_query(sql).bind::<BigInt, _>(most).get_result(c).await)?;
    Ok(counted.count)
}

/// An event without what it tells: that something happened to a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its place in the feed.
    pub position: i64,
    /// What happened.
    pub kind: String,
    /// What it happened to.
    pub subject: SubjectId,
}

/// What was touched after a position, oldest first, at most `limit`: for those who read the rows themselves.
///
/// # Errors
/// When the database fails.
pub async fn touched(conn: &mut Conn<'_>, position: i64, limit: i64) -> Result<Vec<Touched>, Fault> {
    let rows: Vec<(Option<i64>, String, SubjectId)> = on!(conn, |c| outbox::table
        .filter(outbox::position.gt(position))
        .order(outbox::position)
        .limit(limit)
        .select((outbox::position, outbox::kind, outbox::subject))
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(|(position, kind, subject)| Touched { position: position.unwrap_or_default(), kind, subject }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let cursor = Cursor { epoch: "abc".to_owned(), position: 42 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "42", "MS5hYmMuLTE", "%%%"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(NotACursor), "{wrong}");
        }
    }
}
