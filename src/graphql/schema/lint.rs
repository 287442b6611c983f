//! The lint of a whole tenant: what is wrong or looks wrong.

use std::sync::Arc;

use super::pages::{
    Edge, Edges, edge_type, edges_field, kinds_arg, kinds_from_args, nodes_field, page_args, page_field, page_length,
};
use super::problems::{finding_fields, shared_object_node};
use super::shapes::choice_type;
use crate::domain::{Code, Problem};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, Args, FieldReader, InputValue, Node, ReadError, ReadResolver, Resolver, SchemaField, SchemaType,
    Thing, object,
};
use crate::service::{self, Findings, Lint, LintPlace, Severity, label};
use crate::store::{ObjectRow, TenantRow};

/// Something in a tenant that is wrong or looks wrong.
struct LabeledFinding {
    object: Option<Arc<ObjectRow>>,
    label: String,
    severity: Severity,
    problem: Problem,
}

/// The types of findings.
pub fn definitions() -> Vec<SchemaType> {
    let about_object = "The object that the finding is about; null for the tenant's defaults and for the tenant\n\
                        itself.";
    let finding = object::<LabeledFinding>("Finding", "Something in a tenant that is wrong or looks wrong.")
        .now("object", "PbxObject", about_object, |found| found.object.as_ref().map_or(Node::Null, shared_object_node))
        .now("kind", "Kind", "The kind of the object; null for the tenant itself.", |found| {
            found.object.as_ref().map(|row| row.kind.word()).into()
        })
        .now("label", "String!", "Number and name of the object, or the name of the tenant.", |found| {
            found.label.as_str().into()
        })
        .now("severity", "Severity!", "How severe the finding is.", |found| found.severity.word().into())
        .fields(finding_fields(|found: &LabeledFinding| &found.problem))
        .now("whatToDo", "String!", "How to fix it, in one sentence.", |found| found.problem.code.advice().into());
    let edge = edge_type(
        "FindingEdge",
        "A finding on a page.",
        ("Finding", "The finding."),
        "The position of the finding in the whole list; pass it to `after`.",
    );
    let connection = object::<Edges>("FindingConnection", "A page of findings.")
        .field(edges_field("FindingEdge", "The findings of the page with their cursors."))
        .field(page_field())
        .field(nodes_field("Finding", "The findings of the page without their cursors."));
    vec![choice_type(Severity::TYPE).into(), finding.into(), edge.into(), connection.into()]
}

/// The field of the query root, and the tenant's.
pub fn fields() -> [SchemaField; 2] {
    let about = |what: &str| {
        format!(
            "Everything that is wrong or looks wrong in {what}, object by object in the order of their creation.\n\
             Every object is checked as if it were saved; regular expressions are also tried on the numbers that\n\
             the tenant is known to use.{}\n\n\
             A page that takes too long ends before it is full, and may even be empty; the next page continues\n\
             where it stopped. Request pages with `after: endCursor` as long as `hasNextPage` is true. A full\n\
             page may be followed by an empty last one.",
            if what == "a tenant" { " Null if the tenant does not exist for the viewer." } else { "" }
        )
    };
    // The findings depend on the time.
    let of_any = Resolver::Read(ReadResolver::each(|_, args, reader| of_any(args, reader)));
    let own = Resolver::Read(ReadResolver::each(|thing, args, reader| lint(thing.get()?, args, reader)));
    let code = InputValue::new("code", "String", "The tenant's code; by default the selected tenant.");
    let of_any = SchemaField::new("tenantLint", "FindingConnection", about("a tenant"), of_any).arg(code);
    let own = SchemaField::new("lint", "FindingConnection!", about("the tenant"), own);
    [of_any, own].map(|field| {
        page_args()
            .into_iter()
            .fold(field, SchemaField::arg)
            .arg(InputValue::new("severity", "Severity", "Only findings of this severity; by default all."))
            .arg(InputValue::new("codes", "[FindingCode!]", "Only findings with these codes; by default all."))
            .arg(kinds_arg(
                "Only findings about objects of these kinds; by default all, including those about the tenant itself.",
            ))
    })
}

fn of_any(args: &Args, reader: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    match reader.tenant(args.text("code")?)? {
        Some(tenant) => lint(&tenant, args, reader),
        None => Ok(Node::Null),
    }
}

fn lint(tenant: &TenantRow, args: &Args, reader: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let first = page_length(args.int("first")?)?.unsigned_abs() as usize;
    let wrong = || coded("BAD_USER_INPUT", "after must be a cursor from this field.");
    let place = args.text("after")?.map(|cursor| LintPlace::from_cursor(cursor).ok_or_else(wrong)).transpose()?;
    let lint = Lint {
        severity: args.choice("severity", Severity::from_word)?,
        codes: args.choices("codes", Code::from_word)?,
        kinds: kinds_from_args(args)?,
    };
    let (now, deadline) = (reader.now, reader.deadline);
    let Findings { findings, more, resume_at } =
        lint.page(&mut reader.query(tenant.id), first, place, now, deadline)?;
    reader.spend(findings.len());
    let edges = findings.into_iter().map(|finding| finding_edge(tenant, finding));
    let edges = Edges::new(edges, more, place.is_some(), Thing::new(())).ending_at(resume_at.map(LintPlace::cursor));
    Ok(Node::object("FindingConnection", edges))
}

fn finding_edge(tenant: &TenantRow, finding: service::Finding) -> Edge {
    let service::Finding { object, severity, problem, place } = finding;
    let label = object.as_ref().map_or_else(|| tenant.settings.name.as_str().to_owned(), |row| label(row));
    let node = ("Finding", Thing::new(LabeledFinding { object, label, severity, problem }));
    Edge { node, cursor: place.cursor() }
}
