//! Exports spans to OpenTelemetry: one for each request, sent in batches to a collector as OTLP over HTTP in JSON
//! (opentelemetry.io/docs/specs/otlp). docs/decisions/0020-seeing-inside.md says why this is written by hand. If the
//! collector is slow or unreachable, spans are lost, but requests are not affected.

use std::thread::JoinHandle;
use std::time::Duration;

use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use crossbeam_channel::{Receiver, Sender, bounded};
use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::domain::Stopwatch;

/// The most spans that wait for the collector; any more are dropped and counted.
const MAX_WAITING: usize = 4096;
/// The most spans in one request to the collector.
const MAX_BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// How long the collector may take to answer, and so how long it can delay a stop.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A finished request as a span.
pub(super) struct RequestSpan {
    /// 32 hexadecimal digits.
    pub(super) trace_id: String,
    /// 16 hexadecimal digits.
    pub(super) id: String,
    /// The client's span.
    pub(super) parent: Option<String>,
    /// The type of the operation; must have few different values.
    pub(super) name: String,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub(super) begun: u128,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub(super) ended: u128,
    /// Names and values. The names follow the semantic conventions of OpenTelemetry where these define one.
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) failed: bool,
}

/// The value of an attribute.
pub(super) enum Attribute {
    Text(String),
    Number(u64),
}

/// Parses the base URL of a collector, such as `http://127.0.0.1:4318`.
pub(super) fn parse_endpoint(text: &str) -> Result<String, String> {
    let is_valid = text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if is_valid {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("must be a URL such as http://127.0.0.1:4318".into())
    }
}

/// The thread that sends the spans, and the channel to it.
pub(super) struct Exporter {
    spans: Option<Sender<RequestSpan>>,
    thread: Option<JoinHandle<()>>,
    dropped: Counter,
}

impl Exporter {
    /// Starts the thread. Spans that do not reach the collector are counted in `dropped`.
    pub(super) fn start(endpoint: &str, dropped: &Counter) -> Self {
        let (spans, queue) = bounded(MAX_WAITING);
        let (url, lost) = (format!("{endpoint}/v1/traces"), dropped.clone());
        let send = move || send_batches(&queue, &agent(), &url, &lost);
        let thread = std::thread::Builder::new().name("spans".into()).spawn(send);
        let thread = thread.map_err(|error| tracing::error!(%error, "cannot start the thread that exports spans")).ok();
        Self { spans: Some(spans), thread, dropped: dropped.clone() }
    }

    /// Queues a span; never waits.
    pub(super) fn export(&self, span: RequestSpan) {
        if self.spans.as_ref().is_none_or(|spans| spans.try_send(span).is_err()) {
            self.dropped.inc();
        }
    }
}

impl Drop for Exporter {
    /// Sends the remaining spans, as far as the collector accepts them.
    fn drop(&mut self) {
        drop(self.spans.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already reported when it happened.
            let _ = thread.join();
        }
    }
}

fn agent() -> Agent {
    let certificates: Vec<_> = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = certificates.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
    let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0).proxy(None).tls_config(tls);
    config.build().new_agent()
}

fn send_batches(queue: &Receiver<RequestSpan>, agent: &Agent, url: &str, lost: &Counter) {
    let mut failing = false;
    while let Ok(first) = queue.recv() {
        let (mut batch, begun) = (vec![first], Stopwatch::start());
        while batch.len() < MAX_BATCH
            && let Ok(span) = queue.recv_timeout(BATCH_DELAY.saturating_sub(begun.elapsed()))
        {
            batch.push(span);
        }
        let body = export_request(&batch).to_string();
        match agent.post(url).header(CONTENT_TYPE, "application/json").send(body) {
            Ok(_) => failing = false,
            Err(error) => {
                lost.inc_by(batch.len() as u64);
                // Logged only once, until sending works again.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "cannot send spans to the collector");
                }
            }
        }
    }
}

/// An `ExportTraceServiceRequest` in the JSON encoding of Protocol Buffers, in which 64-bit integers are strings.
fn export_request(batch: &[RequestSpan]) -> Value {
    let text = |value: &str| json!({ "stringValue": value });
    let spans: Vec<_> = batch.iter().map(span_json).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            { "key": "service.name", "value": text("vext") },
            { "key": "service.version", "value": text(version) },
        ] },
        "scopeSpans": [{ "scope": { "name": "vext", "version": version }, "spans": spans }],
    }] })
}

fn span_json(span: &RequestSpan) -> Value {
    const SERVER: u8 = 2;
    const ERROR: u8 = 2;
    let value = |attribute: &Attribute| match attribute {
        Attribute::Text(text) => json!({ "stringValue": text }),
        Attribute::Number(number) => json!({ "intValue": number.to_string() }),
    };
    let attributes: Vec<_> =
        span.attributes.iter().map(|(key, attribute)| json!({ "key": key, "value": value(attribute) })).collect();
    json!({
        "traceId": span.trace_id,
        "spanId": span.id,
        "parentSpanId": span.parent.as_deref().unwrap_or_default(),
        "name": span.name,
        "kind": SERVER,
        "startTimeUnixNano": span.begun.to_string(),
        "endTimeUnixNano": span.ended.to_string(),
        "attributes": attributes,
        "status": if span.failed { json!({ "code": ERROR }) } else { json!({}) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_base_url() {
        for (text, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
            ("https://collector.example/otlp/", "https://collector.example/otlp"),
        ] {
            assert_eq!(parse_endpoint(text).unwrap(), url);
        }
        for text in ["", "127.0.0.1:4318", "localhost", "ftp://a", "http://a/?token=x", "/v1/traces"] {
            assert!(parse_endpoint(text).unwrap_err().contains("http://127.0.0.1:4318"), "{text}");
        }
    }

    #[test]
    fn spans_that_do_not_reach_the_collector_are_counted() {
        // A port on which nothing listens.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dropped = Counter::default();
        let exporter = Exporter::start(&format!("http://127.0.0.1:{port}"), &dropped);
        let span = || RequestSpan {
            trace_id: "0".repeat(32),
            id: "0".repeat(16),
            parent: None,
            name: "query".into(),
            begun: 0,
            ended: 1,
            attributes: Vec::new(),
            failed: false,
        };
        (0..3).for_each(|_| exporter.export(span()));
        drop(exporter);
        assert_eq!(dropped.get(), 3);
    }
}
