//! What the checks must know besides what they check: the tenant around it. The service gathers it in the transaction
//! of the save, for one object or for many at once.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

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

    /// What an object is that was asked for by its id or its number.
    pub fn kind_of(&self, object: ObjectId) -> Option<Kind> {
        let by_number = || self.holders.values().find(|holder| holder.object == object).map(|holder| holder.kind);
        self.known.get(&object).map(|known| known.kind).or_else(by_number)
    }
}

impl Facts {
    /// Who else has a number.
    pub fn other_holder(&self, number: &str) -> Option<&Holder> {
        self.holders.get(number).filter(|holder| Some(holder.object) != self.own)
    }

    /// Whether another extension has this login.
    pub fn login_taken(&self, login: &str) -> bool {
        self.logins.get(login).is_some_and(|holder| Some(*holder) != self.own)
    }
}
