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

    pub(super) fn put(&self, text: String, document: ExecutableDocument) {
        if text.len() > LONGEST {
            return;
        }
        let (documents, bytes) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *bytes += text.len();
        if let Some((replaced, _)) = documents.push(text, Arc::new(document)) {
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

/// Whether a response shows that its document is valid: resolvers ran. An error before execution leaves no data.
pub(super) fn passed(response: &Response) -> bool {
    response.data != async_graphql::Value::Null
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
        let document = async_graphql::parser::parse_query("{a}").unwrap();
        let text = |i: usize| format!("{i:0>10000}");
        for i in 0..200 {
            documents.put(text(i), document.clone());
        }
        assert!(documents.get(&text(0)).is_none() && documents.get(&text(199)).is_some());
        assert!(documents.0.lock().unwrap().1 <= BYTES);
        documents.put("x".repeat(LONGEST + 1), document);
        assert!(documents.get(&"x".repeat(LONGEST + 1)).is_none());
    }
}
