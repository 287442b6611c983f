//! Places in the scan of a tenant. Like ids, they are opaque for clients.

use crate::domain::opaque;

/// How far a scan has come, independent of the selection of findings: all objects before `object`, and a part of this
/// object. The tenant itself comes before all objects, whose ids start at 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LintPlace {
    pub(super) object: i64,
    /// How many findings of its check are done.
    pub(super) findings: usize,
    /// How many of its expressions are done. They come after the check.
    pub(super) expressions: usize,
    /// The number of samples on which the next expression has been tried.
    pub(super) texts: usize,
}

impl LintPlace {
    pub(super) fn before(object: i64) -> Self {
        Self { object, ..Self::default() }
    }

    /// The opaque form of the place for clients.
    pub fn cursor(self) -> String {
        let Self { object, findings, expressions, texts } = self;
        opaque::write(format!("{object}.{findings}.{expressions}.{texts}"))
    }

    /// The place of a cursor; `None` for a text that is not a cursor.
    pub fn from_cursor(cursor: &str) -> Option<Self> {
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
            assert_eq!(LintPlace::from_cursor(&place.cursor()), Some(place));
        }
        for plain in
            ["", "1", "1.", "1.0", "1.0.0", "-1.0.0.0", "1.-1.0.0", "01.0.0.0", "1.0.0.0.0", "+1.0.0.0", "x.0.0.0"]
        {
            assert_eq!(LintPlace::from_cursor(&opaque::write(plain)), None, "{plain}");
        }
        assert_eq!(LintPlace::from_cursor("!"), None);
    }
}
