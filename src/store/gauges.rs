//! The measurements of a store: those that are counted all the time, and those that are read when metrics are
//! requested.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Store;

impl Store {
    /// The number of statements run since the start, without those that begin and end transactions.
    pub fn statements(&self) -> u64 {
        self.statements.run_count()
    }

    /// The texts of all statements run since the start, in alphabetical order.
    pub fn statement_texts(&self) -> Vec<&'static str> {
        self.statements.texts()
    }

    /// Adds the metrics of this store to a registry.
    pub fn register(&self, to: &mut Registry) {
        self.metrics.register(to);
        to.register_collector(Box::new(Gauges(self.clone())));
    }

    fn gauges(&self) -> [(&'static str, &'static str, usize); 6] {
        let (connections, in_use) = self.readers.connections();
        let log = usize::try_from(self.writer.log_bytes()).unwrap_or(usize::MAX);
        [
            ("pool_connections", "Maximum number of connections for reading", connections),
            ("pool_in_use", "Connections for reading that requests use", in_use),
            ("reader_threads", "Threads that read", self.readers.threads()),
            ("reader_queue", "Reads that wait for a thread", self.readers.queued()),
            ("log_bytes", "Bytes of the write-ahead log of a SQLite file", log),
            ("writer_queue", "Saves that wait for their group to begin", self.writer.queued()),
        ]
    }
}

/// Reads the gauges when metrics are requested.
struct Gauges(Store);

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, value) in self.0.gauges() {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let statements = ConstCounter::new(self.0.statements());
        let help = "Statements run, without those that begin and end transactions";
        statements.encode(encoder.encode_descriptor("statements", help, None, statements.metric_type())?)
    }
}
