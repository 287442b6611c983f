//! `vext serve`, and the code that it shares with `vext demo`.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use clap::builder::BoolishValueParser;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use super::output::{CommandResult, Failure};
use crate::config::{BackupSettings, DatabaseSettings, ServerSettings};
use crate::domain::Environment;
use crate::graphql::{self, Limits};
use crate::http::{self, DocumentSettings, DoorOptions, FairUse, STACK, ServeOptions, StreamSettings};
use crate::operations::FileCheck;

/// The log target of the command line, whatever file logs.
const LOG_TARGET: &str = "vext::cli";

/// Serve the API until SIGTERM or Ctrl-C.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext serve --database sqlite:/var/lib/vext/vext.db --listen 127.0.0.1:8080 --log-format json
  vext serve --backup-every 24h --backup-keep 7 --backup-dir /var/backups/vext

A SQLite file of an older version is migrated first; with PostgreSQL, only `vext migrate` does that.
Put a proxy in front that speaks TLS.")]
pub struct Serve {
    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// Create the database if it does not exist. Without this, a missing file is an error, because its path may be
    /// mistyped.
    #[arg(long, env = "VEXT_CREATE", help_heading = "Database", value_parser = BoolishValueParser::new())]
    pub create: bool,

    /// How the server answers.
    #[command(flatten)]
    pub server: ServerSettings,

    /// What one request may ask for.
    #[command(flatten)]
    pub limits: Limits,

    /// Which documents are answered.
    #[command(flatten)]
    pub documents: DocumentSettings,

    /// Access from browsers.
    #[command(flatten)]
    pub door: DoorOptions,

    /// Show the schema and the playground to everybody and suggest names in errors, as the demo does; for development.
    #[arg(long, env = "VEXT_EXPLORABLE", help_heading = "Door", value_parser = BoolishValueParser::new())]
    pub explorable: bool,

    /// How sockets and event streams behave.
    #[command(flatten)]
    pub streaming: StreamSettings,

    /// How much one client may take.
    #[command(flatten)]
    pub fair: FairUse,

    /// Automatic backups.
    #[command(flatten)]
    pub backups: BackupSettings,
}

impl Serve {
    pub(super) fn run(self) -> CommandResult {
        let schedule = self.backups.schedule()?;
        let database = self.database.database()?;
        if !self.create {
            self.database.must_exist().map_err(|error| format!("{error}, and so does --create"))?;
        }
        let runtime = runtime()?;
        let (stop, listener) =
            runtime.block_on(async { Ok::<_, Failure>((stop_signal()?, bind(self.server.listen).await?)) })?;
        // In parallel with opening the database.
        std::thread::spawn(graphql::prepare);
        let is_left_open = database.is_left_open();
        let app = self.database.open_or_create(self.server.readers())?;
        let check = FileCheck::start(&database, is_left_open)?;
        // Dropped at the end of this function, after the server has stopped.
        let _backups = schedule.map(|schedule| schedule.start(&database, &Environment::system())).transpose()?;
        if runtime.block_on(app.tenants())?.is_empty() {
            tracing::warn!(target: LOG_TARGET, "there is no tenant yet; `vext tenant create` creates one");
        } else if runtime.block_on(app.tokens())?.is_empty() {
            tracing::warn!(target: LOG_TARGET, "there is no token yet; `vext token create` creates one");
        }
        let (address, version, schema) = (listener.local_addr()?, env!("CARGO_PKG_VERSION"), database.schema());
        tracing::info!(target: LOG_TARGET, %address, %version, %database, schema, "listening");
        let options = ServeOptions {
            demo_token: None,
            grace: self.server.shutdown_grace,
            delay: self.server.shutdown_delay,
            limits: self.limits,
            documents: self.documents,
            door: self.door,
            explorable: self.explorable,
            streaming: self.streaming,
            fair: self.fair,
            watch: self.server.watch,
        };
        runtime.block_on(http::serve(app, listener, options, stop_or_damage(stop, check.as_ref())))?;
        tracing::info!(target: LOG_TARGET, "stopped");
        check.map_or(Ok(()), |check| check.result())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The runtime with the threads that execute requests.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()
}

pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: another program already does (see --listen)").into()
        }
        _ => format!("cannot listen on {address}: {e}").into(),
    })
}

/// Completes with the first SIGTERM or Ctrl-C, even if it arrives before the future is polled.
pub(super) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes with `stop`, or when the database file turns out to be damaged.
pub(super) fn stop_or_damage(
    stop: impl Future<Output = ()> + Send + 'static,
    check: Option<&FileCheck>,
) -> impl Future<Output = ()> + Send + 'static {
    let damaged = check.map(FileCheck::until_damaged);
    async move {
        let damaged = async {
            match damaged {
                Some(damaged) => damaged.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop => {}
            () = damaged => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_is_reported() {
        Runtime::new().unwrap().block_on(async {
            let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            let address = first.local_addr().unwrap();
            let why = bind(address).await.unwrap_err().to_string();
            assert!(why.contains(&address.to_string()) && !why.contains('\n'), "{why}");
        });
    }
}
