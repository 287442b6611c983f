//! Sets of sections.

use super::Form;
use super::info::SectionInfo;
use crate::domain::Patch;

/// Some of the sections of a form.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Sections(u16);

impl Sections {
    /// All sections.
    pub const ALL: Self = Self((1 << Form::RULES.len()) - 1);

    fn matching(wanted: impl Fn(usize, &str) -> bool) -> Self {
        let infos = Form::infos().iter().enumerate();
        Self(infos.filter(|(at, info)| wanted(*at, &info.client_name)).fold(0, |all, (at, _)| all | 1 << at))
    }

    /// The sections in a patch.
    pub fn sent(patch: &Patch) -> Self {
        Self::matching(|_, name| patch.sends(name))
    }

    /// The section with this name in the form.
    pub fn named(name: &str) -> Self {
        Self::matching(|_, own| own == name)
    }

    /// The sections whose checks may have a different result when these change: these, and those whose rules depend on
    /// them.
    pub fn affected(self) -> Self {
        Self::matching(|at, _| self.has_index(at) || dependencies(at).iter().any(|name| self.has(name)))
    }

    /// These sections, and those that their rules depend on.
    pub fn with_dependencies(self) -> Self {
        let depends_on =
            |name: &str| (0..Form::RULES.len()).any(|at| self.has_index(at) && dependencies(at).contains(&name));
        Self::matching(|at, name| self.has_index(at) || depends_on(name))
    }

    /// These sections and others.
    pub fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The number of sections.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Describes the sections, in form order.
    pub fn infos(self) -> Vec<&'static SectionInfo> {
        Form::infos().iter().enumerate().filter(|(at, _)| self.has_index(*at)).map(|(_, info)| *info).collect()
    }

    /// Whether the section with this name is one of them.
    pub fn has(self, name: &str) -> bool {
        self.0 & Self::named(name).0 != 0
    }

    pub(super) fn has_index(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }
}

/// The sections that the rules of the section at a position depend on.
fn dependencies(at: usize) -> &'static [&'static str] {
    Form::RULES.get(at).map_or(&[], |rules| rules.depends_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_depend_on_other_sections() {
        for at in 0..Form::RULES.len() {
            for name in dependencies(at) {
                let dependency = Sections::named(name);
                assert!(dependency.count() == 1 && !dependency.has_index(at), "{name}");
            }
        }
        let (note, follow_me) = (Sections::named("note"), Sections::named("followMe"));
        assert_eq!((note.affected(), note.with_dependencies()), (note, note));
        let affected = follow_me.union(Sections::named("additionalDestinations"));
        assert_eq!(follow_me.affected(), affected);
        assert_eq!(affected.with_dependencies(), affected.union(Sections::named("information")));
        assert_eq!(Sections::ALL.infos().len(), Form::infos().len());
    }
}
