//! Execution below a root field (GraphQL specification, sections 6.3 and 6.4).

use async_graphql::{Error, Value};
use futures_util::future::try_join;

use super::args::Args;
use super::call::{Call, CallOrigin};
use super::fill::{Answered, Done, Errors, Filling, PlaceAnswer, Running, Steps, settle};
use super::node::{Node, Thing};
use super::objects::{Load, Object, Resolver};
use super::select::{Exec, KeyContent, MergedFields, ResponseEntry};
use super::types::Ty;
use crate::graphql::budget::Budget;
use crate::graphql::errors::bug;

/// Executes the field under a key of an object.
pub fn field<'s, 'a>(exec: Exec<'a>, entry: &'s ResponseEntry<'a>, thing: &Thing) -> Done<'s> {
    let (field, args) = match &entry.what {
        KeyContent::Typename(name) => return Done::Now(Ok(PlaceAnswer::plain(Value::String((*name).to_owned())))),
        KeyContent::Wrong(error) => return Done::Now(failed(entry, error.clone())),
        KeyContent::Field(field, args) => (*field, args),
    };
    match &field.answer {
        Resolver::Now(get) => match get(thing, args) {
            Ok(node) => complete(exec, &field.ty, &entry.selected, node),
            Err(error) => Done::Now(failed(entry, error)),
        },
        Resolver::Later(get) => {
            let thing = thing.clone();
            Done::Later(Box::pin(async move {
                let call = Call { args, from: CallOrigin::Executor(exec.context, &entry.selected.fields) };
                match get(&thing, call).await {
                    Ok(node) => complete(exec, &field.ty, &entry.selected, node).wait().await,
                    Err(error) => failed(entry, error),
                }
            }))
        }
        Resolver::Read(reads) => {
            let thing = thing.clone();
            Done::Later(Box::pin(async move {
                let call = Call { args, from: CallOrigin::Executor(exec.context, &entry.selected.fields) };
                match reads.execute(&thing, call).await {
                    Ok(node) => complete(exec, &field.ty, &entry.selected, node).wait().await,
                    Err(error) => failed(entry, error),
                }
            }))
        }
        Resolver::Stream(_) | Resolver::Elsewhere => {
            Done::Now(failed(entry, bug(format_args!("{} cannot be answered here", field.name))))
        }
    }
}

/// The result of a field that has failed.
pub fn failed(entry: &ResponseEntry<'_>, error: Error) -> Answered {
    settle(entry.is_nullable(), Err(vec![error.into_server_error(entry.selected.at())]))
}

/// Completes a node to a value of its type (section 6.4.3).
pub fn complete<'s, 'a>(exec: Exec<'a>, ty: &'static Ty, selected: &'s MergedFields<'a>, node: Node) -> Done<'s> {
    let nullable = ty.is_nullable();
    let refused = |error: Error| settle(nullable, Err(vec![error.into_server_error(selected.at())]));
    match (node, ty.inner()) {
        (Node::Null | Node::Leaf(Value::Null), _) if nullable => Done::Now(Ok(PlaceAnswer::plain(Value::Null))),
        (Node::Leaf(value), _) if value != Value::Null && selected.is_leaf() => {
            Done::Now(Ok(PlaceAnswer::plain(value)))
        }
        (Node::List(nodes), Some(entry)) => list(exec, entry, selected, nodes, nullable),
        (Node::Counted(nodes), Some(entry)) => {
            let budget = exec.context.data_opt::<Budget>();
            match budget.map_or(Ok(()), |budget| budget.spend(nodes.len())) {
                Ok(()) => list(exec, entry, selected, nodes, nullable),
                Err(error) => Done::Now(refused(error)),
            }
        }
        (Node::Object(name, thing), None) => match exec.layer.objects.get(name) {
            Some(object) if object.is(ty.name()) => self::object(exec, object, selected, thing, nullable),
            _ => Done::Now(refused(bug(format_args!("{name} stands where {ty} should")))),
        },
        (node, _) => {
            let what = match node {
                Node::Null | Node::Leaf(Value::Null) => "null",
                Node::Leaf(_) => "a plain value",
                Node::Object(name, _) => name,
                Node::List(_) | Node::Counted(_) => "a list",
            };
            Done::Now(refused(bug(format_args!("{what} stands where {ty} should"))))
        }
    }
}

fn list<'s, 'a>(
    exec: Exec<'a>,
    ty: &'static Ty,
    selected: &'s MergedFields<'a>,
    nodes: Vec<Node>,
    nullable: bool,
) -> Done<'s> {
    let mut filling = Filling::new(Steps::Indexes(nodes.len()));
    let mut running = Running::new();
    for (at, node) in nodes.into_iter().enumerate() {
        match complete(exec, ty, selected, node) {
            Done::Later(future) => running.push((at, future)),
            Done::Now(answered) => {
                if let Err(errors) = filling.put(at, answered) {
                    return Done::Now(settle(nullable, Err(errors)));
                }
            }
        }
    }
    if running.is_empty() {
        return Done::Now(Ok(filling.done()));
    }
    Done::Later(Box::pin(async move { settle(nullable, filling.wait(running).await.map(Filling::done)) }))
}

fn object<'s, 'a>(
    exec: Exec<'a>,
    object: &'static Object,
    selected: &'s MergedFields<'a>,
    thing: Thing,
    nullable: bool,
) -> Done<'s> {
    let entries = &selected.of(exec, object).entries[..];
    let prepare = object.prepare.as_ref().filter(|_| entries.iter().any(ResponseEntry::is_prepared));
    let (filling, running) = match start(exec, entries, Ok(&thing), |entry| prepare.is_some() && entry.is_prepared()) {
        Ok(started) => started,
        Err(errors) => return Done::Now(settle(nullable, Err(errors))),
    };
    match prepare {
        None if running.is_empty() => Done::Now(Ok(filling.done())),
        None => Done::Later(Box::pin(async move { settle(nullable, filling.wait(running).await.map(Filling::done)) })),
        Some(load) => Done::Later(Box::pin(async move {
            let both = try_join(filling.wait(running), fuller(exec, entries, selected, load, &thing)).await;
            settle(nullable, both.map(|(own, fuller)| own.and(fuller).done()))
        })),
    }
}

/// Executes the fields that need an object's prepared thing.
async fn fuller<'s, 'a>(
    exec: Exec<'a>,
    entries: &'s [ResponseEntry<'a>],
    selected: &'s MergedFields<'a>,
    load: &'static Load,
    thing: &Thing,
) -> Result<Filling<'s, 'a>, Errors> {
    let nothing = Args::default();
    let call = Call { args: &nothing, from: CallOrigin::Executor(exec.context, &selected.fields) };
    let full = (load.0)(thing, call).await;
    let (filling, running) = start(exec, entries, full.as_ref(), |entry| !entry.is_prepared())?;
    filling.wait(running).await
}

/// Executes the fields of an object except those to leave out. Returns the values that are ready, and the futures of
/// the others.
fn start<'s, 'a>(
    exec: Exec<'a>,
    entries: &'s [ResponseEntry<'a>],
    thing: Result<&Thing, &Error>,
    leave_out: impl Fn(&ResponseEntry<'a>) -> bool,
) -> Result<(Filling<'s, 'a>, Running<'s>), Errors> {
    let (mut filling, mut running) = (Filling::new(Steps::Keys(entries)), Running::new());
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !leave_out(entry)) {
        let done = match thing {
            Ok(thing) => field(exec, entry, thing),
            Err(error) => Done::Now(failed(entry, error.clone())),
        };
        match done {
            Done::Later(future) => running.push((at, future)),
            Done::Now(answered) => filling.put(at, answered)?,
        }
    }
    Ok((filling, running))
}
