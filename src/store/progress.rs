//! How a long piece of work says how far it is.

/// Hears what a long piece of work is doing, and how much is done of how much. An error ends the work.
pub type Progress<'a> = dyn FnMut(&'static str, u64, u64) -> Result<(), String> + 'a;
