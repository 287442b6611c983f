//! Writes JSON.

use serde::Serialize;

/// Appends a value to a JSON text, as `serde_json` writes it.
pub fn write(value: &(impl Serialize + ?Sized), json: &mut Vec<u8>) {
    // Fails only for maps with keys that are not strings; writing to memory does not fail.
    let written = serde_json::to_writer(&mut *json, value);
    debug_assert!(written.is_ok(), "{written:?}");
}
