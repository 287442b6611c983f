//! Paging groups: a caller speaks through the loudspeakers of many phones.

use super::{Detail, Numbered, WithDefault};
use crate::domain::{Code, Id, Kind, Problem, Seconds, kind};
use crate::form::{Links, section};

section! {
    "paging_group", "PagingGroupInput";
    /// A paging group: whoever calls it speaks through the loudspeakers of its members' phones.
    pub struct PagingGroup {
        /// The extensions, real or virtual, whose phones play what is said; at most 256.
        pub member_ids: Links<kind::AnyExtension, 256>,
        /// Whether members can talk back, as on an intercom. Off by default.
        pub duplex: bool,
        /// Whether members that are in a call are skipped. Off by default.
        pub skip_busy: bool,
        /// The announcement that members hear first, such as a gong; null plays none.
        pub announcement_media_id: Option<Id<kind::MediaFile>>,
        /// How long a phone rings that does not answer by itself: 1 to 120 seconds, 10 by default.
        pub ring_timeout_seconds: WithDefault<Seconds<1, 120>, 10>,
    }
}

impl Detail for PagingGroup {
    const KIND: Kind = Kind::PagingGroup;
    type Common = Numbered;
    const NEEDS_NUMBER: bool = true;

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        if self.member_ids.is_empty() {
            report(Problem::new(Code::NoMembers, "is empty, so nobody hears what is said").under("memberIds"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{warnings, id, parse};
    use serde_json::json;

    #[test]
    fn a_group_without_members_gets_a_warning() {
        assert_eq!(warnings::<PagingGroup>(&json!({})), ["memberIds NO_MEMBERS"]);
        assert_eq!(warnings::<PagingGroup>(&json!({ "memberIds": [id(1), id(2)] })), [] as [&str; 0]);
        let twice = parse::<PagingGroup>(&json!({ "memberIds": [id(1), id(1)] })).unwrap_err();
        assert_eq!(twice, ["memberIds.1 DUPLICATE"]);
    }
}
