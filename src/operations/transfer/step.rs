//! The step that a line of the file makes, and the size of a chunk of steps.

use crate::form::Section;
use crate::store::{self, ObjectRow, Result, StoredChange, Tx};

/// How many lines are written in one transaction.
pub(super) const CHUNK_LINES: usize = 250;
/// A chunk ends earlier when its lines are long, so that memory does not depend on the file.
pub(super) const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// What a line writes.
pub(super) enum ImportStep {
    Object(ObjectRow),
    Section { object: i64, section: Box<dyn Section> },
    Change(StoredChange),
}

/// Writes one line.
pub(super) fn write_step(tx: &mut Tx<'_>, step: &ImportStep) -> Result<()> {
    match step {
        ImportStep::Object(row) => store::import_object(tx, row),
        ImportStep::Section { object, section } => store::save_section(tx, *object, None, &**section),
        ImportStep::Change(change) => store::import_change(tx, change),
    }
}
