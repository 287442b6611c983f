//! `vext tenant`.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::{Outcome, open, print, sentences, table};
use crate::config::DatabaseSettings;
use crate::service::{TenantRequest, TenantRow};

/// Make and list tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant, and the database if there is none yet.
    Create(TenantCreate),
    /// List the tenants.
    List(DatabaseSettings),
}

impl TenantCommand {
    pub(super) fn run(self) -> Outcome {
        match self {
            Self::Create(create) => create.run(),
            Self::List(database) => list(&database),
        }
    }
}

/// Make a tenant, and the database if there is none yet.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext tenant create --code ACME --name 'Acme Ltd' --timezone Europe/Rome --transcription")]
#[command(next_help_heading = "Tenant")]
pub struct TenantCreate {
    /// Code by which clients and tokens name the tenant.
    #[arg(long, env = "VEXT_TENANT_CODE")]
    pub code: String,

    /// Name that people read.
    #[arg(long, env = "VEXT_TENANT_NAME")]
    pub name: String,

    /// Time zone of the tenant's hours and calendars, as the IANA database names it.
    #[arg(long, env = "VEXT_TENANT_TIMEZONE", value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,

    /// The tenant may use transcription.
    #[arg(long, env = "VEXT_TENANT_TRANSCRIPTION", value_parser = BoolishValueParser::new())]
    pub transcription: bool,

    /// The tenant may use the AI features.
    #[arg(long, env = "VEXT_TENANT_AI", value_parser = BoolishValueParser::new())]
    pub ai: bool,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,
}

impl TenantCreate {
    fn run(self) -> Outcome {
        let app = open(self.database.path()?, self.database.key_path()?, 1)?;
        let Self { code, name, timezone, transcription, ai, .. } = self;
        // Without an area code there is nothing for the other three to decide.
        let (area_code, area_code_digits, area_code_regex) = (String::new(), (0, 20), None);
        let request =
            TenantRequest { code, name, timezone, transcription, ai, area_code, area_code_digits, area_code_regex };
        let tenant = Runtime::new()?.block_on(app.create_tenant(request))?.map_err(sentences)?;
        print(&format!("Tenant {} is there.\n", tenant.code))
    }
}

fn list(database: &DatabaseSettings) -> Outcome {
    let app = database.open()?;
    let tenants = Runtime::new()?.block_on(app.tenants())?;
    let row = |tenant: TenantRow| [tenant.code, tenant.name, tenant.timezone.as_str().to_owned()];
    print(&table(["CODE", "NAME", "TIME ZONE"], tenants.into_iter().map(row)))
}
