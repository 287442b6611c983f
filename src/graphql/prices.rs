//! What the schema says about costs: which fields multiply, and which need statements or scans of their own.
//!
//! A field with `first` answers a page, and the lists of a connection are as long as the page. So a new list is counted
//! without being listed here.

use std::collections::{HashMap, HashSet};

use async_graphql::Positioned;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};
use foldhash::fast::FixedState;

use super::hashed_secrets::{self, HashedFields};

/// The assumed length of a list without pages: lists of members or destinations usually have a few entries.
pub(super) const LIST: u64 = 5;
/// This many plain fields of an object cost as much as one more object.
pub(super) const LEAVES: u64 = 10;
/// Introspection reads nothing: this many of its objects cost as much as one from the database.
pub(super) const INTROSPECTION: u64 = 80;

/// What a field costs besides the objects that it answers: for statements of its own, or for the rows that it scans.
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

/// Whether answering this type scans a whole tenant or kind, however few entries are returned.
pub(super) fn scans(of: &str) -> bool {
    matches!(of, "FindingConnection" | "DeletePlan" | "OfferConnection")
}

/// Arguments that can make a list scan all objects of its kind.
pub(super) const SCANNING: [&str; 2] = ["filter", "search"];
/// The extra cost of one of the arguments in [`SCANNING`].
pub(super) const SCAN: u64 = 20;

/// The cost of a secret that a save hashes: some 20 ms of a core.
pub(super) const HASH: u64 = 200;

/// An argument, and the paths in its value to secrets that are hashed.
#[derive(Debug)]
pub(super) struct SecretPaths {
    pub(super) argument: String,
    /// The names of input fields, from the outermost inwards.
    pub(super) paths: Vec<Vec<String>>,
}

/// The input types of a schema, with the names and types of their fields.
type Inputs = HashMap<String, Vec<(String, String)>>;

/// The paths to hashed secrets in a value of an input type. `above` are the types around it, which ends the recursion
/// at a type that contains itself.
fn secrets_of(inputs: &Inputs, hashed: &HashedFields, of: &str, above: &mut Vec<String>) -> Vec<Vec<String>> {
    let Some(fields) = inputs.get(of).filter(|_| !above.iter().any(|known| known == of)) else { return Vec::new() };
    above.push(of.to_owned());
    let mut paths = Vec::new();
    for (name, inner) in fields {
        if hashed.contains(&(of.to_owned(), name.clone())) {
            paths.push(vec![name.clone()]);
        }
        let inner = secrets_of(inputs, hashed, inner, above).into_iter();
        paths.extend(inner.map(|path| [vec![name.clone()], path].concat()));
    }
    above.pop();
    paths
}

/// How many objects or values a field answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Multiplicity {
    One,
    /// As many as the page of the connection that the field belongs to.
    Page,
    /// As many entries as this argument has.
    Argument(&'static str),
    /// About this many.
    Usually(u64),
}

/// The id of a type of the schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TypeId(usize);

/// What the cost of a field depends on.
#[derive(Debug)]
pub(super) struct FieldPrice {
    /// The type, without lists; `None` if the schema does not describe it.
    pub(super) of: Option<TypeId>,
    pub(super) multiplicity: Multiplicity,
    /// Whether the field answers a page whose length is its argument `first`.
    pub(super) paged: bool,
    /// See [`surcharge`].
    pub(super) surcharge: u64,
    /// See [`scans`].
    pub(super) scans: bool,
    /// Whether it is `__schema` or `__type`.
    pub(super) introspects: bool,
    /// For a mutation: its arguments that can contain secrets to be hashed.
    pub(super) secrets: Vec<SecretPaths>,
}

/// A schema as far as costs go: the fields of its types.
///
/// Each field of each request is looked up here, twice. The hash may be a fast one without a secret seed: nothing that
/// clients send is stored in these tables.
pub(super) struct Prices {
    ids: HashMap<String, TypeId, FixedState>,
    /// By [`TypeId`].
    fields: Vec<HashMap<String, FieldPrice, FixedState>>,
}

fn base(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(of) => (base(of).0, true),
    }
}

impl Prices {
    /// Reads the definitions of a schema.
    pub(super) fn read(definitions: &[TypeSystemDefinition]) -> Self {
        let (mut types, mut inputs, mut seen) = (Vec::new(), Inputs::new(), HashSet::new());
        for definition in definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.node.to_string();
            // `__schema` and `__type` are added later.
            if !seen.insert(name.clone()) {
                continue;
            }
            let fields: &[Positioned<FieldDefinition>] = match &ty.node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                TypeKind::InputObject(input) => {
                    let field = |field: &Positioned<InputValueDefinition>| {
                        (field.node.name.node.to_string(), base(&field.node.ty.node).0.to_owned())
                    };
                    inputs.insert(name.clone(), input.fields.iter().map(field).collect());
                    &[]
                }
                _ => &[],
            };
            types.push((name, fields));
        }
        let hashed = hashed_secrets::hashed_input_fields();
        let secrets = |argument: &Positioned<InputValueDefinition>| {
            let of = base(&argument.node.ty.node).0;
            let paths = secrets_of(&inputs, &hashed, of, &mut Vec::new());
            (!paths.is_empty()).then(|| SecretPaths { argument: argument.node.name.node.to_string(), paths })
        };
        let id = |(place, (name, _)): (usize, &(String, _))| (name.clone(), TypeId(place));
        let ids: HashMap<_, _, _> = types.iter().enumerate().map(id).collect();
        let known = |parent: &str, in_page: bool, field: &FieldDefinition| {
            let (of, list) = base(&field.ty.node);
            let takes = |argument: &str| field.arguments.iter().any(|a| a.node.name.node == argument);
            let multiplicity = match list {
                false => Multiplicity::One,
                true if (parent, &*field.name.node) == ("__Schema", "types") => {
                    Multiplicity::Usually(types.len() as u64)
                }
                true if in_page => Multiplicity::Page,
                true if takes("ids") => Multiplicity::Argument("ids"),
                true => Multiplicity::Usually(LIST),
            };
            let (surcharge, scans) = (surcharge(parent, &field.name.node, of), scans(of));
            let secrets = match parent {
                "Mutation" => field.arguments.iter().filter_map(secrets).collect(),
                _ => Vec::new(),
            };
            let (of, paged, introspects) = (ids.get(of).copied(), takes("first"), false);
            FieldPrice { of, multiplicity, paged, surcharge, scans, introspects, secrets }
        };
        let of_type = |(name, fields): &(String, &[Positioned<FieldDefinition>])| {
            let in_page = name.ends_with("Connection") && fields.iter().any(|f| f.node.name.node == "pageInfo");
            let entry = |field: &Positioned<FieldDefinition>| {
                (field.node.name.node.to_string(), known(name, in_page, &field.node))
            };
            fields.iter().map(entry).collect()
        };
        let fields = types.iter().map(of_type).collect();
        Self { ids, fields }.with_introspection()
    }

    /// Adds `__schema` and `__type`, which a schema does not list among its own fields.
    fn with_introspection(mut self) -> Self {
        let begin = |of| {
            let (multiplicity, paged, surcharge, scans, introspects) = (Multiplicity::One, false, 0, false, true);
            FieldPrice { of, multiplicity, paged, surcharge, scans, introspects, secrets: Vec::new() }
        };
        let (schema, ty) = (begin(self.type_id("__Schema")), begin(self.type_id("__Type")));
        if let Some(TypeId(query)) = self.type_id("Query") {
            self.fields[query].extend([("__schema".to_owned(), schema), ("__type".to_owned(), ty)]);
        }
        self
    }

    /// The id of a type; `None` if the schema does not describe it.
    pub(super) fn type_id(&self, name: &str) -> Option<TypeId> {
        self.ids.get(name).copied()
    }

    /// A field of a type.
    pub(super) fn field(&self, ty: Option<TypeId>, name: &str) -> Option<&FieldPrice> {
        self.fields.get(ty?.0)?.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::described::DESCRIBED;

    /// A list without a page or an argument must be a list inside an object or a payload.
    #[test]
    fn every_connection_of_the_schema_multiplies_what_is_in_it() {
        let prices = &DESCRIBED.prices;
        let mut connections = 0;
        let name =
            |id: Option<TypeId>| prices.ids.iter().find(|(_, own)| Some(**own) == id).map_or("", |(name, _)| name);
        for (ty, TypeId(id)) in &prices.ids {
            for (field, known) in &prices.fields[*id] {
                let of = name(known.of);
                if of.ends_with("Connection") {
                    connections += 1;
                    assert!(known.paged && known.multiplicity == Multiplicity::One, "{ty}.{field} has no `first`");
                    for list in ["edges", "nodes"] {
                        assert_eq!(
                            prices.field(known.of, list).unwrap().multiplicity,
                            Multiplicity::Page,
                            "{of}.{list}"
                        );
                    }
                }
                assert_eq!(known.paged, of.ends_with("Connection"), "{ty}.{field} takes `first`");
                assert!(known.multiplicity != Multiplicity::Page || ty.ends_with("Connection"), "{ty}.{field}");
            }
        }
        assert!(connections > 50, "{connections}");
        assert_eq!(prices.field(prices.type_id("Query"), "nodes").unwrap().multiplicity, Multiplicity::Argument("ids"));
    }

    /// Found from the descriptions of the sections: nobody lists secrets for their price.
    #[test]
    fn every_secret_that_is_hashed_is_found_wherever_it_can_be_sent() {
        let prices = &DESCRIBED.prices;
        let of = |mutation: &str| {
            let secrets = &prices.field(prices.type_id("Mutation"), mutation).unwrap().secrets;
            assert!(secrets.iter().all(|secrets| secrets.argument == "input"), "{mutation}");
            let paths = secrets.iter().flat_map(|secrets| &secrets.paths);
            let mut paths: Vec<_> = paths.map(|path| path.join(".")).collect();
            paths.sort();
            paths
        };
        let form = ["information.securityPin", "security.lockPin", "webUserPanel.webPassword"];
        assert_eq!(of("virtualExtensionCreate"), form);
        assert_eq!(of("virtualExtensionDefaultsUpdate"), form);
        assert_eq!(of("virtualExtensionSecurityUpdate"), ["security.lockPin"]);
        assert_eq!(of("conferenceUpdate"), ["adminPin", "pin"]);
        for nothing in ["virtualExtensionNoteUpdate", "virtualExtensionClone", "queueCreate", "ldapServerCreate"] {
            assert_eq!(of(nothing), [] as [&str; 0], "{nothing}");
        }
        let TypeId(mutation) = prices.type_id("Mutation").unwrap();
        let found =
            prices.fields[mutation].values().flat_map(|known| &known.secrets).flat_map(|secrets| &secrets.paths);
        let found: HashSet<_> = found.filter_map(|path| path.last()).collect();
        let fields = hashed_secrets::hashed_input_fields();
        assert_eq!(found, fields.iter().map(|(_, field)| field).collect(), "each can be sent, and costs something");
    }
}
