//! Execution below a root field (GraphQL specification, sections 6.3 and 6.4).

use async_graphql::{Error, Value};
use futures_util::future::try_join;

use super::args::Args;
use super::call::{Call, CallOrigin};
use super::fill::{Completion, Errors, PartialValue, PendingPlaces, PlaceKeys, PlaceResult, PlaceValue, null_on_error};
use super::node::{Node, Thing};
use super::objects::{Load, Object, Resolver};
use super::select::{Exec, KeyContent, MergedFields, ResponseEntry};
use super::types::TypeRef;
use crate::graphql::budget::Budget;
use crate::graphql::errors::bug;

/// Executes the field under a key of an object.
pub fn execute_field<'s, 'a>(exec: Exec<'a>, entry: &'s ResponseEntry<'a>, thing: &Thing) -> Completion<'s> {
    let (field, args) = match &entry.content {
        KeyContent::Typename(name) => return Completion::Now(Ok(PlaceValue::plain(Value::String((*name).to_owned())))),
        KeyContent::Invalid(error) => return Completion::Now(failed(entry, error.clone())),
        KeyContent::Field(field, args) => (*field, args),
    };
    match &field.answer {
        Resolver::Now(get) => match get(thing, args) {
            Ok(node) => complete(exec, &field.ty, &entry.selected, node),
            Err(error) => Completion::Now(failed(entry, error)),
        },
        Resolver::Later(get) => {
            let thing = thing.clone();
            Completion::Later(Box::pin(async move {
                let call = Call { args, from: CallOrigin::Executor(exec.context, &entry.selected.fields) };
                match get(&thing, call).await {
                    Ok(node) => complete(exec, &field.ty, &entry.selected, node).wait().await,
                    Err(error) => failed(entry, error),
                }
            }))
        }
        Resolver::Read(reads) => {
            let thing = thing.clone();
            Completion::Later(Box::pin(async move {
                let call = Call { args, from: CallOrigin::Executor(exec.context, &entry.selected.fields) };
                match reads.execute(&thing, call).await {
                    Ok(node) => complete(exec, &field.ty, &entry.selected, node).wait().await,
                    Err(error) => failed(entry, error),
                }
            }))
        }
        Resolver::Stream(_) | Resolver::Elsewhere => {
            Completion::Now(failed(entry, bug(format_args!("{} cannot be answered here", field.name))))
        }
    }
}

/// The result of a field that has failed.
pub fn failed(entry: &ResponseEntry<'_>, error: Error) -> PlaceResult {
    null_on_error(entry.is_nullable(), Err(vec![error.into_server_error(entry.selected.position())]))
}

/// Completes a node to a value of its type (section 6.4.3).
pub fn complete<'s, 'a>(
    exec: Exec<'a>,
    ty: &'static TypeRef,
    selected: &'s MergedFields<'a>,
    node: Node,
) -> Completion<'s> {
    let nullable = ty.is_nullable();
    let refused = |error: Error| null_on_error(nullable, Err(vec![error.into_server_error(selected.position())]));
    match (node, ty.inner()) {
        (Node::Null | Node::Leaf(Value::Null), _) if nullable => Completion::Now(Ok(PlaceValue::plain(Value::Null))),
        (Node::Leaf(value), _) if value != Value::Null && selected.is_leaf() => {
            Completion::Now(Ok(PlaceValue::plain(value)))
        }
        (Node::List(nodes), Some(entry)) => list(exec, entry, selected, nodes, nullable),
        (Node::Counted(nodes), Some(entry)) => {
            let budget = exec.context.data_opt::<Budget>();
            match budget.map_or(Ok(()), |budget| budget.spend(nodes.len())) {
                Ok(()) => list(exec, entry, selected, nodes, nullable),
                Err(error) => Completion::Now(refused(error)),
            }
        }
        (Node::Object(name, thing), None) => match exec.layer.objects.get(name) {
            Some(object) if object.is(ty.name()) => self::object(exec, object, selected, thing, nullable),
            _ => Completion::Now(refused(bug(format_args!("{name} was answered instead of {ty}")))),
        },
        (node, _) => {
            let what = match node {
                Node::Null | Node::Leaf(Value::Null) => "null",
                Node::Leaf(_) => "a plain value",
                Node::Object(name, _) => name,
                Node::List(_) | Node::Counted(_) => "a list",
            };
            Completion::Now(refused(bug(format_args!("{what} was answered instead of {ty}"))))
        }
    }
}

fn list<'s, 'a>(
    exec: Exec<'a>,
    ty: &'static TypeRef,
    selected: &'s MergedFields<'a>,
    nodes: Vec<Node>,
    nullable: bool,
) -> Completion<'s> {
    let mut partial = PartialValue::new(PlaceKeys::Indexes(nodes.len()));
    let mut pending = PendingPlaces::new();
    for (at, node) in nodes.into_iter().enumerate() {
        match complete(exec, ty, selected, node) {
            Completion::Later(future) => pending.push((at, future)),
            Completion::Now(result) => {
                if let Err(errors) = partial.put(at, result) {
                    return Completion::Now(null_on_error(nullable, Err(errors)));
                }
            }
        }
    }
    if pending.is_empty() {
        return Completion::Now(Ok(partial.finish()));
    }
    Completion::Later(Box::pin(async move {
        null_on_error(nullable, partial.wait(pending).await.map(PartialValue::finish))
    }))
}

fn object<'s, 'a>(
    exec: Exec<'a>,
    object: &'static Object,
    selected: &'s MergedFields<'a>,
    thing: Thing,
    nullable: bool,
) -> Completion<'s> {
    let entries = &selected.selection_for(exec, object).entries[..];
    let prepare = object.prepare.as_ref().filter(|_| entries.iter().any(ResponseEntry::is_prepared));
    let (partial, pending) = match start(exec, entries, Ok(&thing), |entry| prepare.is_some() && entry.is_prepared()) {
        Ok(started) => started,
        Err(errors) => return Completion::Now(null_on_error(nullable, Err(errors))),
    };
    match prepare {
        None if pending.is_empty() => Completion::Now(Ok(partial.finish())),
        None => Completion::Later(Box::pin(async move {
            null_on_error(nullable, partial.wait(pending).await.map(PartialValue::finish))
        })),
        Some(load) => Completion::Later(Box::pin(async move {
            let both = try_join(partial.wait(pending), execute_prepared(exec, entries, selected, load, &thing)).await;
            null_on_error(nullable, both.map(|(own, prepared)| own.merge(prepared).finish()))
        })),
    }
}

/// Executes the fields that need an object's prepared thing.
async fn execute_prepared<'s, 'a>(
    exec: Exec<'a>,
    entries: &'s [ResponseEntry<'a>],
    selected: &'s MergedFields<'a>,
    load: &'static Load,
    thing: &Thing,
) -> Result<PartialValue<'s, 'a>, Errors> {
    let nothing = Args::default();
    let call = Call { args: &nothing, from: CallOrigin::Executor(exec.context, &selected.fields) };
    let full = (load.0)(thing, call).await;
    let (partial, pending) = start(exec, entries, full.as_ref(), |entry| !entry.is_prepared())?;
    partial.wait(pending).await
}

/// Executes the fields of an object except those to leave out. Returns the values that are ready, and the futures of
/// the others.
fn start<'s, 'a>(
    exec: Exec<'a>,
    entries: &'s [ResponseEntry<'a>],
    thing: Result<&Thing, &Error>,
    leave_out: impl Fn(&ResponseEntry<'a>) -> bool,
) -> Result<(PartialValue<'s, 'a>, PendingPlaces<'s>), Errors> {
    let (mut partial, mut pending) = (PartialValue::new(PlaceKeys::Keys(entries)), PendingPlaces::new());
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !leave_out(entry)) {
        let completion = match thing {
            Ok(thing) => execute_field(exec, entry, thing),
            Err(error) => Completion::Now(failed(entry, error.clone())),
        };
        match completion {
            Completion::Later(future) => pending.push((at, future)),
            Completion::Now(result) => partial.put(at, result)?,
        }
    }
    Ok((partial, pending))
}
