//! The playground: the files that `npm run build` makes from `playground/`, embedded in the program compressed.

use std::io::Read as _;
use std::sync::LazyLock;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::door::guard;
use crate::service::App;

/// Allows nothing from other hosts. Monaco, the editor, adds style elements and draws its error markers as data images;
/// everything else comes from files of this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the bundle.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    path: String,
    content_type: String,
    sha256: String,
    #[serde(skip)]
    gzip: &'static [u8],
}

macro_rules! bundle {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../playground/dist/", $path, ".gz")).as_slice())),+]
    };
}

/// The files that `playground/dist/manifest.json` lists; a test compares the two.
const BUNDLE: &[(&str, &[u8])] = bundle![
    "codicon.ttf",
    "editor.worker.js",
    "favicon.svg",
    "fira-code-latin-400-normal.woff2",
    "graphql.worker.js",
    "index.css",
    "index.html",
    "index.js",
    "json.worker.js",
    "licenses.md",
];

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let manifest: Vec<File> =
        serde_json::from_str(include_str!("../../playground/dist/manifest.json")).unwrap_or_default();
    let bytes = |path: &str| BUNDLE.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes);
    manifest.into_iter().filter_map(|file| Some(File { gzip: bytes(&file.path)?, ..file })).collect()
});

/// `GET /playground/`.
pub(super) async fn index(headers: HeaderMap) -> Response {
    send("index.html", headers).await
}

/// `GET /playground/{file}`.
///
/// An unknown file is answered with 404 like any unknown address, even if its name is not valid UTF-8.
pub(super) async fn file(path: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let path = path.map_or_else(|_| String::new(), |Path(path)| path);
    send(&path, headers).await
}

async fn send(path: &str, headers: HeaderMap) -> Response {
    let Some(file) = FILES.iter().find(|file| file.path == path) else { return guard::not_found(headers).await };
    let header_contains =
        |name, wanted: &str| headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(wanted));
    let tag = format!("\"{}\"", file.sha256);
    let mut response = if header_contains(IF_NONE_MATCH, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if header_contains(ACCEPT_ENCODING, "gzip") {
        ([(CONTENT_ENCODING, "gzip")], Body::from(file.gzip)).into_response()
    } else {
        let mut plain = Vec::new();
        match flate2::read::GzDecoder::new(file.gzip).read_to_end(&mut plain) {
            Ok(_) => plain.into_response(),
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    };
    let mut set =
        |name, value: &str| HeaderValue::from_str(value).map(|value| response.headers_mut().insert(name, value));
    let headers = [
        (CONTENT_TYPE, file.content_type.as_str()),
        (ETAG, &tag),
        // File names do not change between versions, so browsers must revalidate.
        (CACHE_CONTROL, "no-cache"),
        (VARY, "accept-encoding"),
        // A worker takes its policy from the response that delivers its own file.
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    for (name, value) in headers {
        // Constants and values from the build's manifest: always valid.
        let _ = set(name, value);
    }
    response
}

/// The token that the page fills in; set only in the demo.
#[derive(Clone)]
pub(super) struct DemoToken(pub(super) Option<String>);

/// `GET /playground/config.json`: the values that the page fills in. Tenants are listed only in the demo; elsewhere
/// nobody may see their codes without a token.
pub(super) async fn config(State(DemoToken(token)): State<DemoToken>, State(app): State<App>) -> Response {
    let tenants = match &token {
        Some(_) => app.tenants().await.unwrap_or_default(),
        None => Vec::new(),
    };
    let codes: Vec<_> = tenants.into_iter().map(|tenant| tenant.settings.code.as_str().to_owned()).collect();
    let config = serde_json::json!({
        "demoToken": token,
        "tenants": codes,
        "version": env!("CARGO_PKG_VERSION"),
    });
    ([(CACHE_CONTROL, "no-store")], Json(config)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_bundle_matches_its_manifest() {
        assert_eq!(FILES.len(), BUNDLE.len(), "the manifest and the list in this file name the same files");
        for file in FILES.iter() {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(file.gzip).read_to_end(&mut plain).unwrap();
            assert_eq!(crate::domain::hex(&Sha256::digest(&plain)), file.sha256, "{}", file.path);
        }
    }
}
