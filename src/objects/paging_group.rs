//! Paging groups: one speaks through the loudspeakers of many phones.

use super::{Detail, Numbered, Preset};
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
        pub ring_timeout_seconds: Preset<Seconds<1, 120>, 10>,
    }
}

impl Detail for PagingGroup {
    const KIND: Kind = Kind::PagingGroup;
    type Head = Numbered;
    const NEEDS_NUMBER: bool = true;

    fn doubts(&self, report: &mut dyn FnMut(Problem)) {
        if self.member_ids.is_empty() {
            report(Problem::new(Code::NoMembers, "is empty, so nobody hears what is said").under("memberIds"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{doubted, id, sent};
    use serde_json::json;

    #[test]
    fn somebody_should_hear_it() {
        assert_eq!(doubted::<PagingGroup>(&json!({})), ["memberIds NO_MEMBERS"]);
        assert_eq!(doubted::<PagingGroup>(&json!({ "memberIds": [id(1), id(2)] })), [] as [&str; 0]);
        let twice = sent::<PagingGroup>(&json!({ "memberIds": [id(1), id(1)] })).unwrap_err();
        assert_eq!(twice, ["memberIds.1 DUPLICATE"]);
    }
}
