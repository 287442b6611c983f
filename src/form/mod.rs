//! The nine sections of the form, and the one operation on them:
//! *saved = checked(base ⊕ what the client sent)*.
//!
//! `each_section!` is the list of the nine; whatever must be said per section is made from it.

mod additional_destinations;
mod budget;
mod call_settings;
mod check;
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
pub(crate) mod plumbing;
mod section;
mod security;
mod web_user_panel;

pub use additional_destinations::*;
pub use budget::Budget;
pub use call_settings::*;
pub use check::{Checked, check, expressions, lint, number as check_number};
pub use destination::{Destination, DestinationInput, Destinations, HangupCause, Target as DestinationTarget};
pub use facts::{Facts, Holder, Hop, Known, SlotRange, Surroundings};
pub use field::{Cell, Described, Field, Leads, Place, Pointer, Reference, Rows};
pub use follow_me::*;
pub use information::*;
pub use list::{Entries, Links};
pub use note::*;
pub use numbers::{AreaCode, Expression, KnownNumbers, Trial, Tried};
pub use outbound_calls::*;
pub use outbound_recording::*;
pub(crate) use section::section;
pub use section::{Change, Rules, Section, camel};
pub use security::*;
pub use web_user_panel::*;

use async_graphql::InputObject;

use crate::domain::{ObjectId, Problem, SentSecret};

/// The nine sections in form order, once: calls `$macro!` with
/// `name: Struct / Input / the input of its own mutation / that mutation` per section.
macro_rules! each_section {
    ($macro:ident) => {
        $macro! {
            information: Information / InformationInput / VirtualExtensionInformationUpdateInput / virtual_extension_information_update,
            call_settings: CallSettings / CallSettingsInput / VirtualExtensionCallSettingsUpdateInput / virtual_extension_call_settings_update,
            outbound_recording: OutboundRecording / OutboundRecordingInput / VirtualExtensionOutboundRecordingUpdateInput / virtual_extension_outbound_recording_update,
            security: Security / SecurityInput / VirtualExtensionSecurityUpdateInput / virtual_extension_security_update,
            web_user_panel: WebUserPanel / WebUserPanelInput / VirtualExtensionWebUserPanelUpdateInput / virtual_extension_web_user_panel_update,
            outbound_calls: OutboundCalls / OutboundCallsInput / VirtualExtensionOutboundCallsUpdateInput / virtual_extension_outbound_calls_update,
            follow_me: FollowMe / FollowMeInput / VirtualExtensionFollowMeUpdateInput / virtual_extension_follow_me_update,
            additional_destinations: AdditionalDestinations / AdditionalDestinationsInput / VirtualExtensionAdditionalDestinationsUpdateInput / virtual_extension_additional_destinations_update,
            note: Note / NoteInput / VirtualExtensionNoteUpdateInput / virtual_extension_note_update,
        }
    };
}
pub(crate) use each_section;

macro_rules! form {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        /// A whole form: what is saved, or what a new one opens with.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Form { $(#[doc = concat!("See [`", stringify!($Section), "`].")] pub $name: $Section),+ }

        /// What a client sends for a form: any subset of the sections, of each any subset of the fields.
        #[derive(Clone, Debug, Default, InputObject)]
        #[graphql(name = "VirtualExtensionFormInput")]
        pub struct FormPatch {
            $(#[doc = concat!("What is sent of the section `", stringify!($name), "`; left out, it stays as it is.")]
            pub $name: Option<$Patch>),+
        }

        impl Form {
            /// What a new form holds in a tenant that has not chosen its own defaults.
            pub fn initial() -> Self {
                Self { $($name: $Section::initial()),+ }
            }

            /// This form with a patch on top. What breaks a rule is reported and leaves its field as it was.
            pub fn patched(&self, patch: &FormPatch, report: &mut dyn FnMut(Problem)) -> Self {
                let mut form = self.clone();
                $(if let Some(sent) = &patch.$name {
                    form.$name.apply(sent, &mut |problem| report(problem.under(camel(stringify!($name)))));
                })+
                form
            }

            /// The fields whose values differ, as `section.field`.
            pub fn diff(&self, after: &Self) -> Vec<Change> {
                let mut changes = Vec::new();
                $(changes.extend(self.$name.diff(&after.$name).into_iter().map(|change| {
                    Change { path: format!("{}.{}", camel(stringify!($name)), change.path), ..change }
                }));)+
                changes
            }

            /// Hands out every reference that the form holds, with its path.
            pub fn references(&self, visit: &mut dyn FnMut(Reference)) {
                $(self.$name.references(&mut |mut r| {
                    r.path.insert(0, camel(stringify!($name)));
                    visit(r);
                });)+
            }

            /// Hands out every list of destinations, with its path.
            pub fn destinations(&self, visit: &mut dyn FnMut([String; 2], &Destinations)) {
                $(self.$name.destinations(&mut |field, list| {
                    visit([camel(stringify!($name)), camel(field)], list);
                });)+
            }

            /// A copy for a new extension: without what belongs to this one alone.
            pub fn copied(self) -> Self {
                Self { $($name: self.$name.copied()),+ }
            }

            /// Points at `to` where the form pointed at `from`; without `to`, at nothing.
            pub fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
                $(self.$name.redirect(from, to);)+
            }

            /// Dials `to` where the form dialled `from`.
            pub fn redial(&mut self, from: &str, to: &str) {
                $(self.$name.redial(from, to);)+
            }
        }

        impl FormPatch {
            /// The secrets that were sent.
            pub fn secrets(&self) -> Vec<SentSecret<'_>> {
                let mut secrets = Vec::new();
                $(secrets.extend(self.$name.iter().flat_map($Section::secrets));)+
                secrets
            }

            /// Whether anything was sent of a section, by the name that clients use.
            pub fn sends(&self, section: &str) -> bool {
                $((section == camel(stringify!($name)) && self.$name.is_some()))||+
            }
        }

        $(impl From<$Patch> for FormPatch {
            fn from(patch: $Patch) -> Self {
                Self { $name: Some(patch), ..Self::default() }
            }
        })+
    };
}
each_section!(form);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, SecondsSent};
    use async_graphql::MaybeUndefined::{Null, Undefined, Value};

    /// Also shows that every field of every section can be blank.
    #[test]
    fn absent_keeps_null_clears_a_value_is_parsed() {
        let base = Form::initial();
        let sent = InformationInput {
            name: Value("Ivy".into()),
            description: Null,
            inbound_timeout_seconds: Value(SecondsSent(45)),
            dnd: Undefined,
            ..InformationInput::default()
        };
        let mut problems = Vec::new();
        let form = base.patched(&sent.into(), &mut |p| problems.push(p));
        assert_eq!(problems, []);
        assert_eq!(form.information.inbound_timeout_seconds.get(), 45);
        let paths: Vec<_> = base.diff(&form).into_iter().map(|c| c.path).collect();
        assert_eq!(paths, ["information.name", "information.inboundTimeoutSeconds"]);
    }

    #[test]
    fn all_problems_come_at_once_and_a_refused_field_keeps_its_value() {
        let sent = InformationInput {
            name: Value("<>".into()),
            inbound_timeout_seconds: Value(SecondsSent(0)),
            dnd: Null,
            ..InformationInput::default()
        };
        let mut problems = Vec::new();
        let form = Form::initial().patched(&sent.into(), &mut |p| problems.push((p.path.join("."), p.code)));
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
