//! What makes a request ambiguous before anybody looks at what it asks for: a host that is missing, named twice or no
//! host, and headers that mean one thing and stand there twice. One who stands between client and server may read such a
//! request in another way, so it is refused at every address, whatever is there.

use std::net::Ipv6Addr;

use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};

use crate::http::refusal::Refusal;

/// The code of the tenant that a request selects.
pub(super) const TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// Headers of which only the first would count. All others that are read are lists, or a second one takes nothing away:
/// two `traceparent` are none, and how often `Apollo-Require-Preflight` stands there does not matter.
const SINGLE: [HeaderName; 6] = [AUTHORIZATION, CONTENT_TYPE, ORIGIN, TENANT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION];

/// What a connection says of a request, among the extensions of each that came over one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Whether its connection has a seat.
    admitted: bool,
    host: Result<(), &'static str>,
}

impl Arrival {
    pub(super) fn of<B>(request: &Request<B>, admitted: bool) -> Self {
        let has_authority = request.uri().authority().is_some();
        Self { admitted, host: host(request.version(), has_authority, request.headers()) }
    }
}

/// Whether the host is named as RFC 9112, section 3.2, asks for. An empty one is none, which leaves the host of an address
/// open unless the address names it (section 3.3).
fn host(version: Version, has_authority: bool, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut named = headers.get_all(HOST).iter();
    let needed = version >= Version::HTTP_11;
    match (named.next(), named.next()) {
        (None, _) if needed => Err("The header host is missing."),
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err("The header host stands twice in the request."),
        (Some(host), None) if host.is_empty() => match needed && !has_authority {
            true => Err("The header host is empty."),
            false => Ok(()),
        },
        (Some(host), None) => match host.to_str().is_ok_and(is_host) {
            true => Ok(()),
            false => Err("The header host must be the name of a host or its IP address, with a port or without."),
        },
    }
}

/// `host` or `host:port`; a user is no part of it.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let host = authority.host();
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let named = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['[', ']']),
    };
    let is_port = |port: &str| match port.strip_prefix(':') {
        Some(digits) => digits.is_empty() || !digits.starts_with('+') && digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    named && text.strip_prefix(host).is_some_and(is_port)
}

/// Lets a request pass that can be read in one way only, and whose connection has a seat. Says all that is wrong with it.
pub(super) fn judge<B>(request: &Request<B>) -> Result<(), Refusal> {
    let arrival = request.extensions().get::<Arrival>();
    if arrival.is_some_and(|arrival| !arrival.admitted) {
        let sentence = "The server has more connections than it can serve; try again later.";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", sentence);
        return Err(closing(refusal.header(RETRY_AFTER, HeaderValue::from_static("1"))));
    }
    let headers = request.headers();
    let host = arrival.and_then(|arrival| arrival.host.err()).map(str::to_owned);
    let twice = SINGLE.into_iter().filter(|name| headers.get_all(name).iter().nth(1).is_some());
    let twice = twice.map(|name| format!("The header {name} stands twice in the request."));
    // Else the token's own tenant would answer in the place of another that was meant.
    let unread = headers.get(TENANT).is_some_and(|code| code.to_str().is_err());
    let unread =
        unread.then(|| format!("The header {TENANT} must be the code of a tenant, in visible ASCII characters."));
    let wrong: Vec<String> = host.into_iter().chain(twice).chain(unread).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(closing(Refusal::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", wrong.join(" ")))),
    }
}

/// Nothing more is read from a connection on which requests may be read in two ways.
fn closing(refusal: Refusal) -> Refusal {
    refusal.header(CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in
            ["a", "pbx.example", "pbx_1.example:8080", "127.0.0.1:80", "[::1]", "[2001:db8::1]:443", "a:", "a.:1"]
        {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ":",
            ":80",
            "a b",
            "a,b c",
            "a/b",
            "http://a",
            "a?b",
            "a#b",
            "me@a",
            "me:hush@a:1",
            "a:b",
            "a:99999",
            "a:-1",
            "a:+1",
            "a:1:2",
            "::1",
            "[::1",
            "a]",
            "[::1]a",
            "[a]",
            "a[b]",
            "a[::1]",
            "é",
            "a\\b",
            "<a>",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn only_old_clients_and_whole_addresses_do_without_a_host() {
        for (version, has_authority, hosts, fine) in [
            (Version::HTTP_11, false, &["a"][..], true),
            (Version::HTTP_11, false, &[], false),
            (Version::HTTP_11, true, &[], false),
            (Version::HTTP_11, false, &[""], false),
            (Version::HTTP_11, true, &[""], true),
            (Version::HTTP_11, false, &["a", "a"], false),
            (Version::HTTP_11, false, &["", ""], false),
            (Version::HTTP_11, true, &["a b"], false),
            (Version::HTTP_10, false, &[], true),
            (Version::HTTP_10, false, &[""], true),
            (Version::HTTP_10, false, &["a"], true),
            (Version::HTTP_10, false, &["a", "b"], false),
            (Version::HTTP_10, false, &["a b"], false),
        ] {
            let headers = hosts.iter().map(|host| (HOST, HeaderValue::from_static(host))).fold(
                HeaderMap::new(),
                |mut headers, (name, value)| {
                    headers.append(name, value);
                    headers
                },
            );
            assert_eq!(host(version, has_authority, &headers).is_ok(), fine, "{version:?} {hosts:?}");
        }
    }
}
