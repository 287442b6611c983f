//! Which pages may open a WebSocket. A browser opens one for any page without asking the server first, with the user's
//! cookies and from inside the user's network (RFC 6455, section 10.2), so the server must check the origin.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

use crate::http::door::cors::Origin;

/// Whether a request may open a WebSocket: it comes from no page, from a page of this host, or from an allowed origin.
pub(super) fn may_open(headers: &HeaderMap, allowed: &[Origin]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let own_host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let is_own_page = page.is_some_and(|(_, host)| own_host.is_some_and(|own| own.eq_ignore_ascii_case(host)));
    is_own_page || allowed.iter().any(|allowed| allowed.is(origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn pages_of_other_hosts_are_refused_unless_they_are_allowed() {
        let allowed = ["https://panel.example".parse().unwrap()];
        for (origin, opens) in [
            (None, true),
            (Some("http://pbx.example:8080"), true),
            (Some("HTTP://PBX.example:8080"), true),
            (Some("https://panel.example"), true),
            (Some("http://pbx.example"), false),
            (Some("https://panel.example.evil.example"), false),
            (Some("http://panel.example"), false),
            (Some("https://evil.example/pbx.example:8080"), false),
            (Some("pbx.example:8080"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("pbx.example:8080"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(may_open(&headers, &allowed), opens, "{origin:?}");
        }
    }
}
