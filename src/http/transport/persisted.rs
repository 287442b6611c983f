//! Finds the document of a request: the text that it sends, an earlier text that it names by its hash (automatic
//! persisted queries), or a document of the operator's file (trusted documents).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_graphql::ServerError;
use clap::Args;
use serde::Deserialize;

use super::request::IncomingRequest;
use crate::graphql::{self, Api, DocumentHash, Limits, ParsedDocument};
use crate::http::refusal::Refusal;

/// Which documents are accepted, and which may be named instead of sent.
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
    /// Checks the file. Returns the number of documents in it.
    ///
    /// # Errors
    /// The same as when the server starts with this file, in one sentence.
    pub fn check(&self, limits: &Limits, explorable: bool) -> Result<usize, String> {
        self.read_documents(limits, explorable).map(|documents| documents.len())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with the file, or with the first document in it that does not fit the schema or the limits, in one
    /// sentence.
    pub(in crate::http) fn load(&self, limits: &Limits, explorable: bool) -> Result<TrustedDocuments, String> {
        let documents = self.read_documents(limits, explorable)?;
        if let Some(path) = &self.trusted_documents {
            let count = documents.len();
            tracing::info!(file = %path.display(), documents = count, only = self.trusted_only, "trusted documents");
        }
        let by_hash = documents.iter().map(|(_, document)| (document.hash(), document.clone())).collect();
        Ok(TrustedDocuments { only: self.trusted_only, by_name: documents.into_iter().collect(), by_hash })
    }

    /// Reads the documents of the file, with their names.
    fn read_documents(&self, limits: &Limits, explorable: bool) -> Result<Vec<(String, ParsedDocument)>, String> {
        let Some(path) = &self.trusted_documents else {
            return match self.trusted_only {
                true => {
                    Err("--trusted-only needs --trusted-documents: without it no document would be accepted".into())
                }
                false => Ok(Vec::new()),
            };
        };
        let texts = read_texts(path).map_err(|why| format!("--trusted-documents: {}: {why}", path.display()))?;
        let document = |(name, text): (String, String)| {
            let describe = |errors: Vec<ServerError>| {
                let Some(error) = errors.into_iter().next() else { return name.clone() };
                let place = error.locations.first().map(|at| format!(" (line {}, column {})", at.line, at.column));
                format!("--trusted-documents: {name}: {}{}", error.message, place.unwrap_or_default())
            };
            let document = graphql::parse_and_validate(&text, limits, explorable).map_err(describe)?;
            Ok((name, document))
        };
        texts.into_iter().map(document).collect()
    }
}

/// Reads the names and the texts from a file: a JSON map, as code generators and Relay write it, or the manifest of
/// Apollo's tools.
fn read_texts(path: &Path) -> Result<Vec<(String, String)>, String> {
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

/// The documents of the operator's file. All of them have been validated.
#[derive(Debug, Default)]
pub(in crate::http) struct TrustedDocuments {
    /// Whether all other documents are refused.
    only: bool,
    by_name: HashMap<String, ParsedDocument>,
    by_hash: HashMap<DocumentHash, ParsedDocument>,
}

/// Finds the document of a request.
///
/// # Errors
/// The document is unknown, not trusted or invalid, its hash is wrong, or the variables exceed a limit.
pub(super) fn resolve(
    incoming: &IncomingRequest,
    api: &Api,
    trusted: &TrustedDocuments,
    limits: &Limits,
) -> Result<ParsedDocument, Refusal> {
    graphql::admit_variables(&incoming.request.variables, limits)?;
    let text = &incoming.request.query;
    if let (Some(name), true) = (&incoming.document, text.is_empty()) {
        let hash = name.parse().ok();
        let from_file = trusted.by_name.get(name).or_else(|| trusted.by_hash.get(hash.as_ref()?)).cloned();
        let remembered = || hash.and_then(|hash| api.cached_document(&hash)).filter(|_| !trusted.only);
        // The code and the message that make Apollo's clients and urql send the text.
        return from_file
            .or_else(remembered)
            .ok_or_else(|| document_refusal("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"));
    }
    let hash = DocumentHash::of(text);
    if incoming.document.as_ref().is_some_and(|name| *name != hash.to_string()) {
        let message = format!("The hash does not match the query, whose SHA-256 is {hash}.");
        return Err(document_refusal("PERSISTED_QUERY_HASH_MISMATCH", message));
    }
    if let Some(document) = trusted.by_hash.get(&hash) {
        return Ok(document.clone());
    }
    if trusted.only {
        let message =
            format!("Only trusted documents are accepted; the document with the SHA-256 {hash} is not one of them.");
        return Err(document_refusal("DOCUMENT_NOT_TRUSTED", message));
    }
    if let Some(document) = api.cached_document(&hash) {
        return Ok(document);
    }
    api.parse(text).map_err(|rejected| Refusal::from_document_errors(rejected.into_errors()))
}

fn document_refusal(code: &str, message: impl Into<String>) -> Refusal {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    Refusal::from_document_errors(vec![error])
}
