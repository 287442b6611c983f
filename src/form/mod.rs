//! The nine sections of the form, and the one operation on them:
//! *saved = checked(base ⊕ what the client sent)*.
//!
//! This file lists the nine sections once; everything that depends on the set of sections is generated from that list.

mod additional_destinations;
mod call_path;
mod call_settings;
mod check;
mod column;
mod destination;
mod expressions;
mod facts;
mod field;
mod follow_me;
mod form_operations;
mod info;
mod information;
mod list;
mod names;
mod note;
mod outbound_calls;
mod outbound_recording;
mod place;
mod problems;
mod read;
mod rules;
mod section;
mod sections;
mod security;
mod source;
mod web_user_panel;

pub use additional_destinations::*;
pub use call_settings::*;
pub use check::{Checked, check, check_number, expressions, lint};
pub use destination::{Destination, DestinationTarget, Destinations, HangupCause};
pub use expressions::{AreaCode, Expression, KnownNumbers, MatchOutcome, Samples};
pub use facts::{Facts, Holder, Hop, ReferencedObject, SlotRange, TenantFacts};
pub use field::Field;
pub use follow_me::*;
pub use info::{FieldInfo, FieldShape, FieldValue, Section, SectionInfo, Source};
pub use information::*;
pub use list::{Entries, Links};
pub use names::camel;
pub use note::*;
pub use outbound_calls::*;
pub use outbound_recording::*;
pub use place::{Cell, Place, Pointer, Reference, ReferenceBy, Rows};
pub use rules::Rules;
pub(crate) use section::section;
pub use section::{Change, Typed, build, load, load_untrusted};
pub use sections::Sections;
pub use security::*;
pub use web_user_panel::*;

use std::any::Any;
use std::sync::LazyLock;

/// The checks of one section, see [`Rules`].
struct SectionRules {
    depends_on: &'static [&'static str],
    check: fn(&Form, &Facts, &mut Checked),
    lint: fn(&Form, &Facts, &mut Checked),
    expressions: for<'a> fn(&'a Form, &AreaCode, &mut dyn FnMut(Expression<'a>)),
}

macro_rules! form {
    ($($name:ident: $Section:ident,)+) => {
        /// A whole form: a saved one, or the values that a new one opens with.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Form { $(#[doc = concat!("See [`", stringify!($Section), "`].")] pub $name: $Section),+ }

        impl Form {
            /// Describes the sections, in form order.
            pub fn infos() -> &'static [&'static SectionInfo] {
                static INFOS: LazyLock<Vec<&'static SectionInfo>> = LazyLock::new(|| vec![$($Section::section_info()),+]);
                &INFOS
            }

            const RULES: &'static [SectionRules] = &[$(SectionRules {
                depends_on: $Section::DEPENDS_ON,
                check: $Section::check,
                lint: $Section::lint,
                expressions: $Section::expressions,
            }),+];

            /// A new form in a tenant that has not set its own defaults.
            pub fn initial() -> Self {
                Self { $($name: $Section::initial()),+ }
            }

            /// A form with these sections and the initial values of all others; `None` if one of them is not a section
            /// of a form.
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

            /// The sections, in form order.
            pub fn sections(&self) -> [&dyn Section; Self::RULES.len()] {
                [$(&self.$name),+]
            }

            fn sections_mut(&mut self) -> [&mut dyn Section; Self::RULES.len()] {
                [$(&mut self.$name),+]
            }

            /// A copy for a new extension, without the values that must not be shared, such as the number and the
            /// secrets.
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
