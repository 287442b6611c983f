//! Parsed documents by the hash of their text. Parsing takes half of the time of a form query, and a client that sends
//! the hash need not send the text again (automatic persisted queries).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{ServerError, Variables};
use lru::LruCache;
use sha2::{Digest as _, Sha256};

use super::cost::SelectionMeasure;
use super::errors;
use super::limits::Limits;
use super::plan::Plans;
use super::prices::Prices;
use super::syntax::{self, RefusedDocument};
use super::validation::NotNull;
use crate::domain::hex;

/// The SHA-256 of a document's text. Displayed and read as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }
}

impl fmt::Display for DocumentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for DocumentHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut hash = [0; 32];
        let digit = |place: usize| char::from(*text.as_bytes().get(place)?).to_digit(16);
        for (i, byte) in hash.iter_mut().enumerate() {
            let digits = digit(2 * i).zip(digit(2 * i + 1)).ok_or("is not a SHA-256 hash in hexadecimal digits")?;
            *byte = (digits.0 * 16 + digits.1) as u8;
        }
        if text.len() == 64 { Ok(Self(hash)) } else { Err("is not a SHA-256 hash in hexadecimal digits") }
    }
}

/// A parsed document.
#[derive(Clone, Debug)]
pub struct ParsedDocument {
    hash: DocumentHash,
    /// The length of its text in bytes.
    length: usize,
    parsed: Arc<ExecutableDocument>,
    /// The results of validation, once the document has passed it.
    validated: Option<Arc<ValidatedParts>>,
}

/// What is known of a validated document. All its clones share it.
#[derive(Debug)]
struct ValidatedParts {
    not_null: NotNull,
    plans: Plans,
    measures: Measures,
}

/// The measures of operations, by name; `None` for an operation whose measure depends on variables.
type Measures = Mutex<HashMap<Option<String>, Option<SelectionMeasure>>>;

impl ParsedDocument {
    /// Parses a text.
    ///
    /// # Errors
    /// The limit that it exceeds, or where it breaks the grammar.
    pub(super) fn parse(text: &str, limits: &Limits) -> Result<Self, RefusedDocument> {
        let parsed = Arc::new(syntax::parse(text, limits)?);
        Ok(Self { hash: DocumentHash::of(text), length: text.len(), parsed, validated: None })
    }

    /// The parsed text.
    pub fn parsed(&self) -> &Arc<ExecutableDocument> {
        &self.parsed
    }

    /// The hash of the text.
    pub fn hash(&self) -> DocumentHash {
        self.hash
    }

    /// The length of the text in bytes, while the document has not been validated.
    pub(super) fn unvalidated_length(&self) -> Option<usize> {
        self.validated.is_none().then_some(self.length)
    }

    /// The variables that must not be null; `None` before validation.
    pub(super) fn not_null(&self) -> Option<&NotNull> {
        self.validated.as_ref().map(|validated| &validated.not_null)
    }

    /// The plans of a validated document.
    pub(super) fn plans(&self) -> Option<&Plans> {
        self.validated.as_ref().map(|validated| &validated.plans)
    }

    /// The measure of an operation for these variables. If it does not depend on them, it is computed once.
    pub(super) fn measure(
        &self,
        prices: &Prices,
        (name, operation): (Option<&str>, &OperationDefinition),
        variables: &Variables,
    ) -> SelectionMeasure {
        let Some(validated) = &self.validated else { return prices.operation(&self.parsed, operation, variables).0 };
        // A poisoned lock only means that another thread panicked; the map is whole.
        let known = || validated.measures.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name.map(str::to_owned);
        if let Some(Some(measure)) = known().get(&name) {
            return *measure;
        }
        let (measure, is_fixed) = prices.operation(&self.parsed, operation, variables);
        known().insert(name, is_fixed.then_some(measure));
        measure
    }

    /// The same document with the results of complete validation.
    pub(super) fn with_validation(self, found: NotNull) -> Self {
        Self {
            validated: Some(Arc::new(ValidatedParts {
                not_null: found,
                plans: Plans::default(),
                measures: Measures::default(),
            })),
            ..self
        }
    }

    /// The operation that a request runs.
    ///
    /// # Errors
    /// There is no operation of this name, or a name is missing.
    pub(super) fn required_operation(
        &self,
        name: Option<&str>,
    ) -> Result<(Option<&str>, &OperationDefinition), ServerError> {
        self.selected(name).ok_or_else(|| {
            let sentence = match name {
                Some(name) => format!("Unknown operation named {name:?}."),
                None if self.parsed.operations.iter().len() == 0 => "The document has no operation.".to_owned(),
                None => "The document has several operations: operationName must name one.".to_owned(),
            };
            errors::error(errors::Code::Operation, sentence, None)
        })
    }

    /// The type of the operation that a request runs: the one of this name, or without a name the only one. `None` when
    /// there is no such operation, which execution reports.
    pub fn operation(&self, name: Option<&str>) -> Option<OperationType> {
        self.selected(name).map(|(_, operation)| operation.ty)
    }

    /// The operation that a request runs, with its own name, which a request need not give when there is only one.
    pub fn selected(&self, name: Option<&str>) -> Option<(Option<&str>, &OperationDefinition)> {
        let operations = &self.parsed().operations;
        let found = match name {
            Some(name) => operations.iter().find(|(own, _)| own.is_some_and(|own| own == name)),
            None => operations.iter().next().filter(|_| operations.iter().count() == 1),
        };
        found.map(|(name, operation)| (name.map(async_graphql::Name::as_str), &operation.node))
    }
}

/// Validated documents, up to a total size of their texts in bytes; a parsed document takes some ten times its text.
/// The least recently used ones make room.
pub(super) struct Documents {
    bytes: usize,
    cached: Mutex<CachedDocuments>,
}

struct CachedDocuments {
    documents: LruCache<DocumentHash, ParsedDocument>,
    /// The sum of their lengths.
    bytes: usize,
}

impl Documents {
    /// A cache for at most `bytes` of text in total.
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, cached: Mutex::new(CachedDocuments { documents: LruCache::unbounded(), bytes: 0 }) }
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, CachedDocuments> {
        // A poisoned lock only means that another thread panicked; at worst a byte count is off.
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, hash: &DocumentHash) -> Option<ParsedDocument> {
        self.cached().documents.get(hash).cloned()
    }

    pub(super) fn put(&self, document: ParsedDocument) {
        let cached = &mut *self.cached();
        cached.bytes += document.length;
        if let Some((_, replaced)) = cached.documents.push(document.hash, document) {
            cached.bytes -= replaced.length;
        }
        while cached.bytes > self.bytes {
            match cached.documents.pop_lru() {
                Some((_, document)) => cached.bytes -= document.length,
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_bounded_and_the_oldest_go_first() {
        let documents = Documents::new(1 << 20);
        let parsed = Arc::new(syntax::parse("{a}", &Limits::default()).unwrap());
        let hash = |i: usize| DocumentHash::of(&i.to_string());
        let put = |i, length| {
            documents.put(ParsedDocument { hash: hash(i), length, parsed: Arc::clone(&parsed), validated: None });
        };
        (0..200).for_each(|i| put(i, 10_000));
        assert!(documents.get(&hash(0)).is_none() && documents.get(&hash(199)).is_some());
        assert_eq!(documents.cached().bytes, 1_040_000);
        put(199, 10_000);
        assert_eq!(documents.cached().bytes, 1_040_000, "replacing an entry takes no more space");
        put(200, 1 << 21);
        assert!(
            documents.get(&hash(200)).is_none() && documents.cached().bytes == 0,
            "a document larger than the cache is not kept"
        );
    }

    #[test]
    fn a_hash_is_read_as_it_is_shown() {
        let text = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        assert_eq!(DocumentHash::of("{__typename}").to_string(), text);
        assert_eq!(text.parse(), Ok(DocumentHash::of("{__typename}")));
        assert_eq!(text.to_uppercase().parse(), Ok(DocumentHash::of("{__typename}")));
        for bad in ["", "ecf4", &text.replace('e', "g"), &format!("{text}0"), &text.replace('e', "é")] {
            assert!(bad.parse::<DocumentHash>().is_err(), "{bad}");
        }
    }
}
