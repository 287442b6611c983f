//! Whether the program can do its work now.

use std::time::Duration;

use super::app::App;

/// How long the database may take to answer: who asks whether it does wants to send requests elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);

/// What requests need, and whether it is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Readiness {
    /// A read of the database is answered within a second.
    pub database: bool,
    /// The schema is this program's, neither an older nor a newer one.
    pub schema: bool,
    /// Saves are carried out.
    pub writer: bool,
}

impl App {
    /// Looks whether requests can be answered. Costs one read.
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
