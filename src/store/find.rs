//! Finds objects: pages of a list in any order, and objects by an indexed value.

use std::collections::HashMap;

use super::error::Result;
use super::objects::{ObjectRow, load_rows, select};
use super::order::{OrderDirection, OrderField, SortRange};
use super::session::{Query, column};
use crate::domain::{Kind, Scalar as _, Value, fold};

/// The statements for one sort order.
struct OrderStatements {
    ascending: &'static str,
    descending: &'static str,
    /// Only the ids, read from the index alone.
    ids: &'static str,
    /// Only the number of objects, read from the index alone.
    count: &'static str,
}

macro_rules! ordered {
    ($key:literal) => {
        OrderStatements {
            ascending: select!(concat!(
                "kind = $2 AND (",
                $key,
                ", object_id) > ($3, $4) AND (",
                $key,
                ", object_id) < ($5, $6) ORDER BY ",
                $key,
                ", object_id LIMIT $7"
            )),
            descending: select!(concat!(
                "kind = $2 AND (",
                $key,
                ", object_id) > ($3, $4) AND (",
                $key,
                ", object_id) < ($5, $6) ORDER BY ",
                $key,
                " DESC, object_id DESC LIMIT $7"
            )),
            ids: concat!(
                "SELECT object_id FROM pbx_object WHERE tenant_id = $1 AND kind = $2 AND (",
                $key,
                ", object_id) > ($3, $4) AND (",
                $key,
                ", object_id) < ($5, $6) ORDER BY ",
                $key,
                ", object_id LIMIT $7"
            ),
            count: concat!(
                "SELECT count(*) FROM pbx_object WHERE tenant_id = $1 AND kind = $2 AND (",
                $key,
                ", object_id) > ($3, $4) AND (",
                $key,
                ", object_id) < ($5, $6)"
            ),
        }
    };
}

const NUMBER: OrderStatements = ordered!("number_key");
const NAME: OrderStatements = ordered!("name_folded");
const CREATED_AT: OrderStatements = ordered!("created_at");
const CHANGED_AT: OrderStatements = ordered!("changed_at");

fn statements(field: OrderField) -> &'static OrderStatements {
    match field {
        OrderField::Number => &NUMBER,
        OrderField::Name => &NAME,
        OrderField::CreatedAt => &CREATED_AT,
        OrderField::ChangedAt => &CHANGED_AT,
    }
}

const BY_WORD: &str = "SELECT object_id FROM search_word
  WHERE tenant_id = $1 AND word >= $2 AND word < $3 ORDER BY word, object_id LIMIT $4";

/// The objects of a kind in a range, in order.
///
/// # Errors
/// An engine error.
pub fn objects_in_range(
    query: &mut Query<'_>,
    kind: Kind,
    (field, direction): (OrderField, OrderDirection),
    range: &SortRange,
    limit: usize,
) -> Result<Vec<ObjectRow>> {
    let statements = statements(field);
    let sql = if direction == OrderDirection::Asc { statements.ascending } else { statements.descending };
    load_rows(query, sql, &[&[kind.to_value()][..], &range.params(), &[Value::Int(limit as i64)]].concat())
}

/// The number of objects of a kind in a range.
///
/// # Errors
/// An engine error.
pub fn count_in_range(query: &mut Query<'_>, kind: Kind, field: OrderField, range: &SortRange) -> Result<i64> {
    let row = query.first(statements(field).count, &[&[kind.to_value()][..], &range.params()].concat())?;
    column!(row.unwrap_or_default(), 0, int)
}

/// A property of a virtual extension's form that a filter can test.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Fact {
    /// The branch in the note.
    Branch,
    /// The department in the note.
    Department,
    /// The reference id in the note.
    ReferenceId,
    /// A member.
    Member,
    /// The condition of the working hours.
    WorkingHours,
    /// The condition of follow-me.
    FollowMeCondition,
    /// The condition of the destinations on condition.
    OnCondition,
    /// The target of any destination.
    Destination,
    /// The routing profile.
    RoutingProfile,
    /// Whether it is locked.
    Locked,
    /// Whether it is set to do not disturb.
    Dnd,
    /// Whether its user panel is enabled.
    UserPanel,
}

/// The statements of a fact.
struct FactStatements {
    /// The facts of given objects.
    by_object: &'static str,
    /// The objects with a given value; empty for texts, which are found by their words instead.
    by_value: &'static str,
}

macro_rules! fact_statements {
    ($table:literal, $id:literal, $value:literal, $more:literal) => {
        FactStatements {
            by_object: concat!(
                "SELECT ",
                $id,
                ", ",
                $value,
                " FROM ",
                $table,
                " WHERE tenant_id = $1 AND ",
                $id,
                " = ANY($2)",
                $more
            ),
            by_value: concat!(
                "SELECT ",
                $id,
                " FROM ",
                $table,
                " WHERE tenant_id = $1 AND ",
                $value,
                " = $2",
                $more,
                " LIMIT $3"
            ),
        }
    };
    ($table:literal, $value:literal) => {
        fact_statements!($table, "object_id", $value, "")
    };
}

impl Fact {
    fn statements(self) -> FactStatements {
        match self {
            Fact::Branch => FactStatements { by_value: "", ..fact_statements!("note", "branch") },
            Fact::Department => FactStatements { by_value: "", ..fact_statements!("note", "department") },
            Fact::ReferenceId => FactStatements { by_value: "", ..fact_statements!("note", "reference_id") },
            Fact::Member => fact_statements!("link", "owner_id", "target_id", " AND slot = 'member_ids'"),
            Fact::WorkingHours => fact_statements!("security", "working_hours_condition_id"),
            Fact::FollowMeCondition => fact_statements!("follow_me", "condition_id"),
            Fact::OnCondition => fact_statements!("additional_destinations", "condition_id"),
            Fact::Destination => fact_statements!("destination", "owner_id", "target_id", ""),
            Fact::RoutingProfile => fact_statements!("outbound_calls", "routing_profile_id"),
            Fact::Locked => fact_statements!("security", "locked"),
            Fact::Dnd => fact_statements!("information", "dnd"),
            Fact::UserPanel => fact_statements!("web_user_panel", "user_panel_enabled"),
        }
    }
}

/// One fact of some objects, with all values that each object has for it. Texts are folded.
///
/// # Errors
/// An engine error.
pub fn load_facts(query: &mut Query<'_>, fact: Fact, ids: &[i64]) -> Result<HashMap<i64, Vec<Value>>> {
    let mut found: HashMap<i64, Vec<Value>> = HashMap::new();
    query.for_each_row(fact.statements().by_object, &[ids.iter().copied().collect()], &mut |row| {
        let value = match row.get(1) {
            Some(Value::Text(text)) => Value::Text(fold(text)),
            value => value.cloned().unwrap_or(Value::Null),
        };
        found.entry(column!(row, 0, int)?).or_default().push(value);
        Ok(())
    })?;
    Ok(found)
}

/// A lookup in an index. It may find too many objects, also of other kinds, but it never misses one.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// Objects in a range of a sort order.
    Keys(OrderField, SortRange),
    /// Objects with a word in the range from the first up to, but not including, the second.
    Words(String, String),
    /// Objects with this value of a fact. It must not be a text; use [`Probe::Words`] for those.
    Having(Fact, Value),
}

/// The ids of the objects that a probe finds, possibly with duplicates; `None` if there are more than `most`.
///
/// # Errors
/// An engine error.
pub fn run_probe(query: &mut Query<'_>, kind: Kind, probe: &Probe, most: usize) -> Result<Option<Vec<i64>>> {
    let limit = Value::Int(most as i64 + 1);
    let rows = match probe {
        Probe::Keys(field, range) => {
            let params = [&[kind.to_value()][..], &range.params(), &[limit]].concat();
            query.rows(statements(*field).ids, &params)?
        }
        Probe::Words(from, to) => query.rows(BY_WORD, &[from.as_str().into(), to.as_str().into(), limit])?,
        Probe::Having(fact, value) => query.rows(fact.statements().by_value, &[value.clone(), limit])?,
    };
    if rows.len() > most {
        return Ok(None);
    }
    rows.iter().map(|row| column!(row, 0, int)).collect::<Result<_>>().map(Some)
}
