//! The URL of the server, and other URLs on it.

use axum::http::Uri;
use axum::http::uri::Scheme;

/// The URL of the server to test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerUrl {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// The path of the API.
    path: String,
}

impl ServerUrl {
    /// Reads `http(s)://host[:port][/path]`; without a path it is `/graphql`.
    ///
    /// # Errors
    /// The rule for such a URL. It does not repeat the URL, which may contain a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be http://HOST or https://HOST, with a port and a path if they are not the default, and \
                            without a user, a query or a fragment";
        let uri: Uri = text.parse().map_err(|_| RULE)?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(RULE),
        };
        let authority = uri.authority().ok_or(RULE)?;
        let host = authority.host().to_owned();
        if host.is_empty() || authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(RULE);
        }
        // The parser ignores a port that is not a number.
        let whole = authority.port_u16().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        if whole != authority.as_str() {
            return Err(RULE);
        }
        let path = if uri.path() == "/" { "/graphql".into() } else { uri.path().to_owned() };
        Ok(Self { secure, port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }), host, path })
    }

    /// The value of the header `Origin` for a page on this host.
    pub(super) fn origin(&self) -> String {
        let Self { secure, host, port, .. } = self;
        match (secure, port) {
            (true, 443) => format!("https://{host}"),
            (false, 80) => format!("http://{host}"),
            (true, port) => format!("https://{host}:{port}"),
            (false, port) => format!("http://{host}:{port}"),
        }
    }

    /// The URL of the API.
    pub(super) fn api(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// The URL of a path beside the API. A proxy may have a prefix for all of the server's paths.
    pub(super) fn sibling_url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin(), self.path.strip_suffix("/graphql").unwrap_or_default())
    }

    /// Whether the host is this machine, judging by its name or address.
    pub(super) fn is_loopback(&self) -> bool {
        let address = self.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_api_and_what_is_beside_it() {
        for (text, api, health) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql", "http://127.0.0.1:8080/healthz"),
            ("https://pbx.example/", "https://pbx.example/graphql", "https://pbx.example/healthz"),
            ("https://pbx.example:443", "https://pbx.example/graphql", "https://pbx.example/healthz"),
            ("https://a.example/vext/graphql", "https://a.example/vext/graphql", "https://a.example/vext/healthz"),
            ("http://[::1]:81/api", "http://[::1]:81/api", "http://[::1]:81/healthz"),
        ] {
            let target = ServerUrl::parse(text).unwrap();
            assert_eq!((target.api(), target.sibling_url("/healthz")), (api.into(), health.into()), "{text}");
        }
        for text in [
            "",
            "pbx.example",
            "ftp://pbx.example",
            "https://me:hush@pbx.example",
            "https://pbx.example/graphql?a=b",
            "https://pbx.example/#a",
            "https://pbx.example:port",
            "/graphql",
        ] {
            assert!(!ServerUrl::parse(text).unwrap_err().contains("hush"), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (text, here) in [
            ("http://localhost", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://pbx.example", false),
        ] {
            assert_eq!(ServerUrl::parse(text).unwrap().is_loopback(), here, "{text}");
        }
    }
}
