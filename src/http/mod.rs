//! The transport: GraphQL over HTTP and the playground.

mod admission;
mod graphql;
mod identify;
mod playground;
mod refusal;
mod request;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;

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
}

/// What all requests share.
struct Shared {
    api: Api,
    demo_token: Option<String>,
    limits: Limits,
}

/// The router, as [`serve`] serves it and as tests call it.
pub fn router(app: App, options: ServeOptions) -> Router {
    let ServeOptions { demo_token, limits, .. } = options;
    let body = DefaultBodyLimit::max(limits.max_body);
    let shared = Arc::new(Shared { api: Api::new(app, limits.clone()), demo_token, limits });
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
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let asked = async move {
        shutdown.await;
        tracing::info!("stopping");
        drop(stopping);
    };
    let server = axum::serve(listener, router(app, options)).with_graceful_shutdown(asked);
    let patience = async move {
        let _ = stopped.await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = server => ended,
        () = patience => {
            tracing::warn!("some requests were cut off: they went on for more than {} s after the stop", grace.as_secs());
            Ok(())
        }
    }
}
