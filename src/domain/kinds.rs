//! The kinds of things a tenant has. All of them share one number space and one table of objects.

/// Every kind, once: calls `$macro!` with the description and `Kind = word, label, field, list;` of each, where `label` is how
/// messages call an object of the kind, `field` its module, table and single field, and `list` the field of all of them.
/// First stands the kind that has the form, last the tenant's template of it; those between have a struct in `objects`.
macro_rules! each_kind {
    ($macro:ident) => {
        $macro! {
            form:
            /// An internal number that stands in front of several real extensions.
            VirtualExtension = "VIRTUAL_EXTENSION", "virtual extension", virtual_extension, virtual_extensions;
            details:
            /// A real extension: a SIP, PJSIP or custom device.
            Extension = "EXTENSION", "real extension", extension, extensions;
            /// A call group: who is ringing.
            CallGroup = "CALL_GROUP", "call group", call_group, call_groups;
            /// A pickup group: who may answer.
            PickupGroup = "PICKUP_GROUP", "pickup group", pickup_group, pickup_groups;
            /// A spy group: who may be monitored.
            SpyGroup = "SPY_GROUP", "spy group", spy_group, spy_groups;
            /// A voicemail box.
            VoicemailBox = "VOICEMAIL_BOX", "voicemail box", voicemail_box, voicemail_boxes;
            /// A music-on-hold class.
            MusicOnHold = "MUSIC_ON_HOLD", "music-on-hold class", music_on_hold, music_on_hold_classes;
            /// A phone book.
            PhoneBook = "PHONE_BOOK", "phone book", phone_book, phone_books;
            /// A parking lot with its slots.
            ParkingLot = "PARKING_LOT", "parking lot", parking_lot, parking_lots;
            /// A media file: a prompt, a message or music.
            MediaFile = "MEDIA_FILE", "media file", media_file, media_files;
            /// A condition that is true or false at a moment.
            Condition = "CONDITION", "condition", condition, conditions;
            /// A list of outside numbers.
            CallList = "CALL_LIST", "call list", call_list, call_lists;
            /// Ordered routes that carry outside calls.
            RoutingProfile = "ROUTING_PROFILE", "routing profile", routing_profile, routing_profiles;
            /// A trunk to a provider.
            Provider = "PROVIDER", "provider", provider, providers;
            /// Ordered rules that rewrite caller IDs.
            CallerIdRuleSet = "CALLER_ID_RULE_SET", "caller-ID rule set", caller_id_rule_set, caller_id_rule_sets;
            /// What a user may do in the web panel.
            UserProfile = "USER_PROFILE", "user profile", user_profile, user_profiles;
            /// An LDAP server that checks passwords.
            LdapServer = "LDAP_SERVER", "LDAP server", ldap_server, ldap_servers;
            /// An outside number that reaches the tenant.
            Did = "DID", "outside number (DID)", did, dids;
            /// A queue in which callers wait for a free member.
            Queue = "QUEUE", "queue", queue, queues;
            /// A voice menu (IVR) that callers steer with keys.
            Ivr = "IVR", "voice menu (IVR)", ivr, ivrs;
            /// A hunt list: destinations that ring together or in turn.
            HuntList = "HUNT_LIST", "hunt list", hunt_list, hunt_lists;
            /// A phone: a handset with its lines and keys.
            Phone = "PHONE", "phone", phone, phones;
            /// A conference room.
            Conference = "CONFERENCE", "conference room", conference, conferences;
            /// A paging group: extensions whose loudspeakers are spoken through.
            PagingGroup = "PAGING_GROUP", "paging group", paging_group, paging_groups;
            /// A short number that stands for a longer one.
            ShortNumber = "SHORT_NUMBER", "short number", short_number, short_numbers;
            /// A flow: a named switch that sends calls one way or the other.
            Flow = "FLOW", "flow", flow, flows;
            template:
            /// The tenant's template for new virtual extensions.
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
            /// What an object is.
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

            /// How messages call an object of this kind: `real extension`.
            pub fn label(self) -> &'static str {
                match self {
                    Kind::$Form => $form_label,
                    $(Kind::$Kind => $label,)+
                    Kind::$Last => $last_label,
                }
            }

            /// The kind's description, as in this file.
            pub fn about(self) -> &'static str {
                match self {
                    Kind::$Form => concat!($($form_doc),+),
                    $(Kind::$Kind => $doc,)+
                    Kind::$Last => $last_doc,
                }
                .trim_start()
            }

            /// The fields under which a tenant has one object of the kind, and all of them: `phone_book`, `phone_books`.
            pub fn fields(self) -> (&'static str, &'static str) {
                match self {
                    Kind::$Form => (stringify!($form_field), stringify!($form_list)),
                    $(Kind::$Kind => (stringify!($field), stringify!($list)),)+
                    Kind::$Last => (stringify!($last_field), stringify!($last_list)),
                }
            }
        }

        /// Marker types that say in an [`Id`](super::Id)'s type what it may point at.
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

/// What an [`Id`](super::Id) of this marker points at.
pub trait Target: Clone + PartialEq + Send + Sync + 'static {
    /// The kinds that fit.
    const KINDS: &'static [Kind];
}
