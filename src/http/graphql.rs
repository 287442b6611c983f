//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, State};
use axum::http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as Answer};

use super::fair::{Bill, Client, Credentials, Network};
use super::refusal::Refusal;
use super::request::{self, Media};
use super::{Shared, admission, identify};
use crate::graphql::{Asking, Document, Exceeded, Limit, Limits, was_executed};
use crate::store::Snapshot;

/// Names the request in logs and in answers.
const REQUEST_ID: &str = "x-request-id";

/// What every request costs.
const COST: u64 = 1;

/// Answers a GraphQL request.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Client(client): Client,
    Body(body): Body,
) -> Answer {
    let request_id = shared.api.app().request_id();
    let media = Media::accepted(&headers);
    let mut bill = Bill::new(Arc::clone(&shared.fair), client);
    let step = Step { shared: &shared, headers: &headers, client, request_id: &request_id };
    let answered = match media {
        Some(_) => step.execute(&method, &uri, body, &mut bill).await,
        None => {
            let sentence = "The answer is application/graphql-response+json or application/json; neither is accepted.";
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence))
        }
    };
    let media = media.unwrap_or(Media::Json);
    let mut answer = match answered {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(media),
    };
    let headers = answer.headers_mut();
    bill.show(headers);
    headers.insert(CONTENT_TYPE, media.content_type());
    headers.append(VARY, HeaderValue::from_static("accept"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, id);
    }
    answer
}

/// The answer to a method that no GraphQL request has.
pub(super) async fn other_method(headers: HeaderMap) -> Answer {
    let sentence = "GraphQL requests are sent with POST, queries also with GET.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
    let refusal = refusal.header(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

/// What every step of a request sees.
struct Step<'a> {
    shared: &'a Arc<Shared>,
    headers: &'a HeaderMap,
    client: Option<Network>,
    request_id: &'a str,
}

impl Step<'_> {
    async fn execute(
        &self,
        method: &Method,
        uri: &Uri,
        body: Option<Result<Bytes, BytesRejection>>,
        bill: &mut Bill,
    ) -> Result<Answer, Refusal> {
        let Shared { api, limits, fair, .. } = &**self.shared;
        bill.pay_for_reading()?;
        let reads = *method != Method::POST;
        let request = if reads {
            request::from_query(uri.query(), self.headers)?
        } else {
            request::from_body(&self.body(body, limits)?, self.headers)?
        };
        let document = match api.remembered(&request.query) {
            Some(document) => document,
            None => {
                admission::admit(&request.query, limits)?;
                api.parse(&request.query).map_err(|error| Refusal::of_document(vec![error]))?
            }
        };
        if reads && document.operation(request.operation_name.as_deref()).is_some_and(|ty| ty != OperationType::Query) {
            let sentence = "Only queries can be sent with GET; send this operation with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
            return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
        }
        let token = identify::token(self.headers);
        let credentials = fair.begin_sign_in(self.client, token)?;
        let cost = COST;
        let place = fair.admit(&credentials, cost).await?;
        let admitted = Admitted {
            shared: Arc::clone(self.shared),
            snapshot: Arc::new(if place.is_expensive() { api.app().snapshot_apart() } else { api.app().snapshot() }),
            token: token.map(|token| (token.to_owned(), credentials)),
            selected: identify::selected(self.headers),
            request_id: self.request_id.to_owned(),
            document,
            request,
            cost,
        };
        let mut own = bill.take();
        let work = Box::pin(async move { (admitted.execute(&mut own).await, own) });
        let (answer, own) = place.run(work).await;
        *bill = own;
        answer
    }

    fn body(&self, body: Option<Result<Bytes, BytesRejection>>, limits: &Limits) -> Result<Bytes, Refusal> {
        let body = body.ok_or_else(|| {
            let seconds = self.shared.fair.options.client_timeout.get();
            let sentence = format!("The body did not arrive within {seconds} s.");
            Refusal::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", sentence)
                .extension("limit", seconds)
                .header(CONNECTION, HeaderValue::from_static("close"))
        })?;
        body.map_err(|rejection| {
            if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
                return Refusal::new(rejection.status(), "BAD_REQUEST", "The body could not be read to its end.");
            }
            // Where the length is not announced, reading ended with the first byte too many.
            let announced = self.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let allowed = limits.max_body as u64;
            let actual = announced.unwrap_or(allowed + 1);
            let exceeded = Exceeded { limit: Limit::Body, allowed, actual, at: None };
            Refusal::from(exceeded).status(StatusCode::PAYLOAD_TOO_LARGE)
        })
    }
}

/// A request that may be executed, with all that this takes: some are executed on other threads.
struct Admitted {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    token: Option<(String, Credentials)>,
    selected: Option<String>,
    request_id: String,
    document: Document,
    request: Request,
    cost: u64,
}

impl Admitted {
    /// Finds out who asks, lets them pay, executes and writes the answer down.
    async fn execute(self, bill: &mut Bill) -> Result<Answer, Refusal> {
        let Self { shared, snapshot, token, selected, request_id, document, request, cost } = self;
        let Shared { api, fair, .. } = &*shared;
        let viewer = match &token {
            Some((token, credentials)) => {
                let credentials = (token.as_str(), credentials);
                Some(identify::viewer(api.app(), fair, &snapshot, credentials, selected, &request_id).await?)
            }
            None => None,
        };
        bill.pay_for_execution(viewer.as_ref(), cost)?;
        let operation = request.operation_name.clone();
        let asking = Asking { snapshot, viewer, request_id: request_id.clone() };
        let response = api.execute(document, request, asking).await;
        bill.settle(cost);
        tracing::debug!(request = request_id, operation, errors = response.errors.len(), "answered");
        match was_executed(&response) {
            true => Ok(GraphQLResponse::from(response).into_response()),
            false => Err(Refusal::of_document(response.errors)),
        }
    }
}

/// A request's body; `None` when it does not arrive in time.
pub(super) struct Body(Option<Result<Bytes, BytesRejection>>);

impl FromRequest<Arc<Shared>> for Body {
    type Rejection = Infallible;

    async fn from_request(request: axum::extract::Request, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        let patience = Duration::from_secs(shared.fair.options.client_timeout.get());
        Ok(Self(tokio::time::timeout(patience, Bytes::from_request(request, shared)).await.ok()))
    }
}
