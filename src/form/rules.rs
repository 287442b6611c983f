//! The rules of a section.

use super::section::{Typed, build};
use super::{AreaCode, Checked, Expression, Facts, Form};
use crate::domain::Patch;

/// What the types of a section's fields cannot say.
pub trait Rules: Typed {
    /// What the section holds in a tenant that has not chosen its own defaults: every field off, empty or at its
    /// least, unless the section's file says otherwise.
    fn initial() -> Self {
        Self::blank()
    }

    /// The section for a copy of the extension: without what belongs to this one alone, such as its secrets.
    fn copied(self) -> Self {
        self
    }

    /// The other sections that [`Rules::check`] looks at, by their names as clients write them.
    const LOOKS_AT: &'static [&'static str] = &[];

    /// Checks what depends on other fields and on what stands around the form. A dangling or ill-fitting reference is
    /// found before, for all sections alike.
    fn check(_form: &Form, _facts: &Facts, _checked: &mut Checked) {}

    /// Checks what is worth saying of a saved form only, see [`lint`](super::lint).
    fn lint(_form: &Form, _facts: &Facts, _checked: &mut Checked) {}

    /// Hands out the expressions that can be tried on numbers, always in the same order; `area` is the tenant's. What
    /// stands in front of them in their paths is the section.
    fn expressions<'a>(_form: &'a Form, _area: &AreaCode, _visit: &mut dyn FnMut(Expression<'a>)) {}

    /// Every field off, empty or at its least.
    #[expect(
        clippy::expect_used,
        reason = "a section with a field that cannot be blank fails in the tests of `whole.rs`"
    )]
    fn blank() -> Self {
        build(&Patch::default(), &mut |_| {}).expect("all fields of a section can be blank")
    }
}
