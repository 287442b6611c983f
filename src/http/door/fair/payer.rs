//! Who pays for a request, and the refusal when a quota is spent.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};

use super::address::Network;
use super::bucket::{QuotaExceeded, QuotaStatus};
use crate::domain::TenantId;
use crate::http::refusal::Refusal;

/// What a quota applies to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QuotaScope {
    Token,
    Tenant,
    Address,
    SignIn,
}

impl QuotaScope {
    /// The name in errors, under `extensions.scope`.
    fn code(self) -> &'static str {
        match self {
            QuotaScope::Token => "TOKEN",
            QuotaScope::Tenant => "TENANT",
            QuotaScope::Address => "ADDRESS",
            QuotaScope::SignIn => "SIGN_IN",
        }
    }

    /// The name in the headers `RateLimit` and `RateLimit-Policy`.
    pub(super) fn policy_name(self) -> &'static str {
        match self {
            QuotaScope::Token => "token",
            QuotaScope::Tenant => "tenant",
            QuotaScope::Address => "address",
            QuotaScope::SignIn => "sign-in",
        }
    }
}

/// Who pays for a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Payer {
    /// A token, by its name.
    Token(String),
    Tenant(TenantId),
    Address(Network),
}

impl Payer {
    pub(super) fn scope(&self) -> QuotaScope {
        match self {
            Payer::Token(_) => QuotaScope::Token,
            Payer::Tenant(_) => QuotaScope::Tenant,
            Payer::Address(_) => QuotaScope::Address,
        }
    }
}

/// The refusal with status 429. Like every exceeded limit it says what is allowed, what the total would have been, and
/// when to try again.
pub(super) fn refusal(scope: QuotaScope, exceeded: QuotaExceeded, cost: u64) -> Refusal {
    let QuotaExceeded { status: QuotaStatus { quota, left, .. }, retry_after } = exceeded;
    let spent = quota - left;
    let reason = match scope {
        QuotaScope::Token => {
            format!("The token has spent {spent} of {quota} per minute, and this request costs {cost}")
        }
        QuotaScope::Tenant => {
            format!("The tenant has spent {spent} of {quota} per minute, and this request costs {cost}")
        }
        QuotaScope::Address => format!("Your address has spent {spent} of {quota} per minute, and this costs {cost}"),
        QuotaScope::SignIn => format!("Your address has sent {spent} invalid tokens; {quota} per minute are allowed"),
    };
    let message = format!("{reason}; try again in {retry_after} s.");
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message)
        .extension("limit", quota)
        .extension("actual", spent.saturating_add(cost))
        .extension("scope", scope.code())
        .extension("retryAfter", retry_after)
        .header(RETRY_AFTER, HeaderValue::from(retry_after))
}
