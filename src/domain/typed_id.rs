//! Ids with the kinds of objects that they may refer to in their type.

use std::fmt;
use std::marker::PhantomData;

use super::{Code, Kind, ObjectId, Problem, Target};

/// A reference to an object of certain kinds. A save checks that the object exists and has one of these kinds; a
/// foreign key of the database ensures again that it exists.
pub struct Id<K> {
    object: ObjectId,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// A reference to this object.
    pub fn new(object: ObjectId) -> Self {
        Self { object, kind: PhantomData }
    }

    /// The object that is referred to.
    pub fn object(self) -> ObjectId {
        self.object
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.object.tenant.0, self.object.local)
    }
}

impl<K: Target> Id<K> {
    /// Parses a reference that a client sent.
    ///
    /// # Errors
    /// NOT_FOUND for a text that is not an id: the same answer as for an object that does not exist.
    pub fn parse(sent: &str) -> Result<Self, Problem> {
        ObjectId::from_opaque(sent).map(Self::new).ok_or_else(|| Problem::not_found(K::KINDS, sent))
    }
}

impl Problem {
    /// The answer for an id that does not exist, belongs to another tenant, or is not an id at all.
    pub fn not_found(kinds: &[Kind], id: &str) -> Self {
        let kinds = kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join(", ");
        Self::new(Code::NotFound, format!("must be the id of an object of this tenant: {kinds}")).value(id)
    }
}
