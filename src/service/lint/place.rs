//! Places in the walk through a tenant, opaque like ids.

use crate::domain::opaque;

/// How far a tenant has been looked over, whichever findings are asked for: all objects before this one, and of this one
/// so much. The tenant itself stands before all objects, which count from 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LintPlace {
    pub(super) object: i64,
    /// How many of the findings that its check makes.
    pub(super) findings: usize,
    /// How many of its expressions, which come behind the check.
    pub(super) expressions: usize,
    /// On how many texts the next expression was tried.
    pub(super) texts: usize,
}

impl LintPlace {
    pub(super) fn before(object: i64) -> Self {
        Self { object, ..Self::default() }
    }

    /// The place in the opaque form that clients see.
    pub fn cursor(self) -> String {
        let Self { object, findings, expressions, texts } = self;
        opaque::write(format!("{object}.{findings}.{expressions}.{texts}"))
    }

    /// The place of a cursor; `None` for what no server has answered.
    pub fn of(cursor: &str) -> Option<Self> {
        let plain = opaque::read(cursor)?;
        let (object, rest) = plain.split_once('.')?;
        let mut counts = rest.splitn(3, '.').map(|count| count.parse().ok());
        let (findings, expressions, texts) = (counts.next()??, counts.next()??, counts.next()??);
        let place = Self { object: object.parse().ok()?, findings, expressions, texts };
        (place.object >= 0 && place.cursor() == cursor).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_and_nothing_else_does() {
        let far = LintPlace { object: i64::MAX, findings: 7, expressions: 1000, texts: 60_000 };
        for place in [LintPlace::default(), LintPlace::before(3), far] {
            assert_eq!(LintPlace::of(&place.cursor()), Some(place));
        }
        for plain in
            ["", "1", "1.", "1.0", "1.0.0", "-1.0.0.0", "1.-1.0.0", "01.0.0.0", "1.0.0.0.0", "+1.0.0.0", "x.0.0.0"]
        {
            assert_eq!(LintPlace::of(&opaque::write(plain)), None, "{plain}");
        }
        assert_eq!(LintPlace::of("!"), None);
    }
}
