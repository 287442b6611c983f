//! The nine sections of the form, and the one operation on them:
//! *saved = checked(base ⊕ what the client sent)*.
//!
//! The nine are listed once, in this file; whatever must be said of each is made from that list.

mod additional_destinations;
mod call_settings;
mod check;
mod described;
mod destination;
mod facts;
mod field;
mod follow_me;
mod information;
mod list;
mod note;
mod numbers;
mod outbound_calls;
mod outbound_recording;
mod read;
mod section;
mod security;
mod source;
mod web_user_panel;

pub use additional_destinations::*;
pub use call_settings::*;
pub use check::{Checked, check, expressions, lint, number as check_number};
pub use described::{Cell, Described, Leads, Place, Pointer, Reference, Rows, Seen};
pub use destination::{Destination, Destinations, HangupCause, Target as DestinationTarget};
pub use facts::{Facts, Holder, Hop, Known, SlotRange, Surroundings};
pub use field::{Field, FieldValue};
pub use follow_me::*;
pub use information::*;
pub use list::{Entries, Links};
pub use note::*;
pub use numbers::{AreaCode, Expression, KnownNumbers, Trial, Tried};
pub use outbound_calls::*;
pub use outbound_recording::*;
pub(crate) use section::section;
pub use section::{Change, Info, Rules, Section, Typed, admit, build, camel, load};
pub use security::*;
pub use source::Source;
pub use web_user_panel::*;

use std::any::Any;
use std::sync::LazyLock;

use crate::domain::{ObjectId, Patch, Problem, Sent, SentSecret};

/// The checks of one section, see [`Rules`].
struct SectionRules {
    looks_at: &'static [&'static str],
    check: fn(&Form, &Facts, &mut Checked),
    lint: fn(&Form, &Facts, &mut Checked),
    expressions: for<'a> fn(&'a Form, &AreaCode, &mut dyn FnMut(Expression<'a>)),
}

macro_rules! form {
    ($($name:ident: $Section:ident,)+) => {
        /// A whole form: what is saved, or what a new one opens with.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Form { $(#[doc = concat!("See [`", stringify!($Section), "`].")] pub $name: $Section),+ }

        impl Form {
            /// What the sections are, in form order.
            pub fn infos() -> &'static [&'static Info] {
                static INFOS: LazyLock<Vec<&'static Info>> = LazyLock::new(|| vec![$($Section::info_of()),+]);
                &INFOS
            }

            const RULES: &'static [SectionRules] = &[$(SectionRules {
                looks_at: $Section::LOOKS_AT,
                check: $Section::check,
                lint: $Section::lint,
                expressions: $Section::expressions,
            }),+];

            /// What a new form holds in a tenant that has not chosen its own defaults.
            pub fn initial() -> Self {
                Self { $($name: $Section::initial()),+ }
            }

            /// A form with these sections, of which the others are as at first; `None` when one is no section of a form.
            pub fn with(sections: Vec<Box<dyn Section>>) -> Option<Self> {
                let mut form = Self::initial();
                for section in sections {
                    form.put(section)?;
                }
                Some(form)
            }

            fn put(&mut self, section: Box<dyn Section>) -> Option<()> {
                let section: Box<dyn Any> = section;
                $(let section = match section.downcast::<$Section>() {
                    Ok(section) => {
                        self.$name = *section;
                        return Some(());
                    }
                    Err(other) => other,
                };)+
                drop(section);
                None
            }

            /// Its sections, in form order.
            pub fn sections(&self) -> [&dyn Section; Self::RULES.len()] {
                [$(&self.$name),+]
            }

            fn sections_mut(&mut self) -> [&mut dyn Section; Self::RULES.len()] {
                [$(&mut self.$name),+]
            }

            /// A copy for a new extension: without what belongs to this one alone.
            pub fn copied(self) -> Self {
                Self { $($name: self.$name.copied()),+ }
            }
        }
    };
}

form! {
    information: Information,
    call_settings: CallSettings,
    outbound_recording: OutboundRecording,
    security: Security,
    web_user_panel: WebUserPanel,
    outbound_calls: OutboundCalls,
    follow_me: FollowMe,
    additional_destinations: AdditionalDestinations,
    note: Note,
}

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

    fn has_at(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }
}

/// What the rules of the section at a position look at.
fn rules(at: usize) -> &'static [&'static str] {
    Form::RULES.get(at).map_or(&[], |rules| rules.looks_at)
}

impl Form {
    /// This form with a patch on top: any subset of the sections, of each any subset of the fields. What breaks a rule is
    /// reported and leaves its field as it was.
    pub fn patched(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Self {
        let mut form = self.clone();
        for section in form.sections_mut() {
            let name = &section.info().client;
            if let Some(Sent::Object(sent)) = patch.get(name) {
                section.apply(sent, &mut |problem| report(problem.under(name)));
            }
        }
        form
    }

    /// The secrets that a patch sends.
    pub fn secrets(patch: &Patch) -> Vec<SentSecret<'_>> {
        let of = |info: &&'static Info| match patch.get(&info.client) {
            Some(Sent::Object(sent)) => info.secrets(sent),
            _ => Vec::new(),
        };
        Self::infos().iter().flat_map(of).collect()
    }

    /// The fields whose values differ, as `section.field`.
    pub fn diff(&self, after: &Self) -> Vec<Change> {
        let of = |(before, after): (&dyn Section, &dyn Section)| {
            let section = &before.info().client;
            let under = move |change: Change| Change { path: format!("{section}.{}", change.path), ..change };
            before.diff(after).into_iter().map(under)
        };
        self.sections().into_iter().zip(after.sections()).flat_map(of).collect()
    }

    /// Some of its sections.
    fn some(&self, of: Sections) -> impl Iterator<Item = &dyn Section> {
        self.sections().into_iter().enumerate().filter(move |(at, _)| of.has_at(*at)).map(|(_, section)| section)
    }

    /// Hands out every reference that some sections hold, with its path.
    pub fn references(&self, of: Sections, visit: &mut dyn FnMut(Reference)) {
        for section in self.some(of) {
            section.references(&mut |mut reference| {
                reference.path.insert(0, section.info().client.clone());
                visit(reference);
            });
        }
    }

    /// Hands out every list of destinations of some sections, with its path.
    pub fn destinations(&self, of: Sections, visit: &mut dyn FnMut([String; 2], &Destinations)) {
        for section in self.some(of) {
            let name = &section.info().client;
            section.destinations(&mut |field, list| visit([name.clone(), field.client.clone()], list));
        }
    }

    /// Points at `to` where the form pointed at `from`; without `to`, at nothing.
    pub fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
        for section in self.sections_mut() {
            section.redirect(from, to);
        }
    }

    /// Dials `to` where the form dialled `from`.
    pub fn redial(&mut self, from: &str, to: &str) {
        for section in self.sections_mut() {
            section.redial(from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    fn information(fields: Patch) -> Patch {
        [("information", fields)].into()
    }

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

    /// Also shows that every field of every section can be blank.
    #[test]
    fn absent_keeps_null_clears_a_value_is_parsed() {
        let base = Form::initial();
        let sent = [("name", "Ivy".into()), ("description", Sent::Null), ("inboundTimeoutSeconds", 45.into())].into();
        let mut problems = Vec::new();
        let form = base.patched(&information(sent), &mut |p| problems.push(p));
        assert_eq!(problems, []);
        assert_eq!(form.information.inbound_timeout_seconds.get(), 45);
        let paths: Vec<_> = base.diff(&form).into_iter().map(|c| c.path).collect();
        assert_eq!(paths, ["information.name", "information.inboundTimeoutSeconds"]);
    }

    #[test]
    fn all_problems_come_at_once_and_a_refused_field_keeps_its_value() {
        let sent = [("name", "<>".into()), ("inboundTimeoutSeconds", 0.into()), ("dnd", Sent::Null)].into();
        let mut problems = Vec::new();
        let form = Form::initial().patched(&information(sent), &mut |p| problems.push((p.path.join("."), p.code)));
        assert_eq!(form, Form::initial());
        assert_eq!(
            problems,
            [
                ("information.name".to_owned(), Code::InvalidFormat),
                ("information.dnd".to_owned(), Code::Required),
                ("information.inboundTimeoutSeconds".to_owned(), Code::OutOfRange),
            ]
        );
    }
}
