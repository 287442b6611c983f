//! Free numbers of a tenant.

use std::sync::Arc;

use crate::domain::{ExtensionNumber, ObjectId, Problem};
use crate::form::Holder;
use crate::store::{self, ObjectRow, Query, Result};

/// Whether an object can have a number.
#[derive(Clone, Debug, Default)]
pub struct Availability {
    /// The reason why not; `None` if it can.
    pub problem: Option<Problem>,
    /// The object that has the number.
    pub holder: Option<Arc<ObjectRow>>,
    /// The parking lot that has the number as a slot.
    pub parking_lot: Option<ObjectId>,
    /// The next free number of the same length.
    pub suggestion: Option<ExtensionNumber>,
}

/// Checks whether an object can have a number, with the same problems as a save.
///
/// # Errors
/// Errors of the store.
pub fn availability(query: &mut Query<'_>, sent: &str) -> Result<Availability> {
    let number = match ExtensionNumber::read(sent) {
        Ok(number) => number,
        Err(problem) => {
            return Ok(Availability { problem: Some(problem.under("number")), ..Availability::default() });
        }
    };
    let holder = store::object_by_number(query, number.as_str())?;
    let slots = store::parking_slots(query)?.into_iter().find(|slots| slots.contains(number.as_str()));
    let problem = match (&holder, &slots) {
        (Some(row), _) => Some(Holder { object: row.id, kind: row.kind, name: row.name.clone() }.problem()),
        (None, Some(slots)) => Some(slots.problem()),
        (None, None) => return Ok(Availability::default()),
    };
    Ok(Availability {
        problem: problem.map(|problem| problem.value(number.as_str()).under("number")),
        holder: holder.map(Arc::new),
        parking_lot: slots.map(|range| range.lot),
        suggestion: store::free_number_behind(query, number.as_str())?,
    })
}

/// Parses the ends of a range of numbers.
///
/// # Errors
/// One sentence that says what is wrong.
pub fn range(from: &str, to: &str) -> std::result::Result<(String, String), String> {
    let parse = |sent, name| ExtensionNumber::read(sent).map_err(|problem| problem.under(name).message());
    let (from, to) = (parse(from, "from")?, parse(to, "to")?);
    let (from, to) = (from.as_str().to_owned(), to.as_str().to_owned());
    if from.len() != to.len() {
        return Err(format!("from and to must have the same length; they are {from} and {to}."));
    }
    if from > to {
        return Err(format!("from must not be greater than to; they are {from} and {to}."));
    }
    Ok((from, to))
}
