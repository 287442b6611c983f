//! Sets of sections.

use super::Form;
use super::info::Info;
use crate::domain::Patch;

/// Some of the sections of a form.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Sections(u16);

impl Sections {
    /// All of them.
    pub const ALL: Self = Self((1 << Form::RULES.len()) - 1);

    fn of(wanted: impl Fn(usize, &str) -> bool) -> Self {
        let infos = Form::infos().iter().enumerate();
        Self(infos.filter(|(at, info)| wanted(*at, &info.client)).fold(0, |all, (at, _)| all | 1 << at))
    }

    /// Those that a patch sends.
    pub fn sent(patch: &Patch) -> Self {
        Self::of(|_, name| patch.sends(name))
    }

    /// The one with this name, as clients write it.
    pub fn named(name: &str) -> Self {
        Self::of(|_, own| own == name)
    }

    /// Those whose checks can find something else when these change: they themselves, and those whose rules look at them.
    pub fn concerned(self) -> Self {
        Self::of(|at, _| self.has_at(at) || rules(at).iter().any(|name| self.has(name)))
    }

    /// These, and those that their rules look at.
    pub fn with_looked_at(self) -> Self {
        let looks_at = |name: &str| (0..Form::RULES.len()).any(|at| self.has_at(at) && rules(at).contains(&name));
        Self::of(|at, name| self.has_at(at) || looks_at(name))
    }

    /// These and others.
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// How many they are.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// What they are, in form order.
    pub fn infos(self) -> Vec<&'static Info> {
        Form::infos().iter().enumerate().filter(|(at, _)| self.has_at(*at)).map(|(_, info)| *info).collect()
    }

    /// Whether the section with this name, as clients write it, is one of them.
    pub fn has(self, name: &str) -> bool {
        self.0 & Self::named(name).0 != 0
    }

    pub(super) fn has_at(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }
}

/// What the rules of the section at a position look at.
fn rules(at: usize) -> &'static [&'static str] {
    Form::RULES.get(at).map_or(&[], |rules| rules.looks_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_look_at_are_other_sections() {
        for at in 0..Form::RULES.len() {
            for name in rules(at) {
                let looked_at = Sections::named(name);
                assert!(looked_at.count() == 1 && !looked_at.has_at(at), "{name}");
            }
        }
        let (note, follow_me) = (Sections::named("note"), Sections::named("followMe"));
        assert_eq!((note.concerned(), note.with_looked_at()), (note, note));
        let concerned = follow_me.and(Sections::named("additionalDestinations"));
        assert_eq!(follow_me.concerned(), concerned);
        assert_eq!(concerned.with_looked_at(), concerned.and(Sections::named("information")));
        assert_eq!(Sections::ALL.infos().len(), Form::infos().len());
    }
}
