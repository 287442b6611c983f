//! The transport: GraphQL over HTTP and the playground.

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
use door::{connections, cors, encoding, guard, sign_in};
pub use options::ServeOptions;
use shared::Shared;
use transport::graphql;
pub use transport::persisted::DocumentSettings;
pub use transport::streams::StreamSettings;
pub use watch::WatchOptions;
use watch::{health, metrics};

use crate::service::App;

/// The router, as [`serve`] serves it and as tests call it.
///
/// # Errors
/// In one sentence, what is wrong with the trusted documents.
pub fn router(app: App, options: ServeOptions) -> Result<Router, String> {
    Ok(routes(Shared::new(app, options, channel(false).1)?))
}

fn routes(shared: Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/graphql", get(graphql::answer).post(graphql::answer).fallback(graphql::other_method))
        .route_layer(encoding::packing());
    let api = match cors::layer(&shared.allowed_origins) {
        Some(cors) => api.route_layer(cors),
        None => api,
    };
    let playground = Router::new()
        .route("/playground/", get(playground::index))
        .route("/playground/config.json", get(playground::config))
        .route("/playground/{file}", get(playground::file))
        .route_layer(from_fn_with_state(Arc::clone(&shared), sign_in::admit));
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/", get(|| async { Redirect::temporary("/playground/") }))
        .route("/playground", get(|| async { Redirect::permanent("/playground/") }))
        .merge(api)
        .merge(playground)
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::other_method)
        .layer(from_fn_with_state(Arc::new(shared.api.app().clone()), guard::guard))
        .with_state(shared)
}

/// Serves until `shutdown` is done and the delay after it is over, then lets running requests finish within the grace
/// time.
///
/// # Errors
/// As [`router`], or why there is no listener for the metrics.
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
    // With nothing of what all requests share, since the server has stopped when that is dropped.
    let metrics = metrics::router(shared.api.app().clone(), Arc::clone(&shared.watch.metrics));
    let watched = metrics_listener(metrics_listen, metrics, fair.clone()).await?;
    let health = shared.health.clone();
    let asked = async {
        shutdown.await;
        tracing::info!("stopping");
        health.stop();
        tokio::time::sleep(delay).await;
        stop.send_replace(true);
    };
    tokio::select! {
        () = connections::serve(listener, routes(shared), fair, grace, asked, stop.closed()) => {}
        // Never ends before.
        () = watched => {}
    }
    Ok(())
}

/// The most connections to the listener for metrics: those of a few scrapers.
const SCRAPERS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Serves the metrics, if that was asked for, as long as the future lives.
async fn metrics_listener(
    address: Option<SocketAddr>,
    metrics: Router,
    fair: FairUse,
) -> Result<impl Future<Output = ()>, String> {
    let listener = match address {
        Some(address) => {
            let said = |error| format!("cannot listen on {address} (see --metrics-listen): {error}");
            let listener = TcpListener::bind(address).await.map_err(said)?;
            tracing::info!(metrics = %listener.local_addr().map_err(said)?, "metrics are served");
            Some(listener)
        }
        None => None,
    };
    let limits =
        FairUse { max_connections: SCRAPERS, max_connections_per_address: SCRAPERS, trusted_proxy: Vec::new(), ..fair };
    Ok(async move {
        match listener {
            Some(listener) => {
                connections::serve(listener, metrics, limits, Duration::ZERO, pending(), ready(())).await;
            }
            None => pending().await,
        }
    })
}
