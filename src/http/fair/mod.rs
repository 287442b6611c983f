//! Fair use: who may ask how much, and who is next when more is asked than can be answered.
//!
//! In the order in which a request meets them: the connections ([`crate::http::connections`]), the quota of its address,
//! the failed sign-ins of its address, a place in the lane of its cost, the quotas of its token and its tenant. All
//! state is in this process and bounded; `docs/decisions/0017-fair-use.md` tells why it is so.

mod address;
mod bill;
mod bucket;
mod lanes;
mod marks;
mod sign_in;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use clap::Args;

pub use address::TrustedProxy;
pub(super) use address::{Client, Network, is_trusted};
pub(super) use bill::Bill;
use bill::{Payer, Scope};
use bucket::Buckets;
use lanes::Lanes;
pub(super) use lanes::Place;
pub use lanes::STACK;
use marks::Marks;
pub(super) use sign_in::Credentials;
use sign_in::SignIns;

use super::refusal::Refusal;
use crate::domain::duration_from;
use crate::graphql::{Estimate, defaults};
use crate::service::{App, Overloaded};

/// What one client may take of the server. Each is an option of the commands that serve.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fair use")]
pub struct FairUse {
    /// Most that the requests of one token may cost per minute; 0 is no limit.
    #[arg(long, env = "VEXT_RATE_TOKEN", value_name = "COST", default_value_t = 0)]
    pub rate_token: u64,

    /// Most that the requests with one tenant selected may cost per minute; 0 is no limit.
    #[arg(long, env = "VEXT_RATE_TENANT", value_name = "COST", default_value_t = 0)]
    pub rate_tenant: u64,

    /// Most that the requests from one address may cost per minute; 0 is no limit.
    #[arg(long, env = "VEXT_RATE_ADDRESS", value_name = "COST", default_value_t = 0)]
    pub rate_address: u64,

    /// Most invalid tokens per minute from one address; 0 is no limit.
    #[arg(long, env = "VEXT_RATE_SIGN_IN", value_name = "COUNT", default_value_t = 10)]
    pub rate_sign_in: u64,

    /// Proxy whose X-Forwarded-For names the client's address, as an address or a network; may be repeated.
    #[arg(long, env = "VEXT_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxy: Vec<TrustedProxy>,

    /// Most requests that are executed at the same time [default: 16 for each thread that reads]
    #[arg(long, env = "VEXT_MAX_CONCURRENT", value_name = "COUNT")]
    pub max_concurrent: Option<NonZeroUsize>,

    /// Most requests that wait to be executed; more are refused at once.
    #[arg(long, env = "VEXT_MAX_WAITING", value_name = "COUNT", default_value_t = 256)]
    pub max_waiting: usize,

    /// Time that a request waits to be executed before it is refused.
    #[arg(long, env = "VEXT_MAX_WAIT", value_name = "DURATION", default_value = "5s",
        value_parser = duration_from(Duration::from_millis(1)))]
    pub max_wait: Duration,

    /// Cost from which a request is executed apart, by few threads of low priority, as one is that may read a whole tenant, has secrets hashed or comes with a long text that is new; a query that a plan answers counts a fifth.
    #[arg(long, env = "VEXT_HEAVY_COST", value_name = "COST", default_value_t = 700)]
    pub heavy_cost: u64,

    /// Most connections that are open at the same time; one on which nothing is in progress makes room for a new one.
    #[arg(long, env = "VEXT_MAX_CONNECTIONS", value_name = "COUNT", default_value = "512")]
    pub max_connections: NonZeroUsize,

    /// Most open connections from one address; for trusted proxies only the limit of all holds.
    #[arg(long, env = "VEXT_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", default_value = "128")]
    pub max_connections_per_address: NonZeroUsize,

    /// Time that a client has to send the header of its next request, its body, or to take more of an answer.
    #[arg(long, env = "VEXT_CLIENT_TIMEOUT", value_name = "DURATION", default_value = "30s",
        value_parser = duration_from(Duration::from_millis(1)))]
    pub client_timeout: Duration,
}

impl Default for FairUse {
    /// What holds when no option says otherwise.
    fn default() -> Self {
        defaults()
    }
}

/// The state behind the options.
pub(super) struct Fair {
    pub(super) options: FairUse,
    app: App,
    tokens: Option<Buckets<Payer>>,
    tenants: Option<Buckets<Payer>>,
    addresses: Option<Buckets<Payer>>,
    sign_ins: SignIns,
    marks: Marks,
    lanes: Lanes,
}

impl Fair {
    pub(super) fn new(app: App, options: FairUse) -> Arc<Self> {
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
    fn buckets(&self, scope: Scope) -> Option<&Buckets<Payer>> {
        match scope {
            Scope::Token => self.tokens.as_ref(),
            Scope::Tenant => self.tenants.as_ref(),
            Scope::Address => self.addresses.as_ref(),
            Scope::SignIn => None,
        }
    }

    /// Begins a sign-in, over whatever transport; to be called before the token is looked up. Without a token nobody
    /// signs in.
    pub(super) async fn begin_sign_in(
        &self,
        address: Option<Network>,
        token: Option<&str>,
    ) -> Result<Credentials, Refusal> {
        let may_be_valid = async {
            match token {
                Some(token) if !token.is_empty() => {
                    self.marks.may_include(&self.app, token, self.options.max_wait).await
                }
                _ => false,
            }
        };
        let begun = self.sign_ins.begin(address, token, may_be_valid, || self.now()).await;
        begun.map_err(|empty| bill::refusal(Scope::SignIn, empty, 1))
    }

    /// Ends a sign-in: the token was valid or it was not; `None` when that could not be found out.
    pub(super) fn end_sign_in(&self, credentials: &Credentials, token: &str, valid: Option<bool>) {
        if valid == Some(false) {
            self.marks.forget(token);
        }
        self.sign_ins.end(credentials, valid, || self.now());
    }

    /// Whether a request that would take this is executed apart.
    pub(super) fn is_expensive(&self, estimate: Estimate) -> bool {
        self.lanes.is_expensive(estimate)
    }

    /// Waits for the right to execute a request that would take this.
    pub(super) async fn admit(&self, credentials: &Credentials, estimate: Estimate) -> Result<Place, Refusal> {
        self.lanes.enter(credentials.line(), estimate).await.map_err(|Overloaded { places, waiting }| {
            let sentence = "The server has more requests than it can answer; try again later.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", sentence)
                .extension("limit", places)
                .extension("actual", waiting + 1)
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
        })
    }
}
