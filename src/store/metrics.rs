//! The metrics of a store for Prometheus. Each store has its own; nothing is global.
//!
//! How to add one: a field here with its line in [`Metrics::register`], or a line in `gauges.rs` for a value that is
//! read when metrics are requested.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// A histogram of seconds, with upper bounds from 50 µs to 3 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 3.0, 11))
}

/// A counter for each loader. The names are the program's own, so their number is bounded.
type ByLoader = Family<[(&'static str, &'static str); 1], Counter>;

/// The counters and histograms that the threads of a store update.
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
    /// Counts one batch of a loader.
    pub(super) fn count_batch(&self, of: &'static str, keys: usize) {
        let label = [("loader", of)];
        self.batches.get_or_create(&label).inc();
        self.keys.get_or_create(&label).inc_by(keys as u64);
    }

    /// Adds all of them to a registry.
    pub(super) fn register(&self, to: &mut Registry) {
        to.register("pool_waiting", "Requests that wait for a connection to read", self.pool_waiting.clone());
        to.register("pool_wait_seconds", "Time a request waited for a connection to read", self.pool_wait.clone());
        to.register("writer_wait_seconds", "Time a save waited for its group to begin", self.writer_wait.clone());
        to.register("commit_saves", "Saves in one commit", self.group_saves.clone());
        to.register("commit_group_seconds", "Time a group of saves took, its commit included", self.group.clone());
        to.register("commit_seconds", "Time of the commit alone, until it was on disk", self.commit.clone());
        to.register("commit_retries", "Groups of saves that were retried", self.retries.clone());
        to.register("loader_batches", "Batches of lookups", self.batches.clone());
        to.register("loader_keys", "Keys looked up in batches", self.keys.clone());
    }
}
