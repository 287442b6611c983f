//! Which document a request means: the one whose text it sends, one that was answered before and is named by its hash
//! (automatic persisted queries), or one of the operator's file (trusted documents).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_graphql::ServerError;
use clap::Args;
use serde::Deserialize;

use super::request::Incoming;
use crate::graphql::{self, Api, DocumentHash, Limits, ParsedDocument};
use crate::http::refusal::Refusal;

/// Which documents are answered, and which are remembered.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Documents")]
pub struct DocumentSettings {
    /// JSON file of documents that clients may name instead of sending their text: a map from name to text, or an
    /// Apollo manifest.
    #[arg(long, env = "VEXT_TRUSTED_DOCUMENTS", value_name = "FILE")]
    pub trusted_documents: Option<PathBuf>,

    /// Refuse every document that is not in the file of trusted documents.
    #[arg(long, env = "VEXT_TRUSTED_ONLY")]
    pub trusted_only: bool,
}

impl DocumentSettings {
    /// Reads the file, and keeps nothing of it. How many documents there are.
    ///
    /// # Errors
    /// As the server's when it starts: one sentence.
    pub fn check(&self, limits: &Limits, explorable: bool) -> Result<usize, String> {
        self.documents(limits, explorable).map(|documents| documents.len())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// In one sentence, what is wrong with the file or with the first document in it that the schema or the limits
    /// refuse.
    pub(in crate::http) fn load(&self, limits: &Limits, explorable: bool) -> Result<Trusted, String> {
        let documents = self.documents(limits, explorable)?;
        if let Some(path) = &self.trusted_documents {
            let count = documents.len();
            tracing::info!(file = %path.display(), documents = count, only = self.trusted_only, "trusted documents");
        }
        let by_hash = documents.iter().map(|(_, document)| (document.hash(), document.clone())).collect();
        Ok(Trusted { only: self.trusted_only, by_name: documents.into_iter().collect(), by_hash })
    }

    /// What is in the file, by name.
    fn documents(&self, limits: &Limits, explorable: bool) -> Result<Vec<(String, ParsedDocument)>, String> {
        let Some(path) = &self.trusted_documents else {
            return match self.trusted_only {
                true => Err("--trusted-only needs --trusted-documents: without them nothing would be answered".into()),
                false => Ok(Vec::new()),
            };
        };
        let texts = read(path).map_err(|why| format!("--trusted-documents: {}: {why}", path.display()))?;
        let document = |(name, text): (String, String)| {
            let refused = |errors: Vec<ServerError>| {
                let Some(error) = errors.into_iter().next() else { return name.clone() };
                let at = error.locations.first().map(|at| format!(" (line {}, column {})", at.line, at.column));
                format!("--trusted-documents: {name}: {}{}", error.message, at.unwrap_or_default())
            };
            let document = graphql::parse_and_validate(&text, limits, explorable).map_err(refused)?;
            Ok((name, document))
        };
        texts.into_iter().map(document).collect()
    }
}

/// The names and texts of a file: a map, as code generators and Relay write it, or the manifest of Apollo's tools.
fn read(path: &Path) -> Result<Vec<(String, String)>, String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum File {
        Manifest { format: String, version: u64, operations: Vec<Operation> },
        Map(HashMap<String, String>),
    }
    #[derive(Deserialize)]
    struct Operation {
        id: String,
        body: String,
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let file = serde_json::from_slice(&bytes)
        .map_err(|error| format!("neither a map from name to text nor an Apollo manifest: {error}"))?;
    match file {
        File::Map(texts) => Ok(texts.into_iter().collect()),
        File::Manifest { format, version: 1, operations } if format == "apollo-persisted-query-manifest" => {
            Ok(operations.into_iter().map(|operation| (operation.id, operation.body)).collect())
        }
        File::Manifest { format, version, .. } => {
            Err(format!("a manifest of the format {format:?}, version {version}"))
        }
    }
}

/// The documents of the operator's file. All have been validated.
#[derive(Debug, Default)]
pub(in crate::http) struct Trusted {
    only: bool,
    by_name: HashMap<String, ParsedDocument>,
    by_hash: HashMap<DocumentHash, ParsedDocument>,
}

/// The document that a request means, and the hash of its text.
pub(super) fn resolve(
    incoming: &Incoming,
    api: &Api,
    trusted: &Trusted,
    limits: &Limits,
) -> Result<ParsedDocument, Refusal> {
    graphql::admit_variables(&incoming.request.variables, limits)?;
    let text = &incoming.request.query;
    if let (Some(name), true) = (&incoming.document, text.is_empty()) {
        let hash = name.parse().ok();
        let of_file = trusted.by_name.get(name).or_else(|| trusted.by_hash.get(hash.as_ref()?)).cloned();
        let remembered = || hash.and_then(|hash| api.cached_document(&hash)).filter(|_| !trusted.only);
        // The words that Apollo's clients and urql wait for before they send the text.
        return of_file
            .or_else(remembered)
            .ok_or_else(|| refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"));
    }
    let hash = DocumentHash::of(text);
    if incoming.document.as_ref().is_some_and(|name| *name != hash.to_string()) {
        let sentence = format!("The hash is not that of the query, which has the SHA-256 {hash}.");
        return Err(refused("PERSISTED_QUERY_HASH_MISMATCH", sentence));
    }
    if let Some(document) = trusted.by_hash.get(&hash) {
        return Ok(document.clone());
    }
    if trusted.only {
        let sentence = format!("Only trusted documents are answered; that with the SHA-256 {hash} is none of them.");
        return Err(refused("DOCUMENT_NOT_TRUSTED", sentence));
    }
    if let Some(document) = api.cached_document(&hash) {
        return Ok(document);
    }
    api.parse(text).map_err(|refused| Refusal::of_document(refused.into_errors()))
}

fn refused(code: &str, sentence: impl Into<String>) -> Refusal {
    let mut error = ServerError::new(sentence, None);
    error.extensions.get_or_insert_default().set("code", code);
    Refusal::of_document(vec![error])
}
