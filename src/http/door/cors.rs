//! Which pages may use the API from a browser: exactly those of the origins that `--allowed-origin` names. Without the
//! option there is no CORS at all, and browsers hide the responses from pages of other origins.
//!
//! There is no wildcard: a token works from any page, but only pages of its owner should have it.

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use clap::Args;
use tower_http::cors::CorsLayer;

use super::guard::REQUEST_ID;

/// Headers that a page of another origin can send only after a CORS preflight, so a request that has one of them is not
/// forged by another page. Panels send the first one anyway; GraphQL clients send the last three for this purpose.
pub(in crate::http) const PREFLIGHT: [&str; 5] =
    ["authorization", "x-tenant", "graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name"];

/// Access from browsers.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Door")]
pub struct DoorOptions {
    /// Origin whose pages may use the API from a browser, including WebSockets, such as `https://panel.example.com`;
    /// may be repeated.
    #[arg(long = "allowed-origin", env = "VEXT_ALLOWED_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub allowed_origins: Vec<Origin>,
}

/// The origin of a page: `scheme://host` or `scheme://host:port`, as browsers write it in the header `Origin`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// Whether the header `Origin` of a request names this origin.
    pub fn is(&self, header: &HeaderValue) -> bool {
        self.0 == header
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str =
            "must be scheme://host or scheme://host:port, without a path; neither * nor null is an origin";
        let text = text.to_ascii_lowercase();
        let uri: Uri = text.parse().map_err(|_| RULE)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(RULE) };
        let (host, port) = (authority.host(), authority.port_u16());
        let bare = format!("{scheme}://{host}");
        let whole = port.map_or_else(|| bare.clone(), |port| format!("{bare}:{port}"));
        // An origin has none of the other parts of a URL.
        if text != whole || host.is_empty() || host.contains('*') {
            return Err(RULE);
        }
        // Browsers leave out the port that the scheme implies.
        let is_implied = matches!((scheme, port), ("http", Some(80)) | ("https", Some(443)));
        HeaderValue::from_str(if is_implied { &bare } else { &whole }).map(Self).map_err(|_| RULE)
    }
}

/// Builds the layer that answers preflight requests and lets pages of these origins read the responses. `None` without
/// origins.
///
/// Credentials are not allowed: the page sets the header with the token itself, and the API reads no credentials
/// that the browser adds on its own, such as cookies.
pub(in crate::http) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    /// How long browsers may cache a preflight; they limit it to two hours (Chromium) or a day (Firefox).
    const MAX_AGE: Duration = Duration::from_secs(2 * 60 * 60);
    let headers = [CONTENT_TYPE, CONTENT_ENCODING, IF_NONE_MATCH]
        .into_iter()
        .chain(PREFLIGHT.iter().chain(&["traceparent", "tracestate"]).map(|name| HeaderName::from_static(name)));
    let exposed = [REQUEST_ID, RETRY_AFTER, ETAG]
        .into_iter()
        .chain(["ratelimit", "ratelimit-policy"].map(HeaderName::from_static));
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins.iter().map(|origin| origin.0.clone()).collect::<Vec<_>>())
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(headers.collect::<Vec<_>>())
            .expose_headers(exposed.collect::<Vec<_>>())
            .max_age(MAX_AGE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (text, sent) in [
            ("https://panel.example.com", "https://panel.example.com"),
            ("HTTPS://Panel.Example.com:443", "https://panel.example.com"),
            ("http://localhost:80", "http://localhost"),
            ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://example.com:80", "https://example.com:80"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert!(origin.is(&HeaderValue::from_static(sent)), "{text}: {origin:?}");
        }
        for text in [
            "",
            "*",
            "null",
            "panel.example.com",
            "https://",
            "https://*",
            "https://*.example.com",
            "https://example.com/",
            "https://example.com/panel",
            "https://example.com?x",
            "https://example.com#x",
            "https://me@example.com",
            "https://example.com:port",
            "https://example.com:",
            "https://example.com:99999",
            "https://exa mple.com",
            "//example.com",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
