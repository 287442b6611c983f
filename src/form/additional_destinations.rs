//! Additional Destinations: where calls go instead, or when they are not answered.

use super::Destinations;
use super::section::{Initial, section};
use crate::domain::{EmailList, Id, kind};

section! {
    "additional_destinations", AdditionalDestinationsInput;
    /// Where calls go instead, or when they are not answered. A list survives while its switch is off.
    #[graphql(complex)]
    pub struct AdditionalDestinations {
        /// Whether every call goes to `unconditional` at once; beats everything else here.
        pub unconditional_enabled: bool,
        /// Where every call goes, in order.
        pub unconditional: Destinations,
        /// Whether calls go to `onCondition` while the condition is true.
        pub on_condition_enabled: bool,
        /// The condition of `onCondition`.
        pub condition_id: Option<Id<kind::Condition>>,
        /// Where calls go while the condition is true, in order.
        pub on_condition: Destinations,
        /// Whether calls go to `onBusy` when the extension is busy or set to Do Not Disturb.
        pub on_busy_enabled: bool,
        /// Where calls go when the extension is busy, in order.
        pub on_busy: Destinations,
        /// Whether calls go to `onOffline` when no member's phone is registered.
        pub on_offline_enabled: bool,
        /// Where calls go when no phone is registered, in order.
        pub on_offline: Destinations,
        /// Whether calls go to `onNoAnswer` when nobody answers in time.
        pub on_no_answer_enabled: bool,
        /// Where calls go when nobody answers, in order.
        pub on_no_answer: Destinations,
        /// The addresses that are told about missed calls, at most 20.
        pub missed_call_email: EmailList,
        /// Whether missed calls of colleagues are left out.
        pub ignore_internal_missed: bool,
        /// Whether missed calls that came from a queue are left out.
        pub ignore_queue_missed: bool,
    }
}

impl Initial for AdditionalDestinations {}
