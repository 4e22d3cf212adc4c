//! What becomes of a row of an import.

use rapport_core::words;

words! {
    /// What became of a row.
    pub enum InteractionImportResult {
        /// It was recorded.
        Recorded = 1 "RECORDED",
        /// It was recorded before.
        Duplicate = 2 "DUPLICATE",
        /// It was refused.
        Refused = 3 "REFUSED",
    }
}
