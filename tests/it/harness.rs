//! What the tests share: a database with the demo data, the real router before it, and answers as JSON.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::{Router, http};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vext::domain::{Clock, Code, Environment, Random, SystemRandom};
use vext::graphql::Limits;
use vext::http::ServeOptions;
use vext::operations::demo;
use vext::service::{App, Database, NewToken, OpenOptions};

use crate::engines::{Content, Engine, Live};

/// The token that may do everything in the tenant CANISTRACCI.
pub const TOKEN: &str = "test-token";
/// The token for every tenant, with none selected.
pub const ALL: &str = "test-token-all";
/// The token that may only read.
pub const READ: &str = "test-token-read";
/// The token that may look inside as well.
pub const EXPLORE: &str = "test-token-explore";
/// The token of the other tenant.
pub const MOLLOY: &str = "test-token-molloy";

/// 2026-11-23T09:00:00Z, and a second later at every look.
pub struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_424_400_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

/// How the tests open a database.
pub fn options(database: Database, key_file: PathBuf) -> OpenOptions {
    let environment = Environment { clock: Arc::new(TestClock::default()), random: Arc::new(SystemRandom) };
    OpenOptions { database, key_file, readers: 2, environment }
}

/// Time and chance that follow from how many steps a test has taken. Within one step nothing differs, however often a
/// program looks at the clock or draws.
#[derive(Default)]
pub struct Steps(pub AtomicI64);

impl Clock for Steps {
    fn now(&self) -> i64 {
        TestClock::default().now() + 60_000 * self.0.load(Ordering::Relaxed)
    }
}

impl Random for Steps {
    fn fill(&self, bytes: &mut [u8]) {
        let step = usize::try_from(self.0.load(Ordering::Relaxed)).unwrap();
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = (step * 31 + i * 17 + 7) as u8;
        }
    }
}

/// How to open a database so that what is saved and answered is the same every time.
pub fn steady(live: &Live) -> (OpenOptions, Arc<Steps>) {
    let steps = Arc::new(Steps::default());
    let (clock, random) = (Arc::<Steps>::clone(&steps), Arc::<Steps>::clone(&steps));
    (OpenOptions { environment: Environment { clock, random }, ..live.options() }, steps)
}

/// Puts the demo data and the tokens into a fresh database.
pub async fn fill(app: App) {
    demo::fill(&app).await.unwrap();
    for (name, tenants, write, explore) in [
        (TOKEN, &["CANISTRACCI"][..], true, false),
        (ALL, &[], true, false),
        (READ, &["CANISTRACCI"], false, false),
        (MOLLOY, &["MOLLOY"], true, false),
        (EXPLORE, &["CANISTRACCI"], true, true),
    ] {
        let new = NewToken {
            name: name.into(),
            tenants: tenants.iter().map(|&code| code.into()).collect(),
            all_tenants: tenants.is_empty(),
            write,
            delete: write,
            explore,
        };
        app.create_token(new, Some(name.into())).await.unwrap().unwrap();
    }
}

/// A server in this process: everything but the socket.
pub struct Server {
    pub app: App,
    router: Router,
    /// The database behind it.
    pub live: Live,
}

impl Server {
    /// A server with the demo data and the tokens.
    pub fn start(engine: Engine) -> Self {
        Self::over(Live::new(engine, Content::Demo))
    }

    /// The same, for requests that select everything: it lets one cost what it likes.
    pub fn generous(engine: Engine) -> Self {
        Self::limited(Live::new(engine, Content::Demo), Self::anything())
    }

    /// A debug build on a busy machine takes its time.
    fn patient() -> Limits {
        Limits { request_timeout: Duration::from_secs(300), ..Limits::default() }
    }

    fn anything() -> Limits {
        Limits { max_cost: u64::MAX, ..Self::patient() }
    }

    /// The same, filled by the server itself and not copied.
    pub async fn filled(engine: Engine) -> Self {
        let server = Self::limited(Live::new(engine, Content::Schema), Self::anything());
        fill(server.app.clone()).await;
        server
    }

    /// A server over a database that is there.
    pub fn over(live: Live) -> Self {
        Self::limited(live, Self::patient())
    }

    /// A server that allows one request so much.
    pub fn limited(live: Live, limits: Limits) -> Self {
        // Many tests look at the schema; what production keeps back is in `production.rs`.
        let options = ServeOptions { explorable: true, limits, ..ServeOptions::default() };
        let app = App::open(&live.options()).unwrap();
        Self::serving(live, app, options).unwrap()
    }

    /// A server with the demo data and the tokens, with options that may be refused.
    pub fn with(engine: Engine, options: ServeOptions) -> Result<Self, String> {
        let live = Live::new(engine, Content::Demo);
        let app = App::open(&live.options()).unwrap();
        Self::serving(live, app, options)
    }

    /// A server with options of its own, over a database that is open.
    pub fn serving(live: Live, app: App, options: ServeOptions) -> Result<Self, String> {
        let router = vext::http::router(app.clone(), options)?;
        Ok(Self { app, router, live })
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a GraphQL request with a token and headers; the answer's status and body.
    pub async fn post(&self, headers: &[(&str, &str)], body: &Value) -> (StatusCode, Value) {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// The whole answer to a query of a token, with its cost.
    pub async fn answer(&self, token: &str, query: &str, variables: Value) -> Value {
        let authorization = format!("Bearer {token}");
        let body = json!({ "query": query, "variables": variables, "extensions": { "cost": true } });
        self.post(&[("authorization", &authorization)], &body).await.1
    }

    /// The data of a query that must not have errors, for the token of CANISTRACCI.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.answer(TOKEN, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// The payload of a mutation with a single `input`, selected down to what the tests look at.
    pub async fn mutate(&self, mutation: &str, input: Value) -> Value {
        self.mutate_as(TOKEN, mutation, input).await
    }

    /// As [`Server::mutate`], for another token.
    pub async fn mutate_as(&self, token: &str, mutation: &str, input: Value) -> Value {
        let type_name = mutation[..1].to_uppercase() + &mutation[1..] + "Input";
        let query = format!(
            "mutation($input: {type_name}!) {{ result: {mutation}(input: $input) {{
                object {{ id version number name }}
                userErrors {{ path code message value suggestion relatedId }}
                warnings {{ path code brokenRule message value suggestion relatedId }} changes {{ path before after }} }} }}"
        );
        // Where others save at the same time a version can be another one a moment later.
        let is_change = mutation.starts_with("virtualExtension") && mutation.ends_with("Update");
        let is_change = is_change && input.get("expectedVersion").is_none();
        let untold = if is_change { Some(self.untold(token, mutation, &input).await) } else { None };
        let mut answer = self.answer(token, &query, json!({ "input": input })).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let payload = answer["data"]["result"].take();
        assert_words(&payload);
        if let Some(untold) = untold {
            assert_eq!(untold["userErrors"], payload["userErrors"], "{mutation} {input}");
            let is_saved = payload["userErrors"] == json!([]);
            assert!(!is_saved || untold["changes"] == payload["changes"], "{mutation} {input}: {untold} {payload}");
        }
        payload
    }

    /// What a change of a form would come to for a client that does not ask for warnings: less of the form is loaded and
    /// checked for it, and what is wrong is the same.
    async fn untold(&self, token: &str, mutation: &str, input: &Value) -> Value {
        let type_name = mutation[..1].to_uppercase() + &mutation[1..] + "Input";
        let query = format!(
            "mutation($input: {type_name}!) {{ result: {mutation}(input: $input) {{
                userErrors {{ path code message value suggestion relatedId }} changes {{ path before after }} }} }}"
        );
        let mut input = input.clone();
        input["dryRun"] = json!(true);
        let mut answer = self.answer(token, &query, json!({ "input": input })).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"]["result"].take()
    }

    /// Saves what must be saved, as a token; the id of what was saved.
    pub async fn save(&self, token: &str, mutation: &str, input: Value) -> String {
        let payload = self.mutate_as(token, mutation, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
        payload["object"]["id"].as_str().unwrap().to_owned()
    }

    /// The id of whatever has this number in CANISTRACCI.
    pub async fn object(&self, number: &str) -> String {
        let tenant = self.app.tenants().await.unwrap().remove(0).id;
        let number = number.to_owned();
        let row =
            self.app.snapshot().read(tenant, move |query| vext::store::object_by_number(query, &number)).await.unwrap();
        row.unwrap().id.opaque()
    }

    /// The id of the object of CANISTRACCI that the field `of` of a tenant finds by its name.
    pub async fn named(&self, of: &str, name: &str) -> String {
        let query = format!("query($name: String!) {{ tenant {{ {of}(by: {{name: $name}}) {{ id }} }} }}");
        let data = self.data(&query, json!({ "name": name })).await;
        data["tenant"][of]["id"].as_str().unwrap().to_owned()
    }

    /// Id and version of a virtual extension of CANISTRACCI.
    pub async fn extension(&self, number: &str) -> (String, i64) {
        let query =
            "query($number: ExtensionNumber!) { tenant { virtualExtension(by: {number: $number}) { id version } } }";
        let data = self.data(query, json!({ "number": number })).await;
        let found = &data["tenant"]["virtualExtension"];
        (found["id"].as_str().unwrap().to_owned(), found["version"].as_i64().unwrap())
    }
}

/// Errors are told in the words of errors, warnings in those of warnings; an error that is forgiven tells its rule.
pub fn assert_words(payload: &Value) {
    let is_warning = |word: &Value| Code::from_word(word.as_str().unwrap()).unwrap().is_warning();
    for error in payload["userErrors"].as_array().unwrap() {
        assert!(!is_warning(&error["code"]), "{error:#}");
    }
    for warning in payload["warnings"].as_array().unwrap() {
        match (&warning["code"], &warning["brokenRule"]) {
            (code, rule) if code == "BROKEN_RULE" => assert!(!is_warning(rule), "{warning:#}"),
            (code, rule) => assert!(is_warning(code) && rule.is_null(), "{warning:#}"),
        }
    }
}

/// A path as the tests write it: `section.field`.
pub fn path(told: &Value) -> String {
    told["path"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect::<Vec<_>>().join(".")
}

/// The paths of changes.
pub fn paths(changes: &Value) -> Vec<String> {
    changes.as_array().unwrap().iter().map(path).collect()
}

/// `section.field CODE` of every problem of a payload, sorted; of an error that is forgiven also the rule that is broken.
pub fn problems(list: &Value) -> Vec<String> {
    let told = |problem: &Value| {
        let rule = problem["brokenRule"].as_str().map_or_else(String::new, |rule| format!(" {rule}"));
        format!("{} {}{rule}", path(problem), problem["code"].as_str().unwrap())
    };
    let mut found: Vec<_> = list.as_array().unwrap().iter().map(told).collect();
    found.sort();
    found
}
