//! Refuses ambiguous requests before their content is looked at: those whose `Host` is missing, repeated or malformed,
//! and those that repeat a header that may have only one value. A proxy between client and server might read such a
//! request differently than the server does, so it is refused at every address.

use std::net::Ipv6Addr;

use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};

use crate::http::refusal::Refusal;

/// The code of the tenant that a request selects.
pub(super) const TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// Headers of which the server would read only the first. The other headers that it reads are lists, or a repetition
/// does no harm: two `traceparent` headers count as none, and it does not matter how often `Apollo-Require-Preflight`
/// appears.
const SINGLE: [HeaderName; 6] = [AUTHORIZATION, CONTENT_TYPE, ORIGIN, TENANT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION];

/// What the connection knows about a request. It is among the extensions of every request that came over a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Whether its connection has a seat, see [`super::seats`].
    admitted: bool,
    /// What is wrong with the header `Host`, if anything.
    host: Result<(), &'static str>,
}

impl Arrival {
    pub(super) fn new<B>(request: &Request<B>, admitted: bool) -> Self {
        let has_authority = request.uri().authority().is_some();
        Self { admitted, host: check_host(request.version(), has_authority, request.headers()) }
    }
}

/// Checks the header `Host` by RFC 9112, section 3.2. An empty one is allowed only where the request's target names the
/// host (section 3.3), or in HTTP/1.0.
fn check_host(version: Version, has_authority: bool, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let is_required = version >= Version::HTTP_11;
    match (hosts.next(), hosts.next()) {
        (None, _) if is_required => Err("The header host is missing."),
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err("The header host appears more than once in the request."),
        (Some(host), None) if host.is_empty() => match is_required && !has_authority {
            true => Err("The header host is empty."),
            false => Ok(()),
        },
        (Some(host), None) => match host.to_str().is_ok_and(is_host) {
            true => Ok(()),
            false => Err("The header host must be a host name or an IP address, with or without a port."),
        },
    }
}

/// Whether a text is `host` or `host:port`. User information (`user@`) is not allowed.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let host = authority.host();
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['[', ']']),
    };
    let is_port = |port: &str| match port.strip_prefix(':') {
        Some(digits) => digits.is_empty() || !digits.starts_with('+') && digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    is_host && text.strip_prefix(host).is_some_and(is_port)
}

/// Checks that a request can be read in one way only, and that its connection has a seat.
///
/// # Errors
/// There is no seat for the connection, or everything that is ambiguous about the request, in one refusal.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    let arrival = request.extensions().get::<Arrival>();
    if arrival.is_some_and(|arrival| !arrival.admitted) {
        let message = "The server has more connections than it can serve; try again later.";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", message);
        return Err(closing(refusal.header(RETRY_AFTER, HeaderValue::from_static("1"))));
    }
    let headers = request.headers();
    let host = arrival.and_then(|arrival| arrival.host.err()).map(str::to_owned);
    let repeated = SINGLE.into_iter().filter(|name| headers.get_all(name).iter().nth(1).is_some());
    let repeated = repeated.map(|name| format!("The header {name} appears more than once in the request."));
    // Otherwise the header would be ignored, and the token's own tenant would be used instead of the one that was
    // meant.
    let is_unreadable = headers.get(TENANT).is_some_and(|code| code.to_str().is_err());
    let unreadable = is_unreadable
        .then(|| format!("The header {TENANT} must be the code of a tenant, in visible ASCII characters."));
    let problems: Vec<String> = host.into_iter().chain(repeated).chain(unreadable).collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(closing(Refusal::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", problems.join(" ")))),
    }
}

/// Closes the connection after this refusal: the server must not go on reading one whose requests are ambiguous.
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
    fn only_http_1_0_and_absolute_targets_may_leave_out_the_host() {
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
            assert_eq!(check_host(version, has_authority, &headers).is_ok(), fine, "{version:?} {hosts:?}");
        }
    }
}
