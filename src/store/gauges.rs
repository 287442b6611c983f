//! What is read of a store when somebody asks for its metrics.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Store;

impl Store {
    /// Adds what this store measures to what somebody may ask for.
    pub fn register(&self, to: &mut Registry) {
        self.metrics.register(to);
        to.register_collector(Box::new(Gauges(self.clone())));
    }

    fn gauges(&self) -> [(&'static str, &'static str, usize); 6] {
        let (connections, in_use) = self.readers.connections();
        let log = usize::try_from(self.writer.log_bytes()).unwrap_or(usize::MAX);
        [
            ("pool_connections", "Most connections that read at the same time", connections),
            ("pool_in_use", "Connections that requests have for reading", in_use),
            ("reader_threads", "Threads that read", self.readers.threads()),
            ("reader_queue", "Reads that wait for a thread", self.readers.queued()),
            ("log_bytes", "Bytes of the log beside a SQLite file", log),
            ("writer_queue", "Saves that wait for their group to begin", self.writer.queued()),
        ]
    }
}

/// What is read when somebody asks.
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
        let help = "Statements that were run, without those that begin and end transactions";
        statements.encode(encoder.encode_descriptor("statements", help, None, statements.metric_type())?)
    }
}
