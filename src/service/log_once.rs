//! Log lines of which each request would write the same one.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Stopwatch;

/// How long a cause is not logged again.
const PAUSE: Duration = Duration::from_secs(1);
/// The most causes that are remembered; what comes beyond them is always logged.
const CAUSES: usize = 100;

/// When each cause was last logged, and how often it has been left out since.
#[derive(Default)]
struct LoggedCauses(HashMap<String, (Duration, u64)>);

impl LoggedCauses {
    fn due(&mut self, cause: &str, now: Duration) -> Option<u64> {
        let is_recent = |last: &Duration| now - *last < PAUSE;
        if let Some((_, omitted)) = self.0.get_mut(cause).filter(|(last, _)| is_recent(last)) {
            *omitted += 1;
            return None;
        }
        let omitted = self.0.remove(cause).map_or(0, |(_, omitted)| omitted);
        if self.0.len() >= CAUSES {
            self.0.retain(|_, (last, _)| is_recent(last));
        }
        if self.0.len() < CAUSES {
            self.0.insert(cause.to_owned(), (now, 0));
        }
        Some(omitted)
    }
}

/// Whether to log a cause now: once a second, with the number of times that it has been left out.
pub fn log_once(cause: &str) -> Option<u64> {
    static BEGUN: LazyLock<Stopwatch> = LazyLock::new(Stopwatch::start);
    static LOGGED: LazyLock<Mutex<LoggedCauses>> = LazyLock::new(Mutex::default);
    let now = BEGUN.elapsed();
    // A poisoned lock only means that another thread panicked; at worst a line is left out.
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner).due(cause, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_logged_once_a_second_and_the_others_are_counted() {
        let mut logged = LoggedCauses::default();
        let mut due = |cause: &str, milliseconds| logged.due(cause, Duration::from_millis(milliseconds));
        assert_eq!((due("full", 0), due("full", 1), due("full", 999)), (Some(0), None, None));
        assert_eq!((due("gone", 999), due("full", 1000), due("full", 2500)), (Some(0), Some(2), Some(0)));
        for i in 0..2 * CAUSES {
            assert_eq!(due(&i.to_string(), 3000), Some(0), "the memory is bounded");
        }
        assert!(logged.0.len() <= CAUSES);
    }
}
