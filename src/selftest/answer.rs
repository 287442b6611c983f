//! An answer, and what can be asked of it. Each question ends the check where the answer is no.

use axum::http::HeaderMap;
use serde_json::Value;

use super::verdict::{Judged, failed, shown};

/// The media type of GraphQL over HTTP, in which the status tells whether a request was executed.
pub(super) const RESPONSE: &str = "application/graphql-response+json";
/// The media type of older clients.
pub(super) const JSON: &str = "application/json";

/// What a server answers.
pub(super) struct ServerAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// As they were sent: packed, where they are.
    pub(super) bytes: Vec<u8>,
    /// Of a stream of events that of the first. `null` where it is no JSON.
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

    /// The code of the last error that has one: the first of many are those of validation.
    pub(super) fn code(&self) -> Option<&str> {
        let errors = self.body["errors"].as_array()?;
        errors.iter().rev().find_map(|error| error["extensions"]["code"].as_str())
    }

    /// Whether something was executed, if only in part.
    pub(super) fn is_executed(&self) -> bool {
        self.body.get("data").is_some_and(|data| !data.is_null())
    }

    /// In a few words.
    pub(super) fn seen(&self) -> String {
        let what = match (self.code(), self.body.get("errors"), self.body.get("data")) {
            (Some(code), ..) => code.to_owned(),
            (None, Some(errors), _) => errors[0]["message"].as_str().unwrap_or("errors").to_owned(),
            (None, None, Some(_)) => "executed".to_owned(),
            (None, None, None) => format!("{}, no GraphQL answer", self.header("content-type").unwrap_or("no type")),
        };
        let with_data = if self.body.get("errors").is_some() && self.is_executed() { ", and executed" } else { "" };
        shown(&format!("{} {what}{with_data}", self.status))
    }

    pub(super) fn must(&self, fits: bool) -> Judged<&Self> {
        if fits { Ok(self) } else { Err(failed(self.seen())) }
    }

    pub(super) fn status(&self, status: u16) -> Judged<&Self> {
        self.must(self.status == status)
    }

    /// Of a media type; JSON says that it is UTF-8.
    pub(super) fn media(&self, media: &str) -> Judged<&Self> {
        let content_type = self.header("content-type").unwrap_or("no content type").to_ascii_lowercase();
        let (named, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        let fits = named.trim() == media && (!media.ends_with("json") || parameters.contains("charset=utf-8"));
        if fits { Ok(self) } else { Err(failed(shown(&format!("{}, {content_type}", self.status)))) }
    }

    /// With a header whose value fits.
    pub(super) fn says(&self, name: &str, fits: impl FnOnce(&str) -> bool) -> Judged<&Self> {
        match self.header(name) {
            Some(value) if fits(value) => Ok(self),
            Some(value) => Err(failed(shown(&format!("{name}: {value}")))),
            None => Err(failed(format!("no {name}"))),
        }
    }

    /// The answer to `{ __typename }`.
    pub(super) fn answers(&self) -> Judged<&Self> {
        self.status(200)?;
        self.must(self.body["data"]["__typename"] == "Query" && self.body.get("errors").is_none())
    }

    /// Errors, and nothing that was executed: not even the key `data`.
    pub(super) fn refuses(&self) -> Judged<&Self> {
        let has_errors = self.body["errors"].as_array().is_some_and(|errors| !errors.is_empty());
        self.must(has_errors && self.body.get("data").is_none())
    }

    /// The same with a code.
    pub(super) fn refuses_with(&self, code: &str) -> Judged<&Self> {
        self.refuses()?.must(self.code() == Some(code))
    }

    /// In a few words, when all questions are asked.
    pub(super) fn fine(&self) -> Judged {
        Ok(self.seen())
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
    fn an_answer_is_told_in_a_few_words() {
        let errors =
            |data: Value| json!({ "errors": [{ "message": "no", "extensions": { "code": "A" } }], "data": data });
        for (body, words) in [
            (json!({ "data": { "a": 1 } }), "200 executed"),
            (errors(Value::Null), "200 A"),
            (errors(json!({ "a": 1 })), "200 A, and executed"),
            (json!({ "errors": [{ "message": "no" }] }), "200 no"),
            (Value::Null, "200 text/html, no GraphQL answer"),
        ] {
            assert_eq!(answer(200, "text/html", body).seen(), words);
        }
    }

    #[test]
    fn a_refusal_has_no_data() {
        let refused = json!({ "errors": [{ "message": "no", "extensions": { "code": "A" } }] });
        assert!(answer(400, RESPONSE, refused.clone()).refuses_with("A").is_ok());
        assert!(answer(400, RESPONSE, refused.clone()).refuses_with("B").is_err());
        let mut with_null = refused;
        with_null["data"] = Value::Null;
        assert!(answer(400, RESPONSE, with_null).refuses().is_err());
        assert!(answer(400, RESPONSE, json!({ "errors": [] })).refuses().is_err());
    }

    #[test]
    fn json_says_that_it_is_utf_8() {
        for (content_type, fits) in [
            ("application/json; charset=utf-8", true),
            ("application/json;charset=UTF-8", true),
            ("application/json", false),
            ("text/html; charset=utf-8", false),
        ] {
            assert_eq!(answer(200, content_type, Value::Null).media(JSON).is_ok(), fits, "{content_type}");
        }
    }
}
