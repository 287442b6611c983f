//! Reports the progress of long operations.

/// A callback with the current step of a long operation, the amount done and the total. An error stops the operation.
pub type Progress<'a> = dyn FnMut(&'static str, u64, u64) -> Result<(), String> + 'a;
