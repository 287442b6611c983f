//! Who pays for a request, and what they hear whose quota is spent.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};

use super::address::Network;
use super::bucket::{Empty, QuotaStatus};
use crate::domain::TenantId;
use crate::http::refusal::Refusal;

/// Whose quota is limited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QuotaScope {
    Token,
    Tenant,
    Address,
    SignIn,
}

impl QuotaScope {
    /// In errors.
    fn code(self) -> &'static str {
        match self {
            QuotaScope::Token => "TOKEN",
            QuotaScope::Tenant => "TENANT",
            QuotaScope::Address => "ADDRESS",
            QuotaScope::SignIn => "SIGN_IN",
        }
    }

    /// In headers.
    pub(super) fn policy(self) -> &'static str {
        match self {
            QuotaScope::Token => "token",
            QuotaScope::Tenant => "tenant",
            QuotaScope::Address => "address",
            QuotaScope::SignIn => "sign-in",
        }
    }
}

/// Who pays.
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

/// 429, in the shape of every limit: what is allowed, what it would have come to, and when to try again.
pub(super) fn refusal(scope: QuotaScope, empty: Empty, cost: u64) -> Refusal {
    let Empty { standing: QuotaStatus { quota, left, .. }, retry_after } = empty;
    let spent = quota - left;
    let what = match scope {
        QuotaScope::Token => {
            format!("The token has spent {spent} of {quota} per minute, and this request costs {cost}")
        }
        QuotaScope::Tenant => {
            format!("The tenant has spent {spent} of {quota} per minute, and this request costs {cost}")
        }
        QuotaScope::Address => format!("Your address has spent {spent} of {quota} per minute, and this costs {cost}"),
        QuotaScope::SignIn => format!("From your address came {spent} invalid tokens; {quota} per minute are allowed"),
    };
    let sentence = format!("{what}; try again in {retry_after} s.");
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", sentence)
        .extension("limit", quota)
        .extension("actual", spent.saturating_add(cost))
        .extension("scope", scope.code())
        .extension("retryAfter", retry_after)
        .header(RETRY_AFTER, HeaderValue::from(retry_after))
}
