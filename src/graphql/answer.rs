//! Replies, and how they are written as JSON within their limits.

use std::io::{self, Write as _};

use async_graphql::{Response, ServerError, Value};
use bytes::Bytes;

use super::limits::{Exceeded, Limit, Limits};
use super::plan::Unplanned;

/// The answer to an operation, or one event of a subscription.
#[derive(Debug, Default)]
pub struct Reply {
    /// Errors and extensions, and the data unless a plan has written it.
    response: Response,
    /// The data as JSON, as a plan has written it. Then there are no errors.
    written: Option<Bytes>,
    /// Whether the data comes from the answer cache.
    from_cache: bool,
    /// Why no plan has answered, when one was looked for.
    pub(super) unplanned: Option<Unplanned>,
}

impl From<Response> for Reply {
    /// The reply of the executor.
    fn from(response: Response) -> Self {
        Self { response, ..Self::default() }
    }
}

impl Reply {
    /// The reply to a request that was not executed.
    pub fn refused(errors: Vec<ServerError>) -> Self {
        Response::from_errors(errors).into()
    }

    /// The reply with the data that a plan has written.
    pub(super) fn written(data: Bytes, from_cache: bool) -> Self {
        Self { written: Some(data), from_cache, ..Self::default() }
    }

    /// The errors.
    pub fn errors(&self) -> &[ServerError] {
        &self.response.errors
    }

    /// The errors, without the rest.
    pub fn into_errors(self) -> Vec<ServerError> {
        self.response.errors
    }

    /// The data; null if a plan has written it.
    pub(super) fn data(&self) -> &Value {
        &self.response.data
    }

    /// Adds a value to the reply's `extensions`.
    pub fn extend(&mut self, name: &str, value: Value) {
        self.response.extensions.insert(name.to_owned(), value);
    }

    /// Whether the reply comes from execution. An error before execution leaves no data and has no path.
    pub fn was_executed(&self) -> bool {
        self.written.is_some() || was_executed(&self.response)
    }

    /// Whether there are only errors.
    pub fn is_failure(&self) -> bool {
        self.written.is_none() && *self.data() == Value::Null && !self.errors().is_empty()
    }

    /// How the request was executed, as a label for metrics: by a plan, from the cache, or else why not. `None` when no
    /// plan was looked for.
    pub fn executed_by(&self) -> Option<&'static str> {
        match self.unplanned {
            Some(unplanned) => Some(unplanned.word()),
            None => self.written.as_ref().map(|_| if self.from_cache { "kept" } else { "plan" }),
        }
    }

    /// The reply as JSON. If it is longer than [`Limits::max_response`], only the error that reports this is written: a
    /// truncated answer is useless. Changes that the request has made stay.
    pub fn to_json(&self, limits: &Limits) -> Vec<u8> {
        let mut bounded = BoundedJson { bytes: Vec::new(), most: limits.max_response };
        match self.write(&mut bounded) {
            Ok(()) => bounded.bytes,
            // Answers contain only texts, numbers and lists: only the length can cause an error.
            Err(_) => {
                let allowed = limits.max_response as u64;
                let exceeded = Exceeded { limit: Limit::Response, allowed, actual: allowed + 1, at: None };
                let mut refusal = Response::from_errors(vec![exceeded.error()]);
                refusal.extensions.clone_from(&self.response.extensions);
                serde_json::to_vec(&refusal).unwrap_or_default()
            }
        }
    }

    /// Writes the same bytes as a [`Response`] with this data.
    fn write(&self, json: &mut BoundedJson) -> io::Result<()> {
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

    /// Drops all errors beyond the limit, and adds one that reports how many there were.
    pub(super) fn shorten_errors(&mut self, limits: &Limits) {
        shorten_errors(&mut self.response, limits);
    }
}

/// Whether a response comes from execution, see [`Reply::was_executed`].
fn was_executed(response: &Response) -> bool {
    response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty())
}

/// JSON with a maximum length.
struct BoundedJson {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for BoundedJson {
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

/// Drops all errors beyond the limit, and adds one that reports how many there were.
pub(super) fn shorten_errors(response: &mut Response, limits: &Limits) {
    let (most, all) = (limits.max_errors, response.errors.len());
    if all > most {
        response.errors.truncate(most);
        let exceeded = Exceeded { limit: Limit::Errors, allowed: most as u64, actual: all as u64, at: None };
        response.errors.push(exceeded.error());
    }
}

/// What a request is expected to take, from its document and its variables.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Estimate {
    /// Its maximum cost.
    pub cost: u64,
    /// Whether it runs in the expensive lane whatever it costs: it scans a whole tenant or kind, sends secrets to be
    /// hashed, or is a long text that has not been validated.
    pub expensive: bool,
}

/// What a request costs: the objects of its answer, and more for some fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// The estimate from its document.
    pub requested: u64,
    /// The cost of its answer.
    pub actual: u64,
}

impl Cost {
    /// The value of the reply's `extensions.cost`.
    pub(super) fn value(self) -> Value {
        async_graphql::value!({ "requested": self.requested, "actual": self.actual })
    }
}
