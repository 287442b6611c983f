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
                check: $Section::check,
                lint: $Section::lint,
                expressions: $Section::expressions,
            }),+];

            /// What a new form holds in a tenant that has not chosen its own defaults.
            pub fn initial() -> Self {
                Self { $($name: $Section::initial()),+ }
            }

            /// The form of these sections, which are in form order; `None` when they are not.
            pub fn of(sections: Vec<Box<dyn Section>>) -> Option<Self> {
                let mut sections = sections.into_iter();
                Some(Self { $($name: *(sections.next()? as Box<dyn Any>).downcast::<$Section>().ok()?),+ })
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

    /// Hands out every reference that the form holds, with its path.
    pub fn references(&self, visit: &mut dyn FnMut(Reference)) {
        for section in self.sections() {
            section.references(&mut |mut reference| {
                reference.path.insert(0, section.info().client.clone());
                visit(reference);
            });
        }
    }

    /// Hands out every list of destinations, with its path.
    pub fn destinations(&self, visit: &mut dyn FnMut([String; 2], &Destinations)) {
        for section in self.sections() {
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
