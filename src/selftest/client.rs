//! The client: one request after the other, each bounded in time and in the bytes of its answer.

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
use super::ask::TestRequest;
use super::settings::Settings;
use super::target::ServerUrl;
use super::transport::Patient;
use super::verdict::{Judged, failed, skipped};

/// The longest answer that is read: no refusal comes near it.
pub(super) const LONGEST: usize = 1024 * 1024;
/// The longest time that a busy server may ask for before the one more try, in seconds.
const LONGEST_WAIT: u64 = 5;
/// The longest time for all tries together, in seconds; a server that has still no room then is not waited for.
const WAITING: u64 = 30;
/// The code of a refusal of any document but those of the operator's.
pub(super) const NOT_TRUSTED: &str = "DOCUMENT_NOT_TRUSTED";
/// The code of a refusal of who has no token.
pub(super) const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// A token that no server has handed out.
pub(super) const MADE_UP: &str = "made-up-by-vext-selftest-0000000000";
/// A token that is shorter may stand in an answer by chance.
const TELLING: usize = 8;
/// Words that tell how the server is built; no answer of a door holds one.
const INTERNAL: [&str; 6] = ["panicked", "backtrace", "sqlite", "postgres", "SELECT ", ".rs:"];

/// What was found in answers, whatever they were answers to.
#[derive(Default)]
struct AnswerFindings {
    requests: usize,
    waited: u64,
    internal: Option<String>,
    token: bool,
}

/// The client.
pub(super) struct TestClient {
    pub(super) target: ServerUrl,
    pub(super) patience: Duration,
    token: Option<String>,
    tenant: Option<String>,
    agent: Agent,
    tls: Arc<ClientConfig>,
    heard: RefCell<AnswerFindings>,
}

impl TestClient {
    /// # Errors
    /// In one sentence, what is wrong with the file of authorities.
    pub(super) fn new(settings: Settings) -> Result<Self, String> {
        let Settings { target, token, tenant, authorities, patience } = settings;
        let authorities = authorities.map_or_else(|| Ok(system_authorities()), |path| read_authorities(&path))?;
        let roots: Vec<_> = authorities.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            // A redirection is an answer like any other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            // No answer depends on the one before: who refuses a body closes its connection.
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
        let connector = DefaultConnector::default().chain(Patient);
        let agent = Agent::with_parts(config.build(), connector, DefaultResolver::default());
        Ok(Self { target, patience, token, tenant, agent, tls: Arc::new(tls), heard: RefCell::default() })
    }

    pub(super) fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }

    /// A request for a path beside the API.
    pub(super) fn page(&self, path: &str) -> TestRequest {
        TestRequest::new(Method::GET, self.target.beside(path))
    }

    /// A query in a POST, with the token where there is one: in production nothing else is looked at before it.
    pub(super) fn post(&self, query: &str) -> TestRequest {
        self.post_json(&json!({ "query": query }))
    }

    /// The same for any parameters.
    pub(super) fn post_json(&self, body: &Value) -> TestRequest {
        let ask = TestRequest::new(Method::POST, self.target.api());
        self.known(ask.with("content-type", JSON).with("accept", RESPONSE).sending(body.to_string()))
    }

    /// A query in a GET, with the token where there is one, and with a header that shows that it is not forged.
    pub(super) fn get(&self, query: &str) -> TestRequest {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let ask = TestRequest::new(Method::GET, format!("{}?query={query}", self.target.api()));
        self.known(ask.with("accept", RESPONSE).with("graphql-require-preflight", "1"))
    }

    /// With the token, where there is one, and the tenant.
    fn known(&self, ask: TestRequest) -> TestRequest {
        let Some(token) = &self.token else { return ask };
        let ask = ask.with("authorization", &format!("Bearer {token}"));
        match &self.tenant {
            Some(tenant) => ask.with("x-tenant", tenant),
            None => ask,
        }
    }

    /// With the token and the tenant.
    ///
    /// # Errors
    /// There is no token.
    pub(super) fn signed(&self, ask: TestRequest) -> Judged<TestRequest> {
        self.token().map(|_| self.known(ask))
    }

    /// # Errors
    /// There is none, and the check is skipped.
    pub(super) fn token(&self) -> Judged<&str> {
        self.token.as_deref().ok_or_else(|| skipped("needs --token"))
    }

    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The answer to a request that must be let in for it to be judged.
    ///
    /// # Errors
    /// As [`TestClient::reply`], or the server lets in none but documents of its operator's, or nobody without a token.
    pub(super) fn send(&self, ask: &TestRequest) -> Judged<ServerAnswer> {
        let answer = self.reply(ask)?;
        match answer.code() {
            Some(NOT_TRUSTED) => Err(skipped(answer.seen())),
            Some(UNAUTHENTICATED) if self.token.is_none() => Err(skipped("needs --token")),
            _ => Ok(answer),
        }
    }

    /// The answer to a request. A server that is busy, or that thinks that we are, is asked once more when it said so.
    ///
    /// # Errors
    /// There is none, or it says that no more are given.
    pub(super) fn reply(&self, ask: &TestRequest) -> Judged<ServerAnswer> {
        let mut answer = self.try_send(ask).map_err(|error| failed(format!("no answer: {error}")))?;
        if let Some(wait) = busy(&answer).filter(|wait| *wait <= LONGEST_WAIT && self.may_wait(*wait)) {
            pause(Duration::from_secs(wait));
            answer = self.try_send(ask).map_err(|error| failed(format!("no answer: {error}")))?;
        }
        if busy(&answer).is_some() { Err(skipped(answer.seen())) } else { Ok(answer) }
    }

    /// The answer, whatever it is.
    ///
    /// # Errors
    /// In a few words, why there is none.
    pub(super) fn try_send(&self, ask: &TestRequest) -> Result<ServerAnswer, String> {
        let request = ask.request()?;
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
        self.hear(&answer);
        Ok(answer)
    }

    fn may_wait(&self, seconds: u64) -> bool {
        let mut heard = self.heard.borrow_mut();
        heard.waited += seconds;
        heard.waited <= WAITING
    }

    /// Looks for what no answer may hold.
    fn hear(&self, answer: &ServerAnswer) {
        let values = answer.headers.values().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = values.chain(std::str::from_utf8(&answer.bytes).ok()).collect();
        let holds = |word: &str| said.iter().any(|text| text.contains(word));
        let mut heard = self.heard.borrow_mut();
        heard.requests += 1;
        if answer.body.get("errors").is_some()
            && let Some(word) = INTERNAL.iter().find(|word| holds(word))
        {
            heard.internal.get_or_insert_with(|| format!("{word:?} in {}", answer.seen()));
        }
        let token = self.token.as_deref().filter(|token| token.len() >= TELLING);
        heard.token |= holds(MADE_UP) || token.is_some_and(holds);
    }

    /// How many requests were sent.
    pub(super) fn requests(&self) -> usize {
        self.heard.borrow().requests
    }

    /// One request more, which was sent otherwise.
    pub(super) fn count(&self) {
        self.heard.borrow_mut().requests += 1;
    }

    /// What tells of the server's inside, if an answer does.
    pub(super) fn heard_internal(&self) -> Option<String> {
        self.heard.borrow().internal.clone()
    }

    /// Whether an answer repeats a token.
    pub(super) fn heard_token(&self) -> bool {
        self.heard.borrow().token
    }
}

/// The seconds that a server without room asks for; `None` when it has room, or the answer is to be judged.
fn busy(answer: &ServerAnswer) -> Option<u64> {
    let asks = answer.header("retry-after").map(|seconds| seconds.parse().unwrap_or(u64::MAX));
    match answer.status {
        429 => Some(asks.unwrap_or(u64::MAX)),
        503 => asks,
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "the server asks for time to pass")]
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
        Ok(certificates) if certificates.is_empty() => Err(why(&"it holds no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(why(&error)),
    }
}
