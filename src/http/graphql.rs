//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, ServerError};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::header::{ALLOW, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response as Answer;
use tracing::Instrument as _;

use super::etag::Tag;
use super::fair::{Bill, Client, Credentials, Network};
use super::guard::RequestId;
use super::pipeline::{self, Operation};
use super::refusal::Refusal;
use super::request::{self, Media};
use super::watch::{Seen, Stage};
use super::{Shared, events, identify, plan, socket};
use crate::graphql::{Asking, Document, Estimate, to_json, was_executed};
use crate::store::Snapshot;

/// Answers a GraphQL request.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Client(client): Client,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: axum::extract::Request,
) -> Answer {
    let headers = request.headers().clone();
    if socket::is_asked_for(&headers) {
        return socket::open(shared, headers, client, upgrade);
    }
    let accepted = Media::accepted(&headers);
    let media = accepted.unwrap_or(Media::Json);
    let mut account =
        Account { bill: Bill::new(Arc::clone(&shared.fair), client), seen: shared.watch.begin(&request_id, &headers) };
    let span = account.seen.span();
    let prepared = match accepted {
        Some(_) => {
            let prepared = prepare(&shared, client, &request_id, request, &mut account);
            Box::pin(prepared.instrument(span.clone())).await
        }
        None => {
            let sentence = "The answer is application/graphql-response+json, application/json or text/event-stream; \
                            none of them is accepted.";
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence))
        }
    };
    let answered = match (media, prepared) {
        (Media::EventStream, prepared) => return follow(&shared, prepared, account).await,
        (Media::Json | Media::Response, Ok(prepared)) => {
            let answer = prepared.answer(media, headers, account);
            let (answered, back) = Box::pin(answer.instrument(span.clone())).await;
            account = back;
            answered
        }
        (Media::Json | Media::Response, Err(refusal)) => Err(refusal),
    };
    let Account { bill, mut seen } = account;
    let mut answer = answered.unwrap_or_else(|refusal| {
        seen.refused(refusal.errors());
        refusal.answer(media)
    });
    drop(seen);
    bill.show(answer.headers_mut());
    answer.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    answer
}

/// The answer to a method that no GraphQL request has.
pub(super) async fn other_method(headers: HeaderMap) -> Answer {
    let sentence = "GraphQL requests are sent with POST, queries also with GET.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
    let refusal = refusal.header(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

/// What is kept of a request from its beginning to its end: what it pays, and what is seen of it.
struct Account {
    bill: Bill,
    seen: Seen,
}

/// A request that may be executed, with all that this takes: some are executed on other threads.
struct Prepared {
    shared: Arc<Shared>,
    credentials: Credentials,
    /// Empty where the header holds something else, which no token is; `None` without the header.
    token: Option<String>,
    selected: Option<String>,
    request_id: String,
    document: Document,
    request: Request,
    /// Whether it came with GET, which changes nothing.
    reads: bool,
    /// Whether the answer shows what it took.
    shows_plan: bool,
    /// What it would take.
    estimate: Estimate,
}

/// Everything before anybody has to wait for a place.
async fn prepare(
    shared: &Arc<Shared>,
    client: Option<Network>,
    request_id: &str,
    request: axum::extract::Request,
    account: &mut Account,
) -> Result<Prepared, Refusal> {
    let Account { bill, seen } = account;
    bill.pay_for_reading()?;
    let reads = *request.method() != Method::POST;
    let headers = request.headers().clone();
    let incoming = if reads {
        request::from_query(request.uri().query(), &headers)?
    } else {
        request::from_body(&request::body(request, shared).await?, &headers)?
    };
    seen.done(Stage::Admission);
    let document = pipeline::document(shared, &incoming)?;
    seen.done(Stage::Parse);
    let request = incoming.request;
    let name = request.operation_name.as_deref();
    seen.operation(&document, name);
    if reads && document.operation(name) == Some(OperationType::Mutation) {
        let sentence = "Mutations change something: send this one with POST.";
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
        return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
    }
    let estimate = shared.api.estimate(&document, &request)?;
    let shows_plan = plan::is_asked(&request)?;
    if shows_plan {
        seen.list();
    }
    let token = identify::token(&headers).map(str::to_owned);
    let credentials = shared.fair.begin_sign_in(client, token.as_deref()).await?;
    let (shared, selected, request_id) = (Arc::clone(shared), identify::selected(&headers), request_id.to_owned());
    Ok(Prepared { shared, credentials, token, selected, request_id, document, request, reads, shows_plan, estimate })
}

/// Answers with a stream of events. Its headers show what the request had paid until then.
async fn follow(
    shared: &Arc<Shared>,
    prepared: Result<Prepared, Refusal>,
    Account { bill, mut seen }: Account,
) -> Answer {
    let mut headers = HeaderMap::from_iter([(VARY, HeaderValue::from_static("accept"))]);
    bill.show(&mut headers);
    let events = match prepared {
        Ok(prepared) => {
            let (credentials, snapshot) = (prepared.credentials, Arc::new(shared.api.app().snapshot()));
            let operation = prepared.identified(snapshot).await;
            operation.and_then(|operation| events::follow(shared, operation, credentials, bill))
        }
        Err(refusal) => Err(refusal),
    };
    match &events {
        Ok(_) => seen.pass_on(),
        Err(refusal) => seen.refused(refusal.errors()),
    }
    let mut answer = events::answer(shared, events);
    answer.headers_mut().extend(headers);
    answer
}

impl Prepared {
    /// Finds out who asks.
    async fn identified(self, snapshot: Arc<Snapshot>) -> Result<Operation, Refusal> {
        let Self { shared, credentials, token, selected, request_id, document, request, estimate, .. } = self;
        let viewer = match &token {
            Some(token) => {
                let (of_token, app) = ((token.as_str(), &credentials), shared.api.app());
                Some(identify::viewer(app, &shared.fair, &snapshot, of_token, selected, &request_id).await?)
            }
            None => None,
        };
        Ok(Operation { document, request, asking: Asking { snapshot, viewer, request_id }, estimate })
    }

    /// Waits for a place, and answers with one response.
    async fn answer(
        self,
        media: Media,
        headers: HeaderMap,
        mut account: Account,
    ) -> (Result<Answer, Refusal>, Account) {
        if self.document.operation(self.request.operation_name.as_deref()) == Some(OperationType::Subscription) {
            return (Err(Refusal::of_document(vec![no_stream()])), account);
        }
        let place = match self.shared.fair.admit(&self.credentials, self.estimate).await {
            Ok(place) => place,
            Err(refusal) => return (Err(refusal), account),
        };
        let snapshot = self.shared.api.snapshot(&account.seen.tally, place.is_expensive());
        let work = async move { (self.execute(snapshot, media, &headers, &mut account).await, account) };
        place.run(Box::pin(work.in_current_span())).await
    }

    /// Finds out who asks, lets them pay, executes and writes the answer down.
    async fn execute(
        self,
        snapshot: Arc<Snapshot>,
        media: Media,
        headers: &HeaderMap,
        Account { bill, seen }: &mut Account,
    ) -> Result<Answer, Refusal> {
        let (shared, reads, shows_plan) = (Arc::clone(&self.shared), self.reads, self.shows_plan);
        let cost = self.estimate.cost;
        let operation = self.identified(Arc::clone(&snapshot)).await?;
        seen.identified = operation.asking.viewer.is_some();
        seen.done(Stage::Identify);
        if shows_plan {
            plan::allow(operation.asking.viewer.as_ref())?;
        }
        let tag = if reads && !shows_plan { Tag::of(&operation, media) } else { None };
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(headers)) {
            seen.executed(&[]);
            return Ok(tag.not_modified());
        }
        let Operation { document, request, asking, .. } = operation;
        bill.pay_for_execution(asking.viewer.as_ref(), cost)?;
        let (mut response, cost) = shared.api.execute(document, request, asking, cost).await;
        bill.settle(cost.actual);
        seen.cost = Some(cost);
        seen.done(Stage::Execute);
        if !was_executed(&response) {
            return Err(Refusal::of_document(response.errors));
        }
        seen.executed(&response.errors);
        let tag = tag.filter(|tag| response.is_ok() && snapshot.depends_only_on(tag.tenant));
        if shows_plan {
            // The plan stands inside of what is serialised: the time is that of serialising it once without.
            drop(to_json(&response, &shared.limits));
            seen.done(Stage::Serialise);
            response.extensions.insert("plan".into(), plan::of(seen));
        }
        let mut answer = Answer::new(Body::from(to_json(&response, &shared.limits)));
        answer.headers_mut().insert(CONTENT_TYPE, media.content_type());
        if let Some(tag) = tag {
            tag.mark(&mut answer);
        }
        Ok(answer)
    }
}

fn no_stream() -> ServerError {
    let sentence = "A subscription is answered with several responses: send it over a WebSocket with the subprotocol \
                    graphql-transport-ws, or accept text/event-stream.";
    let mut error = ServerError::new(sentence, None);
    error.extensions.get_or_insert_default().set("code", "STREAM_REQUIRED");
    error
}
