//! The beginning of a subscription: it takes the steps of any request, and gives its place back before its first event.

use std::sync::Arc;

use async_graphql::Request;
use futures_util::stream::BoxStream;
use tracing::Instrument as _;

use super::in_flight::{ExecutableOperation, InFlightRequest};
use super::prepared::{Account, PreparedRequest};
use super::streams::OpenStream;
use crate::graphql::{ParsedDocument, Reply, RequestContext};
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;
use crate::http::watch::Stage;
use crate::store::Snapshot;

/// A subscription that has been let in and has paid.
pub(super) struct OpenSubscription {
    pub(super) shared: Arc<Shared>,
    document: ParsedDocument,
    request: Request,
    context: RequestContext,
    /// Its place among the open streams, where it is one of its own.
    open: Option<OpenStream>,
}

impl PreparedRequest {
    /// Takes a subscription from its sign-in to where it follows changes. It pays once: each of its events is no more
    /// than one object. `is_stream` says that it counts as an open stream. Its record ends here, because how long it goes
    /// on says nothing about the server.
    pub(super) async fn subscribe(
        self,
        is_stream: bool,
        mut account: Account,
    ) -> (Result<OpenSubscription, Refusal>, Account) {
        let shared = Arc::clone(&self.shared);
        let estimate = self.estimate.unwrap_or_default();
        let admitted = async {
            let request = self.begin_sign_in().await?;
            let place = shared.fair.admit(&request.credentials, estimate).await?;
            Ok((request, place))
        };
        let (request, place) = match admitted.await {
            Ok(admitted) => admitted,
            Err(refusal) => return (Err(refusal), account),
        };
        let snapshot = shared.api.snapshot(&account.record.tally, place.is_expensive());
        let work = async move {
            let begun = request.begin_subscription(is_stream, snapshot, &mut account).await;
            (begun, account)
        };
        place.run(Box::pin(work.in_current_span())).await
    }
}

impl InFlightRequest {
    /// In its place: finds out who asks, checks the document and lets them pay.
    async fn begin_subscription(
        self,
        is_stream: bool,
        snapshot: Arc<Snapshot>,
        Account { bill, record }: &mut Account,
    ) -> Result<OpenSubscription, Refusal> {
        let shared = Arc::clone(&self.prepared.shared);
        let ExecutableOperation { document, request, context, estimate } = self.identified(snapshot, None).await?;
        let viewer = context.viewer.as_ref();
        record.identified = viewer.is_some();
        record.done(Stage::Identify);
        let counted = viewer.filter(|_| is_stream);
        let open = counted.map(|viewer| shared.streams.open(viewer)).transpose()?;
        let document = shared.api.validate(document).map_err(Refusal::of_document)?;
        bill.pay_for_execution(viewer, estimate.cost)?;
        record.executed(&Reply::default());
        // It reads for longer than one request may take, and with the threads of all others.
        let context = RequestContext { snapshot: Arc::new(shared.api.app().snapshot()), ..context };
        Ok(OpenSubscription { shared, document, request, context, open })
    }
}

impl OpenSubscription {
    /// Its responses, one for each event, and its place among the open streams.
    pub(super) fn responses(self) -> (BoxStream<'static, Reply>, Option<OpenStream>) {
        (self.shared.api.subscribe(self.document, self.request, self.context), self.open)
    }
}
