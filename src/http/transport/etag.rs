//! Answers that a client may keep: those to a GET, for as long as the tenant stays at its revision.
//!
//! The tag is worked out from what was asked, by whom, and the revision of the selected tenant, so that it can be
//! compared before anything is executed. It is only given to answers that depend on nothing else.

use std::sync::{Arc, LazyLock};

use async_graphql::Request;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response as Answer;
use sha2::{Digest as _, Sha256};

use crate::domain::{TenantId, hex};
use crate::graphql::{DocumentHash, ParsedDocument};
use crate::http::media::Media;
use crate::service::{Selected, Viewer};

/// What the program would answer differently after an update is in its version and its schema.
static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    DocumentHash::of(concat!(env!("CARGO_PKG_VERSION"), include_str!("../../../schema.graphql"))).to_string()
});

/// What is asked with a `GET`, whoever asks, and the tags of the answers that the client has.
#[derive(Clone)]
pub(super) struct EtagKey {
    asked: Arc<[u8]>,
    known: Arc<[HeaderValue]>,
}

/// The tag of an answer, and the only tenant that it may depend on.
#[derive(Clone)]
pub(super) struct Tag {
    /// Weak: what is sent may be compressed in one way or another.
    value: HeaderValue,
    pub(super) tenant: TenantId,
    /// Whether the client has the answer already.
    pub(super) is_known: bool,
}

impl EtagKey {
    /// What the headers, the document and the variables of a request ask for.
    pub(super) fn of(document: &ParsedDocument, request: &Request, media: Media, headers: &HeaderMap) -> Option<Self> {
        let asked = (document.hash().to_string(), &request.operation_name, &request.variables, &request.extensions);
        let text = serde_json::to_vec(&(&*PROGRAM, asked, media.content_type().as_bytes())).ok()?;
        Some(Self { asked: text.into(), known: headers.get_all(IF_NONE_MATCH).iter().cloned().collect() })
    }

    /// The tag of the answer to a viewer; `None` without a selected tenant.
    pub(super) fn tag(&self, viewer: &Viewer) -> Option<Tag> {
        let Selected::Tenant(tenant) = &viewer.selected else { return None };
        let of = serde_json::to_vec(&(&viewer.name, tenant.id.0, tenant.revision)).ok()?;
        let hash = hex(&Sha256::new().chain_update(&self.asked).chain_update(of).finalize()[..16]);
        let value = HeaderValue::from_str(&format!("W/\"{hash}\"")).ok()?;
        let known = self.known.iter().filter_map(|value| value.to_str().ok());
        let is_known = known.flat_map(|value| value.split(',')).any(|tag| value == tag.trim());
        Some(Tag { value, tenant: tenant.id, is_known })
    }
}

impl Tag {
    /// The answer to a client that has it.
    pub(super) fn not_modified(&self) -> Answer {
        let mut answer = Answer::new(Body::empty());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        self.mark(&mut answer);
        answer
    }

    /// Tells the client to keep the answer, for itself, and to ask each time whether it still holds.
    pub(super) fn mark(&self, answer: &mut Answer) {
        let headers = answer.headers_mut();
        headers.insert(ETAG, self.value.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(VARY, HeaderValue::from_static("authorization, x-tenant"));
    }
}
