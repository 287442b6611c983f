//! Answers that a client may keep: those to a GET, for as long as the tenant stays at its revision.
//!
//! The tag is worked out from what was asked, by whom, and the revision of the selected tenant, so that it can be
//! compared before anything is executed. It is only given to answers that depend on nothing else.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response as Answer;
use sha2::{Digest as _, Sha256};

use super::pipeline::Operation;
use super::request::Media;
use crate::domain::{TenantId, hex};
use crate::graphql::DocumentHash;
use crate::service::Selected;

/// What the program would answer differently after an update is in its version and its schema.
static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    DocumentHash::of(concat!(env!("CARGO_PKG_VERSION"), include_str!("../../schema.graphql"))).to_string()
});

/// The tag of an answer, and the tenant that alone it may depend on.
pub(super) struct Tag {
    /// Weak: what is sent may be compressed in one way or another.
    value: HeaderValue,
    pub(super) tenant: TenantId,
}

impl Tag {
    /// The tag of the answer to a viewer; `None` without a selected tenant.
    pub(super) fn of(operation: &Operation, media: Media) -> Option<Self> {
        let Operation { document, request, asking, .. } = operation;
        let viewer = asking.viewer.as_ref()?;
        let Selected::Tenant(tenant) = &viewer.selected else { return None };
        let asked = (document.hash().to_string(), &request.operation_name, &request.variables, &request.extensions);
        let by = (&viewer.name, media.content_type().as_bytes().to_vec());
        let of = (tenant.id.0, tenant.revision);
        let text = serde_json::to_vec(&(&*PROGRAM, asked, by, of)).ok()?;
        let hash = hex(&Sha256::digest(text)[..16]);
        Some(Self { value: HeaderValue::from_str(&format!("W/\"{hash}\"")).ok()?, tenant: tenant.id })
    }

    /// Whether the client has the answer already.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        known.flat_map(|value| value.split(',')).any(|tag| self.value == tag.trim())
    }

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
