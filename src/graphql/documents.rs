//! Parsed documents by the hash of their text: half of the time of a form query is parsing, and a client that names the
//! hash need not send the text again (automatic persisted queries).

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Response, ServerError};
use lru::LruCache;
use sha2::{Digest as _, Sha256};

use super::variables;
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
            let digits = digit(2 * i).zip(digit(2 * i + 1)).ok_or("is no SHA-256 in hexadecimal digits")?;
            *byte = (digits.0 * 16 + digits.1) as u8;
        }
        if text.len() == 64 { Ok(Self(hash)) } else { Err("is no SHA-256 in hexadecimal digits") }
    }
}

/// A parsed document.
#[derive(Clone, Debug)]
pub enum Document {
    /// It has passed complete validation.
    Checked(DocumentHash, Arc<ExecutableDocument>),
    /// It has not yet; with the length of its text in bytes.
    New(DocumentHash, usize, Arc<ExecutableDocument>),
}

impl Document {
    /// Parses a text.
    ///
    /// # Errors
    /// Where the text breaks the grammar, or declares a variable of a type that is none.
    pub(super) fn parse(text: &str) -> Result<Self, ServerError> {
        let document = async_graphql::parser::parse_query(text).map_err(|error| {
            let at = error.positions().next();
            // The parser draws the place with lines of text; what it expected stands behind the last "= ".
            let drawn = error.to_string();
            let expected = drawn.rsplit_once("= ").map_or(drawn.as_str(), |(_, expected)| expected);
            ServerError::new(format!("Syntax error: {}.", expected.trim_end_matches('.')), at)
        })?;
        variables::check_types(&document)?;
        Ok(Document::New(DocumentHash::of(text), text.len(), Arc::new(document)))
    }

    /// What the parser made of the text.
    pub fn parsed(&self) -> &Arc<ExecutableDocument> {
        match self {
            Document::Checked(_, document) | Document::New(_, _, document) => document,
        }
    }

    /// The hash of the text.
    pub fn hash(&self) -> DocumentHash {
        match self {
            Document::Checked(hash, _) | Document::New(hash, _, _) => *hash,
        }
    }

    /// The same document, which has passed complete validation.
    #[must_use]
    pub fn checked(&self) -> Self {
        Document::Checked(self.hash(), Arc::clone(self.parsed()))
    }

    /// The type of the operation that a request runs: the one of this name, or without a name the only one. `None`
    /// when there is no such operation, which execution will say.
    pub fn operation(&self, name: Option<&str>) -> Option<OperationType> {
        self.selected(name).map(|(_, operation)| operation.ty)
    }

    /// The same operation, with its own name, which a request need not repeat when there is only one.
    pub fn selected(&self, name: Option<&str>) -> Option<(Option<&str>, &OperationDefinition)> {
        let operations = &self.parsed().operations;
        let found = match name {
            Some(name) => operations.iter().find(|(own, _)| own.is_some_and(|own| own == name)),
            None => operations.iter().next().filter(|_| operations.iter().count() == 1),
        };
        found.map(|(name, operation)| (name.map(async_graphql::Name::as_str), &operation.node))
    }
}

/// Documents that have passed complete validation, up to a number of bytes of text; a parsed document takes some ten
/// times its text. Least recently used ones make room.
pub(super) struct Documents {
    bytes: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    documents: LruCache<DocumentHash, (usize, Arc<ExecutableDocument>)>,
    /// The sum of their lengths.
    bytes: usize,
}

impl Documents {
    /// Remembers documents with at most so many bytes of text together.
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, kept: Mutex::new(Kept { documents: LruCache::unbounded(), bytes: 0 }) }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        // A poisoned lock only means that another thread panicked; at worst a byte count is off.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, hash: &DocumentHash) -> Option<Document> {
        self.kept().documents.get(hash).map(|(_, document)| Document::Checked(*hash, Arc::clone(document)))
    }

    pub(super) fn put(&self, hash: DocumentHash, length: usize, document: Arc<ExecutableDocument>) {
        let kept = &mut *self.kept();
        kept.bytes += length;
        if let Some((_, (replaced, _))) = kept.documents.push(hash, (length, document)) {
            kept.bytes -= replaced;
        }
        while kept.bytes > self.bytes {
            match kept.documents.pop_lru() {
                Some((_, (length, _))) => kept.bytes -= length,
                None => break,
            }
        }
    }
}

/// Whether a response comes from execution: an error before that leaves no data, and is at no field.
pub fn was_executed(response: &Response) -> bool {
    response.data != async_graphql::Value::Null || response.errors.iter().any(|error| !error.path.is_empty())
}

/// Whether a document holds nothing but queries.
pub(super) fn only_reads(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
}

/// Whether an error is about what the client sent: those of our resolvers have a code, those of the executor have none.
pub(super) fn is_about_input(error: &ServerError) -> bool {
    error.extensions.as_ref().is_none_or(|extensions| extensions.get("code").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_bounded_and_the_oldest_go_first() {
        let documents = Documents::new(1 << 20);
        let document = Arc::new(async_graphql::parser::parse_query("{a}").unwrap());
        let hash = |i: usize| DocumentHash::of(&i.to_string());
        for i in 0..200 {
            documents.put(hash(i), 10_000, Arc::clone(&document));
        }
        assert!(documents.get(&hash(0)).is_none() && documents.get(&hash(199)).is_some());
        assert_eq!(documents.kept().bytes, 1_040_000);
        documents.put(hash(199), 10_000, Arc::clone(&document));
        assert_eq!(documents.kept().bytes, 1_040_000, "the same again takes the same place");
        documents.put(hash(200), 1 << 21, document);
        assert!(
            documents.get(&hash(200)).is_none() && documents.kept().bytes == 0,
            "what is larger than all has no place"
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
