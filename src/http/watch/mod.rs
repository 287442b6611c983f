//! Watching requests from the outside: how long each stage took, what was asked of the store, how it ended. From this
//! come the metrics, the log of slow operations, the plan that an answer shows, and the spans of traces.

pub(super) mod health;
pub(super) mod metrics;
mod otlp;
mod outcome;
pub(super) mod plan;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use axum::http::HeaderMap;
use clap::Args;
use tracing::Span;

use self::metrics::{HttpMetrics, InFlightGuard};
use self::otlp::{Attribute, Exporter};
use self::outcome::{Ending, Operation, RequestOutcome};
use self::trace::Trace;
use crate::domain::{Stopwatch, duration_at_least};
use crate::graphql::{Api, Cost, DocumentHash, ParsedDocument, Reply, defaults};
use crate::service::App;
use crate::store::Tally;

/// What the server reports about its work, and to whom.
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

    /// Base URL of an OpenTelemetry collector that receives a span for each request, such as `http://127.0.0.1:4318`.
    #[arg(long, env = "VEXT_OTLP_ENDPOINT", value_name = "URL", value_parser = otlp::endpoint)]
    pub otlp_endpoint: Option<String>,
}

impl Default for WatchOptions {
    /// The default of every option.
    fn default() -> Self {
        defaults()
    }
}

/// Who watches.
pub(in crate::http) struct Watch {
    pub(in crate::http) metrics: Arc<HttpMetrics>,
    slow: Duration,
    exporter: Option<Exporter>,
    app: App,
}

/// The stages of a request, in order.
const STAGES: [&str; 5] = ["admission", "parse", "identify", "execute", "serialise"];

/// Their names as attributes of a span; serialising is not measured there.
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

/// What has been seen of one request so far.
pub(in crate::http) struct RequestRecord {
    /// The request's id, which is 16 hexadecimal digits, as a span's is.
    id: Arc<str>,
    trace: Trace,
    /// The span of all log lines about the request, whatever is logged.
    pub(in crate::http) span: Span,
    begun: Stopwatch,
    /// When the last stage ended.
    last: Duration,
    stages: [Duration; STAGES.len()],
    document: Option<DocumentHash>,
    operation: Option<Operation>,
    pub(in crate::http) identified: bool,
    /// What the execution cost.
    pub(in crate::http) cost: Option<Cost>,
    ending: Ending,
    /// The code of each error.
    codes: Vec<String>,
    /// See [`Reply::executed_by`].
    by: Option<&'static str>,
    pub(in crate::http) tally: Arc<Tally>,
    watch: Arc<Watch>,
    /// Whether others tell of it.
    is_passed_on: bool,
    _at_work: InFlightGuard,
}

impl Watch {
    pub(in crate::http) fn new(options: &WatchOptions, api: &Api) -> Self {
        let metrics = Arc::new(HttpMetrics::new(api));
        let exporter = options.otlp_endpoint.as_deref().map(|url| Exporter::start(url, &metrics.spans_dropped));
        Self { metrics, slow: options.slow_operation, exporter, app: api.app().clone() }
    }

    /// Begins to watch a request.
    pub(in crate::http) fn begin(self: &Arc<Self>, id: &Arc<str>, headers: &HeaderMap) -> RequestRecord {
        let trace = Trace::of(headers, &self.app);
        RequestRecord {
            watch: Arc::clone(self),
            is_passed_on: false,
            span: tracing::error_span!("request", id = &**id, trace_id = trace.id),
            id: Arc::clone(id),
            trace,
            begun: Stopwatch::start(),
            last: Duration::ZERO,
            stages: Default::default(),
            document: None,
            operation: None,
            identified: false,
            cost: None,
            ending: Ending::Abandoned,
            codes: Vec::new(),
            by: None,
            tally: Arc::default(),
            _at_work: self.metrics.work(),
        }
    }

    fn tell(&self, seen: &RequestRecord) {
        let took = seen.begun.elapsed();
        let RequestRecord { operation, identified, ending, codes, by, .. } = seen;
        let (operation, identified, ending, by) = (operation.as_ref(), *identified, *ending, *by);
        let outcome = RequestOutcome { operation, identified, ending, codes, by };
        self.metrics.count(&outcome, took.as_secs_f64());
        if let Some(exporter) = self.exporter.as_ref().filter(|_| seen.trace.sampled) {
            exporter.export(seen.as_span(&outcome, self.app.now(), took));
        }
        if took >= self.slow {
            let hash = seen.document.map(|hash| hash.to_string());
            // Neither the text nor the variables: both hold values.
            tracing::warn!(
                parent: &seen.span,
                operation = seen.operation.as_ref().and_then(|operation| operation.name.as_deref()),
                r#type = seen.operation.as_ref().map(|operation| operation.r#type.to_string()),
                milliseconds = took.as_millis() as u64,
                statements = seen.tally.statements(),
                cost = seen.cost.map(|cost| cost.actual),
                errors = seen.codes.len(),
                abandoned = seen.ending == Ending::Abandoned,
                document = hash.as_deref().map(|hash| &hash[..16]),
                "a slow operation"
            );
        }
    }
}

/// Errors that have no code are about what the client sent, see `Refusal::of_document`.
fn code(error: &ServerError) -> String {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    match code {
        Some(async_graphql::Value::String(code)) => code.clone(),
        _ => "INVALID".to_owned(),
    }
}

impl Drop for RequestRecord {
    /// Tells of every request, also of one that nobody waits for any more: that is what somebody will ask about.
    fn drop(&mut self) {
        if !self.is_passed_on {
            self.watch.tell(self);
        }
    }
}

impl RequestRecord {
    /// Leaves it to the operation in a stream to be watched.
    pub(in crate::http) fn pass_on(&mut self) {
        self.is_passed_on = true;
    }

    /// The span for the collector, of a request that ended `now`, in epoch milliseconds.
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

    /// The time since the last stage ended belongs to this stage.
    pub(in crate::http) fn done(&mut self, stage: Stage) {
        let now = self.begun.elapsed();
        self.stages[stage as usize] += now - self.last;
        self.last = now;
    }

    /// How long each of [`STAGES`] took.
    fn stages(&self) -> [Duration; STAGES.len()] {
        self.stages
    }

    /// From now on the names of what the store is asked are remembered.
    pub(in crate::http) fn list(&mut self) {
        self.tally = Arc::new(Tally::with_names());
    }

    /// Remembers how the execution ended.
    pub(in crate::http) fn executed(&mut self, reply: &Reply) {
        self.ending = Ending::Executed;
        self.codes = reply.errors().iter().map(code).collect();
        self.by = reply.executed_by();
    }

    /// Remembers why nothing was executed.
    pub(in crate::http) fn refused(&mut self, errors: &[ServerError]) {
        self.ending = Ending::Refused;
        self.codes = errors.iter().map(code).collect();
    }

    /// Remembers what is to be executed.
    pub(in crate::http) fn operation(&mut self, document: &ParsedDocument, name: Option<&str>) {
        self.document = Some(document.hash());
        let found = document.selected(name);
        self.operation = found.map(|(name, found)| Operation { name: name.map(str::to_owned), r#type: found.ty });
    }
}
