//! The feed: the change records of a tenant in the order in which they were committed. Whoever writes holds the tenant's
//! row, so that revisions are committed in their order and a reader behind one misses none.

use super::error::{Result, StoreError};
use super::session::{Query, column};
use crate::domain::{DateTime, Kind, Value};

/// A place in the feed of a tenant. One revision may have changed several objects.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FeedPlace {
    /// Which change of the tenant.
    pub revision: i64,
    /// The object's key.
    pub object: i64,
    /// The version that the change made.
    pub version: i64,
}

impl FeedPlace {
    /// The place behind all that a revision has changed.
    pub fn behind(revision: i64) -> Self {
        Self { revision, object: i64::MAX, version: i64::MAX }
    }
}

/// A change record as the feed shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    /// Where it stands.
    pub place: FeedPlace,
    /// When it was made.
    pub at: DateTime,
    /// The name of the token that asked for it.
    pub actor: String,
    /// What the object is, or was; `None` for one that was deleted before that was kept.
    pub kind: Option<Kind>,
    /// Whether it is the end of the object.
    pub deleted: bool,
}

/// The path under which the record of a delete keeps what the object was.
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

/// The first change records behind a place.
///
/// # Errors
/// What the engine answers.
pub fn feed(query: &mut Query<'_>, behind: FeedPlace, limit: i64) -> Result<Vec<FeedRow>> {
    let FeedPlace { revision, object, version } = behind;
    let rows = query.rows(FEED, &[revision.into(), object.into(), version.into(), limit.into()])?;
    let row = |row: &Vec<Value>| {
        // The word as it stands in its column, or as JSON in the record of a delete.
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

/// The fields of a change record by path: path, and the values before and after as JSON.
///
/// # Errors
/// What the engine answers.
pub fn fields_of_change(query: &mut Query<'_>, object: i64, version: i64) -> Result<Vec<[String; 3]>> {
    let rows = query.rows(FIELDS, &[object.into(), version.into()])?;
    let text = |row: &Vec<Value>, i: usize| column!(row, i, text).map(str::to_owned);
    rows.iter().map(|row| Ok([text(row, 0)?, text(row, 1)?, text(row, 2)?])).collect()
}
