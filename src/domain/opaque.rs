//! Ids and cursors as clients see them: base64url of a plain text, so that nobody builds on what it says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The opaque form of a text.
pub fn write(plain: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(plain)
}

/// The text behind an opaque form; `None` for what is none.
pub fn read(opaque: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(opaque).ok()?).ok()
}
