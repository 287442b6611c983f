//! Collects the numbers that a tenant uses in any of its fields: its own, and external ones that it calls.

use std::collections::BTreeSet;

use super::error::Result;
use super::session::{Query, column};
use crate::domain::Value;
use crate::form::KnownNumbers;

/// The maximum number of texts in each set. If there are more, only the first ones are read.
const MOST: usize = 20_000;

const INSIDE: &[&str] =
    &["SELECT number FROM pbx_object WHERE tenant_id = $1 AND number > '' ORDER BY number LIMIT $2"];
const OWN: &[&str] = &[
    "SELECT phone_number FROM did WHERE tenant_id = $1 ORDER BY phone_number LIMIT $2",
    "SELECT DISTINCT external_caller_id_number FROM outbound_calls
  WHERE tenant_id = $1 AND external_caller_id_number > '' ORDER BY external_caller_id_number LIMIT $2",
    "SELECT DISTINCT external_caller_id_number FROM extension
  WHERE tenant_id = $1 AND external_caller_id_number > '' ORDER BY external_caller_id_number LIMIT $2",
];
const NAMES: &[&str] = &["SELECT DISTINCT external_caller_id_name FROM outbound_calls
  WHERE tenant_id = $1 AND external_caller_id_name > '' ORDER BY external_caller_id_name LIMIT $2"];
const OTHERS: &[&str] = &[
    "SELECT DISTINCT phone1 FROM phone_book_entry WHERE tenant_id = $1 AND phone1 > '' ORDER BY phone1 LIMIT $2",
    "SELECT DISTINCT phone2 FROM phone_book_entry WHERE tenant_id = $1 AND phone2 > '' ORDER BY phone2 LIMIT $2",
    "SELECT DISTINCT destination FROM short_number WHERE tenant_id = $1 ORDER BY destination LIMIT $2",
    "SELECT DISTINCT number FROM destination WHERE tenant_id = $1 AND number > '' ORDER BY number LIMIT $2",
    "SELECT DISTINCT number FROM follow_me WHERE tenant_id = $1 AND number > '' ORDER BY number LIMIT $2",
    "SELECT DISTINCT number FROM phone_key WHERE tenant_id = $1 AND number > '' ORDER BY number LIMIT $2",
];
const LISTED: &str = "SELECT DISTINCT number FROM call_list_entry
  WHERE tenant_id = $1 AND prefix = $3 ORDER BY number LIMIT $2";

/// The numbers that the tenant uses in any of its fields.
///
/// # Errors
/// An engine error.
pub fn known_numbers(query: &mut Query<'_>) -> Result<KnownNumbers> {
    let mut numbers = KnownNumbers::default();
    let sets = [
        (INSIDE, &mut numbers.inside),
        (OWN, &mut numbers.own),
        (NAMES, &mut numbers.names),
        (OTHERS, &mut numbers.others),
    ];
    for (statements, set) in sets {
        for sql in statements {
            read(query, sql, &[], set)?;
        }
    }
    // A prefix is not a number.
    read(query, LISTED, &[false.into()], &mut numbers.others)?;
    let (slots, inside) = (super::parking_slots(query)?, &numbers.inside);
    // Feature codes, internal numbers and parking slots are not external numbers.
    numbers.others.retain(|number| {
        let digits = number.strip_prefix('+').unwrap_or(number);
        let slot = || slots.iter().any(|range| range.contains(number));
        digits.bytes().all(|b| b.is_ascii_digit()) && !inside.contains(number) && !slot()
    });
    Ok(numbers)
}

fn read(query: &mut Query<'_>, sql: &'static str, more: &[Value], set: &mut BTreeSet<String>) -> Result<()> {
    let left = MOST.saturating_sub(set.len()) as i64;
    query.for_each_row(sql, &[&[Value::Int(left)], more].concat(), &mut |row| {
        set.insert(column!(row, 0, text)?.to_owned());
        Ok(())
    })
}
