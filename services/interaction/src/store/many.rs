//! Many rows at once: statements of a thousand rows on PostgreSQL; SQLite is in the same process, and stores them one by one.

/// Rows named in one statement at most: SQLite takes 32 766 values, PostgreSQL 65 535.
pub const MANY: usize = 1000;

/// Stores rows whose keys are not taken, and says how many that were.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {{
        let mut inserted = 0;
        match $conn {
            rapport_db::Conn::Postgres(c) => {
                for rows in $rows.chunks($crate::store::many::MANY) {
                    inserted += diesel::insert_into($table).values(rows).on_conflict_do_nothing().execute(c).await?;
                }
            }
            rapport_db::Conn::Sqlite(c) => {
                for row in &$rows {
                    inserted += diesel::insert_into($table).values(row).on_conflict_do_nothing().execute(c).await?;
                }
            }
        }
        Ok(inserted)
    }};
}

pub(super) use insert_rows;
