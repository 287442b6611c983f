//! Observes requests: how long each stage took, which statements the store executed, and how the request ended. The
//! metrics, the log of slow operations, `extensions.plan` of responses and the spans of traces are made from this.

pub(super) mod health;
pub(super) mod metrics;
mod otlp;
mod outcome;
pub(super) mod plan_extension;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use axum::http::{HeaderMap, StatusCode};
use clap::Args;
use clap::builder::BoolishValueParser;
use tracing::Span;

use self::metrics::{HttpMetrics, InFlightGuard};
use self::otlp::{Attribute, Exporter};
use self::outcome::{Ending, Operation, RequestOutcome};
use self::trace::Trace;
use crate::domain::{Stopwatch, duration_at_least};
use crate::graphql::{Api, Cost, DocumentHash, ParsedDocument, Reply, defaults};
use crate::http::door::fair::Network;
use crate::service::{App, Selected, Viewer};
use crate::store::Tally;

/// What the server reports about its work, and where.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Watching")]
pub struct WatchOptions {
    /// IP address and port of a second listener that serves metrics for Prometheus to anybody who can reach it.
    #[arg(long, env = "VEXT_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Log operations that take at least this long as slow, such as `250ms`; `0s` logs all operations.
    #[arg(long, env = "VEXT_SLOW_OPERATION", value_name = "DURATION", default_value = "1s",
        value_parser = duration_at_least(Duration::ZERO))]
    pub slow_operation: Duration,

    /// Log every GraphQL request: operation, token's name, tenant, client, status, outcome and time.
    #[arg(long, env = "VEXT_LOG_REQUESTS", value_parser = BoolishValueParser::new())]
    pub log_requests: bool,

    /// Base URL of an OpenTelemetry collector that receives a span for each request, such as `http://127.0.0.1:4318`.
    #[arg(long, env = "VEXT_OTLP_ENDPOINT", value_name = "URL", value_parser = otlp::parse_endpoint)]
    pub otlp_endpoint: Option<String>,
}

impl Default for WatchOptions {
    /// The default of every option.
    fn default() -> Self {
        defaults()
    }
}

/// The observer of all requests. It reports each one when it ends.
pub(in crate::http) struct Watch {
    pub(in crate::http) metrics: Arc<HttpMetrics>,
    /// Operations that take at least this long are logged as slow.
    slow: Duration,
    /// Whether every request is logged.
    log_requests: bool,
    exporter: Option<Exporter>,
    app: App,
}

/// The stages of a request, in order.
const STAGES: [&str; 5] = ["admission", "parse", "identify", "execute", "serialise"];

/// The names of the stages as attributes of a span; spans do not include serialising.
const STAGE_ATTRIBUTES: [&str; 4] = [
    "vext.admission.microseconds",
    "vext.parse.microseconds",
    "vext.identify.microseconds",
    "vext.execute.microseconds",
];

/// One of [`STAGES`].
#[derive(Clone, Copy)]
pub(in crate::http) enum Stage {
    Admission,
    Parse,
    Identify,
    Execute,
    Serialise,
}

/// What is known about one request so far. Dropping it reports the request.
pub(in crate::http) struct RequestRecord {
    /// The request's id: 16 hexadecimal digits, like the id of a span.
    id: Arc<str>,
    trace: Trace,
    /// The span of all log lines about the request, at every log level.
    pub(in crate::http) span: Span,
    begun: Stopwatch,
    /// When the last stage ended, as the time since `begun`.
    last_end: Duration,
    stages: [Duration; STAGES.len()],
    document: Option<DocumentHash>,
    operation: Option<Operation>,
    identified: bool,
    /// The token's name and the selected tenant, for the log of requests.
    viewer: Option<(String, Option<String>)>,
    client: Option<Network>,
    /// The status of the answer; `None` on a WebSocket.
    pub(in crate::http) status: Option<StatusCode>,
    /// What the execution cost.
    pub(in crate::http) cost: Option<Cost>,
    ending: Ending,
    /// The code of each error.
    codes: Vec<String>,
    /// See [`Reply::executed_by`].
    executed_by: Option<&'static str>,
    pub(in crate::http) tally: Arc<Tally>,
    watch: Arc<Watch>,
    _in_flight: InFlightGuard,
}

impl Watch {
    pub(in crate::http) fn new(options: &WatchOptions, api: &Api) -> Self {
        let metrics = Arc::new(HttpMetrics::new(api));
        let exporter = options.otlp_endpoint.as_deref().map(|url| Exporter::start(url, &metrics.spans_dropped));
        let WatchOptions { slow_operation, log_requests, .. } = *options;
        Self { metrics, slow: slow_operation, log_requests, exporter, app: api.app().clone() }
    }

    /// Begins the record of a request.
    pub(in crate::http) fn begin(
        self: &Arc<Self>,
        id: &Arc<str>,
        headers: &HeaderMap,
        client: Option<Network>,
    ) -> RequestRecord {
        let trace = Trace::from_headers(headers, &self.app);
        RequestRecord {
            watch: Arc::clone(self),
            span: tracing::error_span!("request", id = &**id, trace_id = trace.id),
            id: Arc::clone(id),
            trace,
            begun: Stopwatch::start(),
            last_end: Duration::ZERO,
            stages: Default::default(),
            document: None,
            operation: None,
            identified: false,
            viewer: None,
            client,
            status: None,
            cost: None,
            ending: Ending::Abandoned,
            codes: Vec::new(),
            executed_by: None,
            tally: Arc::default(),
            _in_flight: self.metrics.start_request(),
        }
    }

    /// Reports a request that has ended: to the metrics, to the collector, and to the log if it was slow.
    fn report(&self, record: &RequestRecord) {
        let took = record.begun.elapsed();
        let RequestRecord { operation, identified, ending, codes, executed_by, .. } = record;
        let (operation, identified, ending, executed_by) = (operation.as_ref(), *identified, *ending, *executed_by);
        let outcome = RequestOutcome { operation, identified, ending, codes, executed_by };
        self.metrics.count_request(&outcome, took.as_secs_f64());
        if let Some(exporter) = self.exporter.as_ref().filter(|_| record.trace.sampled) {
            exporter.export(record.as_span(&outcome, self.app.now(), took));
        }
        if self.log_requests {
            let (token, tenant) = record.viewer.as_ref().map(|(token, tenant)| (token, tenant.as_deref())).unzip();
            tracing::info!(
                target: "vext::requests",
                request = &*record.id,
                operation = operation.and_then(|operation| operation.name.as_deref()),
                r#type = operation.map(|operation| operation.r#type.to_string()),
                token,
                tenant = tenant.flatten(),
                client = record.client.map(|client| client.to_string()),
                status = record.status.map(|status| status.as_u16()),
                outcome = outcome.word(),
                code = codes.first().map(String::as_str),
                milliseconds = took.as_micros() as f64 / 1000.0,
                "answered"
            );
        }
        if took >= self.slow {
            let hash = record.document.map(|hash| hash.to_string());
            // Neither the document's text nor the variables are logged, because both contain values.
            tracing::warn!(
                parent: &record.span,
                operation = record.operation.as_ref().and_then(|operation| operation.name.as_deref()),
                r#type = record.operation.as_ref().map(|operation| operation.r#type.to_string()),
                milliseconds = took.as_millis() as u64,
                statements = record.tally.statements(),
                cost = record.cost.map(|cost| cost.actual),
                errors = record.codes.len(),
                abandoned = record.ending == Ending::Abandoned,
                document = hash.as_deref().map(|hash| &hash[..16]),
                "a slow operation"
            );
        }
    }
}

/// The code of an error. Errors without one are in the document or its variables, see `Refusal::from_document_errors`.
fn code(error: &ServerError) -> String {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    match code {
        Some(async_graphql::Value::String(code)) => code.clone(),
        _ => "INVALID".to_owned(),
    }
}

impl Drop for RequestRecord {
    /// Reports every request, including those whose clients have left: these are the ones that operators will look for.
    fn drop(&mut self) {
        self.watch.report(self);
    }
}

impl RequestRecord {
    /// Records who sent the request, once the token has been looked up.
    pub(in crate::http) fn set_viewer(&mut self, viewer: Option<&Viewer>) {
        self.identified = viewer.is_some();
        if let Some(viewer) = viewer.filter(|_| self.watch.log_requests) {
            let tenant = match &viewer.selected {
                Selected::Tenant(tenant) => Some(tenant.settings.code.as_str().to_owned()),
                Selected::None | Selected::Unknown(_) => None,
            };
            self.viewer = Some((viewer.name.clone(), tenant));
        }
    }

    /// The span for the collector. The request ended at `now`, in milliseconds since the epoch.
    fn as_span(&self, outcome: &RequestOutcome<'_>, now: i64, took: Duration) -> otlp::RequestSpan {
        let ended = u128::try_from(now).unwrap_or_default() * 1_000_000;
        let mut attributes = vec![("vext.statements", Attribute::Number(self.tally.statements()))];
        attributes.extend(self.cost.map(|cost| ("vext.cost", Attribute::Number(cost.actual))));
        let r#type = self.operation.as_ref().map(|operation| operation.r#type.to_string());
        attributes.extend(r#type.clone().map(|text| ("graphql.operation.type", Attribute::Text(text))));
        let name = self.operation.as_ref().and_then(|operation| operation.name.clone());
        attributes.extend(name.map(|text| ("graphql.operation.name", Attribute::Text(text))));
        attributes.extend(outcome.codes.first().map(|code| ("error.type", Attribute::Text(code.clone()))));
        let microseconds = |took: Duration| Attribute::Number(took.as_micros() as u64);
        attributes.extend(STAGE_ATTRIBUTES.into_iter().zip(self.stages.map(microseconds)));
        otlp::RequestSpan {
            trace_id: self.trace.id.clone(),
            id: self.id.to_string(),
            parent: self.trace.parent.clone(),
            name: r#type.unwrap_or_else(|| "GraphQL Operation".to_owned()),
            begun: ended.saturating_sub(took.as_nanos()),
            ended,
            attributes,
            failed: !outcome.codes.is_empty() || outcome.ending == Ending::Abandoned,
        }
    }

    /// Ends a stage. The time since the end of the last stage counts for this one.
    pub(in crate::http) fn end_stage(&mut self, stage: Stage) {
        let now = self.begun.elapsed();
        self.stages[stage as usize] += now - self.last_end;
        self.last_end = now;
    }

    /// How long each of [`STAGES`] took.
    fn stages(&self) -> [Duration; STAGES.len()] {
        self.stages
    }

    /// From now on the tally also keeps the texts of statements and the names of loaders.
    pub(in crate::http) fn collect_names(&mut self) {
        self.tally = Arc::new(Tally::with_details());
    }

    /// Records how the execution ended.
    pub(in crate::http) fn record_execution(&mut self, reply: &Reply) {
        self.ending = Ending::Executed;
        self.codes = reply.errors().iter().map(code).collect();
        self.executed_by = reply.executed_by();
    }

    /// Records why nothing was executed.
    pub(in crate::http) fn record_refusal(&mut self, errors: &[ServerError]) {
        self.ending = Ending::Refused;
        self.codes = errors.iter().map(code).collect();
    }

    /// Records what is to be executed.
    pub(in crate::http) fn record_operation(&mut self, document: &ParsedDocument, name: Option<&str>) {
        self.document = Some(document.hash());
        let selected = document.selected(name);
        self.operation =
            selected.map(|(name, definition)| Operation { name: name.map(str::to_owned), r#type: definition.ty });
    }
}
