//! What `section!` does with each field: the same for every type, so that the macro only names fields.

use async_graphql::MaybeUndefined;

use super::field::{Cell, Described, Field, Reference, misplaced};
use super::section::{Change, camel};
use crate::domain::{Code, Problem, SentSecret, TenantId, Value};

/// A field made of what a client sent alone. Reports a rule that is broken, and a value that is missing.
pub(crate) fn build<F: Field>(
    sent: &MaybeUndefined<F::Sent>,
    name: &str,
    report: &mut dyn FnMut(Problem),
) -> Option<F> {
    let mut built = F::blank();
    match sent {
        MaybeUndefined::Value(value) => match F::parse(value) {
            Ok(parsed) => built = Some(parsed),
            Err(problems) => {
                problems.into_iter().for_each(|p| report(p.under(camel(name))));
                return None;
            }
        },
        MaybeUndefined::Null => built = F::cleared(),
        MaybeUndefined::Undefined => {}
    }
    if built.is_none() {
        report(Problem::new(Code::Required, "is required").under(camel(name)));
    }
    built
}

/// Applies what a client sent for one field: absent keeps, `null` clears, a value is parsed.
pub(crate) fn apply<F: Field>(
    field: &mut F,
    sent: &MaybeUndefined<F::Sent>,
    name: &str,
    report: &mut dyn FnMut(Problem),
) {
    match sent {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => match F::cleared() {
            Some(empty) => *field = empty,
            None => report(Problem::new(Code::Required, "cannot be null").under(camel(name))),
        },
        MaybeUndefined::Value(value) => match F::parse(value) {
            Ok(parsed) => *field = parsed,
            Err(problems) => problems.into_iter().for_each(|p| report(p.under(camel(name)))),
        },
    }
}

/// What a client sent for one field, when it is a secret.
pub(crate) fn secret<F: Field>(sent: &MaybeUndefined<F::Sent>) -> Option<SentSecret<'_>> {
    match sent {
        MaybeUndefined::Value(value) => F::secret(value),
        MaybeUndefined::Null | MaybeUndefined::Undefined => None,
    }
}

/// The next cell of a row as a field.
pub(crate) fn load<F: Field>(cells: &mut std::vec::IntoIter<Cell>, tenant: TenantId, name: &str) -> Result<F, Problem> {
    cells.next().ok_or_else(misplaced).and_then(|cell| F::load(cell, tenant)).map_err(|p| p.under(name))
}

/// What the rest of the program has to know of a field.
pub(crate) fn describe<F: Field>(name: &'static str) -> Described {
    let blank = F::blank().map(|blank| blank.store());
    Described { name, place: F::PLACE, secret: F::SECRET, pointers: F::pointers(name), blank, entry: F::entry() }
}

/// The next cell of a file's line as a field. Reports the rules that are broken; secrets are not repeated.
pub(crate) fn admit<F: Field>(
    cells: &mut std::vec::IntoIter<Cell>,
    tenant: TenantId,
    name: &str,
    report: &mut dyn FnMut(Problem),
) -> Option<F> {
    let cell = cells.next()?;
    let shown = match &cell {
        Cell::Value(Value::Text(text)) if F::SECRET.is_none() => Some(text.escape_default().to_string()),
        Cell::Value(Value::Int(n)) => Some(n.to_string()),
        Cell::Value(Value::Bool(b)) => Some(b.to_string()),
        _ => None,
    };
    let refused = |mut problem: Problem| {
        if problem.path.is_empty() && problem.value.is_none() {
            problem.value.clone_from(&shown);
        }
        report(problem.under(camel(name)));
    };
    F::admit(cell, tenant).map_err(|problems| problems.into_iter().for_each(refused)).ok()
}

/// Notes a field whose values differ.
pub(crate) fn diff<F: Field>(before: &F, after: &F, name: &str, changes: &mut Vec<Change>) {
    if before != after {
        changes.push(Change { path: camel(name), before: before.show(), after: after.show() });
    }
}

/// Hands out the references of one field under its name.
pub(crate) fn references<F: Field>(field: &F, name: &str, visit: &mut dyn FnMut(Reference)) {
    field.references(&mut |mut r| {
        r.path.insert(0, camel(name));
        visit(r);
    });
}
