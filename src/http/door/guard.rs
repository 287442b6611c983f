//! What every answer passes, whichever part of the server gives it: the request's name, the answer to a panic, and
//! headers that tell browsers what they must not do with it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response as Answer;
use futures_util::FutureExt as _;

use super::wire;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::service::App;

/// Names the request in logs and in answers.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request's name, among the extensions of each request.
#[derive(Clone, Debug)]
pub(in crate::http) struct RequestId(pub(in crate::http) Arc<str>);

/// What answers say that say nothing else: an answer is data, no page and no part of one, and nobody keeps it.
/// HSTS is left to the proxy that speaks TLS: it counts over TLS alone (RFC 6797, section 7.2).
const HEADERS: [(HeaderName, &str); 8] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    // Forbids what a page embeds without CORS, such as an image; what CORS allows is not asked (Fetch, section 3.7).
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Lets a request pass and completes its answer.
pub(in crate::http) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Answer {
    named(app.request_id(), request, next).await
}

async fn named(id: Arc<str>, mut request: Request, next: Next) -> Answer {
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let media = Media::accepted(request.headers()).unwrap_or(Media::Json);
    let (method, address) = (request.method().clone(), request.uri().clone());
    let judged = wire::judge(&request);
    let answering = async {
        match judged {
            Ok(()) => next.run(request).await,
            Err(refusal) => refusal.answer(media),
        }
    };
    // The request ends with a panic, and nothing that it held is used again: what is shared stands behind locks and
    // threads that survive one.
    let answered = AssertUnwindSafe(answering).catch_unwind().await;
    let mut answer = answered.unwrap_or_else(|panic| {
        tracing::error!(request = &*id, %method, path = address.path(), panic = said(&*panic), "a request panicked");
        Refusal::internal(&id).answer(media)
    });
    tracing::debug!(request = &*id, %method, path = address.path(), status = answer.status().as_u16(), "answered");
    complete(answer.headers_mut(), &id);
    answer
}

/// What belongs to nothing else at this address.
pub(in crate::http) async fn not_found(headers: HeaderMap) -> Answer {
    let sentence = "There is nothing at this address; the API is at /graphql.";
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", sentence).answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

/// A method that is not that of anything at this address; which are, the router puts into `Allow`.
pub(in crate::http) async fn other_method(headers: HeaderMap) -> Answer {
    let sentence = "Nothing at this address is asked for with this method; the header Allow names those that are.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

fn complete(headers: &mut HeaderMap, id: &str) {
    headers.reserve(HEADERS.len() + 1);
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// A panic's sentence, for the log.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use axum::{Extension, Router, middleware};
    use tower::ServiceExt as _;

    async fn answer(router: Router) -> (StatusCode, HeaderMap, serde_json::Value) {
        let guard = middleware::from_fn(async |request: Request, next: Next| named("7".into(), request, next).await);
        let answer = router.layer(guard).oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (head.status, head.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_its_reason() {
        let panics = get(async || -> &'static str { panic!("the secret is 1234") });
        let (status, headers, body) = answer(Router::new().route("/", panics)).await;
        let extensions = serde_json::json!({ "code": "INTERNAL", "requestId": "7" });
        assert_eq!((status, &body["errors"][0]["extensions"]), (StatusCode::INTERNAL_SERVER_ERROR, &extensions));
        assert!(body.get("data").is_none() && !body.to_string().contains("1234"), "{body}");
        assert!(headers["x-request-id"] == "7" && headers["cache-control"] == "no-store", "{headers:?}");
    }

    #[tokio::test]
    async fn what_an_answer_says_itself_stands() {
        let names =
            get(async |Extension(id): Extension<RequestId>| ([(CACHE_CONTROL, "no-cache")], format!("{}", id.0)));
        let (_, headers, body) = answer(Router::new().route("/", names)).await;
        assert_eq!((body, headers["cache-control"].as_bytes()), (7.into(), &b"no-cache"[..]));
        assert_eq!(headers["x-frame-options"], "DENY");
    }
}
