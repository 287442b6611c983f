//! The viewer: the client of a request, and the tenant that it has selected.

use crate::domain::{Code, Problem, TenantId};
use crate::store::TenantRow;

/// The client of a request, with the permissions of its token.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The name of the token, which change records show.
    pub name: String,
    /// Whether the token may create and change objects.
    pub write: bool,
    /// Whether the token may delete objects.
    pub delete: bool,
    /// Whether the token may see the schema and the playground if they are not public.
    pub explore: bool,
    /// The tenant that this request has selected.
    pub selected: Selected,
    /// The tenants that this viewer can see; `None` for all of them.
    pub(super) tenants: Option<Vec<TenantId>>,
    /// The hash of the token, to check later whether it is still valid; `None` for the program itself.
    pub(super) token: Option<[u8; 32]>,
}

/// The tenant of a whole request, selected by the header or otherwise by the token.
#[derive(Clone, Debug)]
pub enum Selected {
    /// Neither of them selects one.
    None,
    /// The viewer cannot see the selected tenant, or it does not exist; with the code from the request, if it has one.
    Unknown(Option<String>),
    /// The tenant, as it was when the request began.
    Tenant(Box<TenantRow>),
}

impl Viewer {
    /// The program itself under this name, with all permissions for all tenants. It saves the demo data, for example.
    pub fn system(name: &str) -> Self {
        let (write, delete, explore) = (true, true, true);
        Self { name: name.to_owned(), write, delete, explore, selected: Selected::None, tenants: None, token: None }
    }

    /// The reason why this viewer may not create or change tenants, if there is one. Only tokens for all tenants may.
    pub(super) fn tenant_change_refusal(&self) -> Option<Problem> {
        let rule = "needs a token for all tenants with the scope write";
        (!self.write || self.tenants.is_some()).then(|| Problem::new(Code::Forbidden, rule))
    }

    /// Whether this viewer can see a tenant. To others, it seems not to exist.
    pub fn sees(&self, tenant: TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
    }
}
