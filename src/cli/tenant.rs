//! `vext tenant`.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::output::{CommandResult, print, problems_failure, table};
use crate::config::DatabaseSettings;
use crate::domain::{Patch, Sent};
use crate::service::TenantRow;

/// Create, list and delete tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Create a tenant, and the SQLite file if there is none yet.
    Create(TenantCreate),
    /// List the tenants.
    List(DatabaseSettings),
    /// Delete a tenant and everything in it, permanently.
    Delete(TenantDelete),
}

impl TenantCommand {
    pub(super) fn run(self) -> CommandResult {
        match self {
            Self::Create(create) => create.run(),
            Self::List(database) => list(&database),
            Self::Delete(delete) => delete.run(),
        }
    }
}

/// Create a tenant, and the SQLite file if there is none yet.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext tenant create --code ACME --name 'Acme Ltd' --timezone Europe/Rome --transcription")]
#[command(next_help_heading = "Tenant")]
pub struct TenantCreate {
    /// Code by which clients and tokens refer to the tenant.
    #[arg(long, env = "VEXT_TENANT_CODE")]
    pub code: String,

    /// Name of the tenant, for people to read.
    #[arg(long, env = "VEXT_TENANT_NAME")]
    pub name: String,

    /// Time zone of the tenant's hours and calendars, by its name in the IANA database.
    #[arg(long, env = "VEXT_TENANT_TIMEZONE", value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,

    /// Allow the tenant to use transcription.
    #[arg(long, env = "VEXT_TENANT_TRANSCRIPTION", value_parser = BoolishValueParser::new())]
    pub transcription: bool,

    /// Allow the tenant to use the AI features.
    #[arg(long, env = "VEXT_TENANT_AI", value_parser = BoolishValueParser::new())]
    pub ai: bool,

    /// Digits to put in front of short dialled numbers, at most 8.
    #[arg(long, env = "VEXT_TENANT_AREA_CODE", value_name = "DIGITS", default_value = "")]
    pub area_code: String,

    /// Minimum length of a number that gets the area code.
    #[arg(long, env = "VEXT_TENANT_AREA_CODE_MIN_DIGITS", value_name = "COUNT", default_value = "0")]
    pub area_code_min_digits: i64,

    /// Maximum length of a number that gets the area code.
    #[arg(long, env = "VEXT_TENANT_AREA_CODE_MAX_DIGITS", value_name = "COUNT", default_value = "20")]
    pub area_code_max_digits: i64,

    /// Regular expression that a number must match to get the area code [default: every number matches]
    #[arg(long, env = "VEXT_TENANT_AREA_CODE_REGEX", value_name = "REGEX")]
    pub area_code_regex: Option<String>,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,
}

impl TenantCreate {
    fn run(self) -> CommandResult {
        let app = self.database.open_or_create(1)?;
        let fields = [
            ("code", Sent::from(self.code)),
            ("name", self.name.into()),
            ("timezone", self.timezone.into()),
            ("transcription", self.transcription.into()),
            ("ai", self.ai.into()),
            ("areaCode", self.area_code.into()),
            ("areaCodeMinDigits", self.area_code_min_digits.into()),
            ("areaCodeMaxDigits", self.area_code_max_digits.into()),
        ];
        let regex = self.area_code_regex.map(|regex| ("areaCodeRegex", regex.into()));
        let request: Patch = fields.into_iter().chain(regex).collect();
        let tenant = Runtime::new()?.block_on(app.create_tenant(&request))?.map_err(problems_failure)?;
        print(&format!("Created tenant {}.\n", tenant.settings.code.as_str()))
    }
}

/// Delete a tenant and everything in it, permanently.
#[derive(Args, Debug)]
#[command(after_help = "\
Also discards an interrupted import, which frees the code again.

Example:
  vext export --tenant ACME --to acme.jsonl && vext tenant delete --code ACME --yes")]
#[command(next_help_heading = "Tenant")]
pub struct TenantDelete {
    /// Code by which clients and tokens refer to the tenant.
    #[arg(long, env = "VEXT_TENANT_CODE")]
    pub code: String,

    /// Confirm the deletion; without this, nothing is deleted.
    #[arg(long, env = "VEXT_TENANT_YES", value_parser = BoolishValueParser::new())]
    pub yes: bool,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,
}

impl TenantDelete {
    fn run(self) -> CommandResult {
        let Self { code, yes, database } = self;
        if !yes {
            return Err(
                format!("this permanently deletes the tenant {code} and everything in it: confirm with --yes").into()
            );
        }
        let app = database.open()?;
        match Runtime::new()?.block_on(app.delete_tenant(&code))? {
            true => print(&format!("Deleted tenant {code}.\n")),
            false => Err(format!("there is no tenant {code}").into()),
        }
    }
}

fn list(database: &DatabaseSettings) -> CommandResult {
    let app = database.open()?;
    let tenants = Runtime::new()?.block_on(app.tenants())?;
    let row = |TenantRow { settings, .. }: TenantRow| {
        [settings.code.as_str(), settings.name.as_str(), settings.timezone.as_str()].map(str::to_owned)
    };
    print(&table(["CODE", "NAME", "TIME ZONE"], tenants.into_iter().map(row)))
}
