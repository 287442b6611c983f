//! What one client may take, as the operator says it.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::address::TrustedProxy;
use crate::domain::duration_from;
use crate::graphql::defaults;

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
