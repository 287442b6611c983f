//! What a request pays, and who pays it.
//!
//! A request costs its address 1 for being read, and then token, tenant and address what it is estimated to cost; after
//! the execution they get back what it did not. The answer shows what is left (draft-ietf-httpapi-ratelimit-headers-09,
//! sections 3 and 4).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::Fair;
use super::address::Network;
use super::bucket::{QuotaStatus, WINDOW};
use super::payer::{Payer, QuotaScope, refusal};
use crate::http::refusal::Refusal;
use crate::service::{Selected, Viewer};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// One request's bill.
pub(in crate::http) struct Bill {
    fair: Arc<Fair>,
    address: Option<Network>,
    /// Who has paid for the execution, and how much.
    paid: Vec<(Payer, u64)>,
    standings: Vec<(QuotaScope, QuotaStatus)>,
}

impl Bill {
    /// A bill on which nothing stands yet.
    pub(in crate::http) fn new(fair: Arc<Fair>, address: Option<Network>) -> Self {
        Self { fair, address, paid: Vec::new(), standings: Vec::new() }
    }

    /// The bill, to be written on elsewhere; what is left here is empty.
    pub(in crate::http) fn take(&mut self) -> Self {
        let empty = Self::new(Arc::clone(&self.fair), self.address);
        std::mem::replace(self, empty)
    }

    /// The address pays for a request that is read.
    pub(in crate::http) fn pay_for_reading(&mut self) -> Result<(), Refusal> {
        match self.address {
            Some(address) => self.pay(Payer::Address(address), 1).map(drop),
            None => Ok(()),
        }
    }

    /// All whose request it is pay for the execution, or nobody does.
    pub(in crate::http) fn pay_for_execution(&mut self, viewer: Option<&Viewer>, cost: u64) -> Result<(), Refusal> {
        let token = viewer.map(|viewer| Payer::Token(viewer.name.clone()));
        let tenant = viewer.and_then(|viewer| match &viewer.selected {
            Selected::Tenant(row) => Some(Payer::Tenant(row.id)),
            Selected::None | Selected::Unknown(_) => None,
        });
        for payer in [token, tenant, self.address.map(Payer::Address)].into_iter().flatten() {
            match self.pay(payer.clone(), cost) {
                Ok(paid) => self.paid.push((payer, paid)),
                Err(refusal) => {
                    self.settle(0);
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }

    /// Gives back what the execution did not cost.
    pub(in crate::http) fn settle(&mut self, actual: u64) {
        for (payer, paid) in std::mem::take(&mut self.paid) {
            let Some(buckets) = self.fair.buckets(payer.scope()) else { continue };
            let unused = paid.saturating_sub(buckets.price(actual));
            let standing = buckets.refund(&payer, unused, self.fair.now());
            self.note(payer.scope(), standing);
        }
    }

    fn pay(&mut self, payer: Payer, cost: u64) -> Result<u64, Refusal> {
        let scope = payer.scope();
        let fair = Arc::clone(&self.fair);
        let Some(buckets) = fair.buckets(scope) else { return Ok(0) };
        match buckets.charge(payer, cost, fair.now()) {
            Ok(standing) => {
                self.note(scope, standing);
                Ok(buckets.price(cost))
            }
            Err(empty) => {
                self.note(scope, empty.standing);
                Err(refusal(scope, empty, cost))
            }
        }
    }

    fn note(&mut self, scope: QuotaScope, standing: QuotaStatus) {
        match self.standings.iter_mut().find(|(noted, _)| *noted == scope) {
            Some((_, noted)) => *noted = standing,
            None => self.standings.push((scope, standing)),
        }
    }

    /// Shows on the answer what is left of each quota.
    pub(in crate::http) fn show(&self, headers: &mut HeaderMap) {
        for (scope, QuotaStatus { quota, left, full_in }) in &self.standings {
            let scope = scope.policy();
            let policy = format!("\"{scope}\";q={quota};w={WINDOW}");
            let standing = format!("\"{scope}\";r={left};t={full_in}");
            for (name, value) in [(POLICY, policy), (STANDING, standing)] {
                if let Ok(value) = HeaderValue::try_from(value) {
                    headers.append(name, value);
                }
            }
        }
    }
}
