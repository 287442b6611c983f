//! The HTTP server: GraphQL over HTTP, WebSocket and server-sent events, the playground, health checks and metrics.

mod door;
mod media;
mod options;
mod playground;
mod refusal;
mod shared;
mod transport;
mod watch;

use std::future::{pending, ready};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch::channel;

pub use door::cors::{DoorOptions, Origin};
pub use door::fair::{FairUse, STACK, TrustedProxy};
use door::{connections, cors, encoding, guard, playground_sign_in};
pub use options::ServeOptions;
use shared::Shared;
use transport::handler;
pub use transport::persisted::DocumentSettings;
pub use transport::streams::StreamSettings;
pub use watch::WatchOptions;
use watch::{health, metrics};

use crate::service::App;

/// The router that [`serve`] serves and that tests call directly.
///
/// # Errors
/// What is wrong with the trusted documents, in one sentence.
pub fn router(app: App, options: ServeOptions) -> Result<Router, String> {
    Ok(routes(Shared::new(app, options, channel(false).1)?))
}

fn routes(shared: Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/graphql", get(handler::answer).post(handler::answer).fallback(handler::method_not_allowed))
        .route_layer(encoding::packing());
    let api = match cors::layer(&shared.allowed_origins) {
        Some(cors) => api.route_layer(cors),
        None => api,
    };
    let playground = Router::new()
        .route("/playground/", get(playground::index))
        .route("/playground/config.json", get(playground::config))
        .route("/playground/{file}", get(playground::file))
        .route_layer(from_fn_with_state(Arc::clone(&shared), playground_sign_in::require));
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/", get(|| async { Redirect::temporary("/playground/") }))
        .route("/playground", get(|| async { Redirect::permanent("/playground/") }))
        .merge(api)
        .merge(playground)
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::method_not_allowed)
        .layer(from_fn_with_state(Arc::new(shared.api.app().clone()), guard::guard))
        .with_state(shared)
}

/// Serves until `shutdown` completes and the delay after it is over. Running requests then have the grace period to
/// finish.
///
/// # Errors
/// Those of [`router`], or why the listener for the metrics cannot be opened.
pub async fn serve(
    app: App,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let (grace, delay, fair) = (options.grace, options.delay, options.fair.clone());
    let metrics_listen = options.watch.metrics_listen;
    let (stop, stopping) = channel(false);
    let shared = Shared::new(app, options, stopping)?;
    // This router must not hold `Shared`: the server counts as stopped once every `Shared` is dropped.
    let metrics = metrics::router(shared.api.app().clone(), Arc::clone(&shared.watch.metrics));
    let serve_metrics = metrics_listener(metrics_listen, metrics, fair.clone()).await?;
    let health = shared.health.clone();
    let stop_accepting = async {
        shutdown.await;
        tracing::info!("stopping");
        health.stop();
        tokio::time::sleep(delay).await;
        stop.send_replace(true);
    };
    tokio::select! {
        () = connections::serve(listener, routes(shared), fair, grace, stop_accepting, stop.closed()) => {}
        // Never completes: it only runs as long as the other branch.
        () = serve_metrics => {}
    }
    Ok(())
}

/// The most connections to the listener for metrics: enough for a few scrapers.
const MAX_SCRAPERS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Opens the listener for the metrics if the operator configured one. The future that it returns serves them until it
/// is dropped.
async fn metrics_listener(
    address: Option<SocketAddr>,
    metrics: Router,
    fair: FairUse,
) -> Result<impl Future<Output = ()>, String> {
    let listener = match address {
        Some(address) => {
            let describe = |error| format!("cannot listen on {address} (see --metrics-listen): {error}");
            let listener = TcpListener::bind(address).await.map_err(describe)?;
            tracing::info!(metrics = %listener.local_addr().map_err(describe)?, "metrics are served");
            Some(listener)
        }
        None => None,
    };
    let limits = FairUse {
        max_connections: MAX_SCRAPERS,
        max_connections_per_address: MAX_SCRAPERS,
        trusted_proxy: Vec::new(),
        ..fair
    };
    Ok(async move {
        match listener {
            Some(listener) => {
                connections::serve(listener, metrics, limits, Duration::ZERO, pending(), ready(())).await;
            }
            None => pending().await,
        }
    })
}
