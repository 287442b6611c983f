//! Queues: callers wait until one of the members is free.

use super::problems::{duplicates, required_when};
use super::{Detail, Numbered, Preset};
use crate::domain::{Amount, Code, Id, KeypadKey, Kind, Problem, Seconds, choice, kind};
use crate::form::{Destinations, Entries, Links, section};

section! {
    "queue", "QueueInput";
    /// A queue: callers wait in it until one of its members is free.
    pub struct Queue {
        /// Which of the free members a waiting call rings.
        pub strategy: QueueStrategy,
        /// How long a caller waits at most, before the call goes to `onTimeout`: 1 to 86400 seconds, 0 is without limit.
        pub max_wait_seconds: Seconds<0, 86_400>,
        /// How long a member rings before others are tried: 1 to 600 seconds, not more than `maxWaitSeconds`.
        pub ring_seconds: Preset<Seconds<1, 600>, 15>,
        /// How long a member is left alone after a call: 0 to 3600 seconds.
        pub wrap_up_seconds: Seconds<0, 3600>,
        /// Whether members that are in a call are rung too.
        pub ring_in_use: bool,
        /// Whether members whose phones are not registered are tried too.
        pub ring_offline: bool,
        /// How many callers may wait at once, before others go to `onFull`: 1 to 10000, 0 is unlimited.
        pub max_callers: Amount<0, 10_000>,
        /// What a waiting caller hears; null is the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// The announcement that a caller hears before the wait begins.
        pub announcement_media_id: Option<Id<kind::MediaFile>>,
        /// Whether callers are told their position in the queue.
        pub announce_position: bool,
        /// The announcement that waiting callers hear again and again.
        pub periodic_announcement_media_id: Option<Id<kind::MediaFile>>,
        /// How far apart the periodic announcements are: 10 to 3600 seconds.
        pub periodic_announcement_seconds: Preset<Seconds<10, 3600>, 60>,
        /// Whether a caller may hang up and be called back when it is the caller's turn.
        pub callback_enabled: bool,
        /// The key with which a waiting caller asks to be called back; needed when `callbackEnabled` is on.
        pub callback_key: Option<KeypadKey>,
        /// How often it is tried to call back: 1 to 10 times.
        pub callback_attempts: Preset<Amount<1, 10>, 3>,
        /// How far apart these attempts are: 10 to 86400 seconds.
        pub callback_retry_seconds: Preset<Seconds<10, 86_400>, 300>,
        /// The key with which a waiting caller leaves the queue for `onExitKey`; null is none.
        pub exit_key: Option<KeypadKey>,
        /// The least penalty of the members that are rung: 0 to 1000.
        pub min_penalty: Amount<0, 1000>,
        /// The greatest penalty of the members that are rung: 0 to 1000, not less than `minPenalty`; null is without limit.
        pub max_penalty: Option<Amount<0, 1000>>,
        /// How long a call waits before `maxPenalty` is raised by one for it, again and again: 1 to 3600 seconds, 0 never.
        pub raise_penalty_seconds: Seconds<0, 3600>,
        /// The spy groups whose supervisors may monitor the queue's calls, at most 64.
        pub spy_group_ids: Links<kind::SpyGroup, 64>,
        /// The members that are always there, at most 1000.
        pub members: Entries<QueueMember>,
        /// The extensions, real or virtual, that may log in as members, at most 1000.
        pub allowed_member_ids: Links<kind::AnyExtension, 1000>,
        /// Where a call goes when `maxCallers` wait already, in order.
        pub on_full: Destinations,
        /// Where a call goes that has waited for `maxWaitSeconds`, in order.
        pub on_timeout: Destinations,
        /// Where a caller goes that pressed `exitKey`, in order.
        pub on_exit_key: Destinations,
        /// Where a caller goes that asked to be called back, in order; empty hangs up.
        pub on_callback: Destinations,
        /// Where a call goes when the queue has no members, or none of them can be reached, in order; empty lets it wait.
        pub on_nobody_home: Destinations,
        /// Where a call goes when all members are busy, in order; empty lets it wait.
        pub on_no_free_member: Destinations,
        /// Where a waiting call goes when the periodic announcement is due, in order; empty lets it wait.
        pub on_periodic_announcement: Destinations,
        /// What a call passes through before members ring for it, in order.
        pub before_ringing: Destinations,
        /// Where a call goes whose member was paused for not answering, in order; empty lets it wait.
        pub on_auto_pause: Destinations,
        /// What is done for a caller that hung up while waiting, in order.
        pub on_abandoned_call: Destinations,
    }
}

section! {
    "queue_member", "QueueMemberInput";
    /// A member of a queue.
    pub struct QueueMember {
        /// The extension that rings, real or virtual; each at most once. Of a virtual one the members ring, and its own destinations are not followed.
        pub extension_id: Id<kind::AnyExtension>,
        /// How far it is put back, 0 to 1000; the lowest is rung first.
        pub penalty: Amount<0, 1000>,
    }
}

choice! {
    /// Which of the free members of a queue a call rings.
    pub enum QueueStrategy {
        /// All of them.
        RingAll = "RING_ALL",
        /// The one whose last call is longest ago.
        LeastRecent = "LEAST_RECENT",
        /// The one with the fewest calls.
        FewestCalls = "FEWEST_CALLS",
        /// Any of them.
        Random = "RANDOM",
        /// One after the other, going on behind the one that rang last.
        RoundRobin = "ROUND_ROBIN",
        /// One after the other, always from the first on.
        Linear = "LINEAR",
        /// Any of them, more often the lower its penalty.
        WeightedRandom = "WEIGHTED_RANDOM",
    }
}

impl Queue {
    /// Whether the penalties let a member ring, be it after a while.
    fn lets_ring(&self, member: &QueueMember) -> bool {
        let raised = self.raise_penalty_seconds.get() > 0;
        member.penalty >= self.min_penalty && (raised || self.max_penalty.is_none_or(|max| member.penalty <= max))
    }
}

impl Detail for Queue {
    const KIND: Kind = Kind::Queue;
    type Head = Numbered;
    const NEEDS_NUMBER: bool = true;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        let (ring, wait) = (self.ring_seconds.value().get(), self.max_wait_seconds.get());
        if wait > 0 && ring > wait {
            let rule = format!("must not be more than maxWaitSeconds, which is {wait}");
            report(Problem::new(Code::Contradiction, rule).value(ring).under("ringSeconds"));
        }
        if let Some(max) = self.max_penalty.filter(|max| *max < self.min_penalty) {
            let rule = format!("must not be less than minPenalty, which is {}", self.min_penalty.get());
            report(Problem::new(Code::Contradiction, rule).value(max.get()).under("maxPenalty"));
        }
        if self.callback_enabled && self.callback_key.is_none() {
            report(required_when("callbackEnabled is on").under("callbackKey"));
        }
        if let Some(key) = &self.exit_key {
            if self.on_exit_key.0.is_empty() {
                report(required_when("exitKey is given").under("onExitKey"));
            }
            if self.callback_enabled && self.callback_key.as_ref() == Some(key) {
                let problem = Problem::new(Code::Contradiction, "must be another key than callbackKey");
                report(problem.value(key.as_str()).under("exitKey"));
            }
        }
        let extensions: Vec<_> = self.members.0.iter().map(|member| member.extension_id).collect();
        duplicates(&extensions, &mut |i, problem| {
            let id = extensions[i].object().opaque();
            report(problem.value(id.as_str()).under("extensionId").under(i).under("members"));
        });
    }

    fn doubts(&self, report: &mut dyn FnMut(Problem)) {
        if self.allowed_member_ids.is_empty() {
            if self.members.0.is_empty() {
                let rule = "is empty, and no extension may log in as a member";
                report(Problem::new(Code::NoMembers, rule).under("members"));
            } else if !self.members.0.iter().any(|member| self.lets_ring(member)) {
                let rule = "has nobody whose penalty lies between minPenalty and maxPenalty";
                report(Problem::new(Code::NoMembers, rule).under("members"));
            }
        }
        if self.max_wait_seconds.get() > 0 && self.on_timeout.0.is_empty() {
            let rule = "is empty, so a call that has waited for maxWaitSeconds is dropped";
            report(Problem::new(Code::CallsDropped, rule).under("onTimeout"));
        }
        if self.raise_penalty_seconds.get() > 0 && self.max_penalty.is_none() {
            let rule = "has no effect while maxPenalty is null";
            report(Problem::new(Code::NoEffect, rule).under("raisePenaltySeconds"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{doubted, id, made, problems, sent};
    use serde_json::json;

    #[test]
    fn waiting_and_ringing_fit_together() {
        for (wait, ring, found) in [(0, 600, ""), (20, 20, ""), (20, 21, "ringSeconds CONTRADICTION")] {
            let queue = json!({ "maxWaitSeconds": wait, "ringSeconds": ring });
            assert_eq!(problems::<Queue>(&queue).join(" "), found, "{queue}");
        }
    }

    #[test]
    fn penalties_are_a_range() {
        for (min, max, found) in
            [(3, json!(null), ""), (3, json!(3), ""), (3, json!(2), "maxPenalty CONTRADICTION"), (0, json!(0), "")]
        {
            let queue = json!({ "minPenalty": min, "maxPenalty": max });
            assert_eq!(problems::<Queue>(&queue).join(" "), found, "{queue}");
        }
    }

    #[test]
    fn keys_need_what_they_lead_to_and_differ() {
        let away = json!([{ "hangup": "NORMAL" }]);
        for (queue, found) in [
            (json!({ "callbackEnabled": true }), vec!["callbackKey REQUIRED_WHEN"]),
            (json!({ "callbackEnabled": true, "callbackKey": "*" }), vec![]),
            (json!({ "exitKey": "0" }), vec!["onExitKey REQUIRED_WHEN"]),
            (json!({ "exitKey": "0", "onExitKey": away }), vec![]),
            (json!({ "exitKey": "0", "callbackKey": "0", "onExitKey": away }), vec![]),
            (
                json!({ "exitKey": "0", "callbackKey": "0", "callbackEnabled": true, "onExitKey": away }),
                vec!["exitKey CONTRADICTION"],
            ),
        ] {
            assert_eq!(problems::<Queue>(&queue), found, "{queue}");
        }
        assert_eq!(sent::<Queue>(&json!({ "exitKey": "00" })).unwrap_err(), ["exitKey INVALID_FORMAT"]);
    }

    #[test]
    fn a_member_stands_in_the_list_once() {
        let member = |local| json!({ "extensionId": id(local) });
        assert_eq!(problems::<Queue>(&json!({ "members": [member(1), member(2)] })), [] as [&str; 0]);
        let twice = json!({ "members": [member(1), member(2), member(1)] });
        assert_eq!(problems::<Queue>(&twice), ["members.2.extensionId DUPLICATE"]);
        assert_eq!(sent::<Queue>(&json!({ "members": [{}] })).unwrap_err(), ["members.0.extensionId REQUIRED"]);
    }

    #[test]
    fn somebody_should_be_able_to_answer() {
        let member = json!([{ "extensionId": id(1), "penalty": 5 }]);
        let nobody = vec!["members NO_MEMBERS"];
        for (queue, found) in [
            (json!({}), nobody.clone()),
            (json!({ "allowedMemberIds": [id(1)] }), vec![]),
            (json!({ "members": member }), vec![]),
            (json!({ "members": member, "maxPenalty": 4 }), nobody.clone()),
            (json!({ "members": member, "maxPenalty": 4, "raisePenaltySeconds": 30 }), vec![]),
            (json!({ "members": member, "minPenalty": 6 }), nobody.clone()),
            (json!({ "members": member, "minPenalty": 6, "maxPenalty": 9, "raisePenaltySeconds": 30 }), nobody),
        ] {
            assert_eq!(doubted::<Queue>(&queue), found, "{queue}");
        }
        let member = json!({ "members": member, "maxWaitSeconds": 60, "raisePenaltySeconds": 30 });
        assert_eq!(doubted::<Queue>(&member), ["onTimeout CALLS_DROPPED", "raisePenaltySeconds NO_EFFECT"]);
        assert!(made::<Queue>(&member).members.0[0].penalty.get() == 5);
    }
}
