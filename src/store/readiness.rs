//! Whether saves can be carried out.

use super::Store;
use super::error::Result;
use super::job::Outcome;
use super::session::Session;

/// Writes, and changes nothing.
const TRY: &str = "UPDATE migration SET applied_at = applied_at WHERE number = 1";

impl Store {
    /// Whether saves are carried out: there is a thread for them, and the last commit succeeded. Some seconds after one that
    /// failed, a commit that changes nothing is tried, so that a server to which nobody sends saves finds out when they work
    /// again.
    pub async fn writer_works(&self) -> bool {
        let health = self.writer.health();
        let is_healthy = !health.has_failed() || health.may_be_well_again() && self.try_to_write().await.is_ok();
        is_healthy && self.writer.works()
    }

    /// Commits a change that changes nothing.
    ///
    /// # Errors
    /// Why saves fail.
    pub async fn try_to_write(&self) -> Result<()> {
        let attempt = |session: &mut dyn Session| session.execute(TRY, &[]).map(|_| Outcome::Commit(()));
        self.writer.submit(None, None, attempt, |()| {}).await
    }

    /// Checks that the database's file is still the one that was opened.
    ///
    /// # Errors
    /// It was deleted or replaced.
    pub fn check_file(&self) -> Result<()> {
        self.writer.health().check_file()
    }
}
