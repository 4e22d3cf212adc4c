//! A copy of a SQLite database while it is in use. PostgreSQL has its own tools for that.

use std::path::Path;

use crate::{Database, Fault};

/// Writes a consistent copy of the database to a new file (`VACUUM INTO`).
///
/// # Errors
/// When the database is not SQLite, the file exists already, or the copy cannot be written.
pub async fn copy_to(database: &Database, path: &Path) -> Result<(), Fault> {
    let Some(file) = database.sqlite() else {
        return Err(Fault::Unavailable("this database is PostgreSQL: back it up with pg_dump".to_owned()));
    };
    let text = path.to_str().ok_or_else(|| Fault::Unavailable(format!("the path {} is not UTF-8", path.display())))?;
    file.aside(&format!("VACUUM INTO '{}'", text.replace('\'', "''"))).await
}
