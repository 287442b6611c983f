//! Routing profiles: ordered routes that carry outside calls.

use super::{Detail, Named, Preset};
use crate::domain::{Amount, DigitCount, Digits, Id, Kind, Pattern, Text, choice, kind};
use crate::form::{AreaCode, Entries, Expression, Trial, section};

section! {
    "routing_profile", "RoutingProfileInput";
    /// A routing profile: the routes that carry outside calls, faxes or messages.
    pub struct RoutingProfile {
        /// What the routes carry.
        pub profile_type: RoutingProfileType,
        /// Whether this is the tenant's default profile of its type.
        pub is_default: bool,
        /// The routes, at most 1000. Of those whose pattern matches, the lowest order is tried first, then the lowest priority; equal ones share the calls by weight.
        pub routes: Entries<Route>,
    }
}

section! {
    "route", "RouteInput";
    /// One route of a routing profile.
    pub struct Route {
        /// What administrators call it, at most 80 characters.
        pub name: Text<80>,
        /// The expression that a dialled number must match to take this route.
        pub pattern: Pattern,
        /// The provider that carries the call; null forbids the number.
        pub provider_id: Option<Id<kind::Provider>>,
        /// At most 20 digits put in front of the number, after others were removed.
        pub digits_to_add: Digits<20>,
        /// How many digits are removed from the start of the number: 0 to 20.
        pub digits_to_remove: DigitCount,
        /// When it is tried, lowest first: 0 to 9999.
        pub route_order: Amount<0, 9999>,
        /// When it is tried among routes of the same order, lowest first: 0 to 9999.
        pub priority: Amount<0, 9999>,
        /// Its share of the calls among routes of the same order and priority: 1 to 1000.
        pub weight: Preset<Amount<1, 1000>, 1>,
        /// Whether the numbers are emergency numbers, which are allowed whatever the form forbids.
        pub emergency: bool,
        /// Whether the caller must enter a PIN.
        pub ask_pin: bool,
        /// Whether the cheapest route that matches is taken instead of order, priority and weight.
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
        /// Short messages.
        Sms = "SMS",
    }
}

impl Detail for RoutingProfile {
    const KIND: Kind = Kind::RoutingProfile;
    type Head = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["is_default", "profile_type"]];

    /// Who is called is known, who gets faxes or messages is not. Nobody dials emergency numbers or forbidden ones as a
    /// rule. Which extensions' area codes numbers have got here is not asked: with the tenant's or without one will do.
    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        if self.profile_type != RoutingProfileType::Voice {
            return;
        }
        for (i, route) in self.routes.0.iter().enumerate().filter(|(_, r)| !r.emergency && r.provider_id.is_some()) {
            let trials = [area.clone(), AreaCode::default()].map(Trial::Dialled).into();
            let path = ["routes".to_owned(), i.to_string(), "pattern".to_owned()].into();
            visit(Expression { pattern: &route.pattern, trials, path });
        }
    }
}
