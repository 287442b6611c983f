//! Who asks, and for which tenant.

use crate::domain::{Code, Problem, TenantId};
use crate::store::TenantRow;

/// Who asks: what a valid token opens.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The token's name; change records show it.
    pub name: String,
    /// Whether the token may make and change objects.
    pub write: bool,
    /// Whether the token may delete objects.
    pub delete: bool,
    /// Whether the token may see the schema and the playground where not everybody may.
    pub explore: bool,
    /// The tenant that this request has selected.
    pub selected: Selected,
    /// The tenants that exist for this viewer; `None` is all of them.
    pub(super) tenants: Option<Vec<TenantId>>,
    /// The hash of the token, to look again whether it is still good; `None` for the program itself.
    pub(super) token: Option<[u8; 32]>,
}

/// The tenant that holds for a whole request, as the header or else the token says.
#[derive(Clone, Debug)]
pub enum Selected {
    /// Neither names one.
    None,
    /// The one that is named does not exist for the viewer; the code that the request named, if it did.
    Unknown(Option<String>),
    /// The tenant, as it was when the request began.
    Tenant(Box<TenantRow>),
}

impl Viewer {
    /// The program itself, under this name: sees all tenants and may write. The demo data is saved so.
    pub fn system(name: &str) -> Self {
        let (write, delete, explore) = (true, true, true);
        Self { name: name.to_owned(), write, delete, explore, selected: Selected::None, tenants: None, token: None }
    }

    /// Why this viewer may not make or change tenants themselves, if so: that is for tokens for all tenants.
    pub(super) fn kept_from_tenants(&self) -> Option<Problem> {
        let rule = "needs a token for all tenants with the scope write";
        (!self.write || self.tenants.is_some()).then(|| Problem::new(Code::Forbidden, rule))
    }

    /// Whether a tenant exists for this viewer. What is not visible answers like what does not exist.
    pub fn sees(&self, tenant: TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
    }
}
