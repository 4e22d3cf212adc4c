//! Opening a SQLite file: its settings, and the lock that keeps a second process out.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use diesel::{Connection, SqliteConnection};

use crate::{Fault, Lane, Lite, database::OpenError, sqlite::batch};

/// WAL lets readers go on beside the writer; FULL makes a commit durable; a wait for a lock is never inside
/// SQLite, where it would stop a thread of the runtime; the checkpoint is housekeeping's, not the committing statement's.
/// Only while it is opened does a connection wait: the last one of a process that has just ended may still hold the file.
const SETTINGS: &str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                        PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 0;";

/// Opens one connection to the file.
pub(crate) async fn establish(path: &Path, lane: Lane) -> Result<Lite, Fault> {
    let text = path.to_str().ok_or_else(|| Fault::Unavailable(format!("the path {} is not UTF-8", path.display())))?;
    let conn = SqliteConnection::establish(text)
        .map_err(|error| Fault::Unavailable(format!("cannot open the database {}: {error}", path.display())))?;
    let mut conn = Lite::with_runtime(conn, lane);
    batch(&mut conn, SETTINGS).await?;
    Ok(conn)
}

/// The advisory lock on `<file>.lock`, held as long as the database is open.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock, or says who has it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock_path = PathBuf::from(format!("{}.lock", path.display()));
        let failed = |error: std::io::Error| OpenError::File { path: lock_path.clone(), error };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&lock_path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                return Err(OpenError::Held { path: path.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}
