//! Numbers: which are free, and which objects use the others.

use std::sync::Arc;

use super::nodes::object_node;
use crate::domain::{ExtensionNumber, Problem, TenantId};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, Args, FieldReader, Node, ObjectBuilder, ReadError, ReadResolver, SchemaField, Thing, fields_of,
    object,
};
use crate::service::free_numbers::{self, Availability};
use crate::store::{self, ObjectRow, TenantRow};

/// The answer of `numberAvailability`.
struct NumberAvailability {
    problem: Option<Problem>,
    holder: Option<Arc<ObjectRow>>,
    parking_lot: Option<Arc<ObjectRow>>,
    suggestion: Option<ExtensionNumber>,
}

/// The type of the answer of `numberAvailability`.
pub fn availability_type() -> ObjectBuilder<impl Send + Sync + 'static> {
    object::<NumberAvailability>("NumberAvailability", "Whether a number can be given to an object.")
        .now("available", "Boolean!", "Whether the number can be used.", |answer| answer.problem.is_none().into())
        .now(
            "reason",
            "ErrorCode",
            "Why the number cannot be used: NUMBER_TAKEN, NUMBER_RESERVED or INVALID_FORMAT. Null if it can.",
            |answer| answer.problem.as_ref().map(|problem| problem.code.word()).into(),
        )
        .now("message", "String", "The reason in words; null if the number can be used.", |answer| {
            answer.problem.as_ref().map(Problem::message).into()
        })
        .now("holder", "PbxObject", "The object that has the number, if there is one.", |answer| {
            answer.holder.clone().map_or(Node::Null, object_node)
        })
        .now("parkingLot", "ParkingLot", "The parking lot whose slots include the number, if there is one.", |answer| {
            answer.parking_lot.clone().map_or(Node::Null, object_node)
        })
        .now(
            "suggestion",
            "ExtensionNumber",
            "The next free number of the same length, if the number is taken or reserved.",
            |answer| answer.suggestion.as_ref().map(ExtensionNumber::as_str).into(),
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
            ReadResolver::each(|thing, args, reader| next_free(thing.get()?, args, reader)).depends_only_on(tenant_of),
        )
        .arg("from", "ExtensionNumber!", "The first number to consider.")
        .arg("to", "ExtensionNumber!", "The last number to consider. It must have as many digits as `from`.")
        .reads(
            "numberAvailability",
            "NumberAvailability!",
            "Whether a number can be given to an object, and if not, why.",
            ReadResolver::each(|thing, args, reader| availability_node(thing.get()?, args, reader))
                .depends_only_on(tenant_of),
        )
        .arg("number", "ExtensionNumber!", "The number to check.")
        .only_fields()
}

fn next_free(tenant: &TenantRow, args: &Args, reader: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let range = free_numbers::range(args.required_text("from")?, args.required_text("to")?);
    let (from, to) = range.map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
    let found = store::free_number(&mut reader.query(tenant.id), &from, &to)?;
    Ok(found.as_ref().map(ExtensionNumber::as_str).into())
}

fn availability_node(tenant: &TenantRow, args: &Args, reader: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let query = &mut reader.query(tenant.id);
    let Availability { problem, holder, parking_lot, suggestion } =
        free_numbers::availability(query, args.required_text("number")?)?;
    let parking_lot = match parking_lot {
        Some(id) => store::load_objects(query, &[id.local])?.remove(&id.local).map(Arc::new),
        None => None,
    };
    reader.spend(usize::from(parking_lot.is_some()));
    Ok(Node::object("NumberAvailability", NumberAvailability { problem, holder, parking_lot, suggestion }))
}
