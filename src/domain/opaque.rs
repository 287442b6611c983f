//! The opaque form of ids and cursors: base64url of a plain text, so that clients do not rely on its content.

use std::fmt;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The opaque form of a text.
pub fn write(plain: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(plain)
}

/// Writes the opaque form of a text of at most 96 bytes as JSON.
pub fn write_json(plain: fmt::Arguments<'_>, json: &mut Vec<u8>) {
    let (mut text, mut opaque) = ([0; 96], [0; 128]);
    let mut rest = &mut text[..];
    // Two 64-bit numbers with their signs and a separator take at most 41 bytes.
    let fits = rest.write_fmt(plain).is_ok();
    let length = 96 - rest.len();
    debug_assert!(fits, "{plain} is too long");
    let length = URL_SAFE_NO_PAD.encode_slice(&text[..length], &mut opaque).unwrap_or_default();
    json.push(b'"');
    json.extend_from_slice(&opaque[..length]);
    json.push(b'"');
}

/// The text of an opaque form; `None` if it is not valid.
pub fn read(opaque: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(opaque).ok()?).ok()
}
