//! Whether anything has been committed since: told at once, without a trip to a thread.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::connection::Connection;
use super::engine::Manager;
use super::error::Result;

/// Names a state of the database. Where two are equal, nobody has committed anything between them, in whichever process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DataVersion {
    number: u32,
    /// Who told it: each counts for itself.
    slot: usize,
}

impl DataVersion {
    /// Whether this one was told before the other, by the same.
    pub fn is_before(self, other: Self) -> bool {
        // The numbers begin again after the last one.
        let ahead = other.number.wrapping_sub(self.number);
        self.slot == other.slot && ahead != 0 && ahead <= u32::MAX / 2
    }

    /// Which of those that tell it has told this one, from 0.
    pub fn slot(self) -> usize {
        self.slot
    }
}

/// Those that tell it: connections that do nothing else, so that all others commit beside them and they hear of each. There
/// is one for each thread that drives async tasks, so that these do not wait for each other.
pub(super) struct DataVersions(Vec<Mutex<Box<dyn Connection>>>);

/// Gives each thread that asks a number of its own.
fn own_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<Option<usize>> = const { Cell::new(None) });
    let own = OWN.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.set(Some(own));
    own
}

impl DataVersions {
    pub(super) fn start(manager: &Manager, slots: usize) -> Result<Self> {
        let opened = (0..slots).map(|_| manager.open_watching());
        let opened = opened.filter_map(Result::transpose).map(|opened| opened.map(Mutex::new));
        Ok(Self(opened.collect::<Result<_>>()?))
    }

    /// That of now; `None` where it is not known at once.
    pub(super) fn now(&self) -> Option<DataVersion> {
        self.told_by(own_number().checked_rem(self.0.len())?)
    }

    /// Whether nothing has been committed since; `false` where that is not known at once.
    pub(super) fn is_still(&self, before: DataVersion) -> bool {
        self.told_by(before.slot) == Some(before)
    }

    fn told_by(&self, slot: usize) -> Option<DataVersion> {
        // Whoever asks drives async tasks: it waits for nobody, least of all for one whom the disk holds up.
        let mut connection = self.0.get(slot)?.try_lock().ok()?;
        let number = connection.data_version().ok().flatten()?;
        Some(DataVersion { number, slot })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_each_other_also_where_their_numbers_begin_again() {
        let of = |number| DataVersion { number, slot: 1 };
        let all = [of(u32::MAX - 1), of(u32::MAX), of(0), of(1)];
        assert!(all.is_sorted_by(|one, other| one.is_before(*other) && !other.is_before(*one)));
        assert!(!of(7).is_before(of(7)) && !of(7).is_before(DataVersion { number: 8, slot: 0 }));
    }

    #[test]
    fn each_thread_has_a_number_of_its_own() {
        let mine = own_number();
        assert_eq!(own_number(), mine);
        assert_ne!(std::thread::spawn(own_number).join().unwrap(), mine);
    }
}
