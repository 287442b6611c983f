//! The options for fair use: how much one client may take.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::address::TrustedProxy;
use crate::domain::duration_at_least;
use crate::graphql::defaults;

/// How much one client may take of the server. Each field is an option of the commands that serve.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fair use")]
pub struct FairUse {
    /// Maximum cost per minute of the requests with one token; 0 means no limit.
    #[arg(long, env = "VEXT_RATE_TOKEN", value_name = "COST", default_value_t = 0)]
    pub rate_token: u64,

    /// Maximum cost per minute of the requests that select one tenant; 0 means no limit.
    #[arg(long, env = "VEXT_RATE_TENANT", value_name = "COST", default_value_t = 0)]
    pub rate_tenant: u64,

    /// Maximum cost per minute of the requests from one address; 0 means no limit.
    #[arg(long, env = "VEXT_RATE_ADDRESS", value_name = "COST", default_value_t = 0)]
    pub rate_address: u64,

    /// Maximum number of invalid tokens per minute from one address; 0 means no limit.
    #[arg(long, env = "VEXT_RATE_SIGN_IN", value_name = "COUNT", default_value_t = 10)]
    pub rate_sign_in: u64,

    /// Address or network of a proxy whose X-Forwarded-For header gives the client's address; may be repeated.
    #[arg(long, env = "VEXT_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxy: Vec<TrustedProxy>,

    /// Maximum number of requests that run at the same time [default: 16 per reader thread]
    #[arg(long, env = "VEXT_MAX_CONCURRENT", value_name = "COUNT")]
    pub max_concurrent: Option<NonZeroUsize>,

    /// Maximum number of requests that wait to run; any more are refused at once.
    #[arg(long, env = "VEXT_MAX_WAITING", value_name = "COUNT", default_value_t = 256)]
    pub max_waiting: usize,

    /// How long a request may wait to run before it is refused.
    #[arg(long, env = "VEXT_MAX_WAIT", value_name = "DURATION", default_value = "5s",
        value_parser = duration_at_least(Duration::from_millis(1)))]
    pub max_wait: Duration,

    /// Requests that cost at least this run on a few low-priority threads, as do requests that may read a whole tenant,
    /// hash secrets or carry a long text that is new; a query that a plan answers counts a fifth.
    #[arg(long, env = "VEXT_EXPENSIVE_COST", value_name = "COST", default_value_t = 700)]
    pub expensive_cost: u64,

    /// Maximum number of open connections; at the limit, an idle one makes room for a new one.
    #[arg(long, env = "VEXT_MAX_CONNECTIONS", value_name = "COUNT", default_value = "512")]
    pub max_connections: NonZeroUsize,

    /// Maximum number of open connections from one address; only the overall limit applies to trusted proxies.
    #[arg(long, env = "VEXT_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", default_value = "128")]
    pub max_connections_per_address: NonZeroUsize,

    /// How long a client may take to send the header of its next request, to send a body, or to read more of an answer.
    #[arg(long, env = "VEXT_CLIENT_TIMEOUT", value_name = "DURATION", default_value = "30s",
        value_parser = duration_at_least(Duration::from_millis(1)))]
    pub client_timeout: Duration,
}

impl Default for FairUse {
    /// The default of every option.
    fn default() -> Self {
        defaults()
    }
}
