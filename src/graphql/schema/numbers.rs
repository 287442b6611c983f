//! Numbers: which are free, and who has the others.

use std::sync::Arc;

use async_graphql::Result;

use super::rows::node_of;
use crate::domain::{ExtensionNumber, Problem};
use crate::graphql::layer::{Building, Call, Field, Given as _, Node, fields_of, object};
use crate::graphql::scope::coded;
use crate::service::numbers::{self, Availability};
use crate::store::{self, ObjectRow, TenantRow};

/// What is said of a number.
struct Said {
    problem: Option<Problem>,
    holder: Option<Arc<ObjectRow>>,
    parking_lot: Option<Arc<ObjectRow>>,
    suggestion: Option<ExtensionNumber>,
}

/// The type of what is said of a number.
pub fn availability() -> Building<impl Send + Sync + 'static> {
    object::<Said>("NumberAvailability", "Whether a number can be given to an object.")
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

/// A tenant's fields for numbers.
pub fn fields() -> Vec<Field> {
    fields_of::<TenantRow>()
        .later(
            "nextFreeNumber",
            "ExtensionNumber",
            "The first number from `from` to `to` that nothing has and that is no parking slot; null when there is none.",
            |tenant, call| Box::pin(async move { next_free(tenant, call).await }),
        )
        .arg("from", "ExtensionNumber!", "The first number that would do.")
        .arg("to", "ExtensionNumber!", "The last number that would do, of the same length.")
        .later(
            "numberAvailability",
            "NumberAvailability!",
            "Whether a number can be given to an object, and if not, why.",
            |tenant, call| Box::pin(async move { said(tenant, call).await }),
        )
        .arg("number", "ExtensionNumber!", "The number.")
        .only_fields()
}

async fn next_free(tenant: &TenantRow, call: Call<'_>) -> Result<Node> {
    let range = numbers::range(call.args.the_text("from")?, call.args.the_text("to")?);
    let (from, to) = range.map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
    let found = call.scope()?.read(tenant.id, move |query| store::free_number(query, &from, &to)).await?;
    Ok(found.as_ref().map(ExtensionNumber::as_str).into())
}

async fn said(tenant: &TenantRow, call: Call<'_>) -> Result<Node> {
    let (scope, number) = (call.scope()?, call.args.the_text("number")?.to_owned());
    let found = scope.read(tenant.id, move |query| numbers::availability(query, &number)).await?;
    let Availability { problem, holder, parking_lot, suggestion } = found;
    let parking_lot = match parking_lot {
        Some(id) => scope.objects(vec![id]).await?.pop(),
        None => None,
    };
    Ok(Node::object("NumberAvailability", Said { problem, holder, parking_lot, suggestion }))
}
