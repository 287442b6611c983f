//! The transport: GraphQL over HTTP and the playground.

mod admission;
mod events;
mod graphql;
mod identify;
mod pipeline;
mod playground;
mod refusal;
mod request;
mod socket;
mod streams;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

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
    /// How sockets and event streams behave.
    pub streaming: StreamSettings,
}

/// What all requests share.
struct Shared {
    api: Api,
    demo_token: Option<String>,
    limits: Limits,
    streaming: StreamSettings,
    streams: Arc<Streams>,
    /// Becomes true when the stop was asked for. The server has stopped when all of these are dropped.
    stopping: watch::Receiver<bool>,
}

/// Waits until the stop was asked for; without end when nobody can ask any more.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The router, as [`serve`] serves it and as tests call it.
pub fn router(app: App, options: ServeOptions) -> Router {
    routes(app, options, watch::channel(false).1)
}

fn routes(app: App, options: ServeOptions, stopping: watch::Receiver<bool>) -> Router {
    let ServeOptions { demo_token, limits, streaming, .. } = options;
    let body = DefaultBodyLimit::max(limits.max_body);
    let (api, streams) = (Api::new(app.with_feed_poll(streaming.feed_poll)), Streams::new(streaming.max_streams));
    let shared = Arc::new(Shared { api, demo_token, limits, streaming, streams, stopping });
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/playground/") }))
        .route("/graphql", get(graphql::answer).post(graphql::answer).fallback(graphql::other_method))
        .route("/playground", get(|| async { Redirect::permanent("/playground/") }))
        .route("/playground/", get(playground::index))
        .route("/playground/config.json", get(playground::config))
        .route("/playground/{file}", get(playground::file))
        .layer(body)
        .with_state(shared)
}

/// Serves until `shutdown` is done, then lets running requests finish within the grace time.
///
/// # Errors
/// What the listener answers.
pub async fn serve(
    app: App,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let grace = options.grace;
    let (stop, mut stopping) = watch::channel(false);
    let router = routes(app, options, stopping.clone());
    let server = async move {
        let stopped = async move { stopped(&mut stopping).await };
        axum::serve(listener, router).with_graceful_shutdown(stopped).await
    };
    let served = async {
        let ended = server.await;
        // For the server a socket is no connection any more.
        stop.closed().await;
        ended
    };
    let patience = async {
        shutdown.await;
        tracing::info!("stopping");
        stop.send_replace(true);
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = served => ended,
        () = patience => {
            tracing::warn!("some requests were cut off: they went on for more than {} s after the stop", grace.as_secs());
            Ok(())
        }
    }
}
