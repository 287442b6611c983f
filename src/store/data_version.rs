//! Finds out whether anything has been committed since some moment: at once, without a trip to a reader thread.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::connection::Connection;
use super::engine::ConnectionManager;
use super::error::Result;

/// Identifies a state of the database. If two are equal, no process has committed anything between them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DataVersion {
    number: u32,
    /// The connection that read it. Numbers of different connections cannot be compared.
    slot: usize,
}

impl DataVersion {
    /// Whether this one was read before the other, on the same connection.
    pub fn is_before(self, other: Self) -> bool {
        // The numbers wrap around.
        let ahead = other.number.wrapping_sub(self.number);
        self.slot == other.slot && ahead != 0 && ahead <= u32::MAX / 2
    }

    /// The index of the connection that read it, from 0.
    pub fn slot(self) -> usize {
        self.slot
    }
}

/// Connections that only read the data version. They write nothing themselves, so they see every commit. There is one
/// for each thread that runs async tasks, so that these threads do not wait for each other.
pub(super) struct DataVersions(Vec<Mutex<Box<dyn Connection>>>);

/// The number of the calling thread, assigned at its first call.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<Option<usize>> = const { Cell::new(None) });
    let own = OWN.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.set(Some(own));
    own
}

impl DataVersions {
    pub(super) fn start(manager: &ConnectionManager, slots: usize) -> Result<Self> {
        let opened = (0..slots).map(|_| manager.open_for_data_version());
        let opened = opened.filter_map(Result::transpose).map(|opened| opened.map(Mutex::new));
        Ok(Self(opened.collect::<Result<_>>()?))
    }

    /// The current version; `None` if it cannot be read at once.
    pub(super) fn current(&self) -> Option<DataVersion> {
        self.read_slot(thread_number().checked_rem(self.0.len())?)
    }

    /// Whether nothing has been committed since; `false` if that cannot be found at once.
    pub(super) fn is_unchanged_since(&self, before: DataVersion) -> bool {
        self.read_slot(before.slot) == Some(before)
    }

    fn read_slot(&self, slot: usize) -> Option<DataVersion> {
        // The caller runs async tasks, so it must not wait for another thread that may be waiting for the disk.
        let mut connection = self.0.get(slot)?.try_lock().ok()?;
        let number = connection.data_version().ok().flatten()?;
        Some(DataVersion { number, slot })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stay_ordered_when_their_numbers_wrap_around() {
        let of = |number| DataVersion { number, slot: 1 };
        let all = [of(u32::MAX - 1), of(u32::MAX), of(0), of(1)];
        assert!(all.is_sorted_by(|one, other| one.is_before(*other) && !other.is_before(*one)));
        assert!(!of(7).is_before(of(7)) && !of(7).is_before(DataVersion { number: 8, slot: 0 }));
    }

    #[test]
    fn each_thread_has_a_number_of_its_own() {
        let mine = thread_number();
        assert_eq!(thread_number(), mine);
        assert_ne!(std::thread::spawn(thread_number).join().unwrap(), mine);
    }
}
