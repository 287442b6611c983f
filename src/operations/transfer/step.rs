//! What one line of the file does, and how many of them go together.

use crate::form::Section;
use crate::store::{self, ObjectRow, Result, StoredChange, Tx};

/// How many lines are written in one transaction.
pub(super) const CHUNK: usize = 250;
/// A chunk ends earlier when its lines are long, so that memory does not depend on the file.
pub(super) const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// What a line does.
pub(super) enum ImportStep {
    Object(ObjectRow),
    Section { object: i64, section: Box<dyn Section> },
    Change(StoredChange),
}

/// Writes what a line says.
pub(super) fn apply(tx: &mut Tx<'_>, step: &ImportStep) -> Result<()> {
    match step {
        ImportStep::Object(row) => store::import_object(tx, row),
        ImportStep::Section { object, section } => store::save_section(tx, *object, None, &**section),
        ImportStep::Change(change) => store::import_change(tx, change),
    }
}
