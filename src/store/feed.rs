//! The feed: the change records of a tenant in the order of their commits. Every writer holds the lock on the tenant's
//! row, so revisions are committed in order, and a reader that continues after one never misses another.

use super::error::{Result, StoreError};
use super::session::{Query, column};
use crate::domain::{DateTime, Kind, Value};

/// A position in the feed of a tenant. One revision may have changed several objects.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FeedPlace {
    /// The tenant's revision after the change.
    pub revision: i64,
    /// The object's id.
    pub object: i64,
    /// The object's version after the change.
    pub version: i64,
}

impl FeedPlace {
    /// The position after all changes of a revision.
    pub fn after_revision(revision: i64) -> Self {
        Self { revision, object: i64::MAX, version: i64::MAX }
    }
}

/// A change record as the feed shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    /// Its position.
    pub place: FeedPlace,
    /// The time of the change.
    pub at: DateTime,
    /// The name of the token that made the change.
    pub actor: String,
    /// The kind of the object; `None` if it was deleted before change records kept its kind.
    pub kind: Option<Kind>,
    /// Whether the change deleted the object.
    pub deleted: bool,
}

/// The path in the change record of a deletion that stores the object's kind.
pub const KIND_PATH: &str = "kind";

const FEED: &str = "SELECT c.revision, c.object_id, c.version, c.changed_at, c.actor,
    coalesce(o.kind, (SELECT max(f.before_value) FROM change_field f
      WHERE f.tenant_id = $1 AND f.object_id = c.object_id AND f.path = 'kind')),
    o.kind IS NULL AND NOT EXISTS
      (SELECT 1 FROM change n WHERE n.tenant_id = $1 AND n.object_id = c.object_id AND n.version > c.version)
  FROM change c LEFT JOIN pbx_object o ON o.tenant_id = $1 AND o.object_id = c.object_id
  WHERE c.tenant_id = $1 AND (c.revision, c.object_id, c.version) > ($2, $3, $4)
  ORDER BY c.revision, c.object_id, c.version LIMIT $5";
const FIELDS: &str = "SELECT path, before_value, after_value FROM change_field
  WHERE tenant_id = $1 AND object_id = $2 AND version = $3 ORDER BY path";

/// The first change records after a position.
///
/// # Errors
/// An engine error.
pub fn read_feed(query: &mut Query<'_>, after: FeedPlace, limit: i64) -> Result<Vec<FeedRow>> {
    let FeedPlace { revision, object, version } = after;
    let rows = query.rows(FEED, &[revision.into(), object.into(), version.into(), limit.into()])?;
    let row = |row: &Vec<Value>| {
        // The plain word from the object's row, or a JSON string from the record of its deletion.
        let kind = match row.get(5).and_then(Value::text).map(|word| word.trim_matches('"')) {
            Some(word) => {
                Some(Kind::from_word(word).ok_or_else(|| StoreError::Corrupt(format!("there is no kind {word}")))?)
            }
            None => None,
        };
        Ok(FeedRow {
            place: FeedPlace {
                revision: column!(row, 0, int)?,
                object: column!(row, 1, int)?,
                version: column!(row, 2, int)?,
            },
            at: DateTime(column!(row, 3, int)?),
            actor: column!(row, 4, text)?.to_owned(),
            kind,
            deleted: column!(row, 6, bool)?,
        })
    };
    rows.iter().map(row).collect()
}

/// The fields of a change record, sorted by path: the path, and the values before and after as JSON.
///
/// # Errors
/// An engine error.
pub fn fields_of_change(query: &mut Query<'_>, object: i64, version: i64) -> Result<Vec<[String; 3]>> {
    let rows = query.rows(FIELDS, &[object.into(), version.into()])?;
    let text = |row: &Vec<Value>, i: usize| column!(row, i, text).map(str::to_owned);
    rows.iter().map(|row| Ok([text(row, 0)?, text(row, 1)?, text(row, 2)?])).collect()
}
