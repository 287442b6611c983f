//! The types of the form's sections, of the details of other objects and of the entries of their lists, generated from
//! the descriptions in [`section!`](crate::form).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::Result;

use super::nodes::object_node;
use super::shapes;
use crate::domain::{DialNumber, Kind, ObjectId, Scalar as _, Shape, about};
use crate::form::{
    Destination, DestinationTarget, Destinations, FieldInfo, FieldShape, FieldValue, Form, HangupCause, Place,
    Reference, ReferenceBy, Section, SectionInfo,
};
use crate::graphql::errors::wrong_shape;
use crate::graphql::layer::{
    Call, DestinationSource, FieldSource, InputObject, InputValue, Node, Resolver, SchemaField, SchemaType, Thing,
    input, object,
};
use crate::graphql::scope::Scope;
use crate::objects::KindInfo;

/// The value behind the object of a section, a detail or an entry.
pub struct SectionValue(pub Arc<dyn Section>);

/// Gets the section from a thing.
pub type GetSection = fn(&Thing) -> Result<&dyn Section>;

fn section_of(thing: &Thing) -> Result<&dyn Section> {
    Ok(&*thing.get::<SectionValue>()?.0)
}

/// The fields of a section, answered from the section that `get` gets, followed by the fields with the objects that its
/// ids refer to.
pub fn fields(info: &'static SectionInfo, get: GetSection) -> Vec<SchemaField> {
    let own = info
        .fields
        .iter()
        .enumerate()
        .map(|(at, field)| own_field(at, field, get).source(FieldSource::Value(info, at)));
    let references = info.fields.iter().enumerate().filter_map(|(at, field)| {
        reference_field(at, field, get).map(|field| field.source(FieldSource::Reference(info, at)))
    });
    own.chain(references).collect()
}

fn own_field(at: usize, field: &'static FieldInfo, get: GetSection) -> SchemaField {
    let (ty, answer) = match field.shape {
        FieldShape::Value { answers, .. } => {
            // A list in rows of its own is as long as its owner made it.
            let counted = matches!(field.place, Place::Rows(_));
            let shown = move |value: &dyn FieldValue| match value.show() {
                serde_json::Value::Array(list) if counted => Node::Counted(list.into_iter().map(Node::from).collect()),
                json => json.into(),
            };
            (
                shapes::type_text(answers),
                Resolver::now(move |thing, _| Ok(get(thing)?.value(at).map_or(Node::Null, shown))),
            )
        }
        FieldShape::Entries(entry) => {
            let name = entry().name;
            let entries = move |value: &dyn FieldValue| {
                let entry = |entry: &dyn Section| Node::object(name, SectionValue(Arc::from(entry.boxed())));
                Node::Counted(value.entries().into_iter().map(entry).collect())
            };
            let answer = Resolver::now(move |thing, _| Ok(get(thing)?.value(at).map_or(Node::Null, entries)));
            (format!("[{name}!]"), answer)
        }
        FieldShape::Destinations => {
            let steps = |value: &dyn FieldValue| {
                let list = (value as &dyn std::any::Any).downcast_ref::<Destinations>();
                let steps = list.into_iter().flat_map(|list| list.0.iter().cloned());
                Node::Counted(steps.map(|step| Node::object("Destination", step)).collect())
            };
            let answer = Resolver::now(move |thing, _| Ok(get(thing)?.value(at).map_or(Node::Null, steps)));
            ("[Destination!]".to_owned(), answer)
        }
    };
    let ty = if field.nullable { ty } else { ty + "!" };
    SchemaField::new(field.answer_name.as_str(), &ty, about(field.doc), answer)
}

/// The field with the objects that an id field refers to: `members` for `memberIds`.
fn reference_field(at: usize, field: &'static FieldInfo, get: GetSection) -> Option<SchemaField> {
    let FieldShape::Value { answers, .. } = field.shape else { return None };
    let kinds = field.pointers.iter().find_map(|pointer| match pointer.by {
        ReferenceBy::Id(kinds) => Some(kinds),
        ReferenceBy::Number => None,
    })?;
    let (name, label) = match kinds {
        [kind] => (kind.name(), kind.label()),
        _ => ("PbxObject", "extension"),
    };
    let ids = move |thing: &Thing| {
        let mut ids = Vec::new();
        if let Some(value) = get(thing)?.value(at) {
            value.references(&mut |Reference { object, .. }| ids.push(object));
        }
        Ok::<_, async_graphql::Error>(ids)
    };
    let client = &field.client_name;
    Some(match answers {
        Shape::List(_) => {
            let stem = client.strip_suffix("Ids")?;
            // `media` in `mediaIds` is already a plural.
            let plural = if stem.ends_with("edia") { stem.to_owned() } else { format!("{stem}s") };
            let answer = Resolver::later(move |thing, call| Box::pin(async move { all(ids(thing)?, call).await }));
            SchemaField::new(plural, &format!("[{name}!]!"), format!("The {label}s in `{client}`."), answer)
        }
        _ => {
            let ty = if field.nullable { name.to_owned() } else { format!("{name}!") };
            let answer = Resolver::later(move |thing, call| {
                Box::pin(async move { one(ids(thing)?.first().copied(), call).await })
            });
            SchemaField::new(
                client.strip_suffix("Id")?.to_owned(),
                &ty,
                format!("The {label} with the id in `{client}`."),
                answer,
            )
        }
    })
}

async fn all(ids: Vec<ObjectId>, call: Call<'_>) -> Result<Node> {
    Ok(call.scope()?.objects(ids).await?.into_iter().map(object_node).collect())
}

async fn one(id: Option<ObjectId>, call: Call<'_>) -> Result<Node> {
    let Some(id) = id else { return Ok(Node::Null) };
    let scope = call.scope()?;
    scope.object(id).await?.map(object_node).ok_or_else(|| scope.dangling_reference())
}

/// The input fields of a section.
pub fn inputs(info: &'static SectionInfo) -> Vec<InputValue> {
    let input = |field: &'static FieldInfo| {
        let ty = match field.shape {
            FieldShape::Value { takes, .. } => shapes::type_text(takes),
            FieldShape::Entries(entry) => format!("[{}!]", entry().input),
            FieldShape::Destinations => "[DestinationInput!]".to_owned(),
        };
        let secret = field.secret.is_some();
        InputValue { secret, ..InputValue::new(field.client_name.as_str(), &ty, about(field.doc)) }
    };
    info.fields.iter().map(input).collect()
}

/// The input type of a section or an entry.
fn input_object(info: &'static SectionInfo) -> InputObject {
    let about = format!("{}\nFields that are left out stay as they are; `null` clears a field.", about(info.doc));
    input(info.input, about).fields(inputs(info))
}

/// The entries of a section's lists.
fn entries(info: &'static SectionInfo) -> impl Iterator<Item = &'static SectionInfo> {
    info.fields.iter().filter_map(|field| match field.shape {
        FieldShape::Entries(entry) => Some(entry()),
        FieldShape::Value { .. } | FieldShape::Destinations => None,
    })
}

/// Collects the shapes of all values of these sections, each once.
fn shapes_of(infos: &[&'static SectionInfo], found: &mut BTreeMap<&'static str, Shape>) {
    for field in infos.iter().flat_map(|info| &info.fields) {
        if let FieldShape::Value { takes, answers } = field.shape {
            [takes, answers].into_iter().for_each(|shape| collect(shape, found));
        }
    }
}

/// Collects the scalar or enum of a shape by its name.
pub fn collect(shape: Shape, found: &mut BTreeMap<&'static str, Shape>) {
    match shape {
        Shape::Scalar(scalar) => drop(found.insert(scalar.name, shape)),
        Shape::Choice(choice) => drop(found.insert(choice.name, shape)),
        Shape::List(entry) => collect(*entry, found),
        Shape::String | Shape::Int | Shape::Boolean | Shape::Id => {}
    }
}

/// The types of sections and entries, of their inputs, of destinations and of their values. `others` are shapes that
/// are used elsewhere in the schema.
pub fn definitions(tenant: &'static SectionInfo, others: &[Shape]) -> Vec<SchemaType> {
    let sections = Form::infos();
    let details: Vec<_> = KindInfo::all().iter().flat_map(|kind| [kind.common, kind.detail]).collect();
    let entries: Vec<_> = sections.iter().chain(&details).flat_map(|info| entries(info)).collect();
    let mut found = BTreeMap::new();
    for infos in [sections, &details, &entries, &[tenant]] {
        shapes_of(infos, &mut found);
    }
    let of_steps = [DialNumber::TAKES, HangupCause::TAKES];
    others.iter().chain(&of_steps).for_each(|shape| collect(*shape, &mut found));
    let typed = sections.iter().chain(&entries).flat_map(|info| {
        let object = object::<SectionValue>(info.name, about(info.doc)).fields(fields(info, section_of));
        [SchemaType::from(object), input_object(info).into()]
    });
    let values = found.into_values().filter_map(shapes::definition);
    typed.chain(values).chain(destination()).collect()
}

/// The section fields of a virtual extension, or of a new one.
pub fn section_fields<T: Send + Sync + 'static>(id: fn(&T) -> ObjectId) -> Vec<SchemaField> {
    let field = |&info: &&'static SectionInfo| {
        let answer = Resolver::later(move |thing, call| {
            Box::pin(async move {
                let section = call.scope()?.section(info, id(thing.get()?)).await?;
                Ok(Node::object(info.name, SectionValue(section)))
            })
        });
        let about = format!("The section `{}` of the form.", info.client_name);
        SchemaField::new(info.client_name.as_str(), &format!("{}!", info.name), about, answer)
            .source(FieldSource::Section(info))
    };
    Form::infos().iter().map(field).collect()
}

/// Loads the detail of an object, when it is selected.
pub async fn detail(kind: Kind, id: ObjectId, scope: &Scope) -> Result<Thing> {
    let info = KindInfo::for_kind(kind).ok_or_else(wrong_shape)?;
    Ok(Thing::new(SectionValue(scope.section(info.detail, id).await?)))
}

/// The fields that a kind adds to its objects.
pub fn detail_fields(info: &'static SectionInfo) -> Vec<SchemaField> {
    fields(info, section_of)
}

/// The types of a destination, for answers and for inputs.
fn destination() -> [SchemaType; 2] {
    let object_id = |step: &Destination| step.object().map(ObjectId::opaque).into();
    let number = |step: &Destination| match step.target() {
        DestinationTarget::Number(number) => number.as_str().into(),
        DestinationTarget::Object(_) | DestinationTarget::Hangup(_) => Node::Null,
    };
    let hangup = |step: &Destination| match step.target() {
        DestinationTarget::Hangup(cause) => cause.word().into(),
        DestinationTarget::Object(_) | DestinationTarget::Number(_) => Node::Null,
    };
    let answered = object::<Destination>(
        "Destination",
        "One step of a call's route: an object to go to, a number to dial, or a hangup. Exactly one of\n\
         `objectId`, `number` and `hangup` is not null.",
    )
    .now("objectId", "ID", "The id of the object to go to.", object_id)
    .source(FieldSource::Destination(DestinationSource::ObjectId))
    .now("number", "DialNumber", "The number to dial.", number)
    .source(FieldSource::Destination(DestinationSource::Number))
    .now("hangup", "HangupCause", "The cause to hang up with.", hangup)
    .source(FieldSource::Destination(DestinationSource::Hangup))
    .later("object", "PbxObject", "The object with the id in `objectId`.", |step, call| {
        Box::pin(async move { one(step.object(), call).await })
    })
    .source(FieldSource::Destination(DestinationSource::Object));
    let sent = input(
        "DestinationInput",
        "One step of a call's route. Give exactly one field; null counts as left out, so that an answered step\n\
         can be sent back.",
    )
    .field(
        "objectId",
        "ID",
        "The id of an extension (real or virtual), voicemail box, condition, media file, parking lot, queue,\n\
         voice menu (IVR), hunt list, conference room, paging group or flow.",
    )
    .field("number", "DialNumber", "An internal or external number to dial.")
    .field("hangup", "HangupCause", "The cause to hang up with.");
    [answered.into(), sent.into()]
}
