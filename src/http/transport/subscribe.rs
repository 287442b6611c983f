//! Starts subscriptions. They take the same steps as other requests, and give their places back before the first event.

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

/// A subscription that has been accepted and has paid.
pub(super) struct OpenSubscription {
    pub(super) shared: Arc<Shared>,
    document: ParsedDocument,
    request: Request,
    context: RequestContext,
    /// Counts it as an open stream; `None` on a WebSocket, which is counted itself, and for anonymous callers.
    open: Option<OpenStream>,
}

impl PreparedRequest {
    /// Takes a subscription from its sign-in to the point where it can follow changes. It pays only once, because each
    /// of its events has at most one object. `is_stream` says that it counts as an open stream. Its record ends here,
    /// because how long a subscription lasts says nothing about the server.
    pub(super) async fn subscribe(
        self,
        is_stream: bool,
        mut account: Account,
    ) -> (Result<OpenSubscription, Refusal>, Account) {
        let shared = Arc::clone(&self.shared);
        let estimate = self.estimate.unwrap_or_default();
        let admitted = async {
            let request = self.begin_sign_in().await?;
            let place = shared.fair.admit(&request.sign_in, estimate).await?;
            Ok((request, place))
        };
        let (request, place) = match admitted.await {
            Ok(admitted) => admitted,
            Err(refusal) => return (Err(refusal), account),
        };
        let snapshot = shared.api.snapshot(&account.record.tally, place.is_expensive());
        let work = async move {
            let opened = request.open_subscription(is_stream, snapshot, &mut account).await;
            (opened, account)
        };
        place.run(Box::pin(work.in_current_span())).await
    }
}

impl InFlightRequest {
    /// Runs in the request's place: looks up the caller, checks the document, and charges the quotas.
    async fn open_subscription(
        self,
        is_stream: bool,
        snapshot: Arc<Snapshot>,
        Account { bill, record }: &mut Account,
    ) -> Result<OpenSubscription, Refusal> {
        let shared = Arc::clone(&self.prepared.shared);
        let ExecutableOperation { document, request, context, estimate } = self.identify(snapshot, None).await?;
        let viewer = context.viewer.as_ref();
        record.set_viewer(viewer);
        record.end_stage(Stage::Identify);
        let counted = viewer.filter(|_| is_stream);
        let open = counted.map(|viewer| shared.streams.open(viewer)).transpose()?;
        let document = shared.api.validate(document).map_err(Refusal::from_document_errors)?;
        bill.pay_for_execution(viewer, estimate.cost)?;
        record.record_execution(&Reply::default());
        // From here on it reads for longer than a request may take, so it gets a new snapshot, with the normal readers.
        let context = RequestContext { snapshot: Arc::new(shared.api.app().snapshot()), ..context };
        Ok(OpenSubscription { shared, document, request, context, open })
    }
}

impl OpenSubscription {
    /// Its responses, one for each event, and its count as an open stream.
    pub(super) fn responses(self) -> (BoxStream<'static, Reply>, Option<OpenStream>) {
        (self.shared.api.subscribe(self.document, self.request, self.context), self.open)
    }
}
