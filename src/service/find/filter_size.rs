//! The maximum size of filters.

/// The maximum number of conditions in a filter.
const MAX_LEAVES: usize = 32;
/// The maximum number of filters in a filter, including itself.
const MAX_FILTERS: usize = 64;
/// The maximum depth of nested filters.
const MAX_DEPTH: usize = 5;
/// The maximum number of values in an `in`.
const MAX_CHOICES: usize = 100;

/// Measures a filter while it is built.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilterSize {
    leaves: usize,
    filters: usize,
    depth: usize,
    choices: usize,
}

impl FilterSize {
    /// Counts a filter that is nested in `depth` others.
    pub fn filter(&mut self, depth: usize) {
        self.filters += 1;
        self.depth = self.depth.max(depth + 1);
    }

    /// Counts a condition with this number of values.
    pub fn leaf(&mut self, choices: usize) {
        self.leaves += 1;
        self.choices = self.choices.max(choices);
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// One sentence that names the limit.
    pub fn check(self) -> Result<(), String> {
        let Self { leaves, filters, depth, choices } = self;
        let limits = [
            (leaves, MAX_LEAVES, format!("filter must have at most {MAX_LEAVES} conditions; it has {leaves}.")),
            (filters, MAX_FILTERS, format!("filter must contain at most {MAX_FILTERS} filters; it has {filters}.")),
            (depth, MAX_DEPTH, format!("filter must be at most {MAX_DEPTH} levels deep; it has {depth}.")),
            (choices, MAX_CHOICES, format!("in must have at most {MAX_CHOICES} values; it has {choices}.")),
        ];
        limits.into_iter().find(|(actual, max, _)| actual > max).map_or(Ok(()), |(.., sentence)| Err(sentence))
    }
}
