//! The schema with everything that execution needs.

use std::sync::Arc;

use async_graphql::{Request, ServerError};
use prometheus_client::registry::Registry;

use super::answer::Estimate;
use super::budget::Budget;
use super::cost::Peak;
use super::described::{DESCRIBED, TheSchema, prepare, schema, validate_document};
use super::documents::{DocumentHash, Documents, ParsedDocument};
use super::limits::{Exceeded, Limit, Limits};
use super::plan::AnswerCache;
use super::syntax::RefusedDocument;
use crate::service::App;
use crate::store::{Snapshot, Tally};

/// The schema with everything that execution needs. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub(super) app: App,
    pub(super) schema: TheSchema,
    pub(super) documents: Arc<Documents>,
    pub(super) answers: Arc<AnswerCache>,
    pub(super) limits: Arc<Limits>,
    /// Whether everybody may see the schema.
    pub(super) explorable: bool,
    /// Whether queries are answered by plans.
    pub(super) plans: bool,
}

/// The length of a text in bytes from which validation may take long: 10 KB of wrong names take some 10 ms.
const LONG_DOCUMENT: usize = 2048;

impl Api {
    /// The API of an open application. If it is not `explorable`, only viewers with the scope `explore` may see the
    /// schema, and errors suggest no names.
    pub fn new(app: App, limits: Limits, explorable: bool) -> Self {
        prepare();
        let schema = schema(&limits);
        let documents = Arc::new(Documents::new(limits.document_cache));
        let answers = Arc::new(AnswerCache::new(limits.answer_cache));
        Self { app, schema, documents, answers, limits: Arc::new(limits), explorable, plans: true }
    }

    /// The same API without plans: the executor answers everything. Tests compare the two.
    pub fn without_plans(self) -> Self {
        Self { plans: false, ..self }
    }

    /// The application behind the API.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A view of the database for a request that starts now; it ends with the request's time limit. Its statements are
    /// counted. Expensive requests read with threads and connections of their own.
    pub fn snapshot(&self, tally: &Arc<Tally>, expensive: bool) -> Arc<Snapshot> {
        Arc::new(self.app.snapshot_for(Arc::clone(tally), expensive).with_time_limit(self.limits.request_timeout))
    }

    /// The validated document whose text has this hash, if it is cached.
    pub fn cached_document(&self, hash: &DocumentHash) -> Option<ParsedDocument> {
        self.documents.get(hash)
    }

    /// Parses a text that is not cached. The document is not validated yet.
    ///
    /// # Errors
    /// The limit that it exceeds, or where it breaks the grammar.
    pub fn parse(&self, text: &str) -> Result<ParsedDocument, RefusedDocument> {
        ParsedDocument::parse(text, &self.limits)
    }

    /// Validates a document completely, and caches it.
    ///
    /// # Errors
    /// All that is wrong with it, whatever its variables.
    pub fn validate(&self, document: ParsedDocument) -> Result<ParsedDocument, Vec<ServerError>> {
        let is_new = document.unvalidated_length().is_some();
        let validated = validate_document(document, self.explorable)?;
        if is_new {
            self.documents.put(validated.clone());
        }
        Ok(validated)
    }

    /// The estimate for a request. An operation that does not exist costs nothing: execution reports it.
    ///
    /// # Errors
    /// The limit that it exceeds: of depth, of introspection or of cost.
    pub fn estimate(&self, document: &ParsedDocument, request: &Request) -> Result<Estimate, Exceeded> {
        let Limits { max_depth, max_introspection_depth, max_introspection_lists, max_cost, .. } = *self.limits;
        let parsed = document.parsed();
        if document.unvalidated_length().is_some() {
            let all = DESCRIBED.prices.document(parsed);
            all.levels.within(Limit::Depth, max_depth as u64)?;
            all.introspection_levels.within(Limit::IntrospectionDepth, max_introspection_depth as u64)?;
            all.introspection_lists.within(Limit::IntrospectionLists, max_introspection_lists as u64)?;
        }
        let operation = document.selected(request.operation_name.as_deref());
        let Some(operation) = operation else { return Ok(Estimate::default()) };
        let measure = document.measure(&DESCRIBED.prices, operation, &request.variables);
        Peak { value: measure.cost, ..measure.costliest }.within(Limit::Cost, max_cost)?;
        let is_long = document.unvalidated_length().is_some_and(|length| length > LONG_DOCUMENT);
        Ok(Estimate { cost: measure.cost, expensive: measure.scans || measure.secret || is_long })
    }

    /// Registers the metrics of this layer and those below.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("answer_cache_bytes", "Memory of the cached answers in bytes", self.answers.gauge());
        self.app.register(registry);
    }

    /// The budget of one request.
    pub(super) fn budget(&self) -> Budget {
        let refuse = |allowed, actual| Exceeded { limit: Limit::Cost, allowed, actual, at: None }.field_error();
        Budget::new(self.limits.max_cost, refuse)
    }
}
