//! What all benchmarks do alike.

/// How many rounds: what `VEXT_BENCH_ROUNDS` says, or `default`; at least one.
pub fn rounds(default: usize) -> usize {
    std::env::var("VEXT_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default).max(1)
}
