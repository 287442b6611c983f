//! Reads a GraphQL request from the body of a POST or from the query string of a GET, by the GraphQL over HTTP
//! specification (graphql.github.io/graphql-over-http/draft, sections 4 to 6).

use async_graphql::{Extensions, Request, Value as ConstValue, Variables};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::http::door::cors::PREFLIGHT;
use crate::http::media::Media;
use crate::http::refusal::Refusal;

/// A request as it arrived.
#[derive(Debug)]
pub(super) struct IncomingRequest {
    /// The text of its document is empty if the request names the document instead.
    pub request: Request,
    /// The name of its document: that of a trusted document, or the SHA-256 of an earlier text.
    pub document: Option<String>,
    /// Whether it was sent with GET, which must not change anything.
    pub is_get: bool,
}

/// Reads the request from the query string of a GET.
///
/// # Errors
/// A header against forgery is missing, or the parameters are malformed.
pub(super) fn from_query(query: Option<&str>, headers: &HeaderMap) -> Result<IncomingRequest, Refusal> {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| is_json(value).is_ok());
    if !is_json && !PREFLIGHT.iter().any(|name| headers.contains_key(*name)) {
        let message = format!(
            "A GET needs a header that proves that it is not forged by another page: one of {}.",
            PREFLIGHT.join(", ")
        );
        return Err(Refusal::new(StatusCode::FORBIDDEN, "PREFLIGHT_REQUIRED", message));
    }
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = match &*name {
            "query" | "operationName" | "documentId" => Value::String(value.into_owned()),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value).map_err(|error| malformed(&name, &error))?,
            _ => continue,
        };
        if parameters.insert(name.to_string(), value).is_some() {
            return Err(bad_request(format!("The parameter {name} appears more than once in the query string.")));
        }
    }
    // Some clients send an empty parameter when the operation has no name.
    if parameters.get("operationName").is_some_and(|name| name == "") {
        parameters.remove("operationName");
    }
    Ok(IncomingRequest { is_get: true, ..from_parameters(parameters)? })
}

/// Reads the request from the body of a POST.
///
/// # Errors
/// The content type is not JSON, or the body is malformed.
pub(super) fn from_body(body: &[u8], headers: &HeaderMap) -> Result<IncomingRequest, Refusal> {
    headers
        .get(CONTENT_TYPE)
        .ok_or_else(|| "The content type must be application/json; none is given.".to_owned())
        .and_then(is_json)
        .map_err(|message| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message))?;
    match serde_json::from_slice(body) {
        Ok(Value::Object(parameters)) => from_parameters(parameters),
        Ok(Value::Array(_)) => {
            Err(bad_request("The body is a list of requests; this server accepts one request at a time.".into()))
        }
        Ok(_) => Err(bad_request("The body is not a GraphQL request: it must be a JSON object.".into())),
        Err(error) => Err(malformed("body", &error)),
    }
}

/// Checks that a content type is JSON in UTF-8.
///
/// # Errors
/// Why it is not, in one sentence.
fn is_json(value: &HeaderValue) -> Result<(), String> {
    let text = String::from_utf8_lossy(value.as_bytes());
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case(Media::JSON)) {
        return Err(format!("The content type must be application/json; it is {text:?}."));
    }
    let is_utf8 = |part: &str| {
        part.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    if parts.all(is_utf8) { Ok(()) } else { Err(format!("The charset of JSON must be utf-8; it is {text:?}.")) }
}

/// The extensions of a request that add something to its response: its cost, and its plan.
const RESPONSE_EXTENSIONS: [&str; 2] = ["cost", "plan"];

/// Builds a request from its parameters. Parameters that the specification does not know are ignored.
///
/// # Errors
/// A parameter has the wrong type, or there is no document.
pub(super) fn from_parameters(parameters: Map<String, Value>) -> Result<IncomingRequest, Refusal> {
    let mut problems = Vec::new();
    let mut request = Request::new("");
    let mut document = None;
    for (name, value) in parameters {
        let expected = match (name.as_str(), value) {
            ("query", Value::String(query)) => {
                request.query = query;
                continue;
            }
            ("operationName", Value::String(name)) => {
                request.operation_name = Some(name);
                continue;
            }
            // The parameter of the draft on persisted documents for GraphQL over HTTP.
            ("documentId", Value::String(id)) => {
                document = Some(id.strip_prefix("sha256:").unwrap_or(&id).to_owned());
                continue;
            }
            ("variables", variables @ Value::Object(_)) => {
                request.variables = Variables::from_json(variables);
                continue;
            }
            ("extensions", Value::Object(mut extensions)) => {
                if let Some(query) = extensions.remove("persistedQuery") {
                    document = Some(persisted_hash(&query)?);
                }
                let is_not_bool =
                    |name: &&&str| !matches!(extensions.get(**name), None | Some(Value::Null | Value::Bool(_)));
                let wrong = RESPONSE_EXTENSIONS.iter().filter(is_not_bool);
                problems.extend(wrong.map(|name| format!("extensions.{name} must be true or false")));
                let values = extensions.into_iter();
                let values = values.filter_map(|(name, value)| Some((name, ConstValue::from_json(value).ok()?)));
                request.extensions = Extensions(values.collect());
                continue;
            }
            (_, Value::Null) => continue,
            ("query" | "operationName" | "documentId", _) => "a text",
            ("variables" | "extensions", _) => "an object",
            _ => continue,
        };
        problems.push(format!("{name} must be {expected}"));
    }
    if request.query.is_empty() && document.is_none() && problems.is_empty() {
        problems.push("query is missing".into());
    }
    match problems.is_empty() {
        true => Ok(IncomingRequest { request, document, is_get: false }),
        false => Err(bad_request(format!("The request cannot be read: {}.", problems.join("; ")))),
    }
}

/// Reads the hash from the extension `persistedQuery`, as Apollo's clients and urql send it:
/// `{"version": 1, "sha256Hash": "…"}`.
fn persisted_hash(query: &Value) -> Result<String, Refusal> {
    if query["version"] != 1 {
        let message = "PersistedQueryNotSupported: this server supports version 1 of persisted queries.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "PERSISTED_QUERY_NOT_SUPPORTED", message));
    }
    let hash = query["sha256Hash"].as_str().map(str::to_owned);
    hash.ok_or_else(|| bad_request("extensions.persistedQuery.sha256Hash must be a text.".into()))
}

fn malformed(name: &str, error: &serde_json::Error) -> Refusal {
    bad_request(format!("The {name} is not JSON: {error}."))
}

fn bad_request(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_must_be_utf8() {
        for (value, fine) in [
            ("application/json", true),
            ("Application/JSON; Charset=\"UTF-8\"", true),
            ("application/json; profile=x", true),
            ("application/json; charset=latin1", false),
            ("text/plain", false),
            ("application/jsonx", false),
            ("", false),
        ] {
            assert_eq!(is_json(&HeaderValue::from_static(value)).is_ok(), fine, "{value:?}");
        }
    }
}
