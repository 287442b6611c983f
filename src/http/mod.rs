//! The transport: GraphQL over HTTP and the playground.

mod admission;
mod connections;
mod cors;
mod encoding;
mod etag;
mod events;
mod fair;
mod graphql;
mod guard;
mod identify;
mod persisted;
mod pipeline;
mod playground;
mod refusal;
mod request;
mod sign_in;
mod socket;
mod stream;
mod streams;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use cors::{DoorOptions, Origin};
use fair::Fair;
pub use fair::{FairUse, TrustedProxy};
pub use persisted::DocumentSettings;
use persisted::Trusted;
pub use streams::StreamSettings;
use streams::Streams;

use crate::graphql::{Api, Limits};
use crate::service::App;

/// How to serve.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// The token that the playground fills in; only for the demo.
    pub demo_token: Option<String>,
    /// How long requests may go on after the stop was asked for.
    pub grace: Duration,
    /// What one request may ask for.
    pub limits: Limits,
    /// Which documents are answered.
    pub documents: DocumentSettings,
    /// How browsers are let in.
    pub door: DoorOptions,
    /// Whether everybody may see the schema and the playground, and errors suggest names. In production this is for
    /// tokens with the scope `explore`, and nothing is suggested.
    pub explorable: bool,
    /// How sockets and event streams behave.
    pub streaming: StreamSettings,
    /// What one client may take.
    pub fair: FairUse,
}

/// What all requests share.
struct Shared {
    api: Api,
    demo_token: Option<String>,
    limits: Limits,
    trusted: Trusted,
    explorable: bool,
    /// Whose pages may open WebSockets.
    allowed_origins: Vec<Origin>,
    streaming: StreamSettings,
    streams: Arc<Streams>,
    /// Becomes true when the stop was asked for. The server has stopped when all of these are dropped.
    stopping: watch::Receiver<bool>,
    fair: Arc<Fair>,
}

/// Waits until the stop was asked for; without end when nobody can ask any more.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The router, as [`serve`] serves it and as tests call it.
///
/// # Errors
/// In one sentence, what is wrong with the trusted documents.
pub fn router(app: App, options: ServeOptions) -> Result<Router, String> {
    routes(app, options, watch::channel(false).1)
}

fn routes(app: App, options: ServeOptions, stopping: watch::Receiver<bool>) -> Result<Router, String> {
    let ServeOptions { demo_token, limits, documents, door, explorable, streaming, fair, .. } = options;
    let fair = Fair::new(app.clone(), fair);
    let api = Api::new(app.with_feed_poll(streaming.feed_poll), &limits, explorable);
    let trusted = documents.load(&api, &limits)?;
    let body = DefaultBodyLimit::max(limits.max_body);
    let streams = Streams::new(streaming.max_streams);
    let cors = cors::layer(&door.allowed_origins);
    let allowed_origins = door.allowed_origins;
    let shared = Arc::new(Shared {
        api,
        demo_token,
        limits,
        trusted,
        explorable,
        allowed_origins,
        streaming,
        streams,
        stopping,
        fair,
    });
    let api = Router::new()
        .route("/graphql", get(graphql::answer).post(graphql::answer).fallback(graphql::other_method))
        .route_layer(from_fn_with_state(Arc::clone(&shared), encoding::unpack))
        .route_layer(body)
        .route_layer(encoding::packing());
    let api = match cors {
        Some(cors) => api.route_layer(cors),
        None => api,
    };
    let playground = Router::new()
        .route("/playground/", get(playground::index))
        .route("/playground/config.json", get(playground::config))
        .route("/playground/{file}", get(playground::file))
        .route_layer(from_fn_with_state(Arc::clone(&shared), sign_in::admit));
    let router = Router::new()
        .route("/", get(|| async { Redirect::temporary("/playground/") }))
        .route("/playground", get(|| async { Redirect::permanent("/playground/") }))
        .merge(api)
        .merge(playground)
        .fallback(guard::not_found)
        .layer(from_fn_with_state(Arc::clone(&shared), guard::guard))
        .with_state(shared);
    Ok(router)
}

/// Serves until `shutdown` is done, then lets running requests finish within the grace time.
///
/// # Errors
/// As [`router`].
pub async fn serve(
    app: App,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let (grace, fair) = (options.grace, options.fair.clone());
    let (stop, stopping) = watch::channel(false);
    let router = routes(app, options, stopping)?;
    let asked = async {
        shutdown.await;
        tracing::info!("stopping");
        stop.send_replace(true);
    };
    connections::serve(listener, router, fair, grace, asked, stop.closed()).await;
    Ok(())
}
