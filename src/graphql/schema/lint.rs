//! What is wrong, or looks wrong, in a whole tenant.

use std::sync::Arc;

use super::pages::{Edge, Edges, edge, edges_field, kinds, kinds_arg, nodes_field, page_args, page_field, page_length};
use super::problems::{finding_fields, object_of};
use super::shapes::choice;
use crate::domain::{Code, Problem};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    Args, FieldReader, Given as _, InputValue, Node, ReadError, Reads, Resolver, SchemaField, SchemaType, Thing, object,
};
use crate::service::{self, Findings, Lint, LintPlace, Severity, label};
use crate::store::{ObjectRow, TenantRow};

/// Something in a tenant that is wrong, or looks wrong.
struct LabeledFinding {
    object: Option<Arc<ObjectRow>>,
    label: String,
    severity: Severity,
    problem: Problem,
}

/// The types of findings.
pub fn definitions() -> Vec<SchemaType> {
    let about_object = "The object that it is about; null for the tenant's defaults and for the tenant itself.";
    let finding = object::<LabeledFinding>("Finding", "Something in a tenant that is wrong, or looks wrong.")
        .now("object", "PbxObject", about_object, |found| found.object.as_ref().map_or(Node::Null, object_of))
        .now("kind", "Kind", "What it is about; null for the tenant itself.", |found| {
            found.object.as_ref().map(|row| row.kind.word()).into()
        })
        .now("label", "String!", "Number and name of what it is about.", |found| found.label.as_str().into())
        .now("severity", "Severity!", "How bad it is.", |found| found.severity.word().into())
        .fields(finding_fields(|found: &LabeledFinding| &found.problem))
        .now("whatToDo", "String!", "What to do about it, in one sentence.", |found| {
            found.problem.code.advice().into()
        });
    let edge = edge(
        "FindingEdge",
        "A finding on a page.",
        ("Finding", "The finding."),
        "Where it stands among all findings of the tenant: good for `after`.",
    );
    let connection = object::<Edges>("FindingConnection", "A page of findings.")
        .field(edges_field("FindingEdge", "The findings with their cursors."))
        .field(page_field())
        .field(nodes_field("Finding", "The findings of the page, without their cursors."));
    vec![choice(Severity::TYPE).into(), finding.into(), edge.into(), connection.into()]
}

/// The root field, and the tenant's.
pub fn fields() -> [SchemaField; 2] {
    let about = |what: &str| {
        format!(
            "What is wrong, or looks wrong, in {what}, object by object in the order in which they were made. Every object\n\
             is checked as its save would be; regular expressions are also tried on the numbers that the tenant is known to\n\
             have to do with.{}\n\n\
             A page that takes long ends before it is full, or even empty, and the next one goes on where it stopped: ask with\n\
             `after: endCursor` as long as `hasNextPage` is true. Whether anything is behind a full page may show only there.",
            if what == "a tenant" { " Null when the tenant does not exist for who asks." } else { "" }
        )
    };
    // It depends on the time.
    let of_any = Resolver::Read(Reads::each(|_, args, reading| of_any(args, reading)));
    let own = Resolver::Read(Reads::each(|thing, args, reading| lint(thing.get()?, args, reading)));
    let code = InputValue::new("code", "String", "The tenant's code; left out, the selected tenant.");
    let of_any = SchemaField::new("tenantLint", "FindingConnection", about("a tenant"), of_any).arg(code);
    let own = SchemaField::new("lint", "FindingConnection!", about("the tenant"), own);
    [of_any, own].map(|field| {
        page_args()
            .into_iter()
            .fold(field, SchemaField::arg)
            .arg(InputValue::new("severity", "Severity", "Only findings that are so bad; left out, all."))
            .arg(InputValue::new("codes", "[FindingCode!]", "Only findings with these codes; left out, with any."))
            .arg(kinds_arg("Only findings about objects of these kinds; left out, about all, and the tenant itself."))
    })
}

fn of_any(args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    match reading.tenant(args.text("code")?)? {
        Some(tenant) => lint(&tenant, args, reading),
        None => Ok(Node::Null),
    }
}

fn lint(tenant: &TenantRow, args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let first = page_length(args.int("first")?)?.unsigned_abs() as usize;
    let wrong = || coded("BAD_USER_INPUT", "after must be a cursor that this field has answered.");
    let place = args.text("after")?.map(|cursor| LintPlace::from_cursor(cursor).ok_or_else(wrong)).transpose()?;
    let lint = Lint {
        severity: args.choice("severity", Severity::from_word)?,
        codes: args.choices("codes", Code::from_word)?,
        kinds: kinds(args)?,
    };
    let (now, deadline) = (reading.now, reading.deadline);
    let Findings { findings, more, resume_at } = lint.page(&mut reading.of(tenant.id), first, place, now, deadline)?;
    reading.spend(findings.len());
    let edges = findings.into_iter().map(|finding| finding_edge(tenant, finding));
    let edges = Edges::new(edges, more, place.is_some(), Thing::of(())).going_on(resume_at.map(LintPlace::cursor));
    Ok(Node::object("FindingConnection", edges))
}

fn finding_edge(tenant: &TenantRow, finding: service::Finding) -> Edge {
    let service::Finding { object, severity, problem, place } = finding;
    let label = object.as_ref().map_or_else(|| tenant.settings.name.as_str().to_owned(), |row| label(row));
    let node = ("Finding", Thing::of(LabeledFinding { object, label, severity, problem }));
    Edge { node, cursor: place.cursor() }
}
