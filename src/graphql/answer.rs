//! Answers as bytes, and what is left out of them.

use std::io;

use async_graphql::{Response, Value};

use super::limits::{Exceeded, Limit, Limits};

/// JSON that ends where it is too long.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An answer as JSON. One that is longer than [`Limits::max_response`] is not written at all, but the error that says
/// so: half an answer is none. What the request has changed stays changed.
pub fn to_json(response: &Response, limits: &Limits) -> Vec<u8> {
    let mut bounded = Bounded { bytes: Vec::new(), most: limits.max_response };
    match serde_json::to_writer(&mut bounded, response) {
        Ok(()) => bounded.bytes,
        // Answers hold nothing but texts, numbers and lists: only their length can be wrong.
        Err(_) => {
            let allowed = limits.max_response as u64;
            let exceeded = Exceeded { limit: Limit::Response, allowed, actual: allowed + 1, at: None };
            let mut refusal = Response::from_errors(vec![exceeded.error()]);
            refusal.extensions.clone_from(&response.extensions);
            serde_json::to_vec(&refusal).unwrap_or_default()
        }
    }
}

/// Leaves out all errors but the first, and says how many there were.
pub(super) fn shorten_errors(response: &mut Response, limits: &Limits) {
    let (most, all) = (limits.max_errors, response.errors.len());
    if all > most {
        response.errors.truncate(most);
        let exceeded = Exceeded { limit: Limit::Errors, allowed: most as u64, actual: all as u64, at: None };
        response.errors.push(exceeded.error());
    }
}

/// What a request would take, told from its document and its variables.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Estimate {
    /// What it costs at most.
    pub cost: u64,
    /// Whether it may take long whatever it costs: it takes a look at all of a tenant, or of a kind, sends secrets
    /// that are hashed, or is a long text of which nobody knows yet whether it is valid.
    pub may_take_long: bool,
}

/// What a request costs: objects of its answer, and more for some fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// What its document asked for.
    pub requested: u64,
    /// What came of it.
    pub actual: u64,
}

impl Cost {
    /// As the answer's `extensions.cost`.
    pub(super) fn value(self) -> Value {
        async_graphql::value!({ "requested": self.requested, "actual": self.actual })
    }
}
