//! Finds free numbers of a tenant: those that are neither the number of an object nor a parking slot.

use std::collections::HashSet;

use super::error::{Result, StoreError};
use super::session::{Query, column};
use crate::domain::{ExtensionNumber, ObjectId, Scalar as _};
use crate::form::SlotRange;

const NUMBERS: &str =
    "SELECT number FROM pbx_object WHERE tenant_id = $1 AND number >= $2 AND number <= $3 ORDER BY number LIMIT $4";
const SLOTS: &str = "SELECT p.object_id, o.name, p.first_slot, p.last_slot
  FROM parking_lot p JOIN pbx_object o ON o.tenant_id = p.tenant_id AND o.object_id = p.object_id
  WHERE p.tenant_id = $1 ORDER BY p.object_id";

/// How many numbers one statement reads.
const CHUNK: i64 = 1000;

/// The slots of all parking lots.
///
/// # Errors
/// An engine error.
pub fn parking_slots(query: &mut Query<'_>) -> Result<Vec<SlotRange>> {
    let tenant = query.tenant();
    let slot = |row: &crate::domain::Row| {
        let lot = ObjectId { tenant, local: column!(row, 0, int)? };
        let text = |i: usize| column!(row, i, text).map(str::to_owned);
        Ok(SlotRange { lot, name: text(1)?, first: text(2)?, last: text(3)? })
    };
    query.rows(SLOTS, &[])?.iter().map(slot).collect()
}

/// The last number with `width` digits that is not after `text` in text order. Once all numbers up to `text` have been
/// read, it is known which numbers up to this one are free.
fn last_decided_number(text: &str, width: usize) -> Option<u64> {
    match text.get(..width) {
        Some(beginning) => beginning.parse().ok(),
        None => format!("{text:0<width$}").parse::<u64>().ok().map(|behind| behind.saturating_sub(1)),
    }
}

/// The first free number after `number` that has the same length.
///
/// # Errors
/// An engine error.
pub fn free_number_behind(query: &mut Query<'_>, number: &str) -> Result<Option<ExtensionNumber>> {
    let Ok(before) = number.parse::<u64>() else { return Ok(None) };
    let width = number.len();
    free_number(query, &format!("{:0width$}", before + 1), &"9".repeat(width))
}

/// The first free number from `from` to `to`, which have the same length. Each statement usually decides some hundred
/// numbers, but only one if hundreds of longer numbers begin with it.
///
/// # Errors
/// An engine error.
pub fn free_number(query: &mut Query<'_>, from: &str, to: &str) -> Result<Option<ExtensionNumber>> {
    let width = from.len();
    let written = |number: u64| format!("{number:0width$}");
    let (Ok(mut next), Ok(last)) = (from.parse::<u64>(), to.parse::<u64>()) else { return Ok(None) };
    let slots = parking_slots(query)?;
    while next <= last {
        let rows = query.rows(NUMBERS, &[written(next).into(), to.into(), CHUNK.into()])?;
        let texts = rows.iter().map(|row| column!(row, 0, text)).collect::<Result<Vec<_>>>()?;
        // Nothing is known about numbers after the last one read, unless there are no more.
        let known_to =
            texts.last().filter(|_| rows.len() as i64 == CHUNK).and_then(|text| last_decided_number(text, width));
        let known_to = known_to.unwrap_or(last).clamp(next, last);
        let taken: HashSet<&str> = texts.into_iter().filter(|text| text.len() == width).collect();
        while next <= known_to {
            let candidate = written(next);
            if let Some(range) = slots.iter().find(|range| range.contains(&candidate)) {
                next = range.last.parse::<u64>().unwrap_or(next) + 1;
            } else if taken.contains(candidate.as_str()) {
                next += 1;
            } else {
                return Ok(Some(ExtensionNumber::from_value(candidate.into()).map_err(StoreError::from)?));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_decide_the_numbers_before_them() {
        for (text, last) in [("110", 110), ("1105", 110), ("12", 119), ("2", 199), ("0999", 99)] {
            assert_eq!(last_decided_number(text, 3), Some(last), "{text}");
            let sorts_before = |number: &String| number.as_str() <= text;
            assert_eq!((0..1000).map(|n| format!("{n:03}")).rfind(sorts_before), Some(format!("{last:03}")), "{text}");
        }
    }
}
