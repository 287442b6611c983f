//! Ids whose type says what kind of object they may point at.

use std::fmt;
use std::marker::PhantomData;

use super::{Code, Kind, ObjectId, Problem, Target};

/// A reference to an object of one kind. That the object exists and is of that kind is checked when a form is saved,
/// and again by the database's foreign key.
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
    /// The reference that a client sent.
    ///
    /// # Errors
    /// NOT_FOUND for what no server ever handed out: the same answer as for an id that does not exist.
    pub fn parse(sent: &str) -> Result<Self, Problem> {
        ObjectId::of_opaque(sent).map(Self::new).ok_or_else(|| Problem::not_found(K::KINDS, sent))
    }
}

impl Problem {
    /// The one answer for an id that does not exist, that is another tenant's, or that no server ever handed out.
    pub fn not_found(kinds: &[Kind], id: &str) -> Self {
        let kinds = kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join(", ");
        Self::new(Code::NotFound, format!("must be the id of an object of this tenant: {kinds}")).value(id)
    }
}
