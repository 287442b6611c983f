//! Statements that find objects: pages in any order, and the objects that an index knows of by what they hold.

use std::collections::HashMap;

use super::error::Result;
use super::objects::{ObjectRow, all, select};
use super::order::{OrderDirection, OrderField, Span};
use super::session::{Query, column};
use crate::domain::{Kind, Scalar as _, Value, fold};

/// The statements of one order.
struct Ordered {
    up: &'static str,
    down: &'static str,
    /// Only the ids, in any order: read from the index alone.
    ids: &'static str,
    /// How many there are: read from the index alone.
    count: &'static str,
}

macro_rules! ordered {
    ($key:literal) => {
        Ordered {
            up: select!(concat!(
                "kind = $2 AND (",
                $key,
                ", object_id) > ($3, $4) AND (",
                $key,
                ", object_id) < ($5, $6) ORDER BY ",
                $key,
                ", object_id LIMIT $7"
            )),
            down: select!(concat!(
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

const NUMBER: Ordered = ordered!("number_key");
const NAME: Ordered = ordered!("name_folded");
const CREATED_AT: Ordered = ordered!("created_at");
const CHANGED_AT: Ordered = ordered!("changed_at");

fn statements(field: OrderField) -> &'static Ordered {
    match field {
        OrderField::Number => &NUMBER,
        OrderField::Name => &NAME,
        OrderField::CreatedAt => &CREATED_AT,
        OrderField::ChangedAt => &CHANGED_AT,
    }
}

const BY_WORD: &str = "SELECT object_id FROM search_word
  WHERE tenant_id = $1 AND word >= $2 AND word < $3 ORDER BY word, object_id LIMIT $4";

/// The objects of a kind that lie in a span, in order.
///
/// # Errors
/// What the engine answers.
pub fn walk(
    query: &mut Query<'_>,
    kind: Kind,
    (field, direction): (OrderField, OrderDirection),
    span: &Span,
    limit: usize,
) -> Result<Vec<ObjectRow>> {
    let statements = statements(field);
    let sql = if direction == OrderDirection::Asc { statements.up } else { statements.down };
    all(query, sql, &[&[kind.to_value()][..], &span.params(), &[Value::Int(limit as i64)]].concat())
}

/// How many objects of a kind lie in a span.
///
/// # Errors
/// What the engine answers.
pub fn count_span(query: &mut Query<'_>, kind: Kind, field: OrderField, span: &Span) -> Result<i64> {
    let row = query.first(statements(field).count, &[&[kind.to_value()][..], &span.params()].concat())?;
    column!(row.unwrap_or_default(), 0, int)
}

/// Something that a filter asks of a virtual extension's form.
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
    /// What any destination leads to.
    Destination,
    /// The routing profile.
    RoutingProfile,
    /// Whether it is locked.
    Locked,
    /// Whether it does not want to be disturbed.
    Dnd,
    /// Whether its user panel is enabled.
    UserPanel,
}

/// The statements of a fact.
struct FactStatements {
    /// The facts of some objects.
    of: &'static str,
    /// The objects of which something is the fact; nothing where the words are asked instead.
    having: &'static str,
}

macro_rules! known {
    ($table:literal, $id:literal, $value:literal, $more:literal) => {
        FactStatements {
            of: concat!(
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
            having: concat!(
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
        known!($table, "object_id", $value, "")
    };
}

impl Fact {
    fn statements(self) -> FactStatements {
        match self {
            Fact::Branch => FactStatements { having: "", ..known!("note", "branch") },
            Fact::Department => FactStatements { having: "", ..known!("note", "department") },
            Fact::ReferenceId => FactStatements { having: "", ..known!("note", "reference_id") },
            Fact::Member => known!("link", "owner_id", "target_id", " AND slot = 'member_ids'"),
            Fact::WorkingHours => known!("security", "working_hours_condition_id"),
            Fact::FollowMeCondition => known!("follow_me", "condition_id"),
            Fact::OnCondition => known!("additional_destinations", "condition_id"),
            Fact::Destination => known!("destination", "owner_id", "target_id", ""),
            Fact::RoutingProfile => known!("outbound_calls", "routing_profile_id"),
            Fact::Locked => known!("security", "locked"),
            Fact::Dnd => known!("information", "dnd"),
            Fact::UserPanel => known!("web_user_panel", "user_panel_enabled"),
        }
    }
}

/// One fact of some objects: every value of each. Texts are folded.
///
/// # Errors
/// What the engine answers.
pub fn facts(query: &mut Query<'_>, fact: Fact, ids: &[i64]) -> Result<HashMap<i64, Vec<Value>>> {
    let mut found: HashMap<i64, Vec<Value>> = HashMap::new();
    query.each(fact.statements().of, &[ids.iter().copied().collect()], &mut |row| {
        let value = match row.get(1) {
            Some(Value::Text(text)) => Value::Text(fold(text)),
            value => value.cloned().unwrap_or(Value::Null),
        };
        found.entry(column!(row, 0, int)?).or_default().push(value);
        Ok(())
    })?;
    Ok(found)
}

/// A question that an index answers with ids: perhaps too many, of other kinds too, but never too few.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// What lies in a span of an order.
    Keys(OrderField, Span),
    /// What has a word from the first up to, but not including, the second.
    Words(String, String),
    /// What has this as a fact, which is no text: texts are words.
    Having(Fact, Value),
}

/// The ids of the objects that a probe finds, some of them more than once; `None` when there are more than `most`.
///
/// # Errors
/// What the engine answers.
pub fn probe(query: &mut Query<'_>, kind: Kind, probe: &Probe, most: usize) -> Result<Option<Vec<i64>>> {
    let limit = Value::Int(most as i64 + 1);
    let rows = match probe {
        Probe::Keys(field, span) => {
            let params = [&[kind.to_value()][..], &span.params(), &[limit]].concat();
            query.rows(statements(*field).ids, &params)?
        }
        Probe::Words(from, to) => query.rows(BY_WORD, &[from.as_str().into(), to.as_str().into(), limit])?,
        Probe::Having(fact, value) => query.rows(fact.statements().having, &[value.clone(), limit])?,
    };
    if rows.len() > most {
        return Ok(None);
    }
    rows.iter().map(|row| column!(row, 0, int)).collect::<Result<_>>().map(Some)
}
