//! Tenants: making them, finding the one that a request means.

use super::{App, Viewer, forms};
use crate::domain::{Amount, Code, Kind, Pattern, Problem, Scalar, TenantCode, Text, TimeZone};
use crate::form::Form;
use crate::store::{self, NewObject, NewTenant, Outcome, Snapshot, StoreError, TenantRow, Tx};

/// A tenant that somebody asks for, not yet checked.
#[derive(Clone, Debug)]
pub struct TenantRequest {
    /// How people and configuration will name it: 2 to 32 capital letters, digits or `_`.
    pub code: String,
    /// Its name, 1 to 80 characters.
    pub name: String,
    /// The time zone of its conditions, from the IANA database.
    pub timezone: String,
    /// Whether recordings can be transcribed.
    pub transcription: bool,
    /// Whether transcripts can be summarised and assessed.
    pub ai: bool,
    /// The digits put in front of short dialled numbers.
    pub area_code: String,
    /// The least and the greatest length of a number that gets the area code.
    pub area_code_digits: (i64, i64),
    /// The expression that a number must match to get the area code.
    pub area_code_regex: Option<String>,
}

impl TenantRequest {
    fn check(&self) -> Result<NewTenant, Vec<Problem>> {
        fn parsed<T: Scalar>(sent: &T::Sent, field: &str, problems: &mut Vec<Problem>) -> Option<T> {
            T::parse(sent).map_err(|p| problems.push(p.under(field))).ok()
        }
        let mut problems = Vec::new();
        let code = parsed::<TenantCode>(&self.code, "code", &mut problems);
        let name = parsed::<Text<80>>(&self.name, "name", &mut problems);
        if name.as_ref().is_some_and(Text::is_empty) {
            problems.push(Problem::new(Code::Required, "is required").under("name"));
        }
        let timezone = parsed::<TimeZone>(&self.timezone, "timezone", &mut problems);
        let area_code = parsed(&self.area_code, "areaCode", &mut problems);
        let min = parsed::<Amount<0, 20>>(&self.area_code_digits.0, "areaCodeMinDigits", &mut problems);
        let max = parsed::<Amount<0, 20>>(&self.area_code_digits.1, "areaCodeMaxDigits", &mut problems);
        let regex = self.area_code_regex.clone().map(crate::domain::PatternSent);
        let regex = regex.map(|sent| parsed::<Pattern>(&sent, "areaCodeRegex", &mut problems));
        match (code, name, timezone, area_code, min, max) {
            (Some(code), Some(name), Some(timezone), Some(area_code), Some(min), Some(max)) if problems.is_empty() => {
                Ok(NewTenant {
                    code,
                    name: name.as_str().to_owned(),
                    timezone,
                    transcription: self.transcription,
                    ai: self.ai,
                    area_code,
                    area_code_min_digits: min,
                    area_code_max_digits: max,
                    area_code_regex: regex.flatten(),
                })
            }
            _ => Err(problems),
        }
    }
}

impl App {
    /// Makes a tenant together with its template for new virtual extensions.
    ///
    /// # Errors
    /// All that is wrong with the request, or what the store answers.
    pub async fn create_tenant(&self, request: TenantRequest) -> Result<Result<TenantRow, Vec<Problem>>, StoreError> {
        let new = match request.check() {
            Ok(new) => new,
            Err(problems) => return Ok(Err(problems)),
        };
        let now = self.now();
        self.store
            .write_system(move |session| {
                let id = match store::create_tenant(session, &new, now) {
                    Ok(id) => id,
                    Err(StoreError::Conflict { .. }) => {
                        let problem =
                            Problem::new(Code::Duplicate, "is in use by another tenant").value(new.code.as_str());
                        return Ok(Outcome::Rollback(Err(vec![problem.under("code")])));
                    }
                    Err(error) => return Err(error),
                };
                let tx = &mut Tx::begin(session, id)?;
                let template =
                    NewObject { kind: Kind::FormDefaults, number: None, name: "", description: "", enabled: true };
                let template = store::insert_plain(tx, template, now)?;
                forms::save_sections(tx, template.local, None, &Form::initial())?;
                store::set_defaults(tx, template.local)?;
                Ok(Outcome::Commit(Ok(store::own_tenant(tx)?)))
            })
            .await
    }

    /// All tenants by code.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tenants(&self) -> store::Result<Vec<TenantRow>> {
        self.snapshot().read_system(store::tenants).await
    }

    /// The tenants that a viewer sees, by code.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn visible_tenants(&self, snapshot: &Snapshot, viewer: &Viewer) -> store::Result<Vec<TenantRow>> {
        let all = snapshot.read_system(store::tenants).await?;
        Ok(all.into_iter().filter(|tenant| viewer.sees(tenant.id)).collect())
    }

    /// The tenant with this code; `None` when it does not exist for this viewer.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tenant(&self, snapshot: &Snapshot, viewer: &Viewer, code: String) -> store::Result<Option<TenantRow>> {
        let row = snapshot.read_system(move |session| store::tenant_by_code(session, &code)).await?;
        Ok(row.filter(|tenant| viewer.sees(tenant.id)))
    }
}
