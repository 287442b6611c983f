//! The operator's options for the HTTP server.

use std::time::Duration;

use super::door::cors::DoorOptions;
use super::door::fair::FairUse;
use super::transport::persisted::DocumentSettings;
use super::transport::streams::StreamSettings;
use super::watch::WatchOptions;
use crate::graphql::Limits;

/// The options of the HTTP server.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// The token that the playground fills in; set only in the demo.
    pub demo_token: Option<String>,
    /// How long running requests may take to finish after a stop is requested.
    pub grace: Duration,
    /// How long to keep accepting requests after a stop is requested, while `/readyz` already fails.
    pub delay: Duration,
    /// The limits of one request.
    pub limits: Limits,
    /// Which documents are accepted.
    pub documents: DocumentSettings,
    /// Access from browsers.
    pub door: DoorOptions,
    /// Whether everybody may see the schema and the playground, and error messages suggest names. In production only
    /// tokens with the scope `explore` may see them, and errors suggest nothing.
    pub explorable: bool,
    /// Limits and timeouts of WebSockets and event streams.
    pub streaming: StreamSettings,
    /// How much one client may use.
    pub fair: FairUse,
    /// What the server reports about its work.
    pub watch: WatchOptions,
}
