//! How to serve, as the operator says it.

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
    /// How long requests may go on after the stop was asked for.
    pub grace: Duration,
    /// How long requests are still taken after the stop was asked for, while `/readyz` already says no.
    pub delay: Duration,
    /// What one request may ask for.
    pub limits: Limits,
    /// Which documents are answered.
    pub documents: DocumentSettings,
    /// How browsers are let in.
    pub door: DoorOptions,
    /// Whether everybody may see the schema and the playground, and errors suggest names. In production this is for
    /// tokens with the scope `explore`, and nothing is suggested.
    pub explorable: bool,
    /// How sockets and event streams behave.
    pub streaming: StreamSettings,
    /// What one client may take.
    pub fair: FairUse,
    /// What is told of the server's work.
    pub watch: WatchOptions,
}
