//! The root objects as async-graphql knows them: where it hands over to the layer.

use std::borrow::Cow;
use std::collections::HashSet;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, Error, Name, ObjectType, OutputType, PathSegment, Positioned,
    Response, ServerError, ServerResult, SubscriptionType, Value,
};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use indexmap::IndexMap;

use super::call::{Call, CallOrigin};
use super::collection::Layer;
use super::execute::{complete, execute_field};
use super::fill::{Errors, PlaceResult, PlaceValue};
use super::node::{Node, Thing};
use super::objects::{Object, Resolver};
use super::registry::describe;
use super::select::{Exec, KeyContent, ResponseEntry, fields_under_root_key};
use crate::graphql::errors::bug;

/// Provides the layer of a schema: async-graphql asks types, not values, for their description.
pub trait LayerSource: Send + Sync + 'static {
    /// The layer.
    fn layer() -> &'static Layer;
}

/// The keys of the root fields that have started. In the data of a request, it makes a field that is selected several
/// times run once.
#[derive(Default)]
pub struct StartedKeys(Mutex<HashSet<Name>>);

impl StartedKeys {
    fn is_first(&self, key: &Name) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
    }
}

/// The results of mutation fields that have already run, by their keys. In the data of a request, it prevents them from
/// running again.
#[derive(Default)]
pub struct CompletedFields(Mutex<Vec<(Name, Node)>>);

impl CompletedFields {
    /// The results of these fields.
    pub fn new(nodes: Vec<(Name, Node)>) -> Self {
        Self(Mutex::new(nodes))
    }

    fn take(&self, key: &Name) -> Option<Node> {
        let mut nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = nodes.iter().position(|(known, _)| known == key)?;
        Some(nodes.swap_remove(at).1)
    }
}

macro_rules! root {
    ($(#[$about:meta])* $Root:ident, $name:ident) => {
        $(#[$about])*
        pub struct $Root<S>(PhantomData<fn() -> S>);

        impl<S> Default for $Root<S> {
            fn default() -> Self {
                Self(PhantomData)
            }
        }

        impl<S: LayerSource> OutputType for $Root<S> {
            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed(&S::layer().$name)
            }

            fn create_type_info(registry: &mut Registry) -> String {
                describe(S::layer(), registry);
                Self::qualified_type_name()
            }

            async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                resolve_container(ctx, self).await
            }
        }

        impl<S: LayerSource> ContainerType for $Root<S> {
            fn is_empty() -> bool {
                S::layer().$name.is_empty()
            }

            async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
                Box::pin(execute_root_field(S::layer(), &S::layer().$name, ctx)).await
            }
        }

        impl<S: LayerSource> ObjectType for $Root<S> {}
    };
}

root!(
    /// The query root.
    Query,
    query
);
root!(
    /// The mutation root.
    Mutation,
    mutation
);

/// The subscription root.
pub struct Subscription<S>(PhantomData<fn() -> S>);

impl<S> Default for Subscription<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<S: LayerSource> SubscriptionType for Subscription<S> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(&S::layer().subscription)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        describe(S::layer(), registry);
        Self::qualified_type_name()
    }

    fn is_empty() -> bool {
        S::layer().subscription.is_empty()
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        Some(subscribe(S::layer(), ctx))
    }
}

/// The root field in the context, merged with the other fields under its key.
fn root_entry<'a>(exec: Exec<'a>, name: &str) -> ServerResult<ResponseEntry<'a>> {
    let asked = exec.context.item;
    let object: Option<&'static Object> = exec.layer.objects.get(name);
    let object = object.ok_or_else(|| bug(format_args!("{name} is not defined")).into_server_error(asked.pos))?;
    let key = &asked.node.response_key().node;
    Ok(ResponseEntry::new(exec, object, key, fields_under_root_key(exec, object, key)))
}

/// Executes a root field.
async fn execute_root_field<'a>(
    layer: &'static Layer,
    root: &'static str,
    context: &'a Context<'a>,
) -> ServerResult<Option<Value>> {
    let exec = Exec { layer, context };
    let key = &context.item.node.response_key().node;
    if context.data_opt::<StartedKeys>().is_some_and(|once| !once.is_first(key)) {
        // async-graphql keeps the value that it has under the key.
        return Ok(Some(Value::Null));
    }
    let entry = root_entry(exec, root)?;
    let completed = context.data_opt::<CompletedFields>().and_then(|completed| completed.take(key));
    let answered = match (&entry.content, completed) {
        (KeyContent::Field(field, _), Some(node)) => complete(exec, &field.ty, &entry.selected, node).wait().await,
        _ => execute_field(exec, &entry, &Thing::new(())).wait().await,
    };
    let PlaceValue { value, errors } = match complete_paths(key, answered) {
        Ok(value) => value,
        Err(errors) => {
            let mut errors = errors.into_iter();
            let first =
                errors.next().unwrap_or_else(|| bug("an error without an error").into_server_error(context.item.pos));
            errors.for_each(|error| context.add_error(error));
            return Err(first);
        }
    };
    errors.into_iter().for_each(|error| context.add_error(error));
    Ok(Some(value))
}

/// Completes the paths of errors that have reached the root: adds the root's key, and reverses the order.
fn complete_paths(key: &Name, mut answered: PlaceResult) -> PlaceResult {
    let (Ok(PlaceValue { errors, .. }) | Err(errors)) = &mut answered;
    for error in errors {
        error.path.push(PathSegment::Field(key.to_string()));
        error.path.reverse();
    }
    answered
}

/// The state of a subscription.
enum SubscriptionState {
    NotStarted,
    Running(BoxStream<'static, async_graphql::Result<Node>>),
    Ended,
}

/// The responses to a subscription, one for each event, each with its own errors.
fn subscribe<'a>(layer: &'static Layer, context: &'a Context<'a>) -> BoxStream<'a, Response> {
    let exec = Exec { layer, context };
    let next = move |following| async move {
        let mut events = match following {
            SubscriptionState::NotStarted => match start_stream(exec).await {
                Ok(events) => events,
                Err(error) => return Some((error_response(context, error), SubscriptionState::Ended)),
            },
            SubscriptionState::Running(events) => events,
            SubscriptionState::Ended => return None,
        };
        let response = match events.next().await? {
            Ok(node) => event_response(exec, node).await,
            Err(error) => error_response(context, error),
        };
        Some((response, SubscriptionState::Running(events)))
    };
    stream::unfold(SubscriptionState::NotStarted, next).boxed()
}

async fn start_stream(exec: Exec<'_>) -> async_graphql::Result<BoxStream<'static, async_graphql::Result<Node>>> {
    let entry = root_entry(exec, &exec.layer.subscription).map_err(|error| bug(error.message))?;
    match &entry.content {
        KeyContent::Field(field, args) => match field.answer {
            Resolver::Stream(events) => {
                events(Call { args, from: CallOrigin::Executor(exec.context, &entry.selected.fields) }).await
            }
            _ => Err(bug(format_args!("{} has no events", field.name))),
        },
        KeyContent::Invalid(error) => Err(error.clone()),
        KeyContent::Typename(_) => Err(bug("a type's name has no events")),
    }
}

async fn event_response(exec: Exec<'_>, node: Node) -> Response {
    let key = &exec.context.item.node.response_key().node;
    let answered = match root_entry(exec, &exec.layer.subscription) {
        Ok(entry) => match &entry.content {
            KeyContent::Field(field, _) => complete(exec, &field.ty, &entry.selected, node).wait().await,
            KeyContent::Typename(_) | KeyContent::Invalid(_) => Err(Errors::new()),
        },
        Err(error) => Err(vec![error]),
    };
    match complete_paths(key, answered) {
        Ok(PlaceValue { value, errors }) => {
            let mut response = Response::new(Value::Object(IndexMap::from([(key.clone(), value)])));
            response.errors = errors;
            response
        }
        Err(errors) => Response::from_errors(errors),
    }
}

fn error_response(context: &Context<'_>, error: Error) -> Response {
    let path = vec![PathSegment::Field(context.item.node.response_key().node.to_string())];
    Response::from_errors(vec![ServerError { path, ..error.into_server_error(context.item.pos) }])
}
