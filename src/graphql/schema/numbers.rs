//! Numbers: which are free, and who has the others.

use std::sync::Arc;

use super::nodes::node_of;
use crate::domain::{ExtensionNumber, Problem, TenantId};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    Args, FieldReader, Given as _, Node, ObjectBuilder, ReadError, Reads, SchemaField, Thing, fields_of, object,
};
use crate::service::free_numbers::{self, Availability};
use crate::store::{self, ObjectRow, TenantRow};

/// What is said of a number.
struct NumberAvailability {
    problem: Option<Problem>,
    holder: Option<Arc<ObjectRow>>,
    parking_lot: Option<Arc<ObjectRow>>,
    suggestion: Option<ExtensionNumber>,
}

/// The type of what is said of a number.
pub fn availability() -> ObjectBuilder<impl Send + Sync + 'static> {
    object::<NumberAvailability>("NumberAvailability", "Whether a number can be given to an object.")
        .now("available", "Boolean!", "Whether it can.", |said| said.problem.is_none().into())
        .now(
            "reason",
            "ErrorCode",
            "Why not: NUMBER_TAKEN, NUMBER_RESERVED or INVALID_FORMAT; null when it can.",
            |said| said.problem.as_ref().map(|problem| problem.code.word()).into(),
        )
        .now("message", "String", "The reason in words.", |said| said.problem.as_ref().map(Problem::message).into())
        .now("holder", "PbxObject", "What has the number.", |said| said.holder.clone().map_or(Node::Null, node_of))
        .now("parkingLot", "ParkingLot", "The parking lot whose slots contain it.", |said| {
            said.parking_lot.clone().map_or(Node::Null, node_of)
        })
        .now(
            "suggestion",
            "ExtensionNumber",
            "The next free number of the same length, when the number is taken or reserved.",
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
            "The first number from `from` to `to` that nothing has and that is no parking slot; null when there is none.",
            Reads::each(|thing, args, reading| next_free(thing.get()?, args, reading)).only_of(tenant_of),
        )
        .arg("from", "ExtensionNumber!", "The first number that would do.")
        .arg("to", "ExtensionNumber!", "The last number that would do, of the same length.")
        .reads(
            "numberAvailability",
            "NumberAvailability!",
            "Whether a number can be given to an object, and if not, why.",
            Reads::each(|thing, args, reading| said(thing.get()?, args, reading)).only_of(tenant_of),
        )
        .arg("number", "ExtensionNumber!", "The number.")
        .only_fields()
}

fn next_free(tenant: &TenantRow, args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let range = free_numbers::range(args.the_text("from")?, args.the_text("to")?);
    let (from, to) = range.map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
    let found = store::free_number(&mut reading.of(tenant.id), &from, &to)?;
    Ok(found.as_ref().map(ExtensionNumber::as_str).into())
}

fn said(tenant: &TenantRow, args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let query = &mut reading.of(tenant.id);
    let Availability { problem, holder, parking_lot, suggestion } =
        free_numbers::availability(query, args.the_text("number")?)?;
    let parking_lot = match parking_lot {
        Some(id) => store::load_objects(query, &[id.local])?.remove(&id.local).map(Arc::new),
        None => None,
    };
    reading.spend(usize::from(parking_lot.is_some()));
    Ok(Node::object("NumberAvailability", NumberAvailability { problem, holder, parking_lot, suggestion }))
}
