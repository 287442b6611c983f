//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, ServerError};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::header::{ALLOW, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response as Answer;
use tracing::Instrument as _;

use super::claim::{self, Claim};
use super::etag::{Asked, Tag};
use super::fair::{Bill, Client, Credentials, Network};
use super::guard::RequestId;
use super::media::Media;
use super::pipeline::{self, Operation};
use super::refusal::Refusal;
use super::shared::Shared;
use super::watch::{Seen, Stage};
use super::{body, encoding, events, identify, plan, request, socket};
use crate::graphql::{Asking, Begun, Cost, Document, Estimate, Exceeded, GaveUp, Limits, Planned, Reply, Unplanned};
use crate::service::Viewer;
use crate::store::{DataVersion, Session, Snapshot};

/// Answers a GraphQL request.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Client(client): Client,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: axum::extract::Request,
) -> Answer {
    let accepted = Media::accepted(request.headers());
    let media = accepted.unwrap_or(Media::Json);
    let request = match encoding::unpacked(request, shared.fair.options.client_timeout, &shared.limits).await {
        Ok(request) => request,
        Err(refusal) => return refusal.answer(media),
    };
    let (parts, body) = request.into_parts();
    let headers = Arc::new(parts.headers);
    if socket::is_asked_for(&headers) {
        return socket::open(shared, headers, client, upgrade);
    }
    let mut account =
        Account { bill: Bill::new(Arc::clone(&shared.fair), client), seen: shared.watch.begin(&request_id, &headers) };
    let span = account.seen.span.clone();
    let prepared = match accepted {
        Some(_) => {
            let request = match parts.method {
                Method::POST => Sent::Body(body),
                _ => Sent::Query(parts.uri),
            };
            let prepared = prepare(&shared, (client, request_id, media), (request, &headers), &mut account);
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

/// Where a request stands: in the body of a POST, or in the address of a GET, which changes nothing.
enum Sent {
    Body(Body),
    Query(Uri),
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
    claim: Claim,
    selected: Option<String>,
    request_id: Arc<str>,
    document: Document,
    request: Request,
    /// What is asked, where the answer to it gets a tag: with GET, which changes nothing.
    asked: Option<Asked>,
    /// Whether the answer shows what it took.
    shows_plan: bool,
    /// What it would take. A limit that it passes is told once it is known who asks: it depends on the schema.
    estimate: Result<Estimate, Exceeded>,
    /// The plan that answers it in one trip, if there is one.
    planned: Option<Planned>,
    /// A state of the database, and who asks as was found out in that state.
    data_version: Option<DataVersion>,
    remembered: Option<Arc<Viewer>>,
    /// Why that plan has given up, and who asks, as was found out before.
    gave_up: Option<(GaveUp, Option<Viewer>)>,
}

/// What comes of a request in its place.
enum Executed {
    Answer(Answer),
    /// Its plan has given up, and what the executor would take needs another place.
    Elsewhere(Box<Prepared>),
}

/// Everything before anybody has to wait for a place.
async fn prepare(
    shared: &Arc<Shared>,
    (client, request_id, media): (Option<Network>, Arc<str>, Media),
    (sent, headers): (Sent, &HeaderMap),
    account: &mut Account,
) -> Result<Prepared, Refusal> {
    let Account { bill, seen } = account;
    bill.pay_for_reading()?;
    let (incoming, reads) = match sent {
        Sent::Query(address) => (request::from_query(address.query(), headers)?, true),
        Sent::Body(sent) => {
            let body = body::read(sent, headers, shared.fair.options.client_timeout, &shared.limits).await?;
            (request::from_body(&body, headers)?, false)
        }
    };
    let claim = Claim::of(headers);
    identify::asked_for(&claim, shared.explorable)?;
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
    let estimate = shared.api.estimate(&document, &request);
    let shows_plan = plan::is_asked(&request);
    if shows_plan {
        seen.list();
    }
    // Nothing is looked up without a token.
    let is_plain = !shows_plan && claim.token().is_some() && estimate.is_ok();
    let planned = is_plain.then(|| shared.api.planned_for_all(&document, &request)).flatten();
    let asked = (reads && !shows_plan).then(|| Asked::of(&document, &request, media)).flatten();
    let credentials = shared.fair.begin_sign_in(client, &claim).await?;
    let (shared, selected) = (Arc::clone(shared), claim::selected(headers));
    Ok(Prepared {
        shared,
        credentials,
        claim,
        selected,
        request_id,
        document,
        request,
        asked,
        shows_plan,
        estimate,
        planned,
        data_version: None,
        remembered: None,
        gave_up: None,
    })
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
            let operation = prepared.identified(snapshot, None).await;
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
    /// Finds out who asks, unless that is `known`.
    async fn identified(self, snapshot: Arc<Snapshot>, known: Option<Option<Viewer>>) -> Result<Operation, Refusal> {
        let Self { shared, credentials, claim, selected, request_id, document, request, estimate, .. } = self;
        let viewer = match (known, &claim) {
            (Some(viewer), _) => viewer,
            (None, Claim::None) => None,
            (None, Claim::Malformed | Claim::Token(_)) => {
                let (claim, app) = ((&claim, &credentials), shared.api.app());
                Some(identify::viewer(app, &shared.fair, &snapshot, claim, selected, &request_id).await?)
            }
        };
        let estimate = estimate?;
        Ok(Operation { document, request, asking: Asking { snapshot, viewer, request_id }, estimate })
    }

    /// Waits for a place, and answers with one response.
    async fn answer(
        self,
        media: Media,
        headers: Arc<HeaderMap>,
        mut account: Account,
    ) -> (Result<Answer, Refusal>, Account) {
        if self.document.operation(self.request.operation_name.as_deref()) == Some(OperationType::Subscription) {
            return (Err(Refusal::of_document(vec![no_stream()])), account);
        }
        let mut prepared = self;
        match prepared.answer_kept((media, &headers), &mut account) {
            Ok(None) => {}
            Ok(Some(answer)) => return (Ok(answer), account),
            Err(refusal) => return (Err(refusal), account),
        }
        loop {
            let estimate = prepared.estimate.unwrap_or_default();
            let takes = prepared.planned.as_ref().map_or(estimate, |planned| planned.estimate(estimate));
            let place = match prepared.shared.fair.admit(&prepared.credentials, takes).await {
                Ok(place) => place,
                Err(refusal) => return (Err(refusal), account),
            };
            let expensive = place.is_expensive();
            let snapshot = prepared.shared.api.snapshot(&account.seen.tally, expensive);
            let headers = Arc::clone(&headers);
            let work = async move {
                let executed = prepared.execute((snapshot, expensive), media, &headers, &mut account).await;
                (executed, account)
            };
            let (executed, back) = place.run(Box::pin(work.in_current_span())).await;
            account = back;
            match executed {
                Ok(Executed::Answer(answer)) => return (Ok(answer), account),
                Ok(Executed::Elsewhere(again)) => prepared = *again,
                Err(refusal) => return (Err(refusal), account),
            }
        }
    }

    /// Answers what has not changed since it was answered before: at once, as nobody has to be waited for.
    fn answer_kept(
        &mut self,
        (media, headers): (Media, &HeaderMap),
        Account { bill, seen }: &mut Account,
    ) -> Result<Option<Answer>, Refusal> {
        let (Some(planned), Claim::Token(token), Ok(Estimate { cost, .. })) =
            (&self.planned, &self.claim, &self.estimate)
        else {
            return Ok(None);
        };
        let (shared, selected) = (&self.shared, self.selected.as_deref());
        self.data_version = shared.api.app().data_version();
        self.remembered = self.data_version.and_then(|of| shared.api.app().remembered(of, token, selected));
        let Some(viewer) = &self.remembered else { return Ok(None) };
        let tag = tag_of(self.asked.as_ref(), planned, viewer);
        let is_known = tag.as_ref().is_some_and(|tag| tag.is_known(headers));
        let kept = if is_known { None } else { planned.kept(viewer) };
        if !is_known && kept.is_none() {
            return Ok(None);
        }
        shared.fair.end_sign_in(&self.credentials, Some(token), Some(true));
        seen.identified = true;
        match kept {
            Some(kept) => {
                bill.pay_for_execution(Some(viewer), *cost)?;
                let reply = settled(shared.api.kept(kept, (&self.request, *cost)), (bill, seen))?;
                Ok(Some(answer_of(&reply, tag.as_ref(), media, &shared.limits)))
            }
            None => Ok(tag.map(|tag| not_modified(&tag, seen))),
        }
    }

    /// Finds out who asks, lets them pay, executes and writes the answer down.
    async fn execute(
        mut self,
        (snapshot, expensive): (Arc<Snapshot>, bool),
        media: Media,
        headers: &Arc<HeaderMap>,
        Account { bill, seen }: &mut Account,
    ) -> Result<Executed, Refusal> {
        let (shared, shows_plan) = (Arc::clone(&self.shared), self.shows_plan);
        if let (Some(planned), Claim::Token(token)) = (self.planned.take(), self.claim.clone()) {
            let at_once = self.execute_at_once((planned, token), &snapshot, (media, headers), (bill, seen)).await?;
            if let Some(answer) = at_once {
                return Ok(Executed::Answer(answer));
            }
            bill.settle(0);
            if !expensive && self.estimate.is_ok_and(|estimate| shared.fair.is_expensive(estimate)) {
                return Ok(Executed::Elsewhere(Box::new(self)));
            }
        }
        let asked = self.asked.clone();
        let (gave_up, viewer) = self.gave_up.take().map_or((None, None), |(why, viewer)| (Some(why), Some(viewer)));
        let operation = self.identified(Arc::clone(&snapshot), viewer).await?;
        let viewer = operation.asking.viewer.as_ref();
        seen.identified = viewer.is_some();
        seen.done(Stage::Identify);
        if shows_plan {
            plan::allow(viewer)?;
        }
        let tag = asked.zip(viewer).and_then(|(asked, viewer)| asked.tag(viewer));
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(headers)) {
            return Ok(Executed::Answer(not_modified(tag, seen)));
        }
        let Operation { document, request, asking, estimate: Estimate { cost, .. } } = operation;
        bill.pay_for_execution(asking.viewer.as_ref(), cost)?;
        let executed = match gave_up {
            Some(why) => shared.api.execute_unplanned(why, (document, request), asking, cost).await,
            None => shared.api.execute(document, request, asking, cost).await,
        };
        let mut reply = settled(executed, (bill, seen))?;
        let tag = tag.filter(|tag| reply.errors().is_empty() && snapshot.depends_only_on(tag.tenant));
        if shows_plan {
            // The plan stands inside of what is serialised: the time is that of serialising it once without.
            drop(reply.to_json(&shared.limits));
            seen.done(Stage::Serialise);
            reply.extend("plan", plan::of(seen));
        }
        Ok(Executed::Answer(answer_of(&reply, tag.as_ref(), media, &shared.limits)))
    }

    /// Does the same by a plan, in one trip to the database or, where something changes, in one more; `None` when the plan
    /// gives up.
    async fn execute_at_once(
        &mut self,
        (planned, token): (Planned, String),
        snapshot: &Arc<Snapshot>,
        (media, headers): (Media, &Arc<HeaderMap>),
        (bill, seen): (&mut Bill, &mut Seen),
    ) -> Result<Option<Answer>, Refusal> {
        let (cost, credentials) = (self.estimate?.cost, self.credentials);
        let (shared, mut own) = (Arc::clone(&self.shared), bill.take());
        let (asks, id, selected) = (token.clone(), Arc::clone(&self.request_id), self.selected.clone());
        let (asked, headers) = (self.asked.clone(), Arc::clone(headers));
        let before = (self.data_version, self.remembered.take());
        // Known also when the trip does not come to its end.
        let known = Arc::new(OnceLock::new());
        let (viewer, deadline) = (Arc::clone(&known), snapshot.deadline());
        let trip = move |session: &mut dyn Session| {
            let found = shared.api.app().authenticate_in(session, (&asks, selected), before);
            let identified = identify::signed_in(&shared.fair, (Some(&asks), &credentials), found, &id);
            let outcome = identified.and_then(|identified| {
                let viewer = viewer.get_or_init(|| identified);
                let tag = tag_of(asked.as_ref(), &planned, viewer);
                if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(&headers)) {
                    return Ok(Ok(Written::Before(tag.clone())));
                }
                own.pay_for_execution(Some(viewer), cost)?;
                Ok(planned.begin(viewer, session, deadline).map(|begun| Written::Answer(Box::new(begun), tag)))
            });
            Ok((outcome, own))
        };
        let outcome = match snapshot.read_at_once(None, trip).await {
            Ok((outcome, own)) => {
                *bill = own;
                outcome?
            }
            // What kept the plan from its end the executor meets too, and says.
            Err(_) if known.get().is_some() => Err(Unplanned::Error),
            Err(error) => {
                let of_token = (Some(token.as_str()), &self.credentials);
                let refused = identify::signed_in::<Viewer>(&self.shared.fair, of_token, Err(error), &self.request_id);
                return Err(refused.err().unwrap_or_else(|| Refusal::internal(&self.request_id)));
            }
        };
        seen.identified = true;
        let Some(viewer) = known.get() else { return Err(Refusal::internal(&self.request_id)) };
        let gave_up = match outcome {
            Ok(Written::Before(tag)) => return Ok(Some(not_modified(&tag, seen))),
            Ok(Written::Answer(begun, tag)) => {
                let asking = (Arc::clone(snapshot), Arc::clone(viewer), Arc::clone(&self.request_id));
                match self.shared.api.finish(*begun, asking, (&self.request, cost)).await {
                    Ok(executed) => {
                        let reply = settled(executed, (bill, seen))?;
                        return Ok(Some(answer_of(&reply, tag.as_ref(), media, &self.shared.limits)));
                    }
                    Err(gave_up) => gave_up,
                }
            }
            Err(why) => why.into(),
        };
        self.gave_up = Some((gave_up, Some((**viewer).clone())));
        Ok(None)
    }
}

/// What a plan answers to a request, and the tag of that.
enum Written {
    Answer(Box<Begun>, Option<Tag>),
    /// What the client has already.
    Before(Tag),
}

/// The tag of what a plan answers to a request that came with GET.
fn tag_of(asked: Option<&Asked>, planned: &Planned, viewer: &Viewer) -> Option<Tag> {
    asked.filter(|_| planned.tenant(viewer).is_some())?.tag(viewer)
}

fn not_modified(tag: &Tag, seen: &mut Seen) -> Answer {
    seen.executed(&Reply::default());
    tag.not_modified()
}

/// An answer that was executed: what it has cost is settled.
fn settled((reply, cost): (Reply, Cost), (bill, seen): (&mut Bill, &mut Seen)) -> Result<Reply, Refusal> {
    bill.settle(cost.actual);
    seen.cost = Some(cost);
    seen.done(Stage::Execute);
    if !reply.was_executed() {
        return Err(Refusal::of_document(reply.into_errors()));
    }
    seen.executed(&reply);
    Ok(reply)
}

fn answer_of(reply: &Reply, tag: Option<&Tag>, media: Media, limits: &Limits) -> Answer {
    let mut answer = Answer::new(Body::from(reply.to_json(limits)));
    answer.headers_mut().insert(CONTENT_TYPE, media.content_type());
    if let Some(tag) = tag {
        tag.mark(&mut answer);
    }
    answer
}

fn no_stream() -> ServerError {
    let sentence = "A subscription is answered with several responses: send it over a WebSocket with the subprotocol \
                    graphql-transport-ws, or accept text/event-stream.";
    let mut error = ServerError::new(sentence, None);
    error.extensions.get_or_insert_default().set("code", "STREAM_REQUIRED");
    error
}
