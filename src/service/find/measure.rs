//! How large a filter may be.

/// The most conditions of a filter.
const LEAVES: usize = 32;
/// The most filters in a filter, itself included.
const FILTERS: usize = 64;
/// How deep filters may stand in each other.
const DEPTH: usize = 5;
/// The most values of an `in`.
const CHOICES: usize = 100;

/// Measures a filter while it is put together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measure {
    leaves: usize,
    filters: usize,
    depth: usize,
    choices: usize,
}

impl Measure {
    /// Counts a filter that stands in as many others.
    pub fn filter(&mut self, within: usize) {
        self.filters += 1;
        self.depth = self.depth.max(within + 1);
    }

    /// Counts a condition with as many values to choose from.
    pub fn leaf(&mut self, choices: usize) {
        self.leaves += 1;
        self.choices = self.choices.max(choices);
    }

    /// Whether the filter is within bounds.
    ///
    /// # Errors
    /// One sentence that names the bound.
    pub fn check(self) -> Result<(), String> {
        let Self { leaves, filters, depth, choices } = self;
        let bounds = [
            (leaves, LEAVES, format!("filter must have at most {LEAVES} conditions; it has {leaves}.")),
            (filters, FILTERS, format!("filter must consist of at most {FILTERS} filters; it has {filters}.")),
            (depth, DEPTH, format!("filter must be at most {DEPTH} levels deep; it has {depth}.")),
            (choices, CHOICES, format!("in must have at most {CHOICES} values; it has {choices}.")),
        ];
        bounds.into_iter().find(|(actual, most, _)| actual > most).map_or(Ok(()), |(.., sentence)| Err(sentence))
    }
}
