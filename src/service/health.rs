//! Whether the program can work at the moment.

use std::time::Duration;

use super::app::App;
use crate::store::Result;

/// The time in which the database must answer: a load balancer that asks wants to send requests elsewhere soon.
const PATIENCE: Duration = Duration::from_secs(1);

/// What requests need, and whether it works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Readiness {
    /// The database answers a read within a second, and a SQLite file is still the one that was opened.
    pub database: bool,
    /// The schema has the version of this program.
    pub schema: bool,
    /// Objects can be saved: the last save did not fail, or an attempt to write succeeds again.
    pub writer: bool,
}

impl App {
    /// Commits a change that changes nothing.
    ///
    /// # Errors
    /// Why saves fail.
    pub async fn try_to_write(&self) -> Result<()> {
        self.store.try_to_write().await
    }

    /// Checks whether requests can be answered. Costs one read, and one write some seconds after a save has failed.
    pub async fn readiness(&self) -> Readiness {
        let schema = match tokio::time::timeout(PATIENCE, self.store.is_current()).await {
            Ok(Ok(current)) => match self.store.check_file() {
                Ok(()) => Some(current),
                Err(error) => {
                    tracing::error!(%error, "not ready");
                    None
                }
            },
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready: the database cannot be read");
                None
            }
            Err(_) => {
                tracing::warn!("not ready: the database does not answer within {} s", PATIENCE.as_secs());
                None
            }
        };
        let writer = tokio::time::timeout(PATIENCE, self.store.writer_works()).await.unwrap_or(false);
        if !writer {
            tracing::warn!("not ready: saves fail");
        }
        Readiness { database: schema.is_some(), schema: schema == Some(true), writer }
    }
}
