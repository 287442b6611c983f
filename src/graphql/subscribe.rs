//! Subscriptions.

use std::sync::Arc;

use async_graphql::{Request, Response, Value};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::answer::{Reply, shorten_errors};
use super::api::Api;
use super::batch::Batches;
use super::documents::ParsedDocument;
use super::execute::with_document;
use super::schema::check_subscription;
use super::scope::{RequestContext, Scope};

impl Api {
    /// The responses to a subscription, one for each event. A response without data is the last.
    ///
    /// Each event is resolved with its own view of the database, which is released before the next event is awaited.
    pub fn subscribe(
        &self,
        document: ParsedDocument,
        request: Request,
        context: RequestContext,
    ) -> BoxStream<'static, Reply> {
        let prepared = self.prepare_request(document, request, &context).and_then(|(document, request)| {
            let plain = check_subscription(document.parsed(), request.operation_name.as_deref());
            plain.map(|()| with_document(request, &document)).map_err(|error| vec![error])
        });
        let request = match prepared {
            Ok(request) => request,
            Err(errors) => return stream::once(async { Reply::refused(errors) }).boxed(),
        };
        let (batches, snapshot) = (Batches::default(), Arc::clone(&context.snapshot));
        let (budget, limits) = (self.budget(), Arc::clone(&self.limits));
        let scope = Scope::new(&self.app, context, batches.clone(), budget.clone());
        let data = request.data(scope).data(budget.clone());
        let next = move |responses: Option<BoxStream<'static, Response>>| {
            let (batches, snapshot) = (batches.clone(), Arc::clone(&snapshot));
            let (budget, limits) = (budget.clone(), Arc::clone(&limits));
            async move {
                let mut responses = responses?;
                budget.renew();
                let mut response = batches.drive(Arc::clone(&snapshot), responses.next()).await?;
                shorten_errors(&mut response, &limits);
                snapshot.renew().await;
                let goes_on = response.data != Value::Null;
                Some((Reply::from(response), goes_on.then_some(responses)))
            }
        };
        stream::unfold(Some(self.schema.execute_stream(data)), next).boxed()
    }
}
