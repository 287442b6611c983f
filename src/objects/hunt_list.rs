//! Hunt lists: destinations that ring together or in turn.

use super::problems::duplicates;
use super::{Detail, Numbered, WithDefault};
use crate::domain::{Code, Id, Kind, ObjectId, Problem, Seconds, choice, kind};
use crate::form::{Checked, Destination, DestinationTarget, Destinations, Facts, TenantFacts, section};

section! {
    "hunt_list", "HuntListInput";
    /// A hunt list: destinations that ring together or in turn until one answers.
    pub struct HuntList {
        /// The order in which the members ring. `RING_ALL` by default.
        pub strategy: HuntStrategy,
        /// How long each member rings, or all of them at once: 1 to 600 seconds, 20 by default.
        pub ring_seconds: WithDefault<Seconds<1, 600>, 20>,
        /// How long the list rings in all before the call goes to `onTimeout`: 1 to 3600 seconds, 60 by default, and
        /// not less than `ringSeconds`.
        pub dial_timeout_seconds: WithDefault<Seconds<1, 3600>, 60>,
        /// Whether members are dialled directly, which is faster but skips what would run when a member answers. Off by
        /// default.
        pub fast_dialing: bool,
        /// Whether callers hear music on hold instead of a ringing tone. Off by default.
        pub play_music: bool,
        /// The music that callers hear while `playMusic` is on; null uses the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// Whether members that are in a call are skipped. Off by default.
        pub skip_in_use: bool,
        /// Whether members whose phones are not registered are skipped. Off by default.
        pub skip_offline: bool,
        /// Whether calls follow a redirect that a member has set on the phone itself. Off by default.
        pub allow_redirect: bool,
        /// Whether calls follow the members' own follow-me. Off by default.
        pub allow_follow_me: bool,
        /// Whether calls follow the members' own additional destinations. Off by default.
        pub allow_additional_destinations: bool,
        /// Whether whoever answers must press a key to take the call, so that a mobile's own voicemail cannot take it.
        /// Off by default.
        pub request_confirm: bool,
        /// The prompt that asks for the key; null uses the stock prompt.
        pub confirm_media_id: Option<Id<kind::MediaFile>>,
        /// The objects and numbers that ring, in order; at most 20, each of them once. A hang-up cannot be a member.
        pub members: Destinations,
        /// Where a call goes that nobody has answered in time, in order; at most 20. If empty, the call is dropped.
        pub on_timeout: Destinations,
    }
}

choice! {
    /// The order in which the members of a hunt list ring.
    pub enum HuntStrategy {
        /// All members at the same time, once.
        RingAll = "RING_ALL",
        /// One member after the other, starting over after the last.
        Cycle = "CYCLE",
        /// One member after the other, once.
        Sequence = "SEQUENCE",
        /// All members at the same time, again and again.
        RingAllOverLoop = "RING_ALL_OVER_LOOP",
    }
}

impl HuntList {
    /// Whether a call follows the destinations of a member: always those of another hunt list, and those of a virtual
    /// extension if this list allows it.
    fn follows(&self, member: ObjectId, tenant: &TenantFacts) -> bool {
        match tenant.kind_of(member) {
            Some(Kind::VirtualExtension) => self.allow_additional_destinations,
            Some(Kind::HuntList) => true,
            _ => false,
        }
    }
}

impl Detail for HuntList {
    const KIND: Kind = Kind::HuntList;
    type Common = Numbered;
    const NEEDS_NUMBER: bool = true;
    const PARALLEL_LISTS: &'static [&'static str] = &["members"];

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        let (ring, dial) = (self.ring_seconds.value().get(), self.dial_timeout_seconds.value().get());
        if ring > dial {
            let rule = format!("must not be less than ringSeconds, which is {ring}");
            report(Problem::new(Code::Contradiction, rule).value(dial).under("dialTimeoutSeconds"));
        }
        let targets: Vec<_> = self.members.0.iter().map(Destination::target).collect();
        for (i, _) in targets.iter().enumerate().filter(|(_, target)| matches!(target, DestinationTarget::Hangup(_))) {
            let rule = "must be an object or a number, because a hang-up cannot ring";
            report(Problem::new(Code::InvalidFormat, rule).under("hangup").under(i).under("members"));
        }
        duplicates(&targets, &mut |i, problem| report(problem.under(i).under("members")));
    }

    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked) {
        for (i, member) in self.members.0.iter().enumerate() {
            let Some(object) = facts.target_object(member) else { continue };
            if let Some(path) = self.follows(object, facts).then(|| facts.path_back_to_self(object)).flatten() {
                let problem = Problem::new(Code::RoutingLoop, format!("contains itself: {}", path.join(" → ")));
                checked.errors.push(problem.related(object).under(member.field_name()).under(i).under("members"));
            }
        }
    }

    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId> {
        let members = self.members.0.iter().filter_map(|member| tenant.target_object(member));
        members.filter(|object| self.follows(*object, tenant)).collect()
    }

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        if self.members.0.is_empty() {
            report(Problem::new(Code::NoMembers, "is empty, so nobody rings").under("members"));
        }
        if self.on_timeout.0.is_empty() {
            let rule = "is empty, so a call that nobody answers is dropped";
            report(Problem::new(Code::CallsDropped, rule).under("onTimeout"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{warnings, id, problems};
    use serde_json::json;

    #[test]
    fn a_member_rings_no_longer_than_the_list() {
        for (ring, dial, found) in [(60, 60, ""), (61, 60, "dialTimeoutSeconds CONTRADICTION")] {
            let list = json!({ "ringSeconds": ring, "dialTimeoutSeconds": dial });
            assert_eq!(problems::<HuntList>(&list).join(" "), found, "{list}");
        }
    }

    #[test]
    fn members_can_ring_and_are_unique() {
        let (object, number) = (json!({ "objectId": id(1) }), json!({ "number": "+39055108" }));
        let found = |members| problems::<HuntList>(&json!({ "members": members }));
        assert_eq!(found(json!([object, number, { "objectId": id(2) }])), [] as [&str; 0]);
        assert_eq!(found(json!([object, number, object])), ["members.2 DUPLICATE"]);
        assert_eq!(found(json!([number, number])), ["members.1 DUPLICATE"]);
        assert_eq!(found(json!([object, { "hangup": "BUSY" }])), ["members.1.hangup INVALID_FORMAT"]);
    }

    #[test]
    fn a_list_without_members_or_timeout_gets_warnings() {
        assert_eq!(warnings::<HuntList>(&json!({})), ["members NO_MEMBERS", "onTimeout CALLS_DROPPED"]);
        let list = json!({ "members": [{ "objectId": id(1) }], "onTimeout": [{ "hangup": "BUSY" }] });
        assert_eq!(warnings::<HuntList>(&list), [] as [&str; 0]);
    }
}
