//! The shelf in memory: as long as nothing on it has changed, guidance reads one number instead of every message and call flow.

use std::sync::{Arc, Mutex, PoisonError};

use rapport_db::Conn;

use super::Result;
use crate::{domain::shelf::Shelf, store};

/// The shelf as it was read last.
#[derive(Clone, Debug, Default)]
pub struct Shelves(Arc<Mutex<Option<Arc<Shelf>>>>);

impl Shelves {
    /// The shelf as the transaction sees it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, conn: &mut Conn<'_>) -> Result<Arc<Shelf>> {
        let version = store::shelf::version(conn).await?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(shelf) = kept.filter(|shelf| shelf.version == version) {
            return Ok(shelf);
        }
        let shelf = Arc::new(store::shelf::load(conn).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&shelf));
        Ok(shelf)
    }
}
