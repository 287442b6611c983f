//! What a store measures of itself, for Prometheus. Each store has its own; nothing is global.
//!
//! How to add one more: a field here with its line in [`Metrics::register`], or, for what is read when somebody asks, a
//! line in `gauges.rs`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Upper bounds in seconds, from a twentieth of a millisecond to three seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 3.0, 11))
}

/// By the name of what is looked up, one of the program's own.
type ByLoader = Family<[(&'static str, &'static str); 1], Counter>;

/// What a store's threads count and measure.
pub(super) struct Metrics {
    pub(super) pool_waiting: Gauge,
    pub(super) pool_wait: Histogram,
    pub(super) writer_wait: Histogram,
    pub(super) group_saves: Histogram,
    pub(super) group: Histogram,
    pub(super) commit: Histogram,
    pub(super) retries: Counter,
    batches: ByLoader,
    keys: ByLoader,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            pool_waiting: Gauge::default(),
            pool_wait: seconds(),
            writer_wait: seconds(),
            group_saves: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            group: seconds(),
            commit: seconds(),
            retries: Counter::default(),
            batches: ByLoader::default(),
            keys: ByLoader::default(),
        }
    }
}

impl Metrics {
    /// Counts a batch of look-ups.
    pub(super) fn batch(&self, of: &'static str, keys: usize) {
        let label = [("loader", of)];
        self.batches.get_or_create(&label).inc();
        self.keys.get_or_create(&label).inc_by(keys as u64);
    }

    /// Adds all of them to what somebody may ask for.
    pub(super) fn register(&self, to: &mut Registry) {
        to.register("pool_waiting", "Requests that wait for a connection to read", self.pool_waiting.clone());
        to.register("pool_wait_seconds", "Time a request waited for a connection to read", self.pool_wait.clone());
        to.register("writer_wait_seconds", "Time a save waited for its group to begin", self.writer_wait.clone());
        to.register("commit_saves", "Saves in one commit", self.group_saves.clone());
        to.register("commit_group_seconds", "Time a group of saves took, its commit included", self.group.clone());
        to.register("commit_seconds", "Time of a commit alone, until it was on disk", self.commit.clone());
        to.register("commit_retries", "Groups of saves that were run again", self.retries.clone());
        to.register("loader_batches", "Batches of look-ups", self.batches.clone());
        to.register("loader_keys", "What was looked up in batches", self.keys.clone());
    }
}
