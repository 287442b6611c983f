//! Code that the benchmarks share.

/// The number of rounds: `VEXT_BENCH_ROUNDS`, or else `default`; at least one.
pub fn rounds(default: usize) -> usize {
    std::env::var("VEXT_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default).max(1)
}
