//! What the schema says of costs: which fields multiply, and which need statements or walks of their own.
//!
//! A field with `first` answers a page, and the lists of a connection are as many as the page is long: so a new list is
//! counted without anyone listing it here.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use async_graphql::{Positioned, ServerError};
use foldhash::fast::FixedState;

/// How many entries a list is taken to have that has no page: the few members or destinations that is usual.
pub(super) const LIST: u64 = 5;
/// So many plain fields of an object cost as much as one more object.
pub(super) const LEAVES: u64 = 10;
/// Introspection reads nothing: so many of its objects cost as much as one of the database.
pub(super) const INTROSPECTION: u64 = 250;

/// The parts of the introspection that are objects or lists of them (GraphQL, section 4.2), which a schema does not
/// say of itself.
const INTROSPECTION_TYPES: &str = "
  type __Schema { types: [__Type] queryType: __Type mutationType: __Type subscriptionType: __Type
    directives: [__Directive] }
  type __Type { fields: [__Field] interfaces: [__Type] possibleTypes: [__Type] enumValues: [__EnumValue]
    inputFields: [__InputValue] ofType: __Type }
  type __Field { args: [__InputValue] type: __Type }
  type __InputValue { type: __Type }
  type __EnumValue { name: String }
  type __Directive { args: [__InputValue] locations: [String] }";

/// What a field costs besides the objects that it answers: statements that it needs alone, or rows that it walks.
fn surcharge(parent: &str, name: &str, of: &str) -> u64 {
    match (parent, name, of) {
        (_, _, "FindingConnection" | "DeletePlan") => 100,
        (_, _, "DeleteEffect") => 50,
        (_, _, "OfferConnection") => 20,
        (_, "totalCount" | "counts", _) if parent.ends_with("Connection") => 10,
        ("Mutation", ..) => 10,
        (_, _, "ObjectReferenceConnection" | "NumberAvailability") | (_, "nextFreeNumber", _) => 5,
        _ => 0,
    }
}

/// Whether answering such a type takes a look at all of a tenant or of a kind, however few it then shows.
fn walks(of: &str) -> bool {
    matches!(of, "FindingConnection" | "DeletePlan" | "OfferConnection")
}

/// What arguments cost that can make a list walk all of its kind.
pub(super) const WALKING: [&str; 2] = ["filter", "search"];
/// See [`WALKING`].
pub(super) const WALK: u64 = 20;

/// How many objects or values a field answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Many {
    One,
    /// As many as the page of the connection is long that the field belongs to.
    Page,
    /// As many as this argument has entries.
    Argument(&'static str),
    /// About so many.
    Usually(u64),
}

/// A type of the schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TypeId(usize);

/// What is to be known of a field.
#[derive(Debug)]
pub(super) struct Known {
    /// The type, without lists; `None` for one that the schema does not describe.
    pub(super) of: Option<TypeId>,
    pub(super) many: Many,
    /// Whether the field answers a page whose length is its argument `first`.
    pub(super) paged: bool,
    /// See [`surcharge`].
    pub(super) surcharge: u64,
    /// See [`walks`].
    pub(super) walks: bool,
    /// Whether it is one of the two fields that begin an introspection.
    pub(super) introspects: bool,
}

/// A schema, as far as costs go: the fields of its types.
///
/// Each field of each request is looked up here, twice. The hash may be one that is fast and known to everybody: nothing
/// that clients send is kept in these tables.
pub(super) struct Prices {
    ids: HashMap<String, TypeId, FixedState>,
    /// By [`TypeId`].
    fields: Vec<HashMap<String, Known, FixedState>>,
}

fn base(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(of) => (base(of).0, true),
    }
}

impl Prices {
    /// Reads a schema in the schema definition language.
    ///
    /// # Errors
    /// Where the text is none.
    pub(super) fn read(sdl: &str) -> Result<Self, ServerError> {
        let definitions = parse_schema(sdl)?.definitions.into_iter();
        let of_introspection = parse_schema(INTROSPECTION_TYPES)?.definitions;
        let types = definitions.chain(of_introspection).filter_map(|definition| {
            let TypeSystemDefinition::Type(ty) = definition else { return None };
            let fields = match ty.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => Vec::new(),
            };
            Some((ty.node.name.node.to_string(), fields))
        });
        let types: Vec<_> = types.collect();
        let id = |(place, (name, _)): (usize, &(String, _))| (name.clone(), TypeId(place));
        let ids: HashMap<_, _, _> = types.iter().enumerate().map(id).collect();
        let known = |parent: &str, in_page: bool, field: &FieldDefinition| {
            let (of, list) = base(&field.ty.node);
            let takes = |argument: &str| field.arguments.iter().any(|a| a.node.name.node == argument);
            let many = match list {
                false => Many::One,
                true if (parent, &*field.name.node) == ("__Schema", "types") => Many::Usually(types.len() as u64),
                true if in_page => Many::Page,
                true if takes("ids") => Many::Argument("ids"),
                true => Many::Usually(LIST),
            };
            let (surcharge, walks) = (surcharge(parent, &field.name.node, of), walks(of));
            Known { of: ids.get(of).copied(), many, paged: takes("first"), surcharge, walks, introspects: false }
        };
        let of_type = |(name, fields): &(String, Vec<Positioned<FieldDefinition>>)| {
            let in_page = name.ends_with("Connection") && fields.iter().any(|f| f.node.name.node == "pageInfo");
            let entry = |field: &Positioned<FieldDefinition>| {
                (field.node.name.node.to_string(), known(name, in_page, &field.node))
            };
            fields.iter().map(entry).collect()
        };
        let fields = types.iter().map(of_type).collect();
        Ok(Self { ids, fields }.with_introspection())
    }

    /// With the two fields that begin an introspection, which a schema does not say of itself either.
    fn with_introspection(mut self) -> Self {
        let begin = |of| Known { of, many: Many::One, paged: false, surcharge: 0, walks: false, introspects: true };
        let (schema, ty) = (begin(self.of("__Schema")), begin(self.of("__Type")));
        if let Some(TypeId(query)) = self.of("Query") {
            self.fields[query].extend([("__schema".to_owned(), schema), ("__type".to_owned(), ty)]);
        }
        self
    }

    /// A type by its name; `None` for what the schema does not describe.
    pub(super) fn of(&self, name: &str) -> Option<TypeId> {
        self.ids.get(name).copied()
    }

    /// A field of a type.
    pub(super) fn field(&self, ty: Option<TypeId>, name: &str) -> Option<&Known> {
        self.fields.get(ty?.0)?.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list that no page and no argument bounds is one of those that an object or a payload has.
    #[test]
    fn every_connection_of_the_schema_multiplies_what_is_in_it() {
        let prices = Prices::read(&crate::graphql::sdl()).unwrap();
        let mut connections = 0;
        let name =
            |id: Option<TypeId>| prices.ids.iter().find(|(_, own)| Some(**own) == id).map_or("", |(name, _)| name);
        for (ty, TypeId(id)) in &prices.ids {
            for (field, known) in &prices.fields[*id] {
                let of = name(known.of);
                if of.ends_with("Connection") {
                    connections += 1;
                    assert!(known.paged && known.many == Many::One, "{ty}.{field} has no `first`");
                    for list in ["edges", "nodes"] {
                        assert_eq!(prices.field(known.of, list).unwrap().many, Many::Page, "{of}.{list}");
                    }
                }
                assert_eq!(known.paged, of.ends_with("Connection"), "{ty}.{field} takes `first`");
                assert!(known.many != Many::Page || ty.ends_with("Connection"), "{ty}.{field}");
            }
        }
        assert!(connections > 50, "{connections}");
        assert_eq!(prices.field(prices.of("Query"), "nodes").unwrap().many, Many::Argument("ids"));
    }
}
