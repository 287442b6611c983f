//! Where a request comes from: the peer of the connection, or what a proxy says that is trusted.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

/// What counts as one client's address: an IPv4 address, or a /64 of IPv6, which is what one subscriber gets at least
/// (RFC 6177), so that its 2^64 addresses are one.
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

/// Addresses that are believed: `10.0.0.7`, or `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrustedProxy(IpNet);

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = text.parse::<IpAddr>().map(IpNet::from);
        let found = one.or_else(|_| text.parse::<IpNet>());
        found.map(Self).map_err(|_| "must be an IP address or a network such as 10.0.0.0/8".into())
    }
}

/// All addresses that are believed.
#[derive(Clone)]
pub(in crate::http) struct TrustedProxies(Arc<[TrustedProxy]>);

impl TrustedProxies {
    pub(in crate::http) fn new(trusted: &[TrustedProxy]) -> Self {
        Self(trusted.into())
    }
}

/// Whether an address is one of these.
pub(in crate::http) fn is_trusted(address: IpAddr, trusted: &[TrustedProxy]) -> bool {
    trusted.iter().any(|trusted| trusted.0.contains(&address))
}

/// The client behind a connection. Each proxy appends to `X-Forwarded-For` whom it talks to: read from the end, the
/// first that is not trusted itself is the client, and what stands before it is what the client made up. Without a
/// trusted proxy the header says nothing.
///
/// `Forwarded` (RFC 7239) is not read: a proxy that writes one of the two headers passes the other on as it came.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[TrustedProxy]) -> IpAddr {
    let mut client = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().rev();
    let mut forwarded = forwarded.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    while is_trusted(client, trusted)
        && let Some(before) = forwarded.next().and_then(node)
    {
        client = before;
    }
    client
}

/// An address as proxies write it: some with a port, some with brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip())).or_else(bare);
    address.map(|address: IpAddr| address.to_canonical())
}

/// The client's address; `None` without a connection, as in a test of the router.
pub(in crate::http) struct ClientNetwork(pub Option<Network>);

impl<S: Sync> FromRequestParts<S> for ClientNetwork
where
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let client = peer.map(|peer| client(peer.0.ip(), &parts.headers, &TrustedProxies::from_ref(state).0));
        Ok(Self(client.map(Network::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"].map(|text| text.parse().unwrap());
        for (peer, forwarded, found) in [
            // Nobody said anything, or nobody who is believed did.
            ("203.0.113.9", &[][..], "203.0.113.9"),
            ("203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // One proxy, and several.
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.1.1.1"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9", "192.0.2.1"], "203.0.113.9"),
            ("2001:db8::1", &["2001:db9::7"], "2001:db9::7"),
            // What the client made up stands further left.
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["10.9.9.9, 203.0.113.9"], "203.0.113.9"),
            // A client inside the trusted network, and a proxy that writes nonsense.
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
            assert_eq!(client(peer.parse().unwrap(), &headers, &trusted).to_string(), found, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_client() {
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
