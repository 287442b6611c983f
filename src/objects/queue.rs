//! Queues: callers wait until one of the members is free.

use super::problems::{duplicates, required_when};
use super::{Detail, Numbered, WithDefault};
use crate::domain::{Amount, Code, Id, KeypadKey, Kind, Problem, Seconds, choice, kind};
use crate::form::{Destinations, Entries, Links, section};

section! {
    "queue", "QueueInput";
    /// A queue: callers wait in it until one of its members is free.
    pub struct Queue {
        /// Which of the free members ring for a waiting call. `RING_ALL` by default.
        pub strategy: QueueStrategy,
        /// How long a caller waits at most before the call goes to `onTimeout`: 1 to 86400 seconds. 0, the default, is
        /// no limit.
        pub max_wait_seconds: Seconds<0, 86_400>,
        /// How long a member rings before other members are tried: 1 to 600 seconds, 15 by default, and not more than
        /// `maxWaitSeconds`.
        pub ring_seconds: WithDefault<Seconds<1, 600>, 15>,
        /// How long a member gets no new call after one has ended: 0 to 3600 seconds, 0 by default.
        pub wrap_up_seconds: Seconds<0, 3600>,
        /// Whether members that are in a call ring too. Off by default.
        pub ring_in_use: bool,
        /// Whether members whose phones are not registered are tried too. Off by default.
        pub ring_offline: bool,
        /// How many callers can wait at once before further calls go to `onFull`: 1 to 10000. 0, the default, is no
        /// limit.
        pub max_callers: Amount<0, 10_000>,
        /// The music that waiting callers hear; null uses the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// The announcement that callers hear before they start to wait; null plays none.
        pub announcement_media_id: Option<Id<kind::MediaFile>>,
        /// Whether callers are told their position in the queue. Off by default.
        pub announce_position: bool,
        /// The announcement that waiting callers hear at regular intervals; null plays none.
        pub periodic_announcement_media_id: Option<Id<kind::MediaFile>>,
        /// The time between two periodic announcements: 10 to 3600 seconds, 60 by default.
        pub periodic_announcement_seconds: WithDefault<Seconds<10, 3600>, 60>,
        /// Whether callers may hang up and be called back when it is their turn. Off by default.
        pub callback_enabled: bool,
        /// The key that a waiting caller presses to ask for a callback. Required while `callbackEnabled` is on.
        pub callback_key: Option<KeypadKey>,
        /// How many times a callback is tried: 1 to 10 times, 3 by default.
        pub callback_attempts: WithDefault<Amount<1, 10>, 3>,
        /// The time between two attempts to call back: 10 to 86400 seconds, 300 by default.
        pub callback_retry_seconds: WithDefault<Seconds<10, 86_400>, 300>,
        /// The key that a waiting caller presses to leave the queue for `onExitKey`; null means that there is none.
        pub exit_key: Option<KeypadKey>,
        /// Only members with at least this penalty ring: 0 to 1000, 0 by default.
        pub min_penalty: Amount<0, 1000>,
        /// Only members with at most this penalty ring: 0 to 1000, and not less than `minPenalty`; null is no limit.
        pub max_penalty: Option<Amount<0, 1000>>,
        /// How often `maxPenalty` rises by one for a waiting call: every 1 to 3600 seconds. 0, the default, never
        /// raises it.
        pub raise_penalty_seconds: Seconds<0, 3600>,
        /// The spy groups whose supervisors may listen in on the queue's calls, at most 64.
        pub spy_group_ids: Links<kind::SpyGroup, 64>,
        /// The permanent members, at most 1000.
        pub members: Entries<QueueMember>,
        /// The extensions, real or virtual, that may log in as members; at most 1000.
        pub allowed_member_ids: Links<kind::AnyExtension, 1000>,
        /// Where a call goes if `maxCallers` are already waiting, in order; at most 20.
        pub on_full: Destinations,
        /// Where a call goes that has waited for `maxWaitSeconds`, in order; at most 20. If empty, the call is dropped.
        pub on_timeout: Destinations,
        /// Where a caller goes who has pressed `exitKey`, which requires it, in order; at most 20.
        pub on_exit_key: Destinations,
        /// Where a caller goes who has asked for a callback, in order; at most 20. If empty, the call is hung up.
        pub on_callback: Destinations,
        /// Where a call goes if the queue has no members or none of them can be reached, in order; at most 20. If
        /// empty, the call keeps waiting.
        pub on_nobody_home: Destinations,
        /// Where a call goes if all members are busy, in order; at most 20. If empty, the call keeps waiting.
        pub on_no_free_member: Destinations,
        /// Where a waiting call goes when a periodic announcement is due, in order; at most 20. If empty, the call
        /// keeps waiting.
        pub on_periodic_announcement: Destinations,
        /// What a call passes through before members ring for it, in order; at most 20.
        pub before_ringing: Destinations,
        /// Where a call goes if its member has been paused for not answering, in order; at most 20. If empty, the call
        /// keeps waiting.
        pub on_auto_pause: Destinations,
        /// What runs after a caller has hung up while waiting, in order; at most 20.
        pub on_abandoned_call: Destinations,
    }
}

section! {
    "queue_member", "QueueMemberInput";
    /// A permanent member of a queue.
    pub struct QueueMember {
        /// The extension that rings, real or virtual; each can be in the list once. A virtual extension rings its own
        /// members, but its additional destinations are not followed.
        pub extension_id: Id<kind::AnyExtension>,
        /// Members with the lowest penalty ring first: 0 to 1000, 0 by default.
        pub penalty: Amount<0, 1000>,
    }
}

choice! {
    /// Which of the free members of a queue ring for a call.
    pub enum QueueStrategy {
        /// All of them at the same time.
        RingAll = "RING_ALL",
        /// The one whose last call was the longest time ago.
        LeastRecent = "LEAST_RECENT",
        /// The one who has taken the fewest calls.
        FewestCalls = "FEWEST_CALLS",
        /// One of them at random.
        Random = "RANDOM",
        /// One after the other, continuing after the one who rang last.
        RoundRobin = "ROUND_ROBIN",
        /// One after the other, always starting with the first.
        Linear = "LINEAR",
        /// One of them at random; a lower penalty makes a member more likely.
        WeightedRandom = "WEIGHTED_RANDOM",
    }
}

impl Queue {
    /// Whether a member can ring with its penalty, at once or after `maxPenalty` has risen.
    fn lets_ring(&self, member: &QueueMember) -> bool {
        let raised = self.raise_penalty_seconds.get() > 0;
        member.penalty >= self.min_penalty && (raised || self.max_penalty.is_none_or(|max| member.penalty <= max))
    }
}

impl Detail for Queue {
    const KIND: Kind = Kind::Queue;
    type Common = Numbered;
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

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        if self.allowed_member_ids.is_empty() {
            if self.members.0.is_empty() {
                let rule = "is empty, and no extension may log in as a member";
                report(Problem::new(Code::NoMembers, rule).under("members"));
            } else if !self.members.0.iter().any(|member| self.lets_ring(member)) {
                let rule = "has nobody with a penalty between minPenalty and maxPenalty";
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
    use crate::objects::testing::{warnings, id, parsed, problems, parse};
    use serde_json::json;

    #[test]
    fn members_ring_no_longer_than_callers_wait() {
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
    fn keys_need_destinations_and_differ() {
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
        assert_eq!(parse::<Queue>(&json!({ "exitKey": "00" })).unwrap_err(), ["exitKey INVALID_FORMAT"]);
    }

    #[test]
    fn a_member_is_in_the_list_once() {
        let member = |local| json!({ "extensionId": id(local) });
        assert_eq!(problems::<Queue>(&json!({ "members": [member(1), member(2)] })), [] as [&str; 0]);
        let twice = json!({ "members": [member(1), member(2), member(1)] });
        assert_eq!(problems::<Queue>(&twice), ["members.2.extensionId DUPLICATE"]);
        assert_eq!(parse::<Queue>(&json!({ "members": [{}] })).unwrap_err(), ["members.0.extensionId REQUIRED"]);
    }

    #[test]
    fn a_queue_without_members_gets_a_warning() {
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
            assert_eq!(warnings::<Queue>(&queue), found, "{queue}");
        }
        let member = json!({ "members": member, "maxWaitSeconds": 60, "raisePenaltySeconds": 30 });
        assert_eq!(warnings::<Queue>(&member), ["onTimeout CALLS_DROPPED", "raisePenaltySeconds NO_EFFECT"]);
        assert!(parsed::<Queue>(&member).members.0[0].penalty.get() == 5);
    }
}
