//! Routing profiles: ordered sets of routes for outside calls.

use super::{Detail, Named, WithDefault};
use crate::domain::{Amount, DigitCount, Digits, Id, Kind, Pattern, Text, choice, kind};
use crate::form::{AreaCode, Entries, Expression, Samples, section};

section! {
    "routing_profile", "RoutingProfileInput";
    /// A routing profile: an ordered set of routes that carry outside calls, faxes or text messages.
    pub struct RoutingProfile {
        /// What the routes carry. `VOICE` by default.
        pub profile_type: RoutingProfileType,
        /// Whether this is the tenant's default profile of its type; only one of each type can be. Off by default.
        pub is_default: bool,
        /// The routes, at most 1000. Of the routes whose pattern matches, those with the lowest `routeOrder` are tried
        /// first, then those with the lowest `priority`; equal routes share the calls by `weight`.
        pub routes: Entries<Route>,
    }
}

section! {
    "route", "RouteInput";
    /// One route of a routing profile.
    pub struct Route {
        /// What administrators call the route, at most 80 characters.
        pub name: Text<80>,
        /// The expression that a dialled number must match to take this route.
        pub pattern: Pattern,
        /// The provider that carries the call; null blocks the number.
        pub provider_id: Option<Id<kind::Provider>>,
        /// Digits put in front of the number, after `digitsToRemove` have been removed; at most 20.
        pub digits_to_add: Digits<20>,
        /// How many digits are removed from the start of the number: 0 to 20, 0 by default.
        pub digits_to_remove: DigitCount,
        /// Orders the routes, lowest first: 0 to 9999, 0 by default.
        pub route_order: Amount<0, 9999>,
        /// Orders routes with the same `routeOrder`, lowest first: 0 to 9999, 0 by default.
        pub priority: Amount<0, 9999>,
        /// The share of the calls among routes with the same `routeOrder` and `priority`: 1 to 1000, 1 by default.
        pub weight: WithDefault<Amount<1, 1000>, 1>,
        /// Whether the numbers are emergency numbers, which every extension may dial whatever its own settings are. Off
        /// by default.
        pub emergency: bool,
        /// Whether the caller must enter a PIN. Off by default.
        pub ask_pin: bool,
        /// Whether the cheapest matching route is taken, regardless of `routeOrder`, `priority` and `weight`. Off by
        /// default.
        pub least_cost: bool,
    }
}

choice! {
    /// What the routes of a profile carry.
    pub enum RoutingProfileType {
        /// Calls.
        Voice = "VOICE",
        /// Faxes.
        Fax = "FAX",
        /// Text messages.
        Sms = "SMS",
    }
}

impl Detail for RoutingProfile {
    const KIND: Kind = Kind::RoutingProfile;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["is_default", "profile_type"]];

    /// Only the numbers of calls are known, not those of faxes and messages. Emergency and blocked numbers are skipped,
    /// because usually nobody dials them. Extensions may have their own area codes; to keep this simple, numbers are
    /// tried with the tenant's area code and without one.
    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        if self.profile_type != RoutingProfileType::Voice {
            return;
        }
        for (i, route) in self.routes.0.iter().enumerate().filter(|(_, r)| !r.emergency && r.provider_id.is_some()) {
            let samples = [area.clone(), AreaCode::default()].map(Samples::Dialled).into();
            let path = ["routes".to_owned(), i.to_string(), "pattern".to_owned()].into();
            visit(Expression { pattern: &route.pattern, samples, path });
        }
    }
}
