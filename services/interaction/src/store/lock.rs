//! Loading a row and keeping it locked: FOR UPDATE on PostgreSQL; SQLite has one writer, who needs no lock.

/// The first row of a query, locked until the end of the transaction. The query is written once and compiled for both databases.
macro_rules! first_for_update {
    ($conn:expr, $query:expr) => {
        match $conn {
            rapport_db::Conn::Postgres(c) => $query.for_update().first(c).await.optional(),
            rapport_db::Conn::Sqlite(c) => $query.first(c).await.optional(),
        }
    };
}

pub(super) use first_for_update;
