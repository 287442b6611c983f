//! Fair use: how much each client may request, and who is next when there are more requests than can be answered.
//!
//! In the order in which a request meets them: the connections ([`crate::http::door::connections`]), the quota of its address,
//! the failed sign-ins of its address, a place in the lane of its cost, the quotas of its token and its tenant. All
//! state is in this process and bounded; `docs/decisions/0017-fair-use.md` gives the reasons.

mod address;
mod bill;
mod bucket;
mod lanes;
mod marks;
mod options;
mod payer;
mod sign_in;

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};

pub use address::TrustedProxy;
pub(in crate::http) use address::{ClientNetwork, Network, TrustedProxies, is_trusted};
pub(in crate::http) use bill::Bill;
use bucket::Buckets;
pub(in crate::http) use lanes::ExecutionPermit;
use lanes::Lanes;
pub use lanes::STACK;
use marks::Marks;
pub use options::FairUse;
use payer::{Payer, QuotaScope};
pub(in crate::http) use sign_in::Credentials;
use sign_in::SignIns;

use super::claim::BearerClaim;
use crate::graphql::Estimate;
use crate::http::refusal::Refusal;
use crate::service::{App, Overloaded};

/// The state behind the options.
pub(in crate::http) struct Fair {
    pub(in crate::http) options: FairUse,
    app: App,
    tokens: Option<Buckets<Payer>>,
    tenants: Option<Buckets<Payer>>,
    addresses: Option<Buckets<Payer>>,
    sign_ins: SignIns,
    marks: Marks,
    lanes: Lanes,
}

impl Fair {
    pub(in crate::http) fn new(app: App, options: FairUse) -> Arc<Self> {
        Arc::new(Self {
            tokens: Buckets::new(options.rate_token),
            tenants: Buckets::new(options.rate_tenant),
            addresses: Buckets::new(options.rate_address),
            sign_ins: SignIns::new(options.rate_sign_in),
            marks: Marks::default(),
            lanes: Lanes::new(&app, &options),
            app,
            options,
        })
    }

    fn now(&self) -> i64 {
        self.app.now()
    }

    /// `None` where nothing is limited.
    fn buckets(&self, scope: QuotaScope) -> Option<&Buckets<Payer>> {
        match scope {
            QuotaScope::Token => self.tokens.as_ref(),
            QuotaScope::Tenant => self.tenants.as_ref(),
            QuotaScope::Address => self.addresses.as_ref(),
            QuotaScope::SignIn => None,
        }
    }

    /// Begins a sign-in, over whatever transport; to be called before the token is looked up. Without a claim nobody
    /// signs in.
    pub(in crate::http) async fn begin_sign_in(
        &self,
        address: Option<Network>,
        claim: &BearerClaim,
    ) -> Result<Credentials, Refusal> {
        let may_be_valid = async {
            match claim {
                BearerClaim::Token(token) => self.marks.may_include(&self.app, token, self.options.max_wait).await,
                BearerClaim::None | BearerClaim::Malformed => false,
            }
        };
        let begun = self.sign_ins.begin(address, claim, may_be_valid, || self.now()).await;
        begun.map_err(|empty| payer::refusal(QuotaScope::SignIn, empty, 1))
    }

    /// Ends a sign-in: the token was valid or it was not; `None` when that could not be found out.
    pub(in crate::http) fn end_sign_in(&self, credentials: &Credentials, token: Option<&str>, valid: Option<bool>) {
        if let (Some(token), Some(false)) = (token, valid) {
            self.marks.forget(token);
        }
        self.sign_ins.end(credentials, valid, || self.now());
    }

    /// Whether a request with this estimate runs in the expensive lane.
    pub(in crate::http) fn is_expensive(&self, estimate: Estimate) -> bool {
        self.lanes.is_expensive(estimate)
    }

    /// Waits for the permit to execute a request with this estimate.
    pub(in crate::http) async fn admit(
        &self,
        credentials: &Credentials,
        estimate: Estimate,
    ) -> Result<ExecutionPermit, Refusal> {
        self.lanes.enter(credentials.line(), estimate).await.map_err(|Overloaded { places, waiting }| {
            let sentence = "The server has more requests than it can answer; try again later.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", sentence)
                .extension("limit", places)
                .extension("actual", waiting + 1)
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
        })
    }
}
