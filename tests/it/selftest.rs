//! `vext selftest` against servers that are right, and against servers that are wrong in one thing each.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::forwarder::{Change, Message, NOTHING, forward, forward_tls, web_server};
use crate::playground::missing;
use crate::process::{Process, error, output_within, vext};

/// A debug build on a busy machine takes its time.
const PATIENT: [&str; 2] = ["--timeout", "60s"];
/// Nobody is waited for longer than a test needs.
const IMPATIENT: [&str; 2] = ["--client-timeout", "5s"];
const WHOLE: std::time::Duration = std::time::Duration::from_secs(300);

/// A server in production with a tenant, and a token of it.
struct Production {
    server: Process,
    token: String,
    _folder: tempfile::TempDir,
}

impl Production {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("vext.db").to_str().unwrap().to_owned();
        let run = |arguments: &[&str]| {
            let output = vext(arguments).args(["--database", &database]).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", error(&output));
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["tenant", "create", "--code", "ACME", "--name", "Acme", "--timezone", "Europe/Rome"]);
        let token = run(&["token", "create", "--name", "selftest", "--tenant", "ACME"]).trim().to_owned();
        // Many are made up here within a minute.
        let limits = ["--rate-sign-in", "0", "--socket-init-timeout", "1s", IMPATIENT[0], IMPATIENT[1]];
        let server = Process::start(&[&["serve", "--database", &database], &limits[..], options].concat());
        Self { server, token, _folder: folder }
    }
}

fn selftest(url: &str, token: Option<&str>, more: &[&str]) -> Output {
    let mut command = vext(&["selftest", "--url", url]);
    command.args(PATIENT).args(more).envs(token.map(|token| ("VEXT_SELFTEST_TOKEN", token)));
    output_within(&mut command, WHOLE)
}

/// The rows with one of these words, as `group: check`.
fn rows(output: &Output, words: &[&str]) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let cells = text.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
    let named = cells.filter_map(|mut cells| Some((cells.next()?, cells.next()?, cells.next()?)));
    named.filter(|(word, ..)| words.contains(word)).map(|(_, group, check)| format!("{group}: {check}")).collect()
}

/// Exit code 0, nothing failed, and these rows are skipped and noted.
fn holds(output: &Output, skipped: &[&str], noted: &[&str]) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", error(output));
    assert_eq!(rows(output, &["FAIL"]), [] as [&str; 0]);
    assert_eq!(rows(output, &["skip"]), skipped, "{text}");
    assert_eq!(rows(output, &["note"]), noted, "{text}");
    let ok = rows(output, &["ok"]).len();
    let summary = format!("{ok} ok, 0 failed, {} skipped, {} noted; ", skipped.len(), noted.len());
    let requests = text.lines().last().unwrap().strip_prefix(&summary).unwrap_or_else(|| panic!("{text}"));
    let requests: usize = requests.strip_suffix(" requests.").unwrap().parse().unwrap();
    assert!(ok > 60 && requests < 200, "{summary}{requests}");
}

#[test]
fn a_server_in_production_holds() {
    let Production { server, token, .. } = &Production::start();
    let url = format!("http://{}", server.address);
    let output = selftest(&url, Some(token), &[]);
    holds(&output, &[], &[]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains(&**token), "the token is not printed");
    // Through a proxy that passes everything on, below a path of the server's own.
    holds(&selftest(&format!("http://{}/graphql", forward(&server.address, NOTHING)), Some(token), &[]), &[], &[]);
    // Without a token the door judges little more than itself: what needs one is named.
    let output = selftest(&url, None, &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), rows(&output, &["FAIL", "note"])), (Some(0), Vec::new()), "{text}");
    let skipped = rows(&output, &["skip"]);
    for needing in
        ["protocol: a query in a POST", "documents: codes of errors", "admission: aliases", "auth: the token"]
    {
        assert!(skipped.iter().any(|row| row == needing), "{needing}: {text}");
    }
    let judged = ["health", "headers", "production: a wrong name", "production: the", "auth: no token"];
    assert!(!skipped.iter().any(|row| judged.iter().any(|part| row.starts_with(part))), "{text}");
    assert!(rows(&output, &["ok"]).len() > 40, "{text}");
}

/// What it lets in is not known here; what it refuses is judged all the same.
#[test]
fn a_server_with_documents_of_its_own_holds() {
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("trusted.json");
    fs::write(&documents, r#"{"tenant": "{ tenant { code } }"}"#).unwrap();
    let options = ["--trusted-documents", documents.to_str().unwrap(), "--trusted-only"];
    let Production { server, token, .. } = &Production::with(&options);
    let skipped = [
        "protocol: a query in a POST",
        "protocol: the same for older clients",
        "protocol: a query in a GET",
        "protocol: an invalid document",
        "protocol: the same for older clients",
        "protocol: a mutation in a GET",
        "encodings: an answer in gzip",
        "encodings: an answer in br",
        "encodings: an answer in zstd",
        "persisted: a document, then its hash alone",
        "persisted: a GET with the ETag of the last",
        "persisted: an answer for one token",
        "streams: a query over WebSocket",
        "streams: events in a POST",
        "streams: events in a GET",
        "documents: the default of a variable in @include",
        "documents: an integer of more than 32 bits",
        "documents: fields that conflict below the top",
        "documents: invalid uses of __typename",
        "documents: escapes and descriptions",
        "documents: codes of errors",
        "production: suggestions in errors",
    ];
    holds(&selftest(&format!("http://{}", server.address), Some(token), &[]), &skipped, &[]);
}

#[test]
fn the_demo_holds_and_is_told_to_be_explorable() {
    let demo = Process::start(
        &[&["demo", "--token", "token-of-the-demo", "--socket-init-timeout", "1s"][..], &IMPATIENT].concat(),
    );
    let noted = [
        "production: the schema without a token",
        "production: a wrong name without a token",
        "production: suggestions in errors",
        "production: the playground without a token",
    ];
    let tenant = ["--tenant", "MOLLOY"];
    let output = selftest(&format!("http://{}", demo.address), Some("token-of-the-demo"), &tenant);
    holds(&output, &[], &noted);
    assert!(String::from_utf8_lossy(&output.stdout).contains("MOLLOY"));
    // A token that is none fails where it is used, and a limit of made-up ones that is reached is no failure.
    let output = selftest(&format!("http://{}", demo.address), Some("no-token-of-the-demo"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(rows(&output, &["FAIL", "skip"]).contains(&"auth: the token".to_owned()));
}

/// A server that thinks that we ask for too much is not judged, and not waited for without end.
#[test]
fn a_limit_that_is_met_is_no_failure() {
    let limited = ["demo", "--token", "token-of-the-demo", "--rate-address", "1", "--socket-init-timeout", "1s"];
    let demo = Process::start(&[&limited[..], &IMPATIENT].concat());
    let output = selftest(&format!("http://{}", demo.address), Some("token-of-the-demo"), &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), rows(&output, &["FAIL"])), (Some(0), Vec::new()), "{text}");
    assert!(rows(&output, &["skip"]).len() > 60 && text.contains("429 RATE_LIMITED"), "{text}");
}

/// What is broken, how, and the rows that alone may fail.
type Breakage = (&'static str, Change, &'static [&'static str]);

const fn requests(request: fn(&mut Message) -> bool) -> Change {
    Change { request, ..NOTHING }
}

const fn answers(answer: fn(&Message, &mut Message)) -> Change {
    Change { answer, ..NOTHING }
}

const BREAKAGES: &[Breakage] = &[
    (
        "shows the metrics",
        answers(|request, answer| {
            if request.head.starts_with("GET /metrics ") {
                answer.head = answer.head.replacen("404 Not Found", "200 OK", 1);
            }
        }),
        &["health: /metrics"],
    ),
    (
        "takes forms for JSON",
        requests(|request| {
            request.head = request.head.replace("content-type: text/plain", "content-type: application/json");
            true
        }),
        &["protocol: a form that could be forged: text"],
    ),
    ("cuts long bodies", requests(|request| request.body.len() < 400_000), &["protocol: a body that is too long"]),
    (
        "makes everything a success",
        answers(|_, answer| answer.head = answer.head.replacen("400 Bad Request", "200 OK", 1)),
        &[
            "wire: HTTP/2 with prior knowledge",
            "wire: no Host",
            "wire: two Hosts",
            "wire: two X-Tenant",
            "protocol: an invalid document",
            "protocol: a body that is not JSON",
            "protocol: a list of requests",
            "protocol: a parameter of a wrong type",
            "protocol: no query",
        ],
    ),
    (
        "executes mutations in a GET",
        answers(|request, answer| {
            if request.head.starts_with("GET /graphql?query=mutation") {
                answer.head = "HTTP/1.1 200 OK\r\ncontent-length: 34\r\n\r\n".into();
                answer.body = r#"{"data":{"__typename":"Mutation"}}"#.into();
            }
        }),
        &["protocol: a mutation in a GET"],
    ),
    (
        "vouches for what a page can forge",
        requests(|request| {
            request.with("x-apollo-operation-name", "x");
            true
        }),
        &["protocol: a GET that could be forged", "streams: events in a GET that could be forged"],
    ),
    (
        "loses a header",
        answers(|_, answer| answer.without("x-content-type-options")),
        &["headers: x-content-type-options", "headers: the playground's policy"],
    ),
    (
        "has a policy of its own",
        answers(|_, answer| answer.with("content-security-policy", "default-src 'none'")),
        &["headers: content-security-policy", "headers: the playground's policy"],
    ),
    (
        "lets pages of all origins read",
        answers(|_, answer| answer.with("access-control-allow-origin", "*")),
        &["headers: a page of another origin", "headers: a preflight from another origin"],
    ),
    (
        "does not say what is packed",
        requests(|request| {
            request.head = request.head.replace("content-encoding: gzip\r\n", "");
            true
        }),
        &["encodings: a body of 12 MiB in gzip"],
    ),
    (
        "forgets what the client has",
        requests(|request| {
            request.without("if-none-match");
            true
        }),
        &["persisted: a GET with the ETag of the last"],
    ),
    (
        "does not say which page asks",
        requests(|request| {
            request.without("origin");
            true
        }),
        &["streams: WebSocket from another origin"],
    ),
    (
        "asks for another host",
        requests(|request| {
            request.with("host", "upstream");
            true
        }),
        &["wire: no Host", "wire: two Hosts", "streams: WebSocket from the same origin"],
    ),
    (
        "keeps who has begun a header",
        Change { waits: |begun| !begun.is_empty(), ..NOTHING },
        &["wire: idle connections"],
    ),
    (
        "speaks HTTP/2",
        answers(|request, answer| {
            if request.head.starts_with("PRI * HTTP/2.0") {
                (answer.head, answer.body) = ("\0\0\0\u{4}\0\0\0\0\0".into(), Vec::new());
            }
        }),
        &["wire: HTTP/2 with prior knowledge"],
    ),
    (
        "takes the last of two",
        requests(|request| {
            let last = request.header("x-tenant").map(|_| "B".to_owned());
            if let Some(last) = last {
                request.with("x-tenant", &last);
            }
            true
        }),
        &["wire: two X-Tenant"],
    ),
    (
        "shows how it finds files",
        answers(|request, answer| {
            if request.head.starts_with("GET /playground/%ff") {
                answer.head = answer.head.replacen("401 Unauthorized", "400 Bad Request", 1);
            }
        }),
        &["wire: a path that is not UTF-8"],
    ),
    (
        "falls over an attack",
        answers(|request, answer| {
            if String::from_utf8_lossy(&request.body).contains("a59: __typename") {
                answer.head = answer.head.replacen("400 Bad Request", "502 Bad Gateway", 1);
            }
        }),
        &["admission: aliases"],
    ),
    (
        "repeats the token",
        answers(|request, answer| {
            if let Some(token) = request.header("authorization") {
                answer.with("x-debug", token);
            }
        }),
        &["auth: tokens in answers"],
    ),
    (
        "is a stranger to what it keeps back",
        answers(|_, answer| answer.replace("UNAUTHENTICATED", "UNKNOWN")),
        &["auth: no token", "auth: a made-up token"],
    ),
    (
        "suggests names",
        answers(|_, answer| answer.replace("\\\"tenan\\\"", "tenan. Did you mean tenant?")),
        &["production: suggestions in errors"],
    ),
    (
        "shows its inside",
        answers(|_, answer| answer.replace("\"message\":\"", "\"message\":\"panicked at main.rs:1: ")),
        &["production: internals in errors"],
    ),
];

/// Each group is able to fail, and fails alone.
#[test]
fn what_a_proxy_breaks_is_found() {
    let Production { server, token, .. } = &Production::start();
    for some in BREAKAGES.chunks(6) {
        std::thread::scope(|scope| {
            for (name, change, failing) in some {
                scope.spawn(move || {
                    let output = selftest(&format!("http://{}", forward(&server.address, *change)), Some(token), &[]);
                    let text = String::from_utf8_lossy(&output.stdout);
                    assert_eq!(rows(&output, &["FAIL"]), *failing, "{name}: {text}");
                    assert_eq!((output.status.code(), rows(&output, &["skip"]).len()), (Some(1), 0), "{name}: {text}");
                });
            }
        });
    }
}

/// What is no GraphQL server passes for none.
#[test]
fn a_web_server_fails() {
    let output = selftest(&format!("http://{}", web_server()), Some("a-token-of-nothing"), &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let (failed, ok) = (rows(&output, &["FAIL"]), rows(&output, &["ok"]));
    assert!(failed.len() > 80 && ok.len() < 10, "{text}");
    assert!(failed.iter().any(|row| row == "health: /readyz") && failed.iter().any(|row| row == "auth: no token"));
}

#[test]
fn where_nothing_answers_one_sentence_says_so() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = selftest(&format!("http://127.0.0.1:{port}"), None, &[]);
    let said = error(&output);
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains(&format!("http://127.0.0.1:{port}/graphql does not answer")) && output.stdout.is_empty());
    for (arguments, word) in [
        (&["selftest"][..], "--url"),
        (&["selftest", "--url", "pbx.example"], "must be http://HOST"),
        (&["selftest", "--url", "https://me:hush@pbx.example"], "without a user"),
        (&["selftest", "--url", "http://localhost", "--token", "hush\u{e9}"], "--token must be"),
        (&["selftest", "--url", "http://localhost", "--timeout", "0s"], "--timeout"),
    ] {
        let output = vext(arguments).output().unwrap();
        let said = error(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(word) && !said.contains("hush"), "{said}");
    }
    let nowhere = selftest("http://localhost", None, &["--ca-file", "/nowhere.pem"]);
    assert!(error(&nowhere).contains("--ca-file: /nowhere.pem"), "{}", error(&nowhere));
}

/// A certificate for `localhost` that vouches for itself, and its server's settings.
fn certificate(folder: &Path) -> Option<(String, Arc<ServerConfig>)> {
    let [key, file] = ["server.key", "server.crt"].map(|name| folder.join(name));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext"]);
    openssl.args(["basicConstraints=critical,CA:FALSE", "-keyout"]);
    let made = openssl.arg(&key).arg("-out").arg(&file).output().ok()?;
    assert!(made.status.success(), "{}", error(&made));
    let chain = vec![CertificateDer::from_pem_slice(&fs::read(&file).unwrap()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&fs::read(&key).unwrap()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Some((file.to_str().unwrap().to_owned(), Arc::new(config.with_single_cert(chain, key).unwrap())))
}

#[test]
fn a_server_behind_tls_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let Some((file, config)) = certificate(folder.path()) else {
        missing("openssl");
        return;
    };
    let Production { server, token, .. } = &Production::start();
    let address = forward_tls(&server.address, config);
    let port = address.rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}");
    let output = selftest(&url, Some(token), &["--ca-file", &file]);
    holds(&output, &[], &["headers: strict-transport-security"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("TLS, certificate verified"));
    for (url, more) in [(&url, &[][..]), (&format!("https://{address}"), &["--ca-file", &file])] {
        let output = selftest(url, None, more);
        let said = error(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("certificate"), "{said}");
    }
}
