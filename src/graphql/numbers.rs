//! Numbers: which are free, and who has the others.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::objects::{ParkingLot, PbxObject};
use super::scope::{Nullable, Scope, coded};
use crate::domain::{Code, ExtensionNumber, ExtensionNumberSent, TenantId};
use crate::service::numbers::{self, Availability};
use crate::store;

/// Whether a number can be given to an object.
#[derive(SimpleObject)]
pub struct NumberAvailability {
    /// Whether it can.
    available: bool,
    /// Why not: NUMBER_TAKEN, NUMBER_RESERVED or INVALID_FORMAT; null when it can.
    reason: Option<Code>,
    /// The reason in words.
    message: Option<String>,
    /// What has the number.
    holder: Option<PbxObject>,
    /// The parking lot whose slots contain it.
    parking_lot: Option<ParkingLot>,
    /// The next free number of the same length, when the number is taken or reserved.
    suggestion: Option<ExtensionNumber>,
}

/// The numbers of a tenant.
pub(super) struct Numbers(pub(super) TenantId);

/// The numbers of a tenant.
#[Object]
impl Numbers {
    /// The first number from `from` to `to` that nothing has and that is no parking slot; null when there is none.
    async fn next_free_number(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first number that would do.")] from: ExtensionNumberSent,
        #[graphql(desc = "The last number that would do, of the same length.")] to: ExtensionNumberSent,
    ) -> Nullable<ExtensionNumber> {
        let found = async {
            let (from, to) = numbers::range(&from, &to).map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
            Scope::of(ctx)?.read(self.0, move |query| store::free_number(query, &from, &to)).await
        };
        found.await.transpose()
    }

    /// Whether a number can be given to an object, and if not, why.
    async fn number_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number.")] number: ExtensionNumberSent,
    ) -> Result<NumberAvailability> {
        let scope = Scope::of(ctx)?;
        let found = scope.read(self.0, move |query| numbers::availability(query, &number)).await?;
        let Availability { problem, holder, parking_lot, suggestion } = found;
        let lot = match parking_lot {
            Some(id) => scope.objects(vec![id]).await?.pop(),
            None => None,
        };
        Ok(NumberAvailability {
            available: problem.is_none(),
            reason: problem.as_ref().map(|problem| problem.code),
            message: problem.map(|problem| problem.message()),
            holder: holder.and_then(PbxObject::of),
            parking_lot: lot.map(ParkingLot),
            suggestion,
        })
    }
}
