//! The operator's options for serving.

use std::time::Duration;

use super::door::cors::DoorOptions;
use super::door::fair::FairUse;
use super::transport::persisted::DocumentSettings;
use super::transport::streams::StreamSettings;
use super::watch::WatchOptions;
use crate::graphql::Limits;

/// How to serve.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// The token that the playground fills in; only for the demo.
    pub demo_token: Option<String>,
    /// How long running requests may take to finish after a stop is requested.
    pub grace: Duration,
    /// How long to keep accepting requests after a stop is requested, while `/readyz` already fails.
    pub delay: Duration,
    /// What one request may ask for.
    pub limits: Limits,
    /// Which documents are answered.
    pub documents: DocumentSettings,
    /// Access from browsers.
    pub door: DoorOptions,
    /// Whether everybody may see the schema and the playground, and errors suggest names. In production this is for
    /// tokens with the scope `explore`, and nothing is suggested.
    pub explorable: bool,
    /// How sockets and event streams behave.
    pub streaming: StreamSettings,
    /// How much one client may take.
    pub fair: FairUse,
    /// What the server reports about its work.
    pub watch: WatchOptions,
}
