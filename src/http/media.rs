//! The media type of a response, negotiated with the header `Accept` (RFC 9110, section 12.5.1).

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

/// The media type of a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status says whether the request was executed.
    Response,
    /// `application/json`, for clients that predate `application/graphql-response+json`.
    Json,
    /// `text/event-stream`: one event per response.
    EventStream,
}

impl Media {
    const RESPONSE: &str = "application/graphql-response+json";
    pub(super) const JSON: &str = "application/json";
    const EVENT_STREAM: &str = "text/event-stream";

    /// The media type that the client prefers: the one with the highest quality, and among equals the one listed first.
    /// Without an `Accept` header, and for `*/*`, it is `application/json`, which every client can read. An event
    /// stream is sent only to clients that name its type. `None` when the client accepts none of the three.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if values.peek().is_none() {
            return Some(Media::Json);
        }
        let ranges: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(split_quality).collect();
        // The most specific range that covers a type gives its quality (RFC 9110, section 12.5.1).
        let quality = |media: &str| {
            let position = |range: &str| ranges.iter().position(|(name, _)| name.eq_ignore_ascii_case(range));
            let place = match media {
                Self::EVENT_STREAM => position(media)?,
                _ => position(media).or_else(|| position("application/*")).or_else(|| position("*/*"))?,
            };
            Some((ranges[place].1, place))
        };
        let mut best: Option<(f32, usize, Media)> = None;
        for media in [Media::Json, Media::Response, Media::EventStream] {
            let Some((quality, place)) = quality(media.name()).filter(|(quality, _)| *quality > 0.0) else { continue };
            if best.is_none_or(|(q, p, _)| quality > q || (quality >= q && place < p)) {
                best = Some((quality, place, media));
            }
        }
        best.map(|(_, _, media)| media)
    }

    fn name(self) -> &'static str {
        match self {
            Media::Response => Self::RESPONSE,
            Media::Json => Self::JSON,
            Media::EventStream => Self::EVENT_STREAM,
        }
    }

    /// The value of the header `Content-Type`. For JSON it names the charset, UTF-8.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Media::Response => "application/graphql-response+json; charset=utf-8",
            Media::Json => "application/json; charset=utf-8",
            Media::EventStream => "text/event-stream",
        })
    }
}

/// Splits an element of an `Accept` or `Accept-Encoding` header into its name and its quality (`q=`, 1 by default).
pub(super) fn split_quality(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (name, quality.map_or(1.0, |q| q.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &[&'static str]) -> Option<Media> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        Media::accepted(&headers)
    }

    #[test]
    fn the_client_chooses_the_media_type() {
        let (response, json, events) = (Some(Media::Response), Some(Media::Json), Some(Media::EventStream));
        for (accept, media) in [
            (&[][..], json),
            (&["*/*"], json),
            (&["application/*"], json),
            (&["application/json"], json),
            (&["application/graphql-response+json"], response),
            (&["application/graphql-response+json, application/json;q=0.9"], response),
            (&["application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"], response),
            (&["application/json, application/graphql-response+json"], json),
            (&["application/json;q=0.5, application/graphql-response+json"], response),
            (&["application/json;q=0.5", "Application/GraphQL-Response+JSON"], response),
            (&["application/json;q=0, */*"], response),
            (&["*/*;q=0.1, application/graphql-response+json;q=0.2"], response),
            (&["text/html, */*;q=0.1"], json),
            (&["text/event-stream"], events),
            (&["text/event-stream, multipart/mixed"], events),
            (&["application/json, text/event-stream"], json),
            (&["application/json;q=0.5, */*, text/event-stream;q=0.1"], response),
            (&["text/*"], None),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
            (&["application/json;q=much"], None),
        ] {
            assert_eq!(accepted(accept), media, "{accept:?}");
        }
    }
}
