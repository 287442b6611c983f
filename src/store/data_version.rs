//! Whether anything has been committed since: told at once, without a trip to a thread.

use std::sync::Mutex;

use super::engine::{Connection, Manager};
use super::error::Result;

/// Names a state of the database. Where two are equal, nobody has committed anything between them, in whichever process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DataVersion(u32);

impl DataVersion {
    /// Whether this one was there before the other.
    pub fn is_before(self, other: Self) -> bool {
        // The numbers begin again after the last one.
        self.0 != other.0 && other.0.wrapping_sub(self.0) <= u32::MAX / 2
    }
}

/// Tells it by a connection of its own: all others commit beside it, so that it hears of each.
pub(super) struct DataVersions(Option<Mutex<Box<dyn Connection>>>);

impl DataVersions {
    pub(super) fn start(manager: &Manager) -> Result<Self> {
        Ok(Self(manager.open_watching()?.map(Mutex::new)))
    }

    /// That of now; `None` where it is not known at once.
    pub(super) fn now(&self) -> Option<DataVersion> {
        // Whoever asks drives async tasks: it waits for nobody, least of all for one whom the disk holds up.
        let mut connection = self.0.as_ref()?.try_lock().ok()?;
        connection.data_version().ok().flatten().map(DataVersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_each_other_also_where_their_numbers_begin_again() {
        let all = [DataVersion(u32::MAX - 1), DataVersion(u32::MAX), DataVersion(0), DataVersion(1)];
        assert!(all.is_sorted_by(|one, other| one.is_before(*other) && !other.is_before(*one)));
        assert!(!DataVersion(7).is_before(DataVersion(7)));
    }
}
