//! The outermost layer, around all handlers: it gives each request an id, answers when a handler panics, and adds
//! headers that tell browsers what they must not do with the response.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;

use super::ambiguity;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::service::App;

/// The header of a response that carries the request's id, which the log uses too.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request's id. It is among the extensions of every request.
#[derive(Clone, Debug)]
pub(in crate::http) struct RequestId(pub(in crate::http) Arc<str>);

/// Headers for every response that does not set them itself: a response is data, neither a page nor part of one, and
/// must not be cached. HSTS is left to the proxy that terminates TLS, because it only has an effect over TLS (RFC 6797,
/// section 7.2).
const DEFAULT_HEADERS: [(HeaderName, &str); 8] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    // Stops pages from embedding responses without CORS, such as images. Requests with CORS are not affected (Fetch,
    // section 3.7).
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Passes a request on under a new id, and completes the response.
pub(in crate::http) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    guard_as(app.request_id(), request, next).await
}

async fn guard_as(id: Arc<str>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let media = Media::accepted(request.headers()).unwrap_or(Media::Json);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let checked = ambiguity::check(&request);
    let answering = async {
        match checked {
            Ok(()) => next.run(request).await,
            Err(refusal) => refusal.answer(media),
        }
    };
    // A panic ends the request, and nothing that it owned is used again. Shared state is behind locks and threads that
    // survive a panic.
    let answered = AssertUnwindSafe(answering).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| {
        let message = panic_message(&*panic);
        tracing::error!(request = &*id, %method, path = uri.path(), panic = message, "a request panicked");
        Refusal::internal(&id).answer(media)
    });
    tracing::debug!(request = &*id, %method, path = uri.path(), status = response.status().as_u16(), "answered");
    add_headers(response.headers_mut(), &id);
    response
}

/// Answers a request for an unknown address.
pub(in crate::http) async fn not_found(headers: HeaderMap) -> Response {
    let message = "There is nothing at this address; the API is at /graphql.";
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", message).answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

/// Answers a request with a method that is not supported at its address. The router adds the header `Allow`.
pub(in crate::http) async fn method_not_allowed(headers: HeaderMap) -> Response {
    let message = "This method is not supported at this address; the header Allow lists those that are.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

fn add_headers(headers: &mut HeaderMap, id: &str) {
    headers.reserve(DEFAULT_HEADERS.len() + 1);
    for (name, value) in DEFAULT_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The message of a panic, for the log.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
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
        let guard = middleware::from_fn(async |request: Request, next: Next| guard_as("7".into(), request, next).await);
        let response = router.layer(guard).oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
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
    async fn headers_that_a_handler_sets_are_kept() {
        let names =
            get(async |Extension(id): Extension<RequestId>| ([(CACHE_CONTROL, "no-cache")], format!("{}", id.0)));
        let (_, headers, body) = answer(Router::new().route("/", names)).await;
        assert_eq!((body, headers["cache-control"].as_bytes()), (7.into(), &b"no-cache"[..]));
        assert_eq!(headers["x-frame-options"], "DENY");
    }
}
