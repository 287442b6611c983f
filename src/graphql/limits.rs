//! What a request may contain: the limits, and the errors for requests that exceed them.
//!
//! How to add a limit: a documented option in [`Limits`], a variant of [`Limit`] with its code and its noun, a row in
//! the table of attacks (`src/selftest/attacks.rs`) and a code in the list beside it (`admission.rs`).

use std::time::Duration;

use async_graphql::{Error, Pos, ServerError};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Command};

use crate::domain::duration_at_least;

/// The deepest nesting of brackets that fits the parser's stack, with room to spare.
const NESTING: usize = 64;

/// The limits of one request. Each field is an option of the commands that serve.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of a request")]
pub struct Limits {
    /// Maximum size of a request body in bytes, after decompression.
    #[arg(long, env = "VEXT_MAX_BODY", value_name = "BYTES", default_value_t = 256 * 1024)]
    pub max_body: usize,

    /// Maximum size of a query's text in bytes.
    #[arg(long, env = "VEXT_MAX_QUERY", value_name = "BYTES", default_value_t = 64 * 1024)]
    pub max_query: usize,

    /// Maximum number of tokens in a query's text.
    #[arg(long, env = "VEXT_MAX_TOKENS", value_name = "COUNT", default_value_t = 2000)]
    pub max_tokens: usize,

    /// Maximum length of a name in a query's text, in bytes.
    //
    // Errors repeat the names that they are about, and the search for a similar name takes time in proportion.
    #[arg(long, env = "VEXT_MAX_NAME", value_name = "BYTES", default_value_t = 256)]
    pub max_name: usize,

    /// Maximum nesting of brackets in a query's text; cannot be more than 64.
    //
    // The parser goes some stack frames deeper with each. A debug build parses 64 of every kind in 2 MiB of stack.
    #[arg(long, env = "VEXT_MAX_NESTING", value_name = "LEVELS", default_value_t = NESTING,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=NESTING as u64))]
    pub max_nesting: usize,

    /// Maximum depth of a selection of fields, including fragments but not introspection.
    #[arg(long, env = "VEXT_MAX_DEPTH", value_name = "LEVELS", default_value_t = 12)]
    pub max_depth: usize,

    /// Maximum depth of a value, in the query and in the variables, and of a variable's list type.
    #[arg(long, env = "VEXT_MAX_VALUE_DEPTH", value_name = "LEVELS", default_value_t = 16)]
    pub max_value_depth: usize,

    /// Maximum number of aliases in a query's text.
    #[arg(long, env = "VEXT_MAX_ALIASES", value_name = "COUNT", default_value_t = 30)]
    pub max_aliases: usize,

    /// Maximum number of directives in a query's text.
    #[arg(long, env = "VEXT_MAX_DIRECTIVES", value_name = "COUNT", default_value_t = 50)]
    pub max_directives: usize,

    /// Maximum number of operations in a query's text; a request runs one of them.
    #[arg(long, env = "VEXT_MAX_OPERATIONS", value_name = "COUNT", default_value_t = 10)]
    pub max_operations: usize,

    /// Maximum number of fragments in a query's text.
    //
    // Validation goes one stack frame deeper with each fragment that spreads another.
    #[arg(long, env = "VEXT_MAX_FRAGMENTS", value_name = "COUNT", default_value_t = 50)]
    pub max_fragments: usize,

    /// Maximum number of fields and spreads in a query's operations, with every fragment expanded where it is spread.
    //
    // Validation and execution visit a fragment again at every spread.
    #[arg(long, env = "VEXT_MAX_FIELDS", value_name = "COUNT", default_value_t = 2000)]
    pub max_fields: usize,

    /// Maximum number of values in a request's variables.
    //
    // A variable's value is copied at every place where it is used.
    #[arg(long, env = "VEXT_MAX_VALUES", value_name = "COUNT", default_value_t = 5000)]
    pub max_values: usize,

    /// Maximum total size in bytes of the query texts whose parsed documents are cached; the documents take about ten times as much memory.
    #[arg(long, env = "VEXT_DOCUMENT_CACHE", value_name = "BYTES", default_value_t = 1024 * 1024)]
    pub document_cache: usize,

    /// Maximum total size in bytes of the answers that are cached until something in the tenant changes; 0 turns the cache off.
    #[arg(long, env = "VEXT_ANSWER_CACHE", value_name = "BYTES", default_value_t = 32 * 1024 * 1024)]
    pub answer_cache: usize,

    /// Maximum cost of a request: 1 for each object and for every 10 plain fields in its answer, more for fields that search, count or save.
    #[arg(long, env = "VEXT_MAX_COST", value_name = "COST", default_value_t = 15_000)]
    pub max_cost: u64,

    /// Maximum depth of a selection of fields within `__schema` and `__type`.
    #[arg(long, env = "VEXT_MAX_INTROSPECTION_DEPTH", value_name = "LEVELS", default_value_t = 16)]
    pub max_introspection_depth: usize,

    /// Maximum nesting of lists in an introspection query, such as the arguments of the fields of the types.
    #[arg(long, env = "VEXT_MAX_INTROSPECTION_LISTS", value_name = "LEVELS", default_value_t = 3)]
    pub max_introspection_lists: usize,

    /// Maximum number of errors in an answer; the rest are only counted.
    #[arg(long, env = "VEXT_MAX_ERRORS", value_name = "COUNT", default_value_t = 20)]
    pub max_errors: usize,

    /// Maximum size of an answer in bytes, before compression.
    #[arg(long, env = "VEXT_MAX_RESPONSE", value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    pub max_response: usize,

    /// Time limit for a request, such as `5s` or `300ms`; work that is still running then is stopped.
    #[arg(long, env = "VEXT_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "5s",
        value_parser = duration_at_least(Duration::from_millis(1)))]
    pub request_timeout: Duration,

    /// Maximum length of a text in a request's variables, in bytes.
    //
    // Errors repeat the text at every place where the variable is used. No field takes more than 4000 characters.
    #[arg(long, env = "VEXT_MAX_TEXT", value_name = "BYTES", default_value_t = 16 * 1024)]
    pub max_text: usize,
}

impl Default for Limits {
    /// The default of every option.
    fn default() -> Self {
        defaults()
    }
}

/// The options with no flags and no variables set. Each option must have a default.
pub fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("vext").no_binary_name(true)).mut_args(|arg| arg.env(None::<&str>));
    match command.try_get_matches_from([""; 0]).and_then(|matches| T::from_arg_matches(&matches)) {
        Ok(options) => options,
        Err(error) => unreachable!("every option has a default: {error}"),
    }
}

/// A limit that a request can exceed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// [`Limits::max_body`].
    Body,
    /// [`Limits::max_query`].
    Query,
    /// [`Limits::max_tokens`].
    Tokens,
    /// [`Limits::max_name`].
    Name,
    /// [`Limits::max_nesting`].
    Nesting,
    /// [`Limits::max_depth`].
    Depth,
    /// [`Limits::max_value_depth`], of a value.
    ValueDepth,
    /// [`Limits::max_value_depth`], of the type of a variable.
    TypeDepth,
    /// [`Limits::max_aliases`].
    Aliases,
    /// [`Limits::max_directives`].
    Directives,
    /// [`Limits::max_operations`].
    Operations,
    /// [`Limits::max_fragments`].
    Fragments,
    /// [`Limits::max_fields`].
    Fields,
    /// [`Limits::max_values`].
    Values,
    /// [`Limits::max_cost`].
    Cost,
    /// [`Limits::max_introspection_depth`].
    IntrospectionDepth,
    /// [`Limits::max_introspection_lists`].
    IntrospectionLists,
    /// [`Limits::max_errors`].
    Errors,
    /// [`Limits::max_response`].
    Response,
    /// [`Limits::request_timeout`].
    Deadline,
    /// [`Limits::max_text`].
    Text,
}

impl Limit {
    /// The code that clients can branch on.
    pub fn code(self) -> &'static str {
        match self {
            Limit::Body => "BODY_TOO_LARGE",
            Limit::Query => "QUERY_TOO_LARGE",
            Limit::Tokens => "TOO_MANY_TOKENS",
            Limit::Name => "NAME_TOO_LONG",
            Limit::Nesting => "NESTED_TOO_DEEP",
            Limit::Depth => "SELECTION_TOO_DEEP",
            Limit::ValueDepth => "VALUE_TOO_DEEP",
            Limit::TypeDepth => "TYPE_TOO_DEEP",
            Limit::Aliases => "TOO_MANY_ALIASES",
            Limit::Directives => "TOO_MANY_DIRECTIVES",
            Limit::Operations => "TOO_MANY_OPERATIONS",
            Limit::Fragments => "TOO_MANY_FRAGMENTS",
            Limit::Fields => "TOO_MANY_FIELDS",
            Limit::Values => "TOO_MANY_VALUES",
            Limit::Cost => "COST_TOO_HIGH",
            Limit::IntrospectionDepth => "INTROSPECTION_TOO_DEEP",
            Limit::IntrospectionLists => "INTROSPECTION_TOO_WIDE",
            Limit::Errors => "TOO_MANY_ERRORS",
            Limit::Response => "RESPONSE_TOO_LARGE",
            Limit::Deadline => "DEADLINE_EXCEEDED",
            Limit::Text => "TEXT_TOO_LONG",
        }
    }

    /// The noun of the error message: "The request has {actual} {noun}; at most {limit} are allowed."
    fn counted(self) -> &'static str {
        match self {
            Limit::Body => "bytes in its body",
            Limit::Query => "bytes of query text",
            Limit::Tokens => "tokens",
            Limit::Name => "bytes in a name",
            Limit::Nesting => "open brackets",
            Limit::Depth => "levels of nested selections",
            Limit::ValueDepth => "levels of nested values",
            Limit::TypeDepth => "levels in a list type",
            Limit::Aliases => "aliases",
            Limit::Directives => "directives",
            Limit::Operations => "operations",
            Limit::Fragments => "fragments",
            Limit::Fields => "fields with fragments expanded",
            Limit::Values => "values in its variables",
            Limit::Cost => "units of cost",
            Limit::IntrospectionDepth => "levels of introspection",
            Limit::IntrospectionLists => "nested lists in an introspection query",
            Limit::Errors => "errors",
            Limit::Response => "bytes in its answer",
            Limit::Deadline => "milliseconds",
            Limit::Text => "bytes in a text",
        }
    }
}

/// A request exceeds a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exceeded {
    /// Which limit.
    pub limit: Limit,
    /// The maximum that is allowed.
    pub allowed: u64,
    /// What the request has. If counting stops at the limit, the first number that exceeds it.
    pub actual: u64,
    /// The position in the query's text, if there is one.
    pub at: Option<Pos>,
}

impl Exceeded {
    /// The error that the client gets: `extensions { code limit actual }` and the position.
    pub fn error(self) -> ServerError {
        let Self { limit, allowed, actual, at } = self;
        let counted = limit.counted();
        let sentence = match limit {
            Limit::Deadline => format!("The request did not finish within {allowed} {counted}; it was stopped."),
            Limit::Errors => format!("The request has {actual} {counted}; at most {allowed} are shown."),
            _ => format!("The request has {actual} {counted}; at most {allowed} are allowed."),
        };
        let mut error = ServerError::new(sentence, at);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", limit.code());
        extensions.set("limit", allowed);
        extensions.set("actual", actual);
        error
    }

    /// The same as an error of a field.
    pub(super) fn field_error(self) -> Error {
        let ServerError { message, extensions, .. } = self.error();
        Error { message, source: None, extensions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_limit_the_actual_value_and_the_place() {
        let at = Some(Pos { line: 3, column: 7 });
        let error = Exceeded { limit: Limit::Tokens, allowed: 2000, actual: 2001, at }.error();
        let error = serde_json::to_value(error).unwrap();
        assert_eq!(error["message"], "The request has 2001 tokens; at most 2000 are allowed.");
        assert_eq!(error["locations"][0], serde_json::json!({ "line": 3, "column": 7 }));
        let extensions = serde_json::json!({ "code": "TOO_MANY_TOKENS", "limit": 2000, "actual": 2001 });
        assert_eq!(error["extensions"], extensions);
    }

    #[test]
    fn every_limit_has_a_default() {
        assert_eq!((Limits::default().max_tokens, Limits::default().max_body), (2000, 262_144));
    }
}
