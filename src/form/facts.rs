//! What the checks must know besides what they check: the tenant around it. The service gathers it in the transaction
//! of the save, for one object or for many at once.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use super::{Destination, DestinationTarget};
use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Problem, SecretText};

/// What the tenant looks like around the objects that are checked.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The moment of the check, in epoch milliseconds.
    pub now: i64,
    /// Whether the tenant has transcription.
    pub transcription: bool,
    /// Whether the tenant has AI summaries and moods of transcripts.
    pub ai: bool,
    /// Whether the tenant has an LDAP server in use.
    pub ldap: bool,
    /// Who holds the numbers that the objects have or dial.
    pub holders: HashMap<String, Holder>,
    /// The slots of all parking lots.
    pub lots: Vec<SlotRange>,
    /// Who has the logins that the objects have.
    pub logins: HashMap<String, ObjectId>,
    /// Those of the objects' outside numbers that are the tenant's, without the plus sign.
    pub owned: HashSet<String>,
    /// Every object that the objects refer to and that exists in the tenant.
    pub known: HashMap<ObjectId, Known>,
    /// Where a call, or a question, that comes to an object surely goes on: the objects that are checked, and all that
    /// can be reached from them so.
    pub hops: HashMap<ObjectId, Hop>,
}

/// The facts about one object.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The object itself; `None` for one that is being created and for the tenant's defaults.
    pub own: Option<ObjectId>,
    /// Whether the form is the tenant's defaults, which have no number, name or login.
    pub defaults: bool,
    /// A free number near the object's number.
    pub free_number: Option<ExtensionNumber>,
    /// The web password that the client sent: the form only has its hash.
    pub new_password: Option<SecretText>,
    /// The tenant.
    pub around: Arc<Surroundings>,
}

/// Who has a number.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The object.
    pub object: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Holder {
    /// Why nobody else can have the number.
    pub fn problem(&self) -> Problem {
        let rule = format!("is taken by the {} {}", self.kind.label(), self.name);
        Problem::new(Code::NumberTaken, rule).related(self.object)
    }
}

/// The slots of a parking lot, both ends included.
#[derive(Clone, Debug)]
pub struct SlotRange {
    /// The lot.
    pub lot: ObjectId,
    /// Its name.
    pub name: String,
    /// The first slot.
    pub first: String,
    /// The last slot.
    pub last: String,
}

impl SlotRange {
    /// Why nobody can have a number among them.
    pub fn problem(&self) -> Problem {
        let Self { lot, name, first, last } = self;
        let rule = format!("lies in the slots {first} to {last} of the parking lot {name}");
        Problem::new(Code::NumberReserved, rule).related(*lot)
    }

    /// Whether a number is one of the slots: those have its length, since `081` is not `81`.
    pub fn contains(&self, number: &str) -> bool {
        self.first.len() == number.len() && (self.first.as_str()..=self.last.as_str()).contains(&number)
    }
}

/// What the checks must know of an object that is referred to.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is.
    pub kind: Kind,
    /// Its name, for messages.
    pub name: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Of a condition: whether it only asks the time.
    pub of_time: bool,
    /// Of a condition: whether it can never be true (again).
    pub never_true: bool,
    /// Of a user profile: whether it is for the panel.
    pub for_panel: bool,
}

/// A step of a chain.
#[derive(Clone, Debug)]
pub struct Hop {
    /// How messages call the object: `108 Ivy Morgan`.
    pub label: String,
    /// Where it goes on from there.
    pub next: Vec<ObjectId>,
}

impl Deref for Facts {
    type Target = Surroundings;

    fn deref(&self) -> &Surroundings {
        &self.around
    }
}

impl Surroundings {
    /// The parking lot among whose slots a number lies.
    pub fn parking(&self, number: &str) -> Option<&SlotRange> {
        self.lots.iter().find(|lot| lot.contains(number))
    }

    /// Whether an outside number is one of the tenant's, with or without the plus sign.
    pub fn owns(&self, number: &str) -> bool {
        self.owned.contains(number.trim_start_matches('+'))
    }

    /// The object that a destination leads to, by its id or by its number.
    pub fn leads_to(&self, destination: &Destination) -> Option<ObjectId> {
        match destination.target() {
            DestinationTarget::Object(object) => Some(*object),
            DestinationTarget::Number(number) => self.holders.get(number.as_str()).map(|holder| holder.object),
            DestinationTarget::Hangup(_) => None,
        }
    }
}

impl Surroundings {
    /// What an object is that was asked for by its id or its number.
    pub fn kind_of(&self, object: ObjectId) -> Option<Kind> {
        let by_number = || self.holders.values().find(|holder| holder.object == object).map(|holder| holder.kind);
        self.known.get(&object).map(|known| known.kind).or_else(by_number)
    }
}

impl Facts {
    /// Whether a destination leads to the object itself, which has this number.
    pub fn leads_back(&self, destination: &Destination, number: Option<&ExtensionNumber>) -> bool {
        let by_number = match (destination.target(), number) {
            (DestinationTarget::Number(to), Some(own)) => to.as_str() == own.as_str(),
            _ => false,
        };
        by_number || (self.own.is_some() && self.leads_to(destination) == self.own)
    }

    /// Who else has a number.
    pub fn other_holder(&self, number: &str) -> Option<&Holder> {
        self.holders.get(number).filter(|holder| Some(holder.object) != self.own)
    }

    /// Whether another extension has this login.
    pub fn login_taken(&self, login: &str) -> bool {
        self.logins.get(login).is_some_and(|holder| Some(*holder) != self.own)
    }

    /// The way from `first` back to the object itself, when there surely is one: the labels on it.
    pub fn way_back(&self, first: ObjectId) -> Option<Vec<String>> {
        let own = self.own?;
        let (mut seen, mut ways) = (HashSet::from([first]), vec![vec![first]]);
        while let Some(way) = ways.pop() {
            let last = *way.last()?;
            if last == own {
                let labels = std::iter::once(&own).chain(&way).filter_map(|object| self.hops.get(object));
                return Some(labels.map(|hop| hop.label.clone()).collect());
            }
            for next in self.hops.get(&last).into_iter().flat_map(|hop| &hop.next).filter(|next| seen.insert(**next)) {
                ways.push([way.as_slice(), &[*next]].concat());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TenantId;

    #[test]
    fn a_way_back_is_told_with_its_stops() {
        let id = |local| ObjectId { tenant: TenantId(1), local };
        let hop = |label: &str, next: &[i64]| Hop { label: label.into(), next: next.iter().map(|n| id(*n)).collect() };
        let hops = HashMap::from([
            (id(1), hop("101", &[])),
            (id(2), hop("102", &[4, 3])),
            (id(3), hop("103", &[1])),
            (id(4), hop("104", &[2])),
        ]);
        let facts = Facts {
            own: Some(id(1)),
            around: Arc::new(Surroundings { hops, ..Surroundings::default() }),
            ..Facts::default()
        };
        assert_eq!(facts.way_back(id(2)).unwrap(), ["101", "102", "103", "101"]);
        assert_eq!(facts.way_back(id(4)).unwrap(), ["101", "104", "102", "103", "101"]);
        assert_eq!(Facts { own: Some(id(9)), ..facts }.way_back(id(2)), None);
    }
}
