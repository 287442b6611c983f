//! The state that all requests share. A handler that needs only a part of it extracts that part.

use std::future::pending;
use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::watch::Receiver;

use super::door::cors::Origin;
use super::door::fair::{FairUseState, TrustedProxies};
use super::door::playground_sign_in::PlaygroundSignIn;
use super::options::ServeOptions;
use super::playground::DemoToken;
use super::transport::persisted::TrustedDocuments;
use super::transport::streams::{StreamSettings, Streams};
use super::watch::Watch;
use super::watch::health::Health;
use crate::graphql::{Api, Limits};
use crate::service::App;

/// The state that all requests share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) demo_token: DemoToken,
    pub(super) limits: Limits,
    pub(super) trusted: TrustedDocuments,
    pub(super) explorable: bool,
    /// The origins whose pages may open WebSockets.
    pub(super) allowed_origins: Vec<Origin>,
    pub(super) streaming: StreamSettings,
    pub(super) streams: Arc<Streams>,
    /// Becomes true when a stop is requested. The server has stopped once all clones of this receiver are dropped.
    pub(super) stopping: Receiver<bool>,
    pub(super) fair: Arc<FairUseState>,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) health: Health,
    pub(super) watch: Arc<Watch>,
}

impl Shared {
    /// Builds the state from the options. `stopping` becomes true when a stop is requested.
    ///
    /// # Errors
    /// What is wrong with the trusted documents, in one sentence.
    pub(super) fn new(app: App, options: ServeOptions, stopping: Receiver<bool>) -> Result<Arc<Self>, String> {
        let ServeOptions { demo_token, limits, documents, door, explorable, streaming, fair, watch, .. } = options;
        let api = Api::new(app.clone().with_feed_poll(streaming.feed_poll), limits.clone(), explorable);
        let trusted_proxies = TrustedProxies::new(&fair.trusted_proxy);
        let (fair, watch) = (FairUseState::new(app, fair), Arc::new(Watch::new(&watch, &api)));
        Ok(Arc::new(Self {
            trusted: documents.load(&limits, explorable)?,
            api,
            demo_token: DemoToken(demo_token),
            limits,
            explorable,
            allowed_origins: door.allowed_origins,
            streams: Streams::new(streaming.max_streams),
            streaming,
            stopping,
            fair,
            trusted_proxies,
            health: Health::default(),
            watch,
        }))
    }
}

impl FromRef<Arc<Shared>> for App {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.api.app().clone()
    }
}

impl FromRef<Arc<Shared>> for DemoToken {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.demo_token.clone()
    }
}

impl FromRef<Arc<Shared>> for Health {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.health.clone()
    }
}

impl FromRef<Arc<Shared>> for PlaygroundSignIn {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        Self::new(shared.api.app(), &shared.fair, shared.explorable)
    }
}

impl FromRef<Arc<Shared>> for TrustedProxies {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.trusted_proxies.clone()
    }
}

/// Waits until a stop is requested; for ever if the sender is gone, so that nobody can request one.
pub(super) async fn stop_requested(stopping: &mut Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        pending::<()>().await;
    }
}
