//! What checks must know about the rest of the tenant. The service loads it in the transaction of the save, for one
//! object or for many at once.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Problem, SecretText};

/// Facts about the tenant of the objects that are checked.
#[derive(Clone, Debug, Default)]
pub struct TenantFacts {
    /// The time of the check, in epoch milliseconds.
    pub now: i64,
    /// Whether the tenant has the feature `transcription`.
    pub transcription: bool,
    /// Whether the tenant has the feature `ai`: summaries and moods of transcripts.
    pub ai: bool,
    /// Whether the tenant has an enabled LDAP server.
    pub ldap: bool,
    /// The holders of the numbers that the objects have or dial.
    pub holders: HashMap<String, Holder>,
    /// The slots of all parking lots.
    pub lots: Vec<SlotRange>,
    /// The holders of the logins that the objects have.
    pub logins: HashMap<String, ObjectId>,
    /// Those outside numbers of the objects that belong to the tenant, without the plus sign.
    pub owned: HashSet<String>,
    /// Every existing object of the tenant that the objects refer to.
    pub referenced: HashMap<ObjectId, ReferencedObject>,
    /// Where calls to an object certainly go on to, or which conditions it evaluates: for the objects that are checked
    /// and for all that they reach in this way.
    pub hops: HashMap<ObjectId, Hop>,
}

/// The facts that the check of one object needs.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The id of the object; `None` while it is created and for the tenant's defaults.
    pub own: Option<ObjectId>,
    /// Whether the form holds the tenant's defaults, which have no number, name or login.
    pub defaults: bool,
    /// A free number near the object's number.
    pub free_number: Option<ExtensionNumber>,
    /// The web password that the client sent; the form itself has only its hash.
    pub new_password: Option<SecretText>,
    /// The facts about the tenant.
    pub tenant: Arc<TenantFacts>,
}

/// The object that has a number.
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
    /// The problem of any other object that wants the number.
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
    /// The problem of an object whose number is one of the slots.
    pub fn problem(&self) -> Problem {
        let Self { lot, name, first, last } = self;
        let rule = format!("is one of the slots {first} to {last} of the parking lot {name}");
        Problem::new(Code::NumberReserved, rule).related(*lot)
    }

    /// Whether a number is one of the slots. Only numbers of the same length are: `081` is not `81`.
    pub fn contains(&self, number: &str) -> bool {
        self.first.len() == number.len() && (self.first.as_str()..=self.last.as_str()).contains(&number)
    }
}

/// What checks must know about an object that is referred to.
#[derive(Clone, Debug)]
pub struct ReferencedObject {
    /// Its kind.
    pub kind: Kind,
    /// Its name, for messages.
    pub name: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// For a condition: whether it depends on the time alone.
    pub time_only: bool,
    /// For a condition: whether it can never be true (again).
    pub never_true: bool,
    /// For a user profile: whether it is for the panel.
    pub for_panel: bool,
}

/// An object in a chain of objects.
#[derive(Clone, Debug)]
pub struct Hop {
    /// What messages call the object: `108 Ivy Morgan`.
    pub label: String,
    /// The next objects.
    pub next: Vec<ObjectId>,
}

impl Deref for Facts {
    type Target = TenantFacts;

    fn deref(&self) -> &TenantFacts {
        &self.tenant
    }
}

impl TenantFacts {
    /// The parking lot that has a number as a slot.
    pub fn parking(&self, number: &str) -> Option<&SlotRange> {
        self.lots.iter().find(|lot| lot.contains(number))
    }

    /// Whether an outside number belongs to the tenant, with or without the plus sign.
    pub fn owns(&self, number: &str) -> bool {
        self.owned.contains(number.trim_start_matches('+'))
    }

    /// The kind of an object that was looked up by its id or its number.
    pub fn kind_of(&self, object: ObjectId) -> Option<Kind> {
        let by_number = || self.holders.values().find(|holder| holder.object == object).map(|holder| holder.kind);
        self.referenced.get(&object).map(|known| known.kind).or_else(by_number)
    }
}

impl Facts {
    /// Another object that has a number.
    pub fn other_holder(&self, number: &str) -> Option<&Holder> {
        self.holders.get(number).filter(|holder| Some(holder.object) != self.own)
    }

    /// Whether another extension has this login.
    pub fn login_taken(&self, login: &str) -> bool {
        self.logins.get(login).is_some_and(|holder| Some(*holder) != self.own)
    }
}
