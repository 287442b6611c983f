//! The transport: GraphQL over HTTP and the playground.

mod admission;
mod etag;
mod graphql;
mod identify;
mod persisted;
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

use persisted::Trusted;

pub use persisted::DocumentSettings;

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
}

/// What all requests share.
struct Shared {
    api: Api,
    demo_token: Option<String>,
    limits: Limits,
    trusted: Trusted,
}

/// The router, as [`serve`] serves it and as tests call it.
///
/// # Errors
/// In one sentence, what is wrong with the trusted documents.
pub fn router(app: App, options: ServeOptions) -> Result<Router, String> {
    let ServeOptions { demo_token, limits, documents, .. } = options;
    let api = Api::new(app, &limits);
    let trusted = documents.load(&api, &limits)?;
    let body = DefaultBodyLimit::max(limits.max_body);
    let shared = Arc::new(Shared { api, demo_token, limits, trusted });
    let router = Router::new()
        .route("/", get(|| async { Redirect::temporary("/playground/") }))
        .route("/graphql", get(graphql::answer).post(graphql::answer).fallback(graphql::other_method))
        .route("/playground", get(|| async { Redirect::permanent("/playground/") }))
        .route("/playground/", get(playground::index))
        .route("/playground/config.json", get(playground::config))
        .route("/playground/{file}", get(playground::file))
        .layer(body)
        .with_state(shared);
    Ok(router)
}

/// Serves until `shutdown` is done, then lets running requests finish within the grace time.
///
/// # Errors
/// What the listener answers, and as [`router`].
pub async fn serve(
    app: App,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let grace = options.grace;
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let asked = async move {
        shutdown.await;
        tracing::info!("stopping");
        drop(stopping);
    };
    let server = axum::serve(listener, router(app, options)?).with_graceful_shutdown(asked);
    let patience = async move {
        let _ = stopped.await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = server => Ok(ended?),
        () = patience => {
            tracing::warn!("some requests were cut off: they went on for more than {} s after the stop", grace.as_secs());
            Ok(())
        }
    }
}
