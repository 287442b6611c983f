//! Numbers: which are free, and which objects use the others.

use std::sync::Arc;

use super::nodes::node_of;
use crate::domain::{ExtensionNumber, Problem, TenantId};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    Args, FieldReader, Given as _, Node, ObjectBuilder, ReadError, Reads, SchemaField, Thing, fields_of, object,
};
use crate::service::numbers::{self, Availability};
use crate::store::{self, ObjectRow, TenantRow};

/// The answer of `numberAvailability`.
struct NumberAvailability {
    problem: Option<Problem>,
    holder: Option<Arc<ObjectRow>>,
    parking_lot: Option<Arc<ObjectRow>>,
    suggestion: Option<ExtensionNumber>,
}

/// The type of the answer of `numberAvailability`.
pub fn availability() -> ObjectBuilder<impl Send + Sync + 'static> {
    object::<NumberAvailability>("NumberAvailability", "Whether a number can be given to an object.")
        .now("available", "Boolean!", "Whether the number can be used.", |said| said.problem.is_none().into())
        .now(
            "reason",
            "ErrorCode",
            "Why the number cannot be used: NUMBER_TAKEN, NUMBER_RESERVED or INVALID_FORMAT. Null if it can.",
            |said| said.problem.as_ref().map(|problem| problem.code.word()).into(),
        )
        .now("message", "String", "The reason in words; null if the number can be used.", |said| {
            said.problem.as_ref().map(Problem::message).into()
        })
        .now("holder", "PbxObject", "The object that has the number, if there is one.", |said| {
            said.holder.clone().map_or(Node::Null, node_of)
        })
        .now("parkingLot", "ParkingLot", "The parking lot whose slots include the number, if there is one.", |said| {
            said.parking_lot.clone().map_or(Node::Null, node_of)
        })
        .now(
            "suggestion",
            "ExtensionNumber",
            "The next free number of the same length, if the number is taken or reserved.",
            |said| said.suggestion.as_ref().map(ExtensionNumber::as_str).into(),
        )
}

fn tenant_of(thing: &Thing) -> Option<TenantId> {
    thing.get::<TenantRow>().ok().map(|tenant| tenant.id)
}

/// A tenant's fields for numbers.
pub fn fields() -> Vec<SchemaField> {
    fields_of::<TenantRow>()
        .reads(
            "nextFreeNumber",
            "ExtensionNumber",
            "The first number from `from` to `to` that no object has and that is not a parking slot. Null if\n\
             there is none.",
            Reads::each(|thing, args, reading| next_free(thing.get()?, args, reading)).only_of(tenant_of),
        )
        .arg("from", "ExtensionNumber!", "The first number to consider.")
        .arg("to", "ExtensionNumber!", "The last number to consider. It must have as many digits as `from`.")
        .reads(
            "numberAvailability",
            "NumberAvailability!",
            "Whether a number can be given to an object, and if not, why.",
            Reads::each(|thing, args, reading| said(thing.get()?, args, reading)).only_of(tenant_of),
        )
        .arg("number", "ExtensionNumber!", "The number to check.")
        .only_fields()
}

fn next_free(tenant: &TenantRow, args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let range = numbers::range(args.the_text("from")?, args.the_text("to")?);
    let (from, to) = range.map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
    let found = store::free_number(&mut reading.of(tenant.id), &from, &to)?;
    Ok(found.as_ref().map(ExtensionNumber::as_str).into())
}

fn said(tenant: &TenantRow, args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let query = &mut reading.of(tenant.id);
    let Availability { problem, holder, parking_lot, suggestion } =
        numbers::availability(query, args.the_text("number")?)?;
    let parking_lot = match parking_lot {
        Some(id) => store::load_objects(query, &[id.local])?.remove(&id.local).map(Arc::new),
        None => None,
    };
    reading.spend(usize::from(parking_lot.is_some()));
    Ok(Node::object("NumberAvailability", NumberAvailability { problem, holder, parking_lot, suggestion }))
}
