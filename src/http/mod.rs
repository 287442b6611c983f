//! The transport: GraphQL over HTTP and the playground.

mod admission;
mod graphql;
mod health;
mod identify;
mod metrics;
mod otlp;
mod plan;
mod playground;
mod refusal;
mod request;
mod trace;
mod watch;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;

use health::Health;
use watch::Watch;
pub use watch::WatchOptions;

use crate::graphql::{Api, Limits};
use crate::service::App;

/// How to serve.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// The token that the playground fills in; only for the demo.
    pub demo_token: Option<String>,
    /// How long requests may go on after the stop was asked for.
    pub grace: Duration,
    /// How long requests are still taken after the stop was asked for, while `/readyz` already says no.
    pub delay: Duration,
    /// What one request may ask for.
    pub limits: Limits,
    /// What is told of the server's work.
    pub watch: WatchOptions,
}

/// What all requests share.
struct Shared {
    api: Api,
    demo_token: Option<String>,
    limits: Limits,
    health: Health,
    watch: Arc<Watch>,
}

/// The router, as [`serve`] serves it and as tests call it.
pub fn router(app: App, options: ServeOptions) -> Router {
    shared_router(app, options).0
}

fn shared_router(app: App, options: ServeOptions) -> (Router, Arc<Shared>) {
    let ServeOptions { demo_token, limits, watch, .. } = options;
    let watch = Arc::new(Watch::new(&watch, &app));
    let body = DefaultBodyLimit::max(limits.max_body);
    let shared = Arc::new(Shared { api: Api::new(app), demo_token, limits, health: Health::default(), watch });
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/", get(|| async { Redirect::temporary("/playground/") }))
        .route("/graphql", get(graphql::answer).post(graphql::answer).fallback(graphql::other_method))
        .route("/playground", get(|| async { Redirect::permanent("/playground/") }))
        .route("/playground/", get(playground::index))
        .route("/playground/config.json", get(playground::config))
        .route("/playground/{file}", get(playground::file))
        .layer(body)
        .with_state(Arc::clone(&shared));
    (router, shared)
}

/// Serves until `shutdown` is done and the delay after it is over, then lets running requests finish within the grace
/// time.
///
/// # Errors
/// What the listener answers, or why there is none for the metrics.
pub async fn serve(
    app: App,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (grace, delay) = (options.grace, options.delay);
    let metrics_listen = options.watch.metrics_listen;
    let (router, shared) = shared_router(app, options);
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let watched = metrics_listener(metrics_listen, &shared).await?;
    let asked = async move {
        shutdown.await;
        tracing::info!("stopping");
        shared.health.stop();
        tokio::time::sleep(delay).await;
        drop(stopping);
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(asked);
    let patience = async move {
        let _ = stopped.await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = server => ended,
        ended = watched => ended,
        () = patience => {
            tracing::warn!("some requests were cut off: they went on for more than {} s after the stop", grace.as_secs());
            Ok(())
        }
    }
}

/// Serves the metrics, if that was asked for, as long as the future lives.
async fn metrics_listener(
    address: Option<SocketAddr>,
    shared: &Shared,
) -> std::io::Result<impl Future<Output = std::io::Result<()>> + use<>> {
    let listener = match address {
        Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
            std::io::Error::new(error.kind(), format!("cannot listen on {address} (see --metrics-listen): {error}"))
        })?),
        None => None,
    };
    if let Some(listener) = &listener {
        tracing::info!(metrics = %listener.local_addr()?, "metrics are served");
    }
    let router = metrics::router(Arc::clone(&shared.watch.metrics));
    Ok(async move {
        match listener {
            Some(listener) => axum::serve(listener, router).await,
            None => std::future::pending().await,
        }
    })
}
