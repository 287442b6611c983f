//! What all requests share. Handlers that need a part of it take that part.

use std::future::pending;
use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::watch::Receiver;

use super::door::cors::Origin;
use super::door::fair::{Fair, TrustedProxies};
use super::door::sign_in::SignIn;
use super::options::ServeOptions;
use super::playground::DemoToken;
use super::transport::persisted::Trusted;
use super::transport::streams::{StreamSettings, Streams};
use super::watch::Watch;
use super::watch::health::Health;
use crate::graphql::{Api, Limits};
use crate::service::App;

/// What all requests share.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) demo_token: DemoToken,
    pub(super) limits: Limits,
    pub(super) trusted: Trusted,
    pub(super) explorable: bool,
    /// Whose pages may open WebSockets.
    pub(super) allowed_origins: Vec<Origin>,
    pub(super) streaming: StreamSettings,
    pub(super) streams: Arc<Streams>,
    /// Becomes true when the stop was asked for. The server has stopped when all of these are dropped.
    pub(super) stopping: Receiver<bool>,
    pub(super) fair: Arc<Fair>,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) health: Health,
    pub(super) watch: Arc<Watch>,
}

impl Shared {
    /// What the options make of it; `stopping` becomes true when the stop is asked for.
    pub(super) fn new(app: App, options: ServeOptions, stopping: Receiver<bool>) -> Result<Arc<Self>, String> {
        let ServeOptions { demo_token, limits, documents, door, explorable, streaming, fair, watch, .. } = options;
        let api = Api::new(app.clone().with_feed_poll(streaming.feed_poll), limits.clone(), explorable);
        let trusted_proxies = TrustedProxies::new(&fair.trusted_proxy);
        let (fair, watch) = (Fair::new(app, fair), Arc::new(Watch::new(&watch, &api)));
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

impl FromRef<Arc<Shared>> for SignIn {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        Self::new(shared.api.app(), &shared.fair, shared.explorable)
    }
}

impl FromRef<Arc<Shared>> for TrustedProxies {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.trusted_proxies.clone()
    }
}

/// Waits until the stop was asked for; without end when nobody can ask any more.
pub(super) async fn stopped(stopping: &mut Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        pending::<()>().await;
    }
}
