//! Fair use: how much each client may use, and who is next when there are more requests than the server can execute.
//!
//! A request meets these limits in this order: the number of connections ([`crate::http::door::connections`]), the
//! quota of its address, the failed sign-ins of its address, a place in the lane of its cost, and the quotas of its
//! token and its tenant. All state is in this process and bounded; `docs/decisions/0017-fair-use.md` gives the reasons.

mod address;
mod bill;
mod bucket;
mod failed_sign_ins;
mod lanes;
mod marks;
mod options;
mod payer;

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};

pub use address::TrustedProxy;
pub(in crate::http) use address::{ClientNetwork, Network, TrustedProxies, is_trusted};
pub(in crate::http) use bill::Bill;
use bucket::Buckets;
use failed_sign_ins::FailedSignIns;
pub(in crate::http) use failed_sign_ins::SignInAttempt;
pub(in crate::http) use lanes::ExecutionPermit;
use lanes::Lanes;
pub use lanes::STACK;
use marks::Marks;
pub use options::FairUse;
use payer::{Payer, QuotaScope};

use super::claim::BearerClaim;
use crate::graphql::Estimate;
use crate::http::refusal::Refusal;
use crate::service::{App, Overloaded};

/// The state of fair use. [`FairUse`] has the operator's limits.
pub(in crate::http) struct FairUseState {
    pub(in crate::http) options: FairUse,
    app: App,
    tokens: Option<Buckets<Payer>>,
    tenants: Option<Buckets<Payer>>,
    addresses: Option<Buckets<Payer>>,
    failed_sign_ins: FailedSignIns,
    marks: Marks,
    lanes: Lanes,
}

impl FairUseState {
    pub(in crate::http) fn new(app: App, options: FairUse) -> Arc<Self> {
        Arc::new(Self {
            tokens: Buckets::new(options.rate_token),
            tenants: Buckets::new(options.rate_tenant),
            addresses: Buckets::new(options.rate_address),
            failed_sign_ins: FailedSignIns::new(options.rate_sign_in),
            marks: Marks::default(),
            lanes: Lanes::new(&app, &options),
            app,
            options,
        })
    }

    fn now(&self) -> i64 {
        self.app.now()
    }

    /// The buckets of a scope; `None` if it has no limit, or its buckets are kept elsewhere.
    fn buckets(&self, scope: QuotaScope) -> Option<&Buckets<Payer>> {
        match scope {
            QuotaScope::Token => self.tokens.as_ref(),
            QuotaScope::Tenant => self.tenants.as_ref(),
            QuotaScope::Address => self.addresses.as_ref(),
            QuotaScope::SignIn => None,
        }
    }

    /// Begins a sign-in, whichever transport the request uses. To be called before the token is looked up. A request
    /// without a claim signs nobody in, and counts nowhere.
    ///
    /// # Errors
    /// The address has sent too many invalid tokens.
    pub(in crate::http) async fn begin_sign_in(
        &self,
        address: Option<Network>,
        claim: &BearerClaim,
    ) -> Result<SignInAttempt, Refusal> {
        let may_be_valid = async {
            match claim {
                BearerClaim::Token(token) => self.marks.may_include(&self.app, token, self.options.max_wait).await,
                BearerClaim::None | BearerClaim::Malformed => false,
            }
        };
        let begun = self.failed_sign_ins.begin(address, claim, may_be_valid, || self.now()).await;
        begun.map_err(|exceeded| payer::refusal(QuotaScope::SignIn, exceeded, 1))
    }

    /// Ends a sign-in. `valid` says whether the token was valid; `None` if it could not be looked up.
    pub(in crate::http) fn end_sign_in(&self, attempt: &SignInAttempt, token: Option<&str>, valid: Option<bool>) {
        if let (Some(token), Some(false)) = (token, valid) {
            self.marks.forget(token);
        }
        self.failed_sign_ins.end(attempt, valid, || self.now());
    }

    /// Whether a request with this estimate runs in the expensive lane.
    pub(in crate::http) fn is_expensive(&self, estimate: Estimate) -> bool {
        self.lanes.is_expensive(estimate)
    }

    /// Waits for a place in the lane of a request with this estimate.
    ///
    /// # Errors
    /// Too many requests are waiting, or this one has waited too long.
    pub(in crate::http) async fn admit(
        &self,
        attempt: &SignInAttempt,
        estimate: Estimate,
    ) -> Result<ExecutionPermit, Refusal> {
        self.lanes.enter(attempt.queue_owner(), estimate).await.map_err(|Overloaded { places, waiting }| {
            let message = "The server has more requests than it can answer; try again later.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", message)
                .extension("limit", places)
                .extension("actual", waiting + 1)
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
        })
    }
}
