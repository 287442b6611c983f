//! What a request pays, and who pays it.
//!
//! First its address pays 1 for reading it. Then its token, its tenant and its address each pay the estimated cost.
//! After the execution they get back the difference between that and the actual cost. Headers of the response show what
//! is left of each quota (draft-ietf-httpapi-ratelimit-headers-09, sections 3 and 4).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::FairUseState;
use super::address::Network;
use super::bucket::{QuotaStatus, WINDOW};
use super::payer::{Payer, QuotaScope, refusal};
use crate::http::refusal::Refusal;
use crate::service::{Selected, Viewer};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATUS: HeaderName = HeaderName::from_static("ratelimit");

/// The bill of one request.
pub(in crate::http) struct Bill {
    fair: Arc<FairUseState>,
    address: Option<Network>,
    /// Who has paid for the execution, and how much.
    paid: Vec<(Payer, u64)>,
    /// What is left of each quota, as last seen.
    statuses: Vec<(QuotaScope, QuotaStatus)>,
}

impl Bill {
    /// An empty bill.
    pub(in crate::http) fn new(fair: Arc<FairUseState>, address: Option<Network>) -> Self {
        Self { fair, address, paid: Vec::new(), statuses: Vec::new() }
    }

    /// Takes the bill out, to continue it on another thread, and leaves an empty one.
    pub(in crate::http) fn take(&mut self) -> Self {
        let empty = Self::new(Arc::clone(&self.fair), self.address);
        std::mem::replace(self, empty)
    }

    /// The address pays for reading a request.
    ///
    /// # Errors
    /// Its quota is spent.
    pub(in crate::http) fn pay_for_reading(&mut self) -> Result<(), Refusal> {
        match self.address {
            Some(address) => self.pay(Payer::Address(address), 1).map(drop),
            None => Ok(()),
        }
    }

    /// Token, tenant and address pay for the execution. If one of them cannot, the others get back what they have paid.
    ///
    /// # Errors
    /// A quota is spent.
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

    /// Gives back the difference between what was paid and the actual cost.
    pub(in crate::http) fn settle(&mut self, actual: u64) {
        for (payer, paid) in std::mem::take(&mut self.paid) {
            let Some(buckets) = self.fair.buckets(payer.scope()) else { continue };
            let unused = paid.saturating_sub(buckets.price(actual));
            let status = buckets.refund(&payer, unused, self.fair.now());
            self.set_status(payer.scope(), status);
        }
    }

    fn pay(&mut self, payer: Payer, cost: u64) -> Result<u64, Refusal> {
        let scope = payer.scope();
        let fair = Arc::clone(&self.fair);
        let Some(buckets) = fair.buckets(scope) else { return Ok(0) };
        match buckets.charge(payer, cost, fair.now()) {
            Ok(status) => {
                self.set_status(scope, status);
                Ok(buckets.price(cost))
            }
            Err(exceeded) => {
                self.set_status(scope, exceeded.status);
                Err(refusal(scope, exceeded, cost))
            }
        }
    }

    fn set_status(&mut self, scope: QuotaScope, status: QuotaStatus) {
        match self.statuses.iter_mut().find(|(own, _)| *own == scope) {
            Some((_, own)) => *own = status,
            None => self.statuses.push((scope, status)),
        }
    }

    /// Adds headers that show what is left of each quota.
    pub(in crate::http) fn add_headers(&self, headers: &mut HeaderMap) {
        for (scope, QuotaStatus { quota, left, full_in }) in &self.statuses {
            let scope = scope.policy_name();
            let policy = format!("\"{scope}\";q={quota};w={WINDOW}");
            let status = format!("\"{scope}\";r={left};t={full_in}");
            for (name, value) in [(POLICY, policy), (STATUS, status)] {
                if let Ok(value) = HeaderValue::try_from(value) {
                    headers.append(name, value);
                }
            }
        }
    }
}
