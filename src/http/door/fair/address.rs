//! The address that a request comes from: the peer of the connection, or the client that a trusted proxy names.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

/// What counts as the address of one client: an IPv4 address, or a /64 network of IPv6. One subscriber gets at least a
/// /64 (RFC 6177), so all its 2^64 addresses count as one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(in crate::http) struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V6(_) => write!(f, "{}/64", self.0),
            IpAddr::V4(_) => self.0.fmt(f),
        }
    }
}

/// The address or the network of trusted proxies, such as `10.0.0.7` or `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrustedProxy(IpNet);

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse::<IpNet>());
        network.map(Self).map_err(|_| "must be an IP address or a network such as 10.0.0.0/8".into())
    }
}

/// All trusted proxies.
#[derive(Clone)]
pub(in crate::http) struct TrustedProxies(Arc<[TrustedProxy]>);

impl TrustedProxies {
    pub(in crate::http) fn new(trusted: &[TrustedProxy]) -> Self {
        Self(trusted.into())
    }
}

/// Whether an address is that of a trusted proxy.
pub(in crate::http) fn is_trusted(address: IpAddr, trusted: &[TrustedProxy]) -> bool {
    trusted.iter().any(|trusted| trusted.0.contains(&address))
}

/// The address of the client behind a connection. Each proxy appends its own peer to `X-Forwarded-For`. So the header
/// is read from the end: the first address that is not a trusted proxy is the client, and everything before it may be
/// forged by the client. If the peer is not a trusted proxy, the header is ignored.
///
/// `Forwarded` (RFC 7239) is not read: a proxy that writes one of the two headers passes the other on unchanged.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[TrustedProxy]) -> IpAddr {
    let mut client = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().rev();
    let mut forwarded = forwarded.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    while is_trusted(client, trusted)
        && let Some(previous) = forwarded.next().and_then(parse_node)
    {
        client = previous;
    }
    client
}

/// Reads an address as proxies write it: some with a port, some in brackets.
fn parse_node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip())).or_else(bare);
    address.map(|address: IpAddr| address.to_canonical())
}

/// The client's address; `None` without a connection, as in tests of the router.
pub(in crate::http) struct ClientNetwork(pub Option<Network>);

impl<S: Sync> FromRequestParts<S> for ClientNetwork
where
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let client = peer.map(|peer| client_address(peer.0.ip(), &parts.headers, &TrustedProxies::from_ref(state).0));
        Ok(Self(client.map(Network::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"].map(|text| text.parse().unwrap());
        for (peer, forwarded, found) in [
            // Nobody names a client, or nobody who is trusted does.
            ("203.0.113.9", &[][..], "203.0.113.9"),
            ("203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // One proxy, and several.
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.1.1.1"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9", "192.0.2.1"], "203.0.113.9"),
            ("2001:db8::1", &["2001:db9::7"], "2001:db9::7"),
            // What the client has forged is further left.
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["10.9.9.9, 203.0.113.9"], "203.0.113.9"),
            // A client inside the trusted network, and a proxy that writes something invalid.
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.3"], "10.0.0.3"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            // With ports.
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db9::7]:4711"], "2001:db9::7"),
            ("10.0.0.1", &["[2001:db9::7]"], "2001:db9::7"),
        ] {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            headers.append("forwarded", "for=9.9.9.9".parse().unwrap());
            assert_eq!(
                client_address(peer.parse().unwrap(), &headers, &trusted).to_string(),
                found,
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for good in ["10.0.0.7", "10.0.0.0/8", "::1", "fd00::/8"] {
            assert!(good.parse::<TrustedProxy>().is_ok(), "{good}");
        }
        for bad in ["", "proxy", "10.0.0.0/33", "10.0.0", "*"] {
            assert!(bad.parse::<TrustedProxy>().unwrap_err().contains("10.0.0.0/8"), "{bad}");
        }
    }
}
