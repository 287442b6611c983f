//! Writes JSON.

use serde::Serialize;

/// Writes a value at the end of a text, as `serde_json` writes it.
pub fn write(value: &(impl Serialize + ?Sized), json: &mut Vec<u8>) {
    // Fails only for maps whose keys are no texts, and for what cannot be written to memory.
    let written = serde_json::to_writer(&mut *json, value);
    debug_assert!(written.is_ok(), "{written:?}");
}
