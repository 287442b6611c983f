//! The kinds of things a tenant has. All of them share one number space and one table of objects.

/// Declares the kinds once: the enum, its words and a marker type per kind for [`Id`](super::Id).
macro_rules! kinds {
    ($(#[doc = $doc:literal] $Kind:ident = $word:literal, $label:literal;)+) => {
        crate::domain::choice! {
            /// What an object is.
            pub enum Kind { $(#[doc = $doc] $Kind = $word),+ }
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[$(Kind::$Kind),+];

            /// How messages call an object of this kind: `real extension`.
            pub fn label(self) -> &'static str {
                match self { $(Kind::$Kind => $label),+ }
            }

            /// The kind's description, as in this file.
            pub fn about(self) -> &'static str {
                match self { $(Kind::$Kind => $doc),+ }.trim_start()
            }
        }

        /// Marker types that say in an [`Id`](super::Id)'s type what it may point at.
        pub mod kind {
            $(#[doc = $doc] #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)] pub struct $Kind;
            impl super::Target for $Kind { const KINDS: &'static [super::Kind] = &[super::Kind::$Kind]; })+

            /// A real or a virtual extension.
            #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
            pub struct AnyExtension;
            impl super::Target for AnyExtension {
                const KINDS: &'static [super::Kind] = &[super::Kind::Extension, super::Kind::VirtualExtension];
            }
        }
    };
}

/// What an [`Id`](super::Id) of this marker points at.
pub trait Target: Clone + PartialEq + Send + Sync + 'static {
    /// The kinds that fit.
    const KINDS: &'static [Kind];
}

kinds! {
    /// An internal number that stands in front of several real extensions.
    VirtualExtension = "VIRTUAL_EXTENSION", "virtual extension";
    /// A real extension: a SIP, PJSIP or custom device.
    Extension = "EXTENSION", "real extension";
    /// A call group: who is ringing.
    CallGroup = "CALL_GROUP", "call group";
    /// A pickup group: who may answer.
    PickupGroup = "PICKUP_GROUP", "pickup group";
    /// A spy group: who may be monitored.
    SpyGroup = "SPY_GROUP", "spy group";
    /// A voicemail box.
    VoicemailBox = "VOICEMAIL_BOX", "voicemail box";
    /// A music-on-hold class.
    MusicOnHold = "MUSIC_ON_HOLD", "music-on-hold class";
    /// A phone book.
    PhoneBook = "PHONE_BOOK", "phone book";
    /// A parking lot with its slots.
    ParkingLot = "PARKING_LOT", "parking lot";
    /// A media file: a prompt, a message or music.
    MediaFile = "MEDIA_FILE", "media file";
    /// A condition that is true or false at a moment.
    Condition = "CONDITION", "condition";
    /// A list of outside numbers.
    CallList = "CALL_LIST", "call list";
    /// Ordered routes that carry outside calls.
    RoutingProfile = "ROUTING_PROFILE", "routing profile";
    /// A trunk to a provider.
    Provider = "PROVIDER", "provider";
    /// Ordered rules that rewrite caller IDs.
    CallerIdRuleSet = "CALLER_ID_RULE_SET", "caller-ID rule set";
    /// What a user may do in the web panel.
    UserProfile = "USER_PROFILE", "user profile";
    /// An LDAP server that checks passwords.
    LdapServer = "LDAP_SERVER", "LDAP server";
    /// An outside number that reaches the tenant.
    Did = "DID", "outside number (DID)";
    /// A queue in which callers wait for a free member.
    Queue = "QUEUE", "queue";
    /// A voice menu (IVR) that callers steer with keys.
    Ivr = "IVR", "voice menu (IVR)";
    /// A hunt list: destinations that ring together or in turn.
    HuntList = "HUNT_LIST", "hunt list";
    /// A phone: a handset with its lines and keys.
    Phone = "PHONE", "phone";
    /// A conference room.
    Conference = "CONFERENCE", "conference room";
    /// A paging group: extensions whose loudspeakers are spoken through.
    PagingGroup = "PAGING_GROUP", "paging group";
    /// A short number that stands for a longer one.
    ShortNumber = "SHORT_NUMBER", "short number";
    /// A flow: a named switch that sends calls one way or the other.
    Flow = "FLOW", "flow";
    /// The tenant's template for new virtual extensions.
    FormDefaults = "FORM_DEFAULTS", "form defaults";
}
