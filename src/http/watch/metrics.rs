//! The metrics of the HTTP server, and `GET /metrics` on a listener of its own, in the text format of Prometheus
//! (prometheus.io/docs/instrumenting/exposition_formats). No label contains a tenant, a token or a value.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::OperationType;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE as PROMETHEUS, encode};
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::outcome::{Ending, RequestOutcome};
use crate::domain::Stopwatch;
use crate::graphql::Api;
use crate::http::door::guard;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::service::App;

/// The most operations with a time series of their own; all others share one.
const MAX_OPERATIONS: usize = 100;
/// The most bytes in the name of an operation that gets a time series of its own.
const LONGEST_NAME: usize = 100;

/// The upper bounds of the histogram's buckets, in seconds.
const BUCKET_BOUNDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The labels that identify an operation.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OperationLabels {
    operation: Arc<str>,
    r#type: &'static str,
}

/// The labels of a request: its operation, and how it ended.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    operation: Arc<str>,
    r#type: &'static str,
    outcome: &'static str,
}

/// One counter for each code of errors.
type CountByCode = Family<[(&'static str, String); 1], Counter>;

/// The metrics of requests, and the registry with all metrics of the server.
pub(in crate::http) struct HttpMetrics {
    registry: Registry,
    /// The names of operations that have a time series of their own.
    names: Mutex<HashSet<Arc<str>>>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    rejected: CountByCode,
    errors: CountByCode,
    executed: Family<[(&'static str, &'static str); 1], Counter>,
    in_flight: Gauge,
    pub(super) spans_dropped: Counter,
}

impl HttpMetrics {
    pub(super) fn new(api: &Api) -> Self {
        let new = Self {
            registry: Registry::default(),
            names: Mutex::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKET_BOUNDS)),
            rejected: CountByCode::default(),
            errors: CountByCode::default(),
            executed: Family::default(),
            in_flight: Gauge::default(),
            spans_dropped: Counter::default(),
        };
        let mut registry = Registry::with_prefix("vext");
        registry.register("requests", "GraphQL requests by operation and outcome", new.requests.clone());
        let help = "Time from the arrival of a request, including reading its body, to its response";
        registry.register("request_duration_seconds", help, new.seconds.clone());
        registry.register(
            "rejected",
            "Requests that were not executed, by the code of the error",
            new.rejected.clone(),
        );
        registry.register(
            "errors",
            "Errors in responses to requests that were executed, by the code of the error",
            new.errors.clone(),
        );
        let help = "Queries and mutations that were executed, by what produced the response: a plan, the cache, or the \
                    executor with the reason why no plan did";
        registry.register("executed", help, new.executed.clone());
        registry.register("requests_in_flight", "Requests in progress", new.in_flight.clone());
        registry.register("spans_dropped", "Spans that did not reach the collector", new.spans_dropped.clone());
        registry.register_collector(Box::new(ProcessMetrics(Stopwatch::start())));
        api.register(&mut registry);
        Self { registry, ..new }
    }

    /// Counts a request as in progress until the returned guard is dropped, even if the client leaves before the
    /// response.
    pub(super) fn start_request(&self) -> InFlightGuard {
        self.in_flight.inc();
        InFlightGuard(self.in_flight.clone())
    }

    /// Counts a request that has ended.
    pub(super) fn count_request(&self, outcome: &RequestOutcome<'_>, seconds: f64) {
        let r#type = match outcome.operation.map(|operation| operation.r#type) {
            Some(OperationType::Query) => "query",
            Some(OperationType::Mutation) => "mutation",
            Some(OperationType::Subscription) => "subscription",
            None => "none",
        };
        let operation = self.operation_label(outcome);
        self.seconds.get_or_create(&OperationLabels { operation: Arc::clone(&operation), r#type }).observe(seconds);
        self.requests.get_or_create(&RequestLabels { operation, r#type, outcome: outcome.word() }).inc();
        let codes = if outcome.ending == Ending::Executed { &self.errors } else { &self.rejected };
        if let Some(executed_by) = outcome.executed_by {
            self.executed.get_or_create(&[("by", executed_by)]).inc();
        }
        for code in outcome.codes {
            codes.get_or_create(&[("code", code.clone())]).inc();
        }
    }

    /// The label for an operation. Clients choose the names, so a name gets a time series of its own only if the
    /// document and the token are valid, and if there are not too many names yet.
    fn operation_label(&self, outcome: &RequestOutcome<'_>) -> Arc<str> {
        let Some(name) = outcome.operation.and_then(|operation| operation.name.as_deref()) else {
            return "none".into();
        };
        // A poisoned lock only means that another thread panicked; the set is intact.
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return Arc::clone(known);
        }
        if outcome.ending != Ending::Executed
            || !outcome.identified
            || names.len() >= MAX_OPERATIONS
            || name.len() > LONGEST_NAME
        {
            return "other".into();
        }
        let name: Arc<str> = name.into();
        names.insert(Arc::clone(&name));
        name
    }
}

/// Counts a request as in progress until it is dropped.
pub(super) struct InFlightGuard(Gauge);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Metrics of the process: its uptime and its version.
#[derive(Debug)]
struct ProcessMetrics(Stopwatch);

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let uptime = ConstGauge::new(self.0.elapsed().as_secs_f64());
        let help = "Time since the start";
        uptime.encode(encoder.encode_descriptor("uptime_seconds", help, None, uptime.metric_type())?)?;
        let build = Family::<[(&str, &str); 1], Gauge>::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        build.encode(encoder.encode_descriptor("build_info", "The program's version", None, build.metric_type())?)
    }
}

/// The router of the listener for metrics.
pub(in crate::http) fn router(app: App, metrics: Arc<HttpMetrics>) -> Router {
    Router::new()
        .route("/metrics", get(answer))
        .fallback(not_found)
        .method_not_allowed_fallback(guard::method_not_allowed)
        .layer(from_fn_with_state(Arc::new(app), guard::guard))
        .with_state(metrics)
}

async fn not_found() -> Response {
    let message = "There is nothing at this address; the metrics are at /metrics.";
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", message).answer(Media::Json)
}

async fn answer(State(metrics): State<Arc<HttpMetrics>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &metrics.registry) {
        Ok(()) => ([(CONTENT_TYPE, PROMETHEUS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
