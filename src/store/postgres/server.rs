//! How to connect to a PostgreSQL database: the URL and TLS.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::client::{self, BlockingClient};
use super::errors::store_error;
use crate::store::error::{Result as Stored, StoreError};

/// The connect timeout for each host, unless the URL sets one.
const CONNECT: Duration = Duration::from_secs(5);
/// How long sent data may stay unacknowledged before the connection counts as lost, unless the URL sets it.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Parameters of every session, unless the `options` of the URL set them. They limit statements, waits for locks and
/// idle transactions.
const PARAMETERS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "30s")];

/// A database on a PostgreSQL server: the settings of its URL, with vext's defaults for those that it leaves out.
#[derive(Clone)]
pub struct PostgresServer {
    config: Box<Config>,
    tls: MakeRustlsConnect,
}

impl PostgresServer {
    /// Parses a URL as libpq does: `postgres://user:password@host1,host2:5433/database?option=value`. `sslmode` may be
    /// `disable`, `prefer`, `require` (the last two do not verify the certificate) or `verify-full`, which trusts the
    /// authorities in the PEM file `sslrootcert`, or else those of the system.
    ///
    /// # Errors
    /// One sentence that does not repeat the URL, because it may contain a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut kept, mut mode, mut root) = (Vec::new(), None, None);
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => root = Some(PathBuf::from(value)),
                _ => kept.push(option),
            }
        }
        let why = |e: tokio_postgres::Error| {
            // The crate's error names the option, and its source says what is wrong with it.
            let source = std::error::Error::source(&e).map(|source| format!(": {source}")).unwrap_or_default();
            format!("--database: the PostgreSQL URL cannot be read: {e}{source}")
        };
        let mut config: Config = format!("{base}?{}", kept.join("&")).parse().map_err(why)?;
        if config.get_hosts().is_empty() {
            return Err("--database: the PostgreSQL URL names no host; write postgres://user@host/database".into());
        }
        let verify = match mode {
            Some("disable") => {
                config.ssl_mode(SslMode::Disable);
                false
            }
            None | Some("prefer") => {
                config.ssl_mode(SslMode::Prefer);
                false
            }
            Some("require") => {
                config.ssl_mode(SslMode::Require);
                false
            }
            Some("verify-full") => {
                config.ssl_mode(SslMode::Require);
                true
            }
            Some(_) => return Err("--database: sslmode must be disable, prefer, require or verify-full".into()),
        };
        if root.is_some() && !verify {
            return Err("--database: sslrootcert is only used with sslmode=verify-full".into());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        if config.get_application_name().is_none() {
            config.application_name("vext");
        }
        Ok(Self { config: Box::new(config), tls: MakeRustlsConnect::new(tls(verify, root.as_deref())?) })
    }

    /// Connects to the first suitable host and sets the [`PARAMETERS`]. Blocks and must not be called from an async
    /// task.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) fn connect(&self) -> Stored<BlockingClient> {
        let runtime = client::runtime().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let connected = BlockingClient::connect(runtime, &self.config, self.tls());
        let mut client = connected.map_err(|error| match store_error(&error) {
            // No statement has run yet, so these errors mean that the connection failed.
            StoreError::Bug(why) | StoreError::Invalid(why) => StoreError::Unavailable(why),
            other => other,
        })?;
        for (parameter, value) in PARAMETERS.into_iter().filter(|(parameter, _)| !self.sets(parameter)) {
            let set = format!("SET {parameter} = '{value}'");
            client.block_on(async |client| client.batch_execute(&set).await).map_err(|error| store_error(&error))?;
        }
        Ok(client)
    }

    /// The TLS settings for connections.
    pub(super) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// Whether the URL sets a session parameter itself.
    pub(super) fn sets(&self, parameter: &str) -> bool {
        self.config.get_options().is_some_and(|options| options.contains(parameter))
    }

    /// Whether the URL contains a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The database's name.
    pub(super) fn name(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("vext")
    }
}

impl fmt::Display for PostgresServer {
    /// The URL without user, password and options: `postgres://host1,host2/database`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.config.get_hosts().iter().map(host).collect();
        write!(f, "postgres://{}/{}", hosts.join(","), self.name())
    }
}

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}

fn tls(verify: bool, root: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if verify {
        let roots = Arc::new(root.map_or_else(|| Ok(system_roots()), roots_of)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        verifier.map_err(|e| format!("--database: sslmode=verify-full has no certificates to verify with: {e}"))?
    } else {
        Arc::new(Unverified(Arc::clone(&provider)))
    };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|e| format!("TLS cannot be set up: {e}"))?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let why = |e: &dyn fmt::Display| format!("--database: sslrootcert {}: {e}", path.display());
    let file = File::open(path).map_err(|e| why(&e))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
        roots.add(certificate.map_err(|e| why(&e))?).map_err(|e| why(&e))?;
    }
    if roots.is_empty() { Err(why(&"it holds no certificate")) } else { Ok(roots) }
}

/// Accepts any certificate: connections are encrypted, but the server is not verified. libpq does the same in the modes
/// `prefer` and `require`.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_libpq_reads_it() {
        let server =
            PostgresServer::parse("postgres://me:secret@a,b/vext?target_session_attrs=read-write&sslmode=require");
        let server = server.unwrap();
        assert_eq!(server.to_string(), "postgres://a,b/vext");
        assert_eq!(server.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(server.config.get_connect_timeout(), Some(&CONNECT));
        let own = PostgresServer::parse("postgresql:///vext?host=/run/postgresql&connect_timeout=2").unwrap();
        assert_eq!(own.to_string(), "postgres:///run/postgresql/vext");
        assert_eq!(own.config.get_connect_timeout(), Some(&Duration::from_secs(2)));
    }

    #[test]
    fn errors_in_a_url_do_not_repeat_it() {
        for (url, word) in [
            ("postgres://me:hush@a/vext?sslmode=allow", "sslmode must be"),
            ("postgres://me:hush@a/vext?sslrootcert=/x", "only used with sslmode=verify-full"),
            ("postgres://me:hush@a/vext?sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem"),
            ("postgres://me:hush@a/vext?colour=red", "colour"),
            ("postgres://me:hush@a:port/vext", "port"),
            ("postgres:///vext", "no host"),
        ] {
            let why = PostgresServer::parse(url).map(|s| s.to_string()).unwrap_err();
            assert!(why.contains(word) && !why.contains("hush") && !why.contains('\n'), "{url}: {why}");
        }
    }
}
