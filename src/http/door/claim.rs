//! What a request says of who asks: the token of the header `Authorization`, the tenant of the header `X-Tenant`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::wire::TENANT;

/// What a request says to sign in.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(in crate::http) enum BearerClaim {
    /// Nothing: nobody signs in.
    None,
    /// Something that cannot be a token. It is refused like a wrong one.
    Malformed,
    /// A token, which is not empty.
    Token(String),
}

impl BearerClaim {
    /// What the header `Authorization` says.
    pub(in crate::http) fn of(headers: &HeaderMap) -> Self {
        match headers.get(AUTHORIZATION) {
            None => Self::None,
            Some(value) => value.to_str().ok().and_then(bearer).map_or(Self::Malformed, Self::of_token),
        }
    }

    /// What was sent as a token.
    pub(in crate::http) fn of_token(token: &str) -> Self {
        if token.is_empty() { Self::Malformed } else { Self::Token(token.to_owned()) }
    }

    /// The token, if there is one.
    pub(in crate::http) fn token(&self) -> Option<&str> {
        match self {
            Self::Token(token) => Some(token),
            Self::None | Self::Malformed => None,
        }
    }
}

/// The token behind `Bearer`.
pub(in crate::http) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The tenant that the request selects.
pub(in crate::http) fn selected(headers: &HeaderMap) -> Option<String> {
    let selected = headers.get(TENANT).and_then(|value| value.to_str().ok()).map(str::trim);
    selected.filter(|code| !code.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_claim_is_a_token_or_malformed_or_none() {
        assert!(BearerClaim::of(&HeaderMap::new()) == BearerClaim::None);
        for (value, token) in [
            ("Bearer secret", Some("secret")),
            ("bearer  secret ", Some("secret")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic c2VjcmV0", None),
            ("secret", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            let claimed = token.map_or(BearerClaim::Malformed, |token| BearerClaim::Token(token.to_owned()));
            assert!(BearerClaim::of(&headers) == claimed, "{value:?}");
        }
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xe9").unwrap())]);
        assert!(BearerClaim::of(&headers) == BearerClaim::Malformed, "not ASCII");
    }
}
