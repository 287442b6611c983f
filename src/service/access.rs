//! Bearer tokens and the access that they give.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::app::App;
use super::token::{NewToken, TokenMark, hash};
use super::viewer::{Selected, Viewer};
use crate::domain::{Code, Problem, TenantId};
use crate::store::{self, DataVersion, Outcome, Session, Snapshot, StoreError, TokenRow};

/// Looks up the viewer of a bearer token, see [`App::authenticate`].
fn find_viewer(session: &mut dyn Session, token: &str, header: Option<String>) -> store::Result<Option<Viewer>> {
    let hash = hash(token);
    let (token, row) = store::find_token_and_tenant(session, &hash, header.as_deref())?;
    let Some(token) = token else { return Ok(None) };
    let named = header.is_some() || token.selected.is_some();
    let has = |scope| token.scopes.split(' ').any(|own| own == scope);
    let mut viewer = Viewer {
        write: has("write"),
        delete: has("delete"),
        explore: has("explore"),
        name: token.name,
        selected: if named { Selected::Unknown(header) } else { Selected::None },
        tenants: (!token.all_tenants).then_some(token.tenants),
        token: Some(hash),
    };
    if let Some(row) = row.filter(|row| viewer.sees(row.id)) {
        viewer.selected = Selected::Tenant(Box::new(row));
    }
    Ok(Some(viewer))
}

impl App {
    /// Looks up the viewer of a bearer token, with the tenant that the code in `header`, or otherwise the token,
    /// selects. `None` if the token is unknown or revoked.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn authenticate(
        &self,
        snapshot: &Snapshot,
        token: &str,
        header: Option<String>,
    ) -> store::Result<Option<Viewer>> {
        let token = token.to_owned();
        snapshot.read_system(move |session| find_viewer(session, &token, header)).await
    }

    /// The cached viewer of a bearer token, if the token was looked up in this state of the database.
    pub fn cached_viewer(&self, data_version: DataVersion, token: &str, header: Option<&str>) -> Option<Arc<Viewer>> {
        self.viewers.get(data_version, token, header)
    }

    /// Looks up the viewer of a bearer token in a transaction that began after the database was in the state `before`.
    /// A `cached` viewer is used if the database is still in that state.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn authenticate_in(
        &self,
        session: &mut dyn Session,
        (token, header): (&str, Option<String>),
        (before, cached): (Option<DataVersion>, Option<Arc<Viewer>>),
    ) -> store::Result<Option<Arc<Viewer>>> {
        let still = |before| self.store.is_unchanged_since(before);
        if let Some(viewer) = cached.filter(|_| before.is_some_and(still)) {
            return Ok(Some(viewer));
        }
        let found = find_viewer(session, token, header.clone())?.map(Arc::new);
        if let (Some(data_version), Some(viewer)) = (before, &found) {
            self.viewers.put(data_version, token, header.as_deref(), Arc::clone(viewer));
        }
        Ok(found)
    }

    /// The marks of the newest valid tokens, at most `most` of them. Fails if the read takes longer than `within`.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn valid_tokens(&self, most: usize, within: Duration) -> store::Result<HashSet<TokenMark>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let read = move |session: &mut dyn Session| {
            let mut marks = HashSet::new();
            store::each_valid_token_hash(session, most, &mut |hash| {
                marks.insert(TokenMark::from_hash(hash));
            })?;
            Ok(marks)
        };
        self.snapshot().with_time_limit(within).read_system(read).await
    }

    /// Whether a viewer's token is still valid for this tenant.
    ///
    /// # Errors
    /// Errors of the store.
    pub(super) async fn token_is_valid(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        tenant: TenantId,
    ) -> store::Result<bool> {
        let Some(hash) = viewer.token else { return Ok(true) };
        let found = snapshot.read_system(move |session| store::find_token(session, &hash)).await?;
        Ok(found.is_some_and(|token| token.all_tenants || token.tenants.contains(&tenant)))
    }

    /// Creates a token and returns it. Its text cannot be read again later. `fixed` sets the text, for scripts.
    ///
    /// # Errors
    /// All problems with the request, or an error of the store.
    pub async fn create_token(
        &self,
        new: NewToken,
        fixed: Option<String>,
    ) -> Result<Result<String, Vec<Problem>>, StoreError> {
        let mut bytes = [0; 32];
        self.environment.random.fill(&mut bytes);
        let token = fixed.unwrap_or_else(|| format!("vext_{}", URL_SAFE_NO_PAD.encode(bytes)));
        let (hash, now) = (hash(&token), self.now());
        let problems = self
            .store
            .write_system(move |session| {
                let mut problems = Vec::new();
                if new.name.trim().is_empty() || new.name.chars().any(char::is_control) {
                    problems.push(
                        Problem::new(Code::InvalidFormat, "must be one line of text").value(&new.name).under("name"),
                    );
                }
                if new.all_tenants != new.tenants.is_empty() {
                    problems.push(
                        Problem::new(Code::Contradiction, "must be either some tenants or all of them")
                            .under("tenants"),
                    );
                }
                let mut ids = Vec::new();
                for code in &new.tenants {
                    match store::tenant_by_code(session, code)? {
                        Some(tenant) => ids.push(tenant.id),
                        None => problems.push(
                            Problem::new(Code::NotFound, "must be the code of a tenant").value(code).under("tenants"),
                        ),
                    }
                }
                if !problems.is_empty() {
                    return Ok(Outcome::Rollback(problems));
                }
                let scopes = [("read", true), ("write", new.write), ("delete", new.delete), ("explore", new.explore)];
                let scopes = scopes.into_iter().filter_map(|(scope, has)| has.then_some(scope));
                let scopes = scopes.collect::<Vec<_>>().join(" ");
                let tenants = (!new.all_tenants).then_some(ids.as_slice());
                match store::create_token(session, &new.name, &hash, &scopes, tenants, now) {
                    Ok(()) => Ok(Outcome::Commit(Vec::new())),
                    // Another server has just used the next key.
                    Err(StoreError::Conflict { constraint }) if constraint == "token_pkey" => {
                        Err(StoreError::Stale(constraint))
                    }
                    Err(StoreError::Conflict { .. }) => {
                        let problem =
                            Problem::new(Code::Duplicate, "is in use by another token").value(&new.name).under("name");
                        Ok(Outcome::Rollback(vec![problem]))
                    }
                    Err(error) => Err(error),
                }
            })
            .await?;
        Ok(if problems.is_empty() { Ok(token) } else { Err(problems) })
    }

    /// All tokens by name, without their secrets.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn tokens(&self) -> store::Result<Vec<TokenRow>> {
        self.snapshot().read_system(store::list_tokens).await
    }

    /// Revokes a token at once. Returns false if there is no valid token with this name.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn revoke_token(&self, name: &str) -> store::Result<bool> {
        let (name, now) = (name.to_owned(), self.now());
        self.store.write_system(move |session| store::revoke_token(session, &name, now).map(Outcome::Commit)).await
    }
}
