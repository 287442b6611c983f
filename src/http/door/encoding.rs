//! Content codings: answers are packed, requests unpacked (RFC 9110, section 8.4).
//!
//! A request's body is unpacked here and not by a layer (docs/decisions/0019-production-mode.md): at most
//! [`Limits::max_body`] bytes are read, and at most one more is made of them.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use super::body;
use crate::graphql::{Exceeded, Limit, Limits};
use crate::http::media;
use crate::http::refusal::Refusal;

/// An answer of fewer bytes fits into one packet and is not packed.
const SMALLEST: u64 = 1024;
/// See docs/decisions/0019-production-mode.md for what each level costs.
const LEVEL: CompressionLevel = CompressionLevel::Precise(3);

/// Packs answers with the coding that the client likes best; among equals zstd, br, gzip. A stream of events stays as
/// it is: its events must not wait for a packer to fill a block.
pub(in crate::http) fn packing() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().quality(LEVEL).compress_when(SizeAbove::new(SMALLEST).and(NotForContentType::SSE))
}

/// A coding of a request's body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Coding {
    Gzip,
    Brotli,
}

/// The request with what is packed in the place of a packed body, which must arrive within `patience`.
pub(in crate::http) async fn unpacked(
    request: Request,
    patience: Duration,
    limits: &Limits,
) -> Result<Request, Refusal> {
    // The packing layer would say so only when the request has been executed.
    if is_unsatisfiable(request.headers()) {
        let sentence = "The answer is sent as it is, or in the content coding gzip, br or zstd; none is accepted.";
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence));
    }
    let Some(coding) = coding(request.headers())? else { return Ok(request) };
    let (mut parts, packed) = request.into_parts();
    let packed = body::read(packed, &parts.headers, patience, limits).await?;
    let plain = plain(coding, &packed, limits.max_body).map_err(|error| {
        let sentence = format!("The body is not what its content coding says: {error}.");
        Refusal::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence)
    })?;
    if plain.len() > limits.max_body {
        let (allowed, actual) = (limits.max_body as u64, plain.len() as u64);
        let exceeded = Exceeded { limit: Limit::Body, allowed, actual, at: None };
        return Err(Refusal::from(exceeded).status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    parts.headers.remove(CONTENT_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(plain)))
}

/// Whether a client takes the answer neither packed nor as it is; the latter has to be refused by name or with `*`.
fn is_unsatisfiable(headers: &HeaderMap) -> bool {
    let wishes = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let wishes: Vec<_> = wishes.flat_map(|value| value.split(',')).map(media::split_quality).collect();
    let quality = |coding: &str| {
        let of = |name: &str| wishes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        of(coding).or_else(|| of("*")).map(|(_, quality)| *quality)
    };
    quality("identity").is_some_and(|quality| quality <= 0.0)
        && ["gzip", "x-gzip", "br", "zstd"].iter().all(|coding| quality(coding).is_none_or(|quality| quality <= 0.0))
}

/// The coding of the body; `None` when it is sent as it is.
fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    let named = headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    let named = named.map(|name| name.trim_ascii().to_ascii_lowercase());
    let mut named = named.filter(|name| !matches!(name.as_slice(), b"" | b"identity"));
    let coding = match (named.next().as_deref(), named.next()) {
        (None, _) => return Ok(None),
        (Some(b"gzip" | b"x-gzip"), None) => Coding::Gzip,
        (Some(b"br"), None) => Coding::Brotli,
        // One inside another multiplies what a byte can grow to.
        (Some(_), _) => {
            let sentence = "The body must be sent as it is, or in the content coding gzip or br.";
            let refusal = Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_CONTENT_ENCODING", sentence);
            return Err(refusal.header(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br")));
        }
    };
    Ok(Some(coding))
}

/// The first bytes of what is packed, at most one more than `limit`.
fn plain(coding: Coding, packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(limit as u64 + 1).read_to_end(&mut plain);
    match coding {
        Coding::Gzip => read(&mut flate2::bufread::MultiGzDecoder::new(packed))?,
        Coding::Brotli => read(&mut brotli_decompressor::Decompressor::new(packed, 4096))?,
    };
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_nobody_takes_is_known_before() {
        for (accepted, unsatisfiable) in [
            ("", false),
            ("gzip", false),
            ("rot13", false),
            ("*", false),
            ("identity;q=0", true),
            ("*;q=0", true),
            ("rot13, *;q=0", true),
            ("gzip;q=0, br;q=0, identity; q=0", true),
            ("br, *;q=0", false),
            ("*;q=0.5, identity;q=0", false),
            ("identity;q=0.1, *;q=0", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            assert_eq!(is_unsatisfiable(&headers), unsatisfiable, "{accepted:?}");
        }
    }

    #[test]
    fn one_known_coding_or_none() {
        for (values, coding) in [
            (&[][..], Some(None)),
            (&["identity"], Some(None)),
            (&["", " , "], Some(None)),
            (&["GZIP"], Some(Some(Coding::Gzip))),
            (&["x-gzip, identity"], Some(Some(Coding::Gzip))),
            (&["br "], Some(Some(Coding::Brotli))),
            (&["zstd"], None),
            (&["deflate"], None),
            (&["gzip, gzip"], None),
            (&["gzip", "br"], None),
            (&["gzip;q=1"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(super::coding(&headers).ok(), coding, "{values:?}");
        }
    }
}
