//! The rules of a section.

use super::section::{Typed, build};
use super::{AreaCode, Checked, Expression, Facts, Form};
use crate::domain::Patch;

/// The rules that the types of a section's fields cannot express.
pub trait Rules: Typed {
    /// The section in a tenant that has not set its own defaults: every field is off, empty or at its minimum, unless
    /// the section overrides this.
    fn initial() -> Self {
        Self::blank()
    }

    /// The section in a copy of the extension, without the values that must not be shared, such as secrets.
    fn copied(self) -> Self {
        self
    }

    /// The other sections that [`Rules::check`] reads, by their names in the form.
    const DEPENDS_ON: &'static [&'static str] = &[];

    /// Checks what depends on several fields or on the tenant. References that are missing or of the wrong kind are
    /// found before, in the same way for all sections.
    fn check(_form: &Form, _facts: &Facts, _checked: &mut Checked) {}

    /// Adds the warnings that only make sense for a saved form, see [`lint`](super::lint).
    fn lint(_form: &Form, _facts: &Facts, _checked: &mut Checked) {}

    /// Visits the expressions that can be tried on numbers, always in the same order; `area` is the area code of the
    /// tenant. Their paths begin with the section.
    fn expressions<'a>(_form: &'a Form, _area: &AreaCode, _visit: &mut dyn FnMut(Expression<'a>)) {}

    /// The section with every field off, empty or at its minimum.
    #[expect(
        clippy::expect_used,
        reason = "a section with a field that cannot be blank fails in the tests of `form_operations.rs`"
    )]
    fn blank() -> Self {
        build(&Patch::default(), &mut |_| {}).expect("all fields of a section can be blank")
    }
}
