//! Whether the program can work at the moment.

use std::time::Duration;

use super::app::App;

/// The time in which the database must answer: a load balancer that asks wants to send requests elsewhere soon.
const PATIENCE: Duration = Duration::from_secs(1);

/// What requests need, and whether it works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Readiness {
    /// The database answers a read within a second.
    pub database: bool,
    /// The schema has the version of this program.
    pub schema: bool,
    /// The writer works, so that objects can be saved.
    pub writer: bool,
}

impl App {
    /// Checks whether requests can be answered. Costs one read.
    pub async fn readiness(&self) -> Readiness {
        let schema = match tokio::time::timeout(PATIENCE, self.store.is_current()).await {
            Ok(Ok(current)) => Some(current),
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready: the database cannot be read");
                None
            }
            Err(_) => {
                tracing::warn!("not ready: the database does not answer within {} s", PATIENCE.as_secs());
                None
            }
        };
        Readiness { database: schema.is_some(), schema: schema == Some(true), writer: self.store.writer_works() }
    }
}
