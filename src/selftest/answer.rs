//! An answer of the server, and expectations of it. A check ends at the first expectation that is not met.

use axum::http::HeaderMap;
use serde_json::Value;

use super::verdict::{CheckResult, failed, one_line};

/// The media type of GraphQL over HTTP, where the status shows whether the request was executed.
pub(super) const RESPONSE: &str = "application/graphql-response+json";
/// The media type of older clients.
pub(super) const JSON: &str = "application/json";

/// An answer of the server.
pub(super) struct ServerAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body as sent, before any decompression.
    pub(super) bytes: Vec<u8>,
    /// The body as JSON; of a stream of events, the data of the first. `null` if it is not JSON.
    pub(super) body: Value,
}

impl ServerAnswer {
    pub(super) fn new(status: u16, headers: HeaderMap, bytes: Vec<u8>) -> Self {
        let first =
            || String::from_utf8_lossy(&bytes).lines().find_map(|line| Some(line.strip_prefix("data:")?.to_owned()));
        let body = serde_json::from_slice(&bytes).ok().or_else(|| serde_json::from_str(&first()?).ok());
        Self { status, headers, body: body.unwrap_or_default(), bytes }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The code of the last error that has one. If there are several, the first ones are from validation.
    pub(super) fn code(&self) -> Option<&str> {
        let errors = self.body["errors"].as_array()?;
        errors.iter().rev().find_map(|error| error["extensions"]["code"].as_str())
    }

    /// Whether the request was executed, at least in part.
    pub(super) fn is_executed(&self) -> bool {
        self.body.get("data").is_some_and(|data| !data.is_null())
    }

    /// Describes the answer in a few words.
    pub(super) fn summary(&self) -> String {
        let result = match (self.code(), self.body.get("errors"), self.body.get("data")) {
            (Some(code), ..) => code.to_owned(),
            (None, Some(errors), _) => errors[0]["message"].as_str().unwrap_or("errors").to_owned(),
            (None, None, Some(_)) => "executed".to_owned(),
            (None, None, None) => format!("{}, not a GraphQL answer", self.header("content-type").unwrap_or("no type")),
        };
        let with_data = if self.body.get("errors").is_some() && self.is_executed() { ", and executed" } else { "" };
        one_line(&format!("{} {result}{with_data}", self.status))
    }

    pub(super) fn require(&self, fits: bool) -> CheckResult<&Self> {
        if fits { Ok(self) } else { Err(failed(self.summary())) }
    }

    pub(super) fn expect_status(&self, status: u16) -> CheckResult<&Self> {
        self.require(self.status == status)
    }

    /// Expects a media type. JSON must have the charset UTF-8.
    pub(super) fn expect_media_type(&self, media: &str) -> CheckResult<&Self> {
        let content_type = self.header("content-type").unwrap_or("no content type").to_ascii_lowercase();
        let (named, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        let fits = named.trim() == media && (!media.ends_with("json") || parameters.contains("charset=utf-8"));
        if fits { Ok(self) } else { Err(failed(one_line(&format!("{}, {content_type}", self.status)))) }
    }

    /// Expects a header whose value fits.
    pub(super) fn expect_header(&self, name: &str, fits: impl FnOnce(&str) -> bool) -> CheckResult<&Self> {
        match self.header(name) {
            Some(value) if fits(value) => Ok(self),
            Some(value) => Err(failed(one_line(&format!("{name}: {value}")))),
            None => Err(failed(format!("no {name}"))),
        }
    }

    /// Expects the result of `{ __typename }`.
    pub(super) fn expect_typename(&self) -> CheckResult<&Self> {
        self.expect_status(200)?;
        self.require(self.body["data"]["__typename"] == "Query" && self.body.get("errors").is_none())
    }

    /// Expects errors and no execution: there must not even be a key `data`.
    pub(super) fn expect_refusal(&self) -> CheckResult<&Self> {
        let has_errors = self.body["errors"].as_array().is_some_and(|errors| !errors.is_empty());
        self.require(has_errors && self.body.get("data").is_none())
    }

    /// Expects a refusal with this code.
    pub(super) fn expect_code(&self, code: &str) -> CheckResult<&Self> {
        self.expect_refusal()?.require(self.code() == Some(code))
    }

    /// Passes the check, with the summary of the answer.
    pub(super) fn pass(&self) -> CheckResult {
        Ok(self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, content_type: &'static str, body: Value) -> ServerAnswer {
        let headers = HeaderMap::from_iter([(axum::http::header::CONTENT_TYPE, content_type.parse().unwrap())]);
        ServerAnswer { status, headers, bytes: Vec::new(), body }
    }

    #[test]
    fn an_answer_has_a_short_summary() {
        let errors =
            |data: Value| json!({ "errors": [{ "message": "no", "extensions": { "code": "A" } }], "data": data });
        for (body, words) in [
            (json!({ "data": { "a": 1 } }), "200 executed"),
            (errors(Value::Null), "200 A"),
            (errors(json!({ "a": 1 })), "200 A, and executed"),
            (json!({ "errors": [{ "message": "no" }] }), "200 no"),
            (Value::Null, "200 text/html, not a GraphQL answer"),
        ] {
            assert_eq!(answer(200, "text/html", body).summary(), words);
        }
    }

    #[test]
    fn a_refusal_has_no_data() {
        let refused = json!({ "errors": [{ "message": "no", "extensions": { "code": "A" } }] });
        assert!(answer(400, RESPONSE, refused.clone()).expect_code("A").is_ok());
        assert!(answer(400, RESPONSE, refused.clone()).expect_code("B").is_err());
        let mut with_null = refused;
        with_null["data"] = Value::Null;
        assert!(answer(400, RESPONSE, with_null).expect_refusal().is_err());
        assert!(answer(400, RESPONSE, json!({ "errors": [] })).expect_refusal().is_err());
    }

    #[test]
    fn json_says_that_it_is_utf_8() {
        for (content_type, fits) in [
            ("application/json; charset=utf-8", true),
            ("application/json;charset=UTF-8", true),
            ("application/json", false),
            ("text/html; charset=utf-8", false),
        ] {
            assert_eq!(answer(200, content_type, Value::Null).expect_media_type(JSON).is_ok(), fits, "{content_type}");
        }
    }
}
