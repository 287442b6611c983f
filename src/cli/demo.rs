//! `vext demo`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use super::output::{CommandResult, Failure, print, problems_failure};
use super::serve::{bind, runtime, stop_or_damage, stop_signal};
use crate::config::{ServerSettings, default_key_path, parse_database};
use crate::domain::Environment;
use crate::graphql::Limits;
use crate::http::{self, DocumentSettings, DoorOptions, FairUse, ServeOptions, StreamSettings};
use crate::operations::FileCheck;
use crate::operations::demo::{self, CANISTRACCI, MOLLOY};
use crate::service::{App, NewToken, OpenOptions};
use crate::store::{Database, TenantRow};

/// Serve a demo tenant with a playground, from a temporary database.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext demo                                        look around at http://127.0.0.1:8080/playground/
  vext demo --listen 127.0.0.1:0 --token T         for scripts: any free port, a known token
  vext demo --database demo.db                     keep changes for the next time")]
pub struct Demo {
    // Not the option of `serve`, so that a settings file does not direct demo data into a real database.
    /// Database to use and keep: `sqlite:PATH`, a plain path, or `postgres://USER@HOST/NAME` [default: a temporary one]
    #[arg(long, env = "VEXT_DEMO_DATABASE", value_name = "URL", help_heading = "Demo", hide_env_values = true)]
    database: Option<String>,

    /// Token that lets clients in [default: a random one]
    #[arg(long, env = "VEXT_DEMO_TOKEN", value_name = "TOKEN", help_heading = "Demo", hide_env_values = true)]
    token: Option<String>,

    /// How the server answers.
    #[command(flatten)]
    server: ServerSettings,

    /// What one request may ask for.
    #[command(flatten)]
    limits: Limits,

    /// Which documents are answered.
    #[command(flatten)]
    documents: DocumentSettings,

    /// Access from browsers.
    #[command(flatten)]
    door: DoorOptions,

    /// How sockets and event streams behave.
    #[command(flatten)]
    streaming: StreamSettings,

    /// How much one client may take.
    #[command(flatten)]
    fair: FairUse,
}

impl Demo {
    pub(super) fn run(self) -> CommandResult {
        let runtime = runtime()?;
        let (stop, listener) =
            runtime.block_on(async { Ok::<_, Failure>((stop_signal()?, bind(self.server.listen).await?)) })?;
        // Outlives the database in it, and is deleted however this function ends.
        let temporary = tempfile::Builder::new().prefix("vext-demo-").tempdir()?;
        let database = match &self.database {
            Some(url) => parse_database(url)?,
            None => Database::Sqlite(temporary.path().join("vext.db")),
        };
        let (key_file, readers) = (default_key_path(&database), self.server.readers());
        let environment = Environment::system();
        let is_left_open = database.is_left_open();
        let app = App::open(&OpenOptions { database: database.clone(), key_file, readers, environment })?;
        let check = FileCheck::start(&database, is_left_open)?;
        let address = listener.local_addr()?;
        runtime.block_on(async {
            // The demo's tenants are not added to a database with other tenants.
            let is_demo = |tenant: &TenantRow| [CANISTRACCI, MOLLOY].contains(&tenant.settings.code.as_str());
            if app.tenants().await?.iter().all(is_demo) {
                demo::fill(&app).await?;
            }
            let tenants = app.tenants().await?;
            let codes = tenants.iter().map(|tenant| tenant.settings.code.as_str().to_owned()).collect();
            let token = demo_token(&app, codes, self.token).await?;
            let tenants: Vec<_> = tenants
                .iter()
                .map(|tenant| format!("{} ({})", tenant.settings.code.as_str(), tenant.settings.name.as_str()))
                .collect();
            let lifetime = if self.database.is_some() { "kept" } else { "deleted when the demo ends" };
            print(&welcome(address, &token, &tenants.join(", "), &format!("{database} ({lifetime})")))?;
            let options = ServeOptions {
                demo_token: Some(token),
                grace: self.server.shutdown_grace,
                delay: self.server.shutdown_delay,
                limits: self.limits,
                documents: self.documents,
                door: self.door,
                explorable: true,
                streaming: self.streaming,
                fair: self.fair,
                watch: self.server.watch,
            };
            Ok::<_, Failure>(http::serve(app, listener, options, stop_or_damage(stop, check.as_ref())).await?)
        })?;
        check.map_or(Ok(()), |check| check.result())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A token for all tenants of the demo.
async fn demo_token(app: &App, tenants: Vec<String>, fixed: Option<String>) -> Result<String, Failure> {
    // A database kept from an earlier run has its tokens, and the name of a token cannot be used twice.
    if let Some(token) = &fixed
        && app.authenticate(&app.snapshot(), token, None).await?.is_some()
    {
        return Ok(token.clone());
    }
    let name = format!("demo {}", app.tokens().await?.len() + 1);
    let new = NewToken { name, tenants, all_tenants: false, write: true, delete: true, explore: true };
    app.create_token(new, fixed).await?.map_err(problems_failure)
}

/// The text that the demo prints when it is ready.
fn welcome(address: SocketAddr, token: &str, tenants: &str, database: &str) -> String {
    let base = match address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    };
    format!(
        r#"The vext demo is running; Ctrl-C stops it.

  Playground  {base}/playground/
  GraphQL     {base}/graphql
  Token       {token}
  Tenants     {tenants}
  Database    {database}

Try:

  curl {base}/graphql \
    -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
    -d '{{"query": "{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{ name information {{ members {{ number name }} }} }} }} }}"}}'

"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_shows_an_address_that_a_browser_can_open() {
        let text = welcome("0.0.0.0:81".parse().unwrap(), "T", "A (a)", "x");
        assert!(text.contains("http://localhost:81/playground/") && text.contains("Bearer T"), "{text}");
    }
}
