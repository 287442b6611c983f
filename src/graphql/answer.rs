//! Answers as bytes, and what is left out of them.

use std::io::{self, Write as _};

use async_graphql::{Response, ServerError, Value};
use bytes::Bytes;

use super::limits::{Exceeded, Limit, Limits};
use super::plan::Unplanned;

/// The answer to an operation, or one of those to a subscription.
#[derive(Debug, Default)]
pub struct Reply {
    /// Errors and extensions, and the data where no plan has written it.
    response: Response,
    /// The data as JSON, as a plan has written it: then there are no errors.
    written: Option<Bytes>,
    /// Whether it was kept from before.
    was_kept: bool,
    /// Why no plan has answered, when one was looked for.
    pub(super) unplanned: Option<Unplanned>,
}

impl From<Response> for Reply {
    /// What the executor answers.
    fn from(response: Response) -> Self {
        Self { response, ..Self::default() }
    }
}

impl Reply {
    /// Why nothing was executed.
    pub fn refused(errors: Vec<ServerError>) -> Self {
        Response::from_errors(errors).into()
    }

    /// The data that a plan has written.
    pub(super) fn written(data: Bytes, was_kept: bool) -> Self {
        Self { written: Some(data), was_kept, ..Self::default() }
    }

    /// What is wrong.
    pub fn errors(&self) -> &[ServerError] {
        &self.response.errors
    }

    /// The same, to keep.
    pub fn into_errors(self) -> Vec<ServerError> {
        self.response.errors
    }

    /// The data; null where a plan has written it.
    pub(super) fn data(&self) -> &Value {
        &self.response.data
    }

    /// Adds something to the answer's `extensions`.
    pub fn extend(&mut self, name: &str, value: Value) {
        self.response.extensions.insert(name.to_owned(), value);
    }

    /// Whether it comes from execution: an error before that leaves no data, and is at no field.
    pub fn was_executed(&self) -> bool {
        self.written.is_some() || was_executed(&self.response)
    }

    /// Whether there is nothing but errors.
    pub fn is_failure(&self) -> bool {
        self.written.is_none() && *self.data() == Value::Null && !self.errors().is_empty()
    }

    /// The word for how it was executed, for metrics: by a plan, now or before, or else why not. `None` when no plan was
    /// looked for.
    pub fn executed_by(&self) -> Option<&'static str> {
        match self.unplanned {
            Some(unplanned) => Some(unplanned.word()),
            None => self.written.as_ref().map(|_| if self.was_kept { "kept" } else { "plan" }),
        }
    }

    /// An answer as JSON. One that is longer than [`Limits::max_response`] is not written at all, but the error that says
    /// so: half an answer is none. What the request has changed stays changed.
    pub fn to_json(&self, limits: &Limits) -> Vec<u8> {
        let mut bounded = Bounded { bytes: Vec::new(), most: limits.max_response };
        match self.write(&mut bounded) {
            Ok(()) => bounded.bytes,
            // Answers hold nothing but texts, numbers and lists: only their length can be wrong.
            Err(_) => {
                let allowed = limits.max_response as u64;
                let exceeded = Exceeded { limit: Limit::Response, allowed, actual: allowed + 1, at: None };
                let mut refusal = Response::from_errors(vec![exceeded.error()]);
                refusal.extensions.clone_from(&self.response.extensions);
                serde_json::to_vec(&refusal).unwrap_or_default()
            }
        }
    }

    /// Writes what a [`Response`] with this data writes.
    fn write(&self, json: &mut Bounded) -> io::Result<()> {
        let Some(data) = &self.written else { return Ok(serde_json::to_writer(json, &self.response)?) };
        json.bytes.reserve_exact(data.len().min(json.most) + 64);
        json.write_all(b"{\"data\":")?;
        json.write_all(data)?;
        if !self.response.extensions.is_empty() {
            json.write_all(b",\"extensions\":")?;
            serde_json::to_writer(&mut *json, &self.response.extensions)?;
        }
        json.write_all(b"}")
    }

    /// Leaves out all errors but the first, and says how many there were.
    pub(super) fn shorten_errors(&mut self, limits: &Limits) {
        shorten_errors(&mut self.response, limits);
    }
}

/// Whether a response comes from execution, see [`Reply::was_executed`].
fn was_executed(response: &Response) -> bool {
    response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty())
}

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
