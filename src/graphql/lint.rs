//! What is wrong, or looks wrong, in a whole tenant.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};

use super::find::{PageInfo, page_length};
use super::mutation::UserError;
use super::objects::PbxObject;
use super::scope::{Nullable, Scope, coded};
use crate::domain::{Code, Kind};
use crate::service::{self, Findings, Lint, Place, Severity, TenantRow, label};

/// Something in a tenant that is wrong, or looks wrong.
#[derive(SimpleObject)]
pub struct Finding {
    /// The object that it is about; null for the tenant's defaults and for the tenant itself.
    object: Option<PbxObject>,
    /// What it is about; null for the tenant itself.
    kind: Option<Kind>,
    /// Number and name of what it is about.
    label: String,
    /// How bad it is.
    severity: Severity,
    /// Where, as the path of an input field that would change it, and what it is.
    #[graphql(flatten)]
    problem: UserError,
    /// What to do about it, in one sentence.
    what_to_do: &'static str,
}

/// A finding on a page.
#[derive(SimpleObject)]
pub struct FindingEdge {
    /// The finding.
    node: Finding,
    /// Where it stands among all findings of the tenant: good for `after`.
    cursor: String,
}

/// A page of findings.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct FindingConnection {
    /// The findings with their cursors.
    edges: Vec<FindingEdge>,
    /// Where the page stands in the whole list.
    page_info: PageInfo,
}

#[ComplexObject]
impl FindingConnection {
    /// The findings of the page, without their cursors.
    async fn nodes(&self) -> Vec<&Finding> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }
}

fn edge(tenant: &TenantRow, finding: service::Finding) -> FindingEdge {
    let service::Finding { object, severity, problem, place } = finding;
    let label = object.as_ref().map_or_else(|| tenant.settings.name.as_str().to_owned(), |row| label(row));
    let what_to_do = problem.code.advice();
    let kind = object.as_ref().map(|row| row.kind);
    let object = object.and_then(PbxObject::of);
    let node = Finding { object, kind, label, severity, problem: problem.into(), what_to_do };
    FindingEdge { node, cursor: place.cursor() }
}

/// The lint of the selected tenant.
#[derive(Default)]
pub struct LintQuery;

/// The lint of the selected tenant.
#[Object]
impl LintQuery {
    /// What is wrong, or looks wrong, in a tenant, object by object in the order in which they were made. Every object
    /// is checked as its save would be; regular expressions are also tried on the numbers that the tenant is known to
    /// have to do with. Null when the tenant does not exist for who asks.
    ///
    /// A page that takes long ends before it is full, or even empty, and the next one goes on where it stopped: ask with
    /// `after: endCursor` as long as `hasNextPage` is true. Whether anything is behind a full page may show only there.
    #[expect(clippy::too_many_arguments, reason = "they are those of the field")]
    async fn tenant_lint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant's code; left out, the selected tenant.")] code: Option<String>,
        #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
        #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")] after: Option<String>,
        #[graphql(desc = "Only findings that are so bad; left out, all.")] severity: Option<Severity>,
        #[graphql(desc = "Only findings with these codes; left out, with any.")] codes: Option<Vec<Code>>,
        #[graphql(desc = "Only findings about objects of these kinds; left out, about all, and the tenant itself.")]
        kinds: Option<Vec<Kind>>,
    ) -> Nullable<FindingConnection> {
        let found = async {
            let scope = Scope::of(ctx)?;
            let first = page_length(first)?.unsigned_abs() as usize;
            let wrong = || coded("BAD_USER_INPUT", "after must be a cursor that this field has answered.");
            let place = after.map(|cursor| Place::of(&cursor).ok_or_else(wrong)).transpose()?;
            let Some(tenant) = scope.tenant(code).await? else { return Ok(None) };
            let lint = Lint { severity, codes, kinds };
            let found = scope.app.lint(&scope.snapshot, tenant.id, lint, first, place).await;
            let Findings { findings, more, goes_on } = found.map_err(|e| scope.surprise(&e))?;
            scope.spend(findings.len())?;
            let edges: Vec<_> = findings.into_iter().map(|finding| edge(&tenant, finding)).collect();
            let page_info = PageInfo::of(&edges, |edge| &edge.cursor, more, place.is_some());
            let page_info = page_info.going_on(goes_on.map(Place::cursor));
            Ok(Some(FindingConnection { edges, page_info }))
        };
        found.await.transpose()
    }
}
