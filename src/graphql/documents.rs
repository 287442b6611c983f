//! Parsed documents by their text: half of the time of a form query is parsing.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Response, ServerError};
use lru::LruCache;

/// The most bytes of query text that are remembered; a parsed document takes some ten times its text.
const BYTES: usize = 1 << 20;
/// A text longer than this is not worth a place.
const LONGEST: usize = 1 << 14;

/// Documents that have passed complete validation. Least recently used ones make room.
pub(super) struct Documents(Mutex<(LruCache<String, Arc<ExecutableDocument>>, usize)>);

impl Default for Documents {
    fn default() -> Self {
        Self(Mutex::new((LruCache::unbounded(), 0)))
    }
}

impl Documents {
    pub(super) fn get(&self, text: &str) -> Option<Arc<ExecutableDocument>> {
        // A poisoned lock only means that another thread panicked; at worst a byte count is off.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(text).cloned()
    }

    pub(super) fn put(&self, text: String, document: Arc<ExecutableDocument>) {
        if text.len() > LONGEST {
            return;
        }
        let (documents, bytes) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *bytes += text.len();
        if let Some((replaced, _)) = documents.push(text, document) {
            *bytes -= replaced.len();
        }
        while *bytes > BYTES {
            match documents.pop_lru() {
                Some((text, _)) => *bytes -= text.len(),
                None => break,
            }
        }
    }
}

/// A parsed document.
#[derive(Clone, Debug)]
pub enum Document {
    /// It has passed complete validation.
    Checked(Arc<ExecutableDocument>),
    /// It has not; with its text, under which it is remembered once it has.
    New(String, Arc<ExecutableDocument>),
}

impl Document {
    /// What the parser made of the text.
    pub fn parsed(&self) -> &ExecutableDocument {
        match self {
            Document::Checked(document) | Document::New(_, document) => document,
        }
    }

    /// The type of the operation that a request runs: the one of this name, or without a name the only one. `None`
    /// when there is no such operation, which execution will say.
    pub fn operation(&self, name: Option<&str>) -> Option<OperationType> {
        self.selected(name).map(|(_, ty)| ty)
    }

    /// The same operation's own name, which a request need not repeat when there is only one, and its type.
    pub fn selected(&self, name: Option<&str>) -> Option<(Option<&str>, OperationType)> {
        let operations = &self.parsed().operations;
        let found = match name {
            Some(name) => operations.iter().find(|(own, _)| own.is_some_and(|own| own == name)),
            None => operations.iter().next().filter(|_| operations.iter().count() == 1),
        };
        found.map(|(name, operation)| (name.map(async_graphql::Name::as_str), operation.node.ty))
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
        let documents = Documents::default();
        let document = Arc::new(async_graphql::parser::parse_query("{a}").unwrap());
        let text = |i: usize| format!("{i:0>10000}");
        for i in 0..200 {
            documents.put(text(i), Arc::clone(&document));
        }
        assert!(documents.get(&text(0)).is_none() && documents.get(&text(199)).is_some());
        assert!(documents.0.lock().unwrap().1 <= BYTES);
        documents.put("x".repeat(LONGEST + 1), document);
        assert!(documents.get(&"x".repeat(LONGEST + 1)).is_none());
    }
}
