//! The kinds of objects. All of them share one number space per tenant, and one table.

/// The list of all kinds. Calls `$macro!` with the description and `Kind = word, label, field, list;` of each kind:
/// `label` is what messages call an object of the kind, `field` names its module, its table and the GraphQL field for
/// one object, `list` names the GraphQL field for all of them. The first kind has the form and the last is the tenant's
/// template for it; each kind in between has a struct in `objects`.
macro_rules! each_kind {
    ($macro:ident) => {
        $macro! {
            form:
            /// A virtual extension: an internal number for which several real extensions ring.
            VirtualExtension = "VIRTUAL_EXTENSION", "virtual extension", virtual_extension, virtual_extensions;
            details:
            /// A real extension: a SIP, PJSIP or custom device.
            Extension = "EXTENSION", "real extension", extension, extensions;
            /// A call group: the calls that ring for its members may be answered by a pickup group.
            CallGroup = "CALL_GROUP", "call group", call_group, call_groups;
            /// A pickup group: its members may answer calls that ring in a call group.
            PickupGroup = "PICKUP_GROUP", "pickup group", pickup_group, pickup_groups;
            /// A spy group: supervisors may listen in on the calls of its members.
            SpyGroup = "SPY_GROUP", "spy group", spy_group, spy_groups;
            /// A voicemail box: callers leave messages in it.
            VoicemailBox = "VOICEMAIL_BOX", "voicemail box", voicemail_box, voicemail_boxes;
            /// A music-on-hold class: what waiting callers hear.
            MusicOnHold = "MUSIC_ON_HOLD", "music-on-hold class", music_on_hold, music_on_hold_classes;
            /// A phone book: names and numbers for phones to show.
            PhoneBook = "PHONE_BOOK", "phone book", phone_book, phone_books;
            /// A parking lot: numbered slots in which calls wait until somebody picks them up.
            ParkingLot = "PARKING_LOT", "parking lot", parking_lot, parking_lots;
            /// A media file: a prompt, a message or music.
            MediaFile = "MEDIA_FILE", "media file", media_file, media_files;
            /// A condition that is true or false at the time of a call.
            Condition = "CONDITION", "condition", condition, conditions;
            /// A call list: outside numbers to block or to allow.
            CallList = "CALL_LIST", "call list", call_list, call_lists;
            /// A routing profile: an ordered set of routes for outside calls.
            RoutingProfile = "ROUTING_PROFILE", "routing profile", routing_profile, routing_profiles;
            /// A provider: a trunk that carries calls to and from the outside.
            Provider = "PROVIDER", "provider", provider, providers;
            /// A caller-ID rule set: ordered rules that rewrite caller IDs.
            CallerIdRuleSet = "CALLER_ID_RULE_SET", "caller-ID rule set", caller_id_rule_set, caller_id_rule_sets;
            /// A user profile: a set of privileges that decides what a user may do.
            UserProfile = "USER_PROFILE", "user profile", user_profile, user_profiles;
            /// An LDAP server that checks passwords.
            LdapServer = "LDAP_SERVER", "LDAP server", ldap_server, ldap_servers;
            /// An outside number (DID) on which people outside reach the tenant.
            Did = "DID", "outside number (DID)", did, dids;
            /// A queue: callers wait in it until one of its members is free.
            Queue = "QUEUE", "queue", queue, queues;
            /// A voice menu (IVR): callers choose with the keys of their phone.
            Ivr = "IVR", "voice menu (IVR)", ivr, ivrs;
            /// A hunt list: destinations that ring together or in turn until one answers.
            HuntList = "HUNT_LIST", "hunt list", hunt_list, hunt_lists;
            /// A phone: a handset with lines and programmable keys.
            Phone = "PHONE", "phone", phone, phones;
            /// A conference room: everyone who calls it can talk to everyone else in it.
            Conference = "CONFERENCE", "conference room", conference, conferences;
            /// A paging group: callers speak through the loudspeakers of its members' phones.
            PagingGroup = "PAGING_GROUP", "paging group", paging_group, paging_groups;
            /// A short number: whoever dials it is connected to another, usually longer number.
            ShortNumber = "SHORT_NUMBER", "short number", short_number, short_numbers;
            /// A flow: a switch that sends calls one way while it is on and another way while it is off.
            Flow = "FLOW", "flow", flow, flows;
            template:
            /// The tenant's defaults for new virtual extensions.
            FormDefaults = "FORM_DEFAULTS", "form defaults", form_defaults, form_defaults;
        }
    };
}
pub(crate) use each_kind;

/// Declares the enum, its words and a marker type per kind for [`Id`](super::Id).
macro_rules! kinds {
    (
        form: $(#[doc = $form_doc:literal])+ $Form:ident = $form_word:literal, $form_label:literal, $form_field:ident, $form_list:ident;
        details: $(#[doc = $doc:literal] $Kind:ident = $word:literal, $label:literal, $field:ident, $list:ident;)+
        template: #[doc = $last_doc:literal] $Last:ident = $last_word:literal, $last_label:literal, $last_field:ident, $last_list:ident;
    ) => {
        crate::domain::choice! {
            /// The kind of an object.
            pub enum Kind {
                $(#[doc = $form_doc])+
                $Form = $form_word,
                $(#[doc = $doc] $Kind = $word,)+
                #[doc = $last_doc]
                $Last = $last_word,
            }
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[Kind::$Form, $(Kind::$Kind,)+ Kind::$Last];

            /// The name of the kind's type in GraphQL.
            pub fn name(self) -> &'static str {
                match self {
                    Kind::$Form => stringify!($Form),
                    $(Kind::$Kind => stringify!($Kind),)+
                    Kind::$Last => stringify!($Last),
                }
            }

            /// What messages call an object of this kind: `real extension`.
            pub fn label(self) -> &'static str {
                match self {
                    Kind::$Form => $form_label,
                    $(Kind::$Kind => $label,)+
                    Kind::$Last => $last_label,
                }
            }

            /// The description of the kind, from the list above.
            pub fn about(self) -> &'static str {
                match self {
                    Kind::$Form => concat!($($form_doc),+),
                    $(Kind::$Kind => $doc,)+
                    Kind::$Last => $last_doc,
                }
                .trim_start()
            }

            /// The names of a tenant's fields for one object of the kind and for all of them: `phone_book`,
            /// `phone_books`.
            pub fn fields(self) -> (&'static str, &'static str) {
                match self {
                    Kind::$Form => (stringify!($form_field), stringify!($form_list)),
                    $(Kind::$Kind => (stringify!($field), stringify!($list)),)+
                    Kind::$Last => (stringify!($last_field), stringify!($last_list)),
                }
            }
        }

        /// Marker types that state in the type of an [`Id`](super::Id) which kinds it may refer to.
        pub mod kind {
            kinds!(@marker [$($form_doc)+] $Form);
            $(kinds!(@marker [$doc] $Kind);)+
            kinds!(@marker [$last_doc] $Last);

            /// A real or a virtual extension.
            #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
            pub struct AnyExtension;
            impl super::Target for AnyExtension {
                const KINDS: &'static [super::Kind] = &[super::Kind::Extension, super::Kind::VirtualExtension];
            }
        }
    };
    (@marker [$($doc:literal)+] $Kind:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub struct $Kind;
        impl super::Target for $Kind {
            const KINDS: &'static [super::Kind] = &[super::Kind::$Kind];
        }
    };
}
each_kind!(kinds);

/// A marker type for [`Id`](super::Id): the kinds that the id may refer to.
pub trait Target: Clone + PartialEq + Send + Sync + 'static {
    /// The allowed kinds.
    const KINDS: &'static [Kind];
}
