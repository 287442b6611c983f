//! What a request claims about its sender: the token in the header `Authorization`, and the tenant in `X-Tenant`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::ambiguity::TENANT;

/// What a request sends to sign in.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(in crate::http) enum BearerClaim {
    /// Nothing: the request is anonymous.
    None,
    /// Something that cannot be a token. It is refused like an invalid token.
    Malformed,
    /// A token; never empty.
    Token(String),
}

impl BearerClaim {
    /// The claim in the header `Authorization`.
    pub(in crate::http) fn from_headers(headers: &HeaderMap) -> Self {
        match headers.get(AUTHORIZATION) {
            None => Self::None,
            Some(value) => value.to_str().ok().and_then(bearer_token).map_or(Self::Malformed, Self::from_token),
        }
    }

    /// The claim of a text that was sent as a token.
    pub(in crate::http) fn from_token(token: &str) -> Self {
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

/// The token after the scheme `Bearer`; `None` for another scheme.
pub(in crate::http) fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The code of the tenant that the request selects.
pub(in crate::http) fn selected_tenant(headers: &HeaderMap) -> Option<String> {
    let selected = headers.get(TENANT).and_then(|value| value.to_str().ok()).map(str::trim);
    selected.filter(|code| !code.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_claim_is_a_token_or_malformed_or_none() {
        assert!(BearerClaim::from_headers(&HeaderMap::new()) == BearerClaim::None);
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
            assert!(BearerClaim::from_headers(&headers) == claimed, "{value:?}");
        }
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xe9").unwrap())]);
        assert!(BearerClaim::from_headers(&headers) == BearerClaim::Malformed, "not ASCII");
    }
}
