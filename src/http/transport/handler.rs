//! The handler of `GET /graphql` and `POST /graphql`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::header::{ALLOW, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use tracing::Instrument as _;

use super::prepared::{Account, prepare};
use super::request::{self, IncomingRequest};
use super::{events, socket};
use crate::http::door::fair::{ClientNetwork, Network};
use crate::http::door::guard::RequestId;
use crate::http::door::identify::Caller;
use crate::http::door::{body, encoding};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;

/// Answers a GraphQL request.
pub(in crate::http) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ClientNetwork(client): ClientNetwork,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: axum::extract::Request,
) -> Response {
    let media = Media::accepted(request.headers()).unwrap_or(Media::Json);
    let request = match encoding::unpacked(request, shared.fair.options.client_timeout, &shared.limits).await {
        Ok(request) => request,
        Err(refusal) => return refusal.answer(media),
    };
    let (parts, body) = request.into_parts();
    let headers = Arc::new(parts.headers);
    if socket::is_requested(&headers) {
        return socket::open(shared, headers, client, upgrade);
    }
    let account = Account::new(&shared, client, &request_id, &headers);
    let span = account.record.span.clone();
    let processing = process(&shared, (client, request_id), (parts.method, parts.uri, body), headers, account);
    let (answered, Account { bill, mut record }) = Box::pin(processing.instrument(span)).await;
    let mut answer = answered.unwrap_or_else(|refusal| {
        record.record_refusal(refusal.errors());
        match media {
            Media::EventStream => events::refuse(&shared, refusal),
            Media::Json | Media::Response => refusal.answer(media),
        }
    });
    record.status = Some(answer.status());
    drop(record);
    bill.add_headers(answer.headers_mut());
    answer.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    answer
}

/// Reads a request and executes it.
async fn process(
    shared: &Arc<Shared>,
    (client, request_id): (Option<Network>, Arc<str>),
    request: (Method, Uri, Body),
    headers: Arc<HeaderMap>,
    mut account: Account,
) -> (Result<Response, Refusal>, Account) {
    let prepared = async {
        let media = Media::accepted(&headers).ok_or_else(|| {
            let message = "The response can be application/graphql-response+json, application/json or \
                            text/event-stream; the request accepts none of them.";
            Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
        })?;
        account.bill.pay_for_reading()?;
        let incoming = read_request(shared, request, &headers).await?;
        let caller = (Caller::from_headers(&headers, client), request_id);
        let cacheable = (incoming.is_get && media != Media::EventStream).then_some((media, &*headers));
        Ok((media, prepare(shared, caller, incoming, cacheable, &mut account.record)?))
    };
    match prepared.await {
        Ok((Media::EventStream, prepared)) => events::answer(prepared, account).await,
        Ok((media @ (Media::Json | Media::Response), prepared)) => {
            let (response, account) = prepared.respond(account).await;
            (response.map(|response| response.into_http(media)), account)
        }
        Err(refusal) => (Err(refusal), account),
    }
}

/// Reads the request from the body of a POST or from the query string of a GET.
async fn read_request(
    shared: &Shared,
    (method, uri, body): (Method, Uri, Body),
    headers: &HeaderMap,
) -> Result<IncomingRequest, Refusal> {
    if method != Method::POST {
        return request::from_query(uri.query(), headers);
    }
    let body = body::read(body, headers, shared.fair.options.client_timeout, &shared.limits).await?;
    request::from_body(&body, headers)
}

/// Answers a request with a method that GraphQL does not use.
pub(in crate::http) async fn method_not_allowed(headers: HeaderMap) -> Response {
    let message = "GraphQL requests are sent with POST, queries also with GET.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
    let refusal = refusal.header(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}
