//! The client of the selftest. It sends one request at a time, with limits on the time and on the size of the answer.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};

use super::answer::{JSON, RESPONSE, ServerAnswer};
use super::request::TestRequest;
use super::server_url::ServerUrl;
use super::settings::SelftestSettings;
use super::transport::EarlyAnswerConnector;
use super::verdict::{CheckResult, failed, skipped};

/// The maximum size of an answer in bytes; a refusal is much shorter.
pub(super) const LONGEST: usize = 1024 * 1024;
/// The longest `Retry-After` of a busy server that is waited for before the one retry, in seconds.
const LONGEST_WAIT: u64 = 5;
/// The longest total wait for busy answers, in seconds; after that, requests are not retried.
const WAITING: u64 = 30;
/// The code of a refusal of a document that is not one of the operator's trusted documents.
pub(super) const NOT_TRUSTED: &str = "DOCUMENT_NOT_TRUSTED";
/// The code of a refusal of a request without a valid token.
pub(super) const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// A token that no server has issued.
pub(super) const MADE_UP: &str = "made-up-by-vext-selftest-0000000000";
/// The minimum length of a token that is searched for in answers; a shorter one may occur by chance.
const MIN_TOKEN_LENGTH: usize = 8;
/// Words that reveal how the server is built; no error may contain one.
const INTERNAL: [&str; 6] = ["panicked", "backtrace", "sqlite", "postgres", "SELECT ", ".rs:"];

/// What was found in all answers together.
#[derive(Default)]
struct AnswerFindings {
    requests: usize,
    waited: u64,
    internal: Option<String>,
    token: bool,
}

/// The client of the selftest.
pub(super) struct TestClient {
    pub(super) target: ServerUrl,
    pub(super) timeout: Duration,
    token: Option<String>,
    tenant: Option<String>,
    agent: Agent,
    tls: Arc<ClientConfig>,
    findings: RefCell<AnswerFindings>,
}

impl TestClient {
    /// # Errors
    /// In one sentence, what is wrong with the file of authorities.
    pub(super) fn new(settings: SelftestSettings) -> Result<Self, String> {
        let SelftestSettings { target, token, tenant, ca_file, timeout } = settings;
        let authorities = ca_file.map_or_else(|| Ok(system_authorities()), |path| read_authorities(&path))?;
        let roots: Vec<_> = authorities.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirection is an answer like any other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            // No connection is reused, because a server that refuses a body closes its connection.
            .max_idle_connections(0)
            .user_agent(concat!("vext-selftest/", env!("CARGO_PKG_VERSION")))
            .allow_non_standard_methods(true)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build());
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(authorities);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(store)
            .with_no_client_auth();
        let connector = DefaultConnector::default().chain(EarlyAnswerConnector);
        let agent = Agent::with_parts(config.build(), connector, DefaultResolver::default());
        Ok(Self { target, timeout, token, tenant, agent, tls: Arc::new(tls), findings: RefCell::default() })
    }

    pub(super) fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }

    /// A request for a path beside the API.
    pub(super) fn get_path(&self, path: &str) -> TestRequest {
        TestRequest::new(Method::GET, self.target.sibling_url(path))
    }

    /// A query in a POST, with the token if there is one, because a server in production checks the token first.
    pub(super) fn post(&self, query: &str) -> TestRequest {
        self.post_json(&json!({ "query": query }))
    }

    /// A POST with any body, as [`TestClient::post`].
    pub(super) fn post_json(&self, body: &Value) -> TestRequest {
        let request = TestRequest::new(Method::POST, self.target.api());
        self.with_token_if_any(request.with("content-type", JSON).with("accept", RESPONSE).with_body(body.to_string()))
    }

    /// A query in a GET, with the token if there is one, and with the header that proves that no page forged it.
    pub(super) fn get(&self, query: &str) -> TestRequest {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let request = TestRequest::new(Method::GET, format!("{}?query={query}", self.target.api()));
        self.with_token_if_any(request.with("accept", RESPONSE).with("graphql-require-preflight", "1"))
    }

    /// Adds the token and the tenant, if there are any.
    fn with_token_if_any(&self, request: TestRequest) -> TestRequest {
        let Some(token) = &self.token else { return request };
        let request = request.with("authorization", &format!("Bearer {token}"));
        match &self.tenant {
            Some(tenant) => request.with("x-tenant", tenant),
            None => request,
        }
    }

    /// Adds the token and the tenant.
    ///
    /// # Errors
    /// There is no token, and the check is skipped.
    pub(super) fn with_token(&self, request: TestRequest) -> CheckResult<TestRequest> {
        self.token().map(|_| self.with_token_if_any(request))
    }

    /// The token.
    ///
    /// # Errors
    /// There is none, and the check is skipped.
    pub(super) fn token(&self) -> CheckResult<&str> {
        self.token.as_deref().ok_or_else(|| skipped("needs --token"))
    }

    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Sends a request that can be judged only if the server accepts it.
    ///
    /// # Errors
    /// As [`TestClient::send_retrying`]; the check is skipped if the server accepts only trusted documents, or needs a
    /// token that is not given.
    pub(super) fn send(&self, request: &TestRequest) -> CheckResult<ServerAnswer> {
        let answer = self.send_retrying(request)?;
        match answer.code() {
            Some(NOT_TRUSTED) => Err(skipped(answer.summary())),
            Some(UNAUTHENTICATED) if self.token.is_none() => Err(skipped("needs --token")),
            _ => Ok(answer),
        }
    }

    /// Sends a request, and retries it once if the server is busy or limits our rate.
    ///
    /// # Errors
    /// There is no answer; or the server is still busy, and the check is skipped.
    pub(super) fn send_retrying(&self, request: &TestRequest) -> CheckResult<ServerAnswer> {
        let mut answer = self.send_once(request).map_err(|error| failed(format!("no answer: {error}")))?;
        if let Some(wait) = retry_after(&answer).filter(|wait| *wait <= LONGEST_WAIT && self.may_wait(*wait)) {
            pause(Duration::from_secs(wait));
            answer = self.send_once(request).map_err(|error| failed(format!("no answer: {error}")))?;
        }
        if retry_after(&answer).is_some() { Err(skipped(answer.summary())) } else { Ok(answer) }
    }

    /// Sends a request and returns the answer, whatever it is.
    ///
    /// # Errors
    /// In a few words, why there is no answer.
    pub(super) fn send_once(&self, request: &TestRequest) -> Result<ServerAnswer, String> {
        let request = request.build()?;
        let sent = match request.body().is_empty() {
            true => self.agent.run(request.map(drop)),
            false => self.agent.run(request),
        };
        let (head, body) = sent.map_err(|error| error.to_string())?.into_parts();
        let mut bytes = Vec::new();
        let read = body.into_reader().take(LONGEST as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("it ends early: {error}"))?;
        let status = head.status.as_u16();
        let answer = ServerAnswer::new(status, head.headers, bytes);
        self.inspect(&answer);
        Ok(answer)
    }

    fn may_wait(&self, seconds: u64) -> bool {
        let mut findings = self.findings.borrow_mut();
        findings.waited += seconds;
        findings.waited <= WAITING
    }

    /// Searches an answer for things that no answer may contain.
    fn inspect(&self, answer: &ServerAnswer) {
        let values = answer.headers.values().filter_map(|value| value.to_str().ok());
        let texts: Vec<&str> = values.chain(std::str::from_utf8(&answer.bytes).ok()).collect();
        let holds = |word: &str| texts.iter().any(|text| text.contains(word));
        let mut findings = self.findings.borrow_mut();
        findings.requests += 1;
        if answer.body.get("errors").is_some()
            && let Some(word) = INTERNAL.iter().find(|word| holds(word))
        {
            findings.internal.get_or_insert_with(|| format!("{word:?} in {}", answer.summary()));
        }
        let token = self.token.as_deref().filter(|token| token.len() >= MIN_TOKEN_LENGTH);
        findings.token |= holds(MADE_UP) || token.is_some_and(holds);
    }

    /// How many requests were sent.
    pub(super) fn requests(&self) -> usize {
        self.findings.borrow().requests
    }

    /// Counts a request that was not sent by this client.
    pub(super) fn count_request(&self) {
        self.findings.borrow_mut().requests += 1;
    }

    /// The first word in an answer that reveals internals of the server.
    pub(super) fn leaked_internals(&self) -> Option<String> {
        self.findings.borrow().internal.clone()
    }

    /// Whether an answer contained a token.
    pub(super) fn leaked_token(&self) -> bool {
        self.findings.borrow().token
    }
}

/// The seconds that a busy server asks to wait; `None` if the answer does not say that it is busy.
fn retry_after(answer: &ServerAnswer) -> Option<u64> {
    let seconds = answer.header("retry-after").map(|seconds| seconds.parse().unwrap_or(u64::MAX));
    match answer.status {
        429 => Some(seconds.unwrap_or(u64::MAX)),
        503 => seconds,
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "the server asks to wait")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn system_authorities() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let why = |error: &dyn std::fmt::Display| format!("--ca-file: {}: {error}", path.display());
    let file = File::open(path).map_err(|error: io::Error| why(&error))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(BufReader::new(file)).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(why(&"it contains no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(why(&error)),
    }
}
