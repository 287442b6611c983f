//! The transport: GraphQL over HTTP and the playground.

mod admission;
mod cors;
mod encoding;
mod etag;
mod graphql;
mod guard;
mod identify;
mod persisted;
mod playground;
mod refusal;
mod request;
mod sign_in;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;

pub use cors::{DoorOptions, Origin};
pub use persisted::DocumentSettings;
use persisted::Trusted;

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
}

/// What all requests share.
struct Shared {
    api: Api,
    demo_token: Option<String>,
    limits: Limits,
    trusted: Trusted,
    explorable: bool,
}

/// The router, as [`serve`] serves it and as tests call it.
///
/// # Errors
/// In one sentence, what is wrong with the trusted documents.
pub fn router(app: App, options: ServeOptions) -> Result<Router, String> {
    let ServeOptions { demo_token, limits, documents, door, explorable, .. } = options;
    let api = Api::new(app, &limits, explorable);
    let trusted = documents.load(&api, &limits)?;
    let body = DefaultBodyLimit::max(limits.max_body);
    let shared = Arc::new(Shared { api, demo_token, limits, trusted, explorable });
    let api = Router::new()
        .route("/graphql", get(graphql::answer).post(graphql::answer).fallback(graphql::other_method))
        .route_layer(from_fn_with_state(Arc::clone(&shared), encoding::unpack))
        .route_layer(body)
        .route_layer(encoding::packing());
    let api = match cors::layer(&door.allowed_origins) {
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
