//! Entity tags for responses that a client may cache: those to a GET, as long as the tenant's revision stays the same.
//!
//! The tag is made from the request, the caller and the revision of the selected tenant, so it can be compared before
//! anything is executed. Only responses that depend on nothing else get one.

use std::sync::{Arc, LazyLock};

use async_graphql::Request;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use crate::domain::{TenantId, hex};
use crate::graphql::{DocumentHash, ParsedDocument};
use crate::http::media::Media;
use crate::service::{Selected, Viewer};

/// The version and the schema of the program: after an update the same request may get a different response.
static PROGRAM_HASH: LazyLock<String> = LazyLock::new(|| {
    DocumentHash::of(concat!(env!("CARGO_PKG_VERSION"), include_str!("../../../schema.graphql"))).to_string()
});

/// The part of a tag that is the same for all callers of a `GET`, and the tags of the responses that the client has.
#[derive(Clone)]
pub(super) struct EntityTagKey {
    request: Arc<[u8]>,
    client_tags: Arc<[HeaderValue]>,
}

/// The tag of a response, and the only tenant that the response may depend on.
#[derive(Clone)]
pub(super) struct EntityTag {
    /// A weak tag, because the response may be sent with different content codings.
    value: HeaderValue,
    pub(super) tenant: TenantId,
    /// Whether the client has the response already.
    pub(super) client_has_it: bool,
}

impl EntityTagKey {
    /// The key of a request with this document and these headers.
    pub(super) fn new(document: &ParsedDocument, request: &Request, media: Media, headers: &HeaderMap) -> Option<Self> {
        let requested = (document.hash().to_string(), &request.operation_name, &request.variables, &request.extensions);
        let text = serde_json::to_vec(&(&*PROGRAM_HASH, requested, media.content_type().as_bytes())).ok()?;
        Some(Self { request: text.into(), client_tags: headers.get_all(IF_NONE_MATCH).iter().cloned().collect() })
    }

    /// The tag of the response to a viewer; `None` without a selected tenant.
    pub(super) fn tag(&self, viewer: &Viewer) -> Option<EntityTag> {
        let Selected::Tenant(tenant) = &viewer.selected else { return None };
        let caller = serde_json::to_vec(&(&viewer.name, tenant.id.0, tenant.revision)).ok()?;
        let hash = hex(&Sha256::new().chain_update(&self.request).chain_update(caller).finalize()[..16]);
        let value = HeaderValue::from_str(&format!("W/\"{hash}\"")).ok()?;
        let client_tags = self.client_tags.iter().filter_map(|value| value.to_str().ok());
        let client_has_it = client_tags.flat_map(|value| value.split(',')).any(|tag| value == tag.trim());
        Some(EntityTag { value, tenant: tenant.id, client_has_it })
    }
}

impl EntityTag {
    /// The answer to a client that has the response already.
    pub(super) fn not_modified(&self) -> Response {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        self.add_headers(&mut answer);
        answer
    }

    /// Tells the client that it may cache the response privately, but must revalidate it each time.
    pub(super) fn add_headers(&self, answer: &mut Response) {
        let headers = answer.headers_mut();
        headers.insert(ETAG, self.value.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(VARY, HeaderValue::from_static("authorization, x-tenant"));
    }
}
