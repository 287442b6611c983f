//! Moving a tenant: what is exported arrives as it was, whatever the engine, the tenant's number and the interruptions;
//! what is wrong with a file is all said, and then nothing is imported.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vext::domain::Kind;
use vext::operations::demo;
use vext::operations::transfer::{ImportOptions, Imported, LineProblem, Secrets, TransferError};
use vext::service::{App, NewToken};

use crate::cost;
use crate::engines::{Content, Engine, Live, on_each_engine, postgres_or_skip};
use crate::harness::{ALL, Server, TOKEN};
use crate::process::vext;

/// An empty database with the key of another one.
pub fn with_key_of(engine: Engine, other: &Live) -> Live {
    with_key(engine, &fs::read_to_string(key(other)).unwrap())
}

/// An empty database with this key.
fn with_key(engine: Engine, text: &str) -> Live {
    let live = Live::new(engine, Content::Schema);
    live.execute("DELETE FROM sealing_key");
    fs::write(key(&live), text).unwrap();
    live
}

/// A key of its own.
fn other_key() -> String {
    STANDARD.encode([7; 32])
}

fn key(live: &Live) -> PathBuf {
    live.folder.path().join("vext.key")
}

pub fn open(live: &Live) -> App {
    App::open(&live.options()).unwrap()
}

pub async fn export(app: &App, code: &str, secrets: Secrets) -> String {
    let mut bytes = Vec::new();
    app.export(code, secrets, &mut bytes, &mut |_, _| {}).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

pub async fn import(app: &App, text: &str, options: &ImportOptions) -> Result<Imported, TransferError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    app.import(&mut file, options, &mut |_, _| {}).await
}

async fn problems(app: &App, text: &str) -> Vec<String> {
    match import(app, text, &ImportOptions::default()).await {
        Err(TransferError::Problems { found, stopped: None }) => found.iter().map(LineProblem::to_string).collect(),
        other => panic!("not problems but {other:?}"),
    }
}

async fn refusal(app: &App, text: &str, options: &ImportOptions) -> String {
    match import(app, text, options).await {
        Err(TransferError::Refused(sentence)) => sentence,
        other => panic!("not refused but {other:?}"),
    }
}

/// A file in pieces, to be altered and closed again.
#[derive(Clone)]
pub struct Lines(pub Vec<Value>);

impl Lines {
    pub fn of(text: &str) -> Self {
        Self(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The position of the first line that fits.
    fn find(&self, fits: impl Fn(&Value) -> bool) -> usize {
        self.0.iter().position(fits).unwrap()
    }

    pub fn object(&self, kind: &str) -> usize {
        self.find(|line| line["object"]["kind"] == kind)
    }

    fn section(&self, name: &str, object: &Value) -> usize {
        self.find(|line| line["section"]["name"] == name && line["section"]["object"] == *object)
    }

    /// The text, with the counts and the SHA-256 that belong to it.
    pub fn close(&self) -> String {
        let (end, lines) = self.0.split_last().unwrap();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let count = |name| lines.iter().filter(|line| line.get(name).is_some()).count();
        let secrets = &end["end"]["secrets"];
        let end = json!({ "end": { "objects": count("object"), "sections": count("section"), "changes": count("change"),
            "secrets": secrets, "sha256": sha256(&text) } });
        format!("{text}{end}\n")
    }
}

pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn make_tenant(app: &App, code: &str) {
    let tenant = [("code", code), ("name", "Somebody"), ("timezone", "UTC")];
    app.create_tenant(&tenant.into()).await.unwrap().unwrap();
}

/// Copies a tenant without its secrets, with every statement that an export and an import run.
pub async fn copy_tenant(app: &App, from: &str, to: &str) {
    let mut lines = Lines::of(&export(app, from, Secrets::None).await);
    lines.0[0]["tenant"]["code"] = json!(to);
    import(app, &lines.close(), &ImportOptions::default()).await.unwrap();
    let tenants = app.tenants().await.unwrap();
    let copy = tenants.iter().find(|tenant| tenant.settings.code.as_str() == to).unwrap();
    // An import only asks its scratch database for kinds.
    let kinds = app.snapshot().read(copy.id, |query| vext::store::object_kinds(query, &[1])).await.unwrap();
    assert_eq!(kinds[&1].0, Kind::FormDefaults);
}

/// The export of an import is the file itself, although the tenant has another number there.
async fn what_is_exported_arrives_as_it_was(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key_of(engine, &source);
    let (from, to) = (open(&source), open(&target));
    make_tenant(&to, "SOMEBODY").await;
    for code in [demo::MOLLOY, demo::CANISTRACCI] {
        let file = export(&from, code, Secrets::Sealed).await;
        let imported = import(&to, &file, &ImportOptions::default()).await.unwrap();
        assert_eq!((imported.code.as_str(), imported.secrets_left_out, imported.lines_before), (code, 0, 0));
        assert_eq!(export(&to, code, Secrets::Sealed).await, file, "{code}");
    }
    let numbers = target.texts("SELECT CAST(tenant_id AS TEXT) || code FROM tenant ORDER BY tenant_id");
    assert_eq!(numbers, ["1SOMEBODY", "2MOLLOY", "3CANISTRACCI"]);
    // Ids in the history name the tenant's number where they are now.
    let shown = target.texts("SELECT after_value FROM change_field WHERE path = 'information.memberIds' AND tenant_id = 3 AND after_value <> '[]'");
    assert!(!shown.is_empty());
    for ids in shown {
        for id in serde_json::from_str::<Vec<String>>(&ids).unwrap() {
            assert_eq!(vext::domain::ObjectId::from_opaque(&id).unwrap().tenant.0, 3);
        }
    }
    let again = refusal(&to, &export(&from, demo::MOLLOY, Secrets::Sealed).await, &ImportOptions::default()).await;
    assert_eq!(again, "there is a tenant MOLLOY already; an import does not change existing tenants");
}

/// What clients read is the same, ids included, when the tenant has the same number.
async fn clients_read_what_they_read_before(engine: Engine) {
    let source = Server::start(Engine::Sqlite);
    let target = with_key_of(engine, &source.live);
    let app = open(&target);
    let file = export(&source.app, demo::CANISTRACCI, Secrets::Sealed).await;
    import(&app, &file, &ImportOptions::default()).await.unwrap();
    let tenants = vec![demo::CANISTRACCI.to_owned()];
    let token =
        NewToken { name: "test".into(), tenants, all_tenants: false, write: true, delete: true, explore: false };
    app.create_token(token, Some(TOKEN.into())).await.unwrap().unwrap();
    let target = Server::over(target);
    for number in demo::VIRTUAL {
        assert_eq!(cost::form(&target, number).await, cost::form(&source, number).await, "{number}");
    }
    let defaults = "{ tenant { revision newVirtualExtension { information { inboundTimeoutSeconds } callSettings { musicOnHold { name } } } } }";
    assert_eq!(target.data(defaults, json!({})).await, source.data(defaults, json!({})).await);
    // The next save goes on where the source would have gone on.
    let create = json!({ "information": { "number": "199", "name": "New" } });
    let created = [&target, &source].map(|server| server.mutate("virtualExtensionCreate", create.clone()));
    let [there, here] = created;
    assert_eq!(there.await["object"], here.await["object"]);
}

/// Every kind, every section and every field of them stands in the demo's export, and no secret does.
async fn nothing_is_left_out_but_what_is_secret(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let text = export(&open(&live), demo::CANISTRACCI, Secrets::Sealed).await;
    let lines = Lines::of(&text).0;
    let kinds: BTreeSet<_> = lines.iter().filter_map(|line| line["object"]["kind"].as_str()).collect();
    assert_eq!(kinds, Kind::ALL.iter().map(|kind| kind.word()).collect());
    // The columns of the database itself, so that no list of ours can have a gap.
    for line in lines.iter().filter(|line| line.get("section").is_some()) {
        let fields = line["section"]["fields"].as_object().unwrap();
        let table = snake(line["section"]["name"].as_str().unwrap());
        for column in cost::columns(&live, &table) {
            let known = fields.contains_key(&vext::form::camel(&column));
            assert!(known || ["tenant_id", "object_id"].contains(&column.as_str()), "{table}.{column}");
        }
    }
    let shown = |table: &str, slot: &str| {
        lines.iter().any(|line| {
            let fields = &line["section"]["fields"][slot];
            line["section"]["name"] == vext::form::camel(table).as_str()
                && fields.as_array().is_some_and(|l| !l.is_empty())
        })
    };
    for slot in live.texts("SELECT DISTINCT slot FROM link UNION SELECT DISTINCT slot FROM destination") {
        let slot = vext::form::camel(&slot);
        assert!(lines.iter().any(|line| line["section"]["fields"][&slot].is_array()), "{slot}");
    }
    assert!(shown("routing_profile", "routes") && shown("condition", "spans") && shown("information", "memberIds"));

    let hashes = live.texts("SELECT security_pin FROM information WHERE security_pin IS NOT NULL");
    assert!(!hashes.is_empty());
    let decoded: Vec<u8> = text.split('"').filter_map(|word| STANDARD.decode(word).ok()).flatten().collect();
    let decoded = String::from_utf8_lossy(&decoded);
    for secret in hashes.iter().map(String::as_str).chain([
        "$argon2",
        "first cold pressing",
        "cold-pressed",
        "JBSWY3DPEHPK3PXP",
        "extra virgin",
    ]) {
        assert!(!text.contains(secret) && !decoded.contains(secret), "{secret}");
    }
}

fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut name, c| {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        name
    })
}

async fn without_secrets_the_import_says_how_many_are_missing(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key(engine, &other_key());
    let (from, to) = (open(&source), open(&target));
    let file = export(&from, demo::CANISTRACCI, Secrets::None).await;
    let sealed = Lines::of(&export(&from, demo::CANISTRACCI, Secrets::Sealed).await);
    let lines = Lines::of(&file);
    let count = sealed.0.last().unwrap()["end"]["secrets"].as_u64().unwrap();
    assert!(count >= 5 && lines.0.last().unwrap()["end"]["secrets"] == count);
    assert_eq!((&lines.0[0]["secrets"], lines.0[0].get("keyId")), (&json!("none"), None));
    let imported = import(&to, &file, &ImportOptions::default()).await.unwrap();
    assert_eq!(imported.secrets_left_out, count);
    assert_eq!(target.texts("SELECT CAST(count(*) AS TEXT) FROM information WHERE security_pin IS NOT NULL"), ["0"]);
    let again = Lines::of(&export(&to, demo::CANISTRACCI, Secrets::None).await);
    let all_but_end = |lines: &Lines| lines.0[..lines.0.len() - 1].to_vec();
    assert_eq!(all_but_end(&again), all_but_end(&lines));
}

/// A tenant without secrets needs no key, whatever sealed those of other tenants.
async fn what_has_no_secrets_needs_no_key(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key(engine, &other_key());
    let (from, to) = (open(&source), open(&target));
    make_tenant(&from, "PLAIN").await;
    let file = export(&from, "PLAIN", Secrets::Sealed).await;
    assert!(Lines::of(&file).0[0]["keyId"].is_string());
    let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
    assert_eq!(import(&to, &file, &dry).await.unwrap().secrets_left_out, 0);
    import(&to, &file, &ImportOptions::default()).await.unwrap();
    // One that only says so is found out.
    let honest = export(&from, demo::CANISTRACCI, Secrets::Sealed).await;
    let count = Lines::of(&honest).0.last().unwrap()["end"]["secrets"].clone();
    let lied = honest.replace(&format!("\"secrets\":{count},\"sha256\""), "\"secrets\":0,\"sha256\"");
    let found = problems(&to, &lied).await;
    assert!(found.iter().any(|found| found.contains("cannot be opened")), "{found:#?}");
}

/// With the source's key the secrets are sealed anew, and go back the same way as they came.
async fn another_key_is_refused_unless_the_sources_is_given(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key(engine, &other_key());
    let (from, to) = (open(&source), open(&target));
    let file = export(&from, demo::CANISTRACCI, Secrets::Sealed).await;
    let sentence = refusal(&to, &file, &ImportOptions::default()).await;
    assert!(sentence.contains("--from-key") && !sentence.contains('\n'), "{sentence}");
    let wrong = ImportOptions { from_key: Some(key(&target)), ..ImportOptions::default() };
    assert!(refusal(&to, &file, &wrong).await.contains("is not the one that sealed"));
    let right = ImportOptions { from_key: Some(key(&source)), ..ImportOptions::default() };
    import(&to, &file, &right).await.unwrap();

    let moved = export(&to, demo::CANISTRACCI, Secrets::Sealed).await;
    let (old, new) = (Lines::of(&file), Lines::of(&moved));
    assert_ne!(old.0[0]["keyId"], new.0[0]["keyId"]);
    let ivy = old.find(|line| line["object"]["number"] == demo::IVY_MORGAN);
    let ivy = &old.0[ivy]["object"]["id"];
    let panel = |lines: &Lines| lines.0[lines.section("webUserPanel", ivy)]["section"]["fields"].clone();
    for secret in ["twoFactorSecret", "webPassword"] {
        assert!(panel(&new)[secret].is_string());
        assert_ne!(panel(&old)[secret], panel(&new)[secret], "{secret}");
    }
    // What the target keeps is sealed with its own key: its API can be asked, and the way back needs it.
    let back = with_key_of(Engine::Sqlite, &source);
    let app = open(&back);
    let options = ImportOptions { from_key: Some(key(&target)), ..ImportOptions::default() };
    import(&app, &moved, &options).await.unwrap();
    let returned = Lines::of(&export(&app, demo::CANISTRACCI, Secrets::Sealed).await);
    let pins = |lines: &Lines| lines.0[lines.section("information", ivy)].clone();
    assert_eq!(pins(&returned), pins(&old), "hashes are sealed the same way whenever the key is the same");
}

/// Each file is the demo's with one thing wrong, or two. Everything is found, with its line, and nothing imported.
async fn everything_that_is_wrong_is_said_with_its_line(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key_of(engine, &source);
    let (from, to) = (open(&source), open(&target));
    let text = export(&from, demo::CANISTRACCI, Secrets::Sealed).await;
    let good = Lines::of(&text);
    assert_eq!(good.close(), text, "the tests close a file as the program does");
    let ivy = good.find(|line| line["object"]["number"] == demo::IVY_MORGAN);
    let id = good.0[ivy]["object"]["id"].clone();
    let section = |name: &str| good.section(name, &id);
    let [info, panel, security, ends] =
        ["information", "webUserPanel", "security", "additionalDestinations"].map(section);
    let change = good.find(|line| line.get("change").is_some());
    let last = good.0.len();
    let call_group = &good.0[good.object("CALL_GROUP")]["object"]["id"];

    type Edit<'a> = Box<dyn Fn(&mut Vec<Value>) + 'a>;
    let set = |line: usize, path: &'static str, value: Value| -> Edit<'_> {
        Box::new(move |lines| {
            let (parent, name) = path.rsplit_once('/').unwrap();
            lines[line].pointer_mut(parent).unwrap()[name] = value.clone();
        })
    };
    let table: Vec<(Edit<'_>, Vec<(usize, &str)>)> = vec![
        (set(0, "/format", json!(2)), vec![(0, "format must be 1; a newer vext wrote this; it is 2.")]),
        (set(0, "/tenant/timezone", json!("Nowhere")), vec![(0, "tenant.timezone must be an IANA time zone")]),
        (set(0, "/tenant/colour", json!("red")), vec![(0, "tenant.colour is not a field")]),
        (set(0, "/nextObject", json!(5)), vec![(0, "nextObject must be greater than every id")]),
        (set(0, "/defaults", id.clone()), vec![(0, "defaults must be the id of the form defaults")]),
        (set(ivy, "/object/number", json!("1")), vec![(ivy, "number must be 2 to 10 digits; it is 1.")]),
        (set(ivy, "/object/name", json!("<Ivy>")), vec![(ivy, "name must not contain \", < or >")]),
        (set(ivy, "/object/kind", json!("ROBOT")), vec![(ivy, "kind is not a kind that this program knows")]),
        (set(ivy, "/object/colour", json!("red")), vec![(ivy, "unknown field `colour`")]),
        (set(ivy, "/object/number", json!("110")), vec![(ivy, "number is the number of an object above; it is 110.")]),
        (
            Box::new(|lines| {
                lines.insert(ivy + 1, lines[ivy].clone());
                lines[ivy + 1]["object"]["number"] = Value::Null;
            }),
            vec![(ivy + 1, "id of an object appears twice in the file")],
        ),
        (
            set(info, "/section/fields/inboundTimeoutSeconds", json!(0)),
            vec![(info, "information.inboundTimeoutSeconds must be 1 to 600 seconds; it is 0.")],
        ),
        (
            set(info, "/section/fields/dnd", json!("yes")),
            vec![(info, "information.dnd is not stored as a boolean; it is \"yes\".")],
        ),
        (set(info, "/section/fields/colour", json!("red")), vec![(info, "information.colour is not a field")]),
        (set(info, "/section/fields/number", json!("1")), vec![(info, "information.number is not a field")]),
        (
            set(info, "/section/fields/memberIds", json!([999])),
            vec![(info, "information.memberIds.0 must be the id of an object above; it is 999.")],
        ),
        (
            set(info, "/section/fields/memberIds", json!([call_group])),
            vec![(info, "information.memberIds.0 must be one of: real extension;")],
        ),
        (
            set(info, "/section/fields/memberIds", json!([call_group, call_group])),
            vec![(info, "information.memberIds.1 is in the list twice")],
        ),
        (
            set(ends, "/section/fields/onBusy", json!([{ "targetId": 1, "number": "123", "hangup": null }])),
            vec![(ends, "additionalDestinations.onBusy.0 is stored in a format")],
        ),
        (
            set(security, "/section/fields/outboundRegex", json!("^(00")),
            vec![(security, "security.outboundRegex must be a regular expression: unclosed group")],
        ),
        (
            set(panel, "/section/fields/twoFactorSecret", json!("AAAA")),
            vec![(panel, "webUserPanel.twoFactorSecret cannot be opened")],
        ),
        (
            // A PIN of another extension's line, sealed with the same key.
            set(panel, "/section/fields/webPassword", good.0[info]["section"]["fields"]["securityPin"].clone()),
            vec![(panel, "webUserPanel.webPassword cannot be opened: it was altered, or sealed for another field")],
        ),
        (
            set(info, "/section/name", json!("robot")),
            vec![(info, "name is not a section"), (last - 1, "information of the object")],
        ),
        (set(change, "/change/revision", json!(1_000_000)), vec![(change, "revision must be 1 to ")]),
        (
            // Two things at once, in two lines, and the section is not also reported as missing.
            Box::new(|lines| {
                lines[ivy]["object"]["version"] = json!(0);
                lines[info]["section"]["fields"]["inboundTimeoutSeconds"] = json!(601);
                lines[info]["section"]["fields"]["dnd"] = json!(7);
            }),
            vec![
                (ivy, "version must be 1 to 1073741823; it is 0."),
                (info, "information.dnd is not stored as a boolean"),
                (info, "information.inboundTimeoutSeconds must be 1 to 600 seconds; it is 601."),
            ],
        ),
        (Box::new(|lines| lines.insert(info + 1, lines[info].clone())), vec![(info + 1, "information of the object ")]),
        (Box::new(|lines| drop(lines.remove(panel))), vec![(last - 2, "webUserPanel of the object ")]),
    ];
    for (i, (edit, expected)) in table.iter().enumerate() {
        let mut lines = good.clone();
        edit(&mut lines.0);
        let found = problems(&to, &lines.close()).await;
        assert_eq!(found.len(), expected.len(), "file {i}: {found:#?}");
        for (found, (line, said)) in found.iter().zip(expected) {
            assert!(found.starts_with(&format!("line {}: ", line + 1)) && found.contains(said), "file {i}: {found}");
        }
    }

    // What does not even hold together.
    let lines: Vec<_> = text.lines().collect();
    let without =
        |skip: usize| lines.iter().enumerate().filter(move |(i, _)| *i != skip).map(|(_, l)| format!("{l}\n"));
    let garbled: String =
        lines.iter().enumerate().map(|(i, l)| format!("{}{l}\n", if i == change { "{" } else { "" })).collect();
    let behind = format!("{text}{}\n", lines[1]);
    for (file, line, said) in [
        (without(last - 1).collect::<String>(), last - 1, "the file is cut off"),
        (text[..text.len() / 2].to_owned(), text[..text.len() / 2].lines().count(), "the file is cut off"),
        (without(change).collect(), last - 1, "changes must be"),
        (without(change).collect(), last - 1, "sha256 must be the SHA-256 of the lines before"),
        (text.replace("Export sales", "Import sales"), last, "sha256 must be the SHA-256 of the lines before"),
        (garbled, change + 1, "is not a line of an export"),
        (behind, last + 1, "follows the last line"),
        ("PIN,name\n1,2\n".into(), 1, "is not a line of an export"),
        ("{}\n".into(), 1, "is not the first line of an export"),
    ] {
        let found = problems(&to, &file).await;
        let fits = |found: &String| found.starts_with(&format!("line {line}: ")) && found.contains(said);
        assert!(found.iter().any(fits), "{line}, {said}: {found:#?}");
        // The line in which it was cut, and the cause: nothing that is missing because of it.
        assert!(!said.contains("cut off") || found.len() <= 2, "{found:#?}");
    }
    assert_eq!(refusal(&to, "", &ImportOptions::default()).await, "the file is empty");
    let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let would = import(&to, &text, &dry).await.unwrap();
    assert_eq!(would.objects, good.0.iter().filter(|line| line.get("object").is_some()).count() as u64);
    assert_eq!(target.texts("SELECT code FROM tenant"), [] as [&str; 0], "nothing was imported");
}

/// A field that a later version adds is blank when an older file does not have it.
async fn an_older_file_has_blank_fields(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key_of(engine, &source);
    let to = open(&target);
    let mut lines = Lines::of(&export(&open(&source), demo::MOLLOY, Secrets::Sealed).await);
    let at =
        lines.find(|line| line["section"]["name"] == "information" && line["section"]["fields"]["dnd"].is_boolean());
    let fields = lines.0[at]["section"]["fields"].as_object_mut().unwrap();
    for newer in ["inboundTimeoutSeconds", "memberIds", "emails"] {
        assert!(fields.remove(newer).is_some());
    }
    let object = lines.0[at]["section"]["object"].clone();
    import(&to, &lines.close(), &ImportOptions::default()).await.unwrap();
    let arrived = Lines::of(&export(&to, demo::MOLLOY, Secrets::Sealed).await);
    let fields = &arrived.0[arrived.section("information", &object)]["section"]["fields"];
    assert_eq!(
        [&fields["inboundTimeoutSeconds"], &fields["memberIds"], &fields["emails"]],
        [&json!(1), &json!([]), &json!("")]
    );
}

/// Many copies of one of Molloy's extensions, with all nine sections.
fn large(molloy: &str, copies: i64) -> String {
    let mut lines = Lines::of(molloy);
    let object = lines.object("VIRTUAL_EXTENSION");
    let id = lines.0[object]["object"]["id"].clone();
    let sections: Vec<_> = lines.0.iter().filter(|line| line["section"]["object"] == id).cloned().collect();
    assert_eq!(sections.len(), 9);
    let next = lines.0[0]["nextObject"].as_i64().unwrap();
    lines.0[0]["nextObject"] = json!(next + copies);
    let (mut objects, mut copied) = (Vec::new(), Vec::new());
    for i in 0..copies {
        let mut copy = lines.0[object].clone();
        copy["object"]["id"] = json!(next + i);
        copy["object"]["number"] = json!(format!("{}", 7_000_000 + i));
        objects.push(copy);
        for section in &sections {
            let mut copy = section.clone();
            copy["section"]["object"] = json!(next + i);
            for unique in ["webUser", "securityPin", "lockPin", "webPassword", "twoFactorSecret", "twoFactorMobile"] {
                if let Some(value) = copy["section"]["fields"].get_mut(unique) {
                    *value = Value::Null;
                }
            }
            if copy["section"]["name"] == "note" {
                copy["section"]["fields"]["additionalInfo"] = json!("x".repeat(1500));
            }
            copied.push(copy);
        }
    }
    let change = lines.0.iter().position(|line| line.get("change").is_some()).unwrap_or(lines.0.len() - 1);
    lines.0.splice(change..change, copied);
    let first_section = lines.find(|line| line.get("section").is_some());
    lines.0.splice(first_section..first_section, objects);
    lines.close()
}

pub fn start(live: &Live, arguments: &[&str]) -> Child {
    let mut command = vext(arguments);
    command.args(["--database", &live.url(), "--key-file"]).arg(key(live));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for a process and says what it printed and how much memory it had at most, in KiB.
pub fn finish(mut child: Child) -> (bool, String, u64) {
    let mut most = 0;
    let file = format!("/proc/{}/status", child.id());
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&file).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = most.max(peak.and_then(|peak| peak.trim().split(' ').next()?.parse().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap(), most)
}

pub fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

/// The real binary is killed between two chunks. The tenant is not there until the import has gone on to its end; what
/// is there then is the file, and it never was in memory as a whole.
async fn an_interrupted_import_goes_on(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let target = with_key_of(engine, &source);
    let molloy = export(&open(&source), demo::MOLLOY, Secrets::Sealed).await;
    // Longer than what a chunk and the caches that it fills take more than a small file does, about 8 MiB.
    let text = large(&molloy, 3000);
    let file = source.folder.path().join("large.jsonl");
    fs::write(&file, &text).unwrap();

    let mut child = start(&target, &["import", path(&file)]);
    let begun = Instant::now();
    while target
        .texts("SELECT code FROM tenant t JOIN import i ON i.tenant_id = t.tenant_id WHERE i.lines > 2000")
        .is_empty()
    {
        assert!(
            begun.elapsed() < Duration::from_secs(120) && child.try_wait().unwrap().is_none(),
            "it was not seen at work"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // Half of it is there, and to nobody's eyes.
    let app = open(&target);
    let all =
        NewToken { name: "all".into(), tenants: vec![], all_tenants: true, write: true, delete: true, explore: false };
    app.create_token(all, Some(ALL.into())).await.unwrap().unwrap();
    let one = NewToken {
        name: "one".into(),
        tenants: vec!["MOLLOY".into()],
        all_tenants: false,
        write: true,
        delete: true,
        explore: false,
    };
    assert!(app.create_token(one, None).await.unwrap().is_err(), "no token is made for it");
    assert_eq!(app.tenants().await.unwrap(), []);
    let tenant = vext::domain::TenantId(1);
    let node = |local| vext::domain::ObjectId { tenant, local }.opaque();
    let seen =
        "query($t: ID!, $o: ID!) { tenants { code } tenant(code: \"MOLLOY\") { code } nodes(ids: [$t, $o]) { id } }";
    let server = Server::over(target);
    let answer = server.answer(ALL, seen, json!({ "t": tenant.opaque(), "o": node(1) })).await;
    assert_eq!(answer["data"], json!({ "tenants": [], "tenant": null, "nodes": [null, null] }), "{answer}");
    let save = json!({ "id": node(20), "note": { "branch": "x" } });
    let saved = server.mutate_as(ALL, "virtualExtensionUpdate", save).await;
    assert_eq!(saved["userErrors"][0]["code"], "NOT_FOUND", "{saved}");
    let export_it = app.export("MOLLOY", Secrets::Sealed, &mut Vec::new(), &mut |_, _| {}).await;
    assert!(matches!(export_it, Err(TransferError::Refused(_))));

    // Another file is not mixed into it.
    let another = refusal(&app, &molloy, &ImportOptions::default()).await;
    assert!(another.contains("half imported from another file"), "{another}");

    let (done, said, peak) = finish(start(&server.live, &["import", path(&file)]));
    assert!(done && said.contains("lines had already been imported"), "{said}");
    assert_eq!(export(&app, "MOLLOY", Secrets::Sealed).await, text);
    assert_eq!(server.live.texts("SELECT digest FROM import"), [] as [&str; 0]);
    let (done, said, export_peak) = finish(start(&server.live, &["export", "--tenant", "MOLLOY", "--to", path(&file)]));
    assert!(done && fs::read_to_string(&file).unwrap() == text, "{said}");

    // A small tenant needs as much.
    let small = with_key_of(engine, &source);
    fs::write(&file, &molloy).unwrap();
    let (done, said, small_peak) = finish(start(&small, &["import", path(&file)]));
    assert!(done, "{said}");
    println!(
        "{} KiB of file: import {peak} KiB, export {export_peak} KiB; small file: {small_peak} KiB",
        text.len() / 1024
    );
    let more = peak.max(export_peak).saturating_sub(small_peak);
    assert!(more * 1024 < text.len() as u64, "{more} KiB more for {} KiB", text.len() / 1024);
}

on_each_engine!(
    what_is_exported_arrives_as_it_was,
    clients_read_what_they_read_before,
    nothing_is_left_out_but_what_is_secret,
    without_secrets_the_import_says_how_many_are_missing,
    another_key_is_refused_unless_the_sources_is_given,
    what_has_no_secrets_needs_no_key,
    everything_that_is_wrong_is_said_with_its_line,
    an_older_file_has_blank_fields,
    an_interrupted_import_goes_on,
    a_deleted_tenant_leaves_nothing,
);

/// A tenant that is deleted leaves no row behind, whether all of it was there or half, and takes nothing of another.
async fn a_deleted_tenant_leaves_nothing(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let app = open(&live);
    let before = export(&app, demo::CANISTRACCI, Secrets::Sealed).await;
    copy_tenant(&app, demo::CANISTRACCI, "COPY").await;
    let token = |name: &str, tenants: &[&str]| NewToken {
        name: name.into(),
        tenants: tenants.iter().map(|&code| code.to_owned()).collect(),
        all_tenants: false,
        write: true,
        delete: true,
        explore: false,
    };
    app.create_token(token("one", &["COPY"]), Some("one".into())).await.unwrap().unwrap();
    app.create_token(token("two", &["COPY", "MOLLOY"]), Some("two".into())).await.unwrap().unwrap();
    let tables = match live.database {
        vext::service::Database::Sqlite(_) => {
            "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'tenant_id'"
        }
        vext::service::Database::Postgres(_) => {
            "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
        }
    };
    let tables = live.texts(tables);
    assert!(tables.len() > 50, "{tables:?}");
    let counts = |id: i64| {
        let one = |table: &String| format!("SELECT '{table}' FROM {table} WHERE tenant_id = {id}");
        live.texts(&tables.iter().map(one).collect::<Vec<_>>().join(" UNION "))
    };
    assert!(counts(3).len() > 40, "{:?}", counts(3));

    // The command wants to be sure.
    let command = |arguments: &[&str]| {
        vext(arguments).args(["--database", &live.url(), "--key-file"]).arg(key(&live)).output().unwrap()
    };
    let unsure = command(&["tenant", "delete", "--code", "COPY"]);
    assert!(!unsure.status.success() && String::from_utf8(unsure.stderr).unwrap().contains("confirm with --yes"));
    assert!(counts(3).len() > 40);
    let done = command(&["tenant", "delete", "--code", "COPY", "--yes"]);
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "Deleted tenant COPY.\n");
    let again = command(&["tenant", "delete", "--code", "COPY", "--yes"]);
    assert!(!again.status.success() && String::from_utf8(again.stderr).unwrap().contains("there is no tenant COPY"));
    assert_eq!(counts(3), [] as [String; 0]);
    assert_eq!(export(&app, demo::CANISTRACCI, Secrets::Sealed).await, before);

    // What is half imported goes too, and its code is free again.
    live.execute("INSERT INTO import (tenant_id, lines, digest) VALUES (2, 7, 'x')");
    assert_eq!(app.tenants().await.unwrap().len(), 1);
    assert!(app.delete_tenant("MOLLOY").await.unwrap());
    assert_eq!(counts(2), [] as [String; 0]);
    make_tenant(&app, "MOLLOY").await;

    // A token for it alone opens nothing now, one for another tenant too opens that, and selects none by itself.
    let server = Server::over(live);
    for token in ["one", "two"] {
        let answer = server.answer(token, "{ tenants { code } }", json!({})).await;
        assert_eq!(answer["data"]["tenants"], json!([]), "{answer}");
    }
}

/// From SQLite to PostgreSQL and back, with nothing between the two programs but a pipe.
#[test]
fn a_pipe_moves_a_tenant_between_the_engines_and_back() {
    if !postgres_or_skip() {
        return;
    }
    let first = Live::new(Engine::Sqlite, Content::Demo);
    let second = with_key_of(Engine::Postgres, &first);
    let third = with_key_of(Engine::Sqlite, &first);
    let command = |live: &Live, arguments: &[&str]| {
        let mut command = vext(arguments);
        command.args(["--database", &live.url(), "--key-file"]).arg(key(live)).stderr(Stdio::inherit());
        command
    };
    let export = ["export", "--tenant", demo::CANISTRACCI];
    for (from, to) in [(&first, &second), (&second, &third)] {
        let mut source = command(from, &export).stdout(Stdio::piped()).spawn().unwrap();
        let output = command(to, &["import"]).stdin(source.stdout.take().unwrap()).output().unwrap();
        assert!(output.status.success() && source.wait().unwrap().success());
        assert!(String::from_utf8(output.stdout).unwrap().starts_with("Imported tenant CANISTRACCI: "));
    }
    let exports = [&first, &second, &third].map(|live| command(live, &export).output().unwrap().stdout);
    assert!(exports[0].len() > 50_000 && exports.iter().all(|bytes| *bytes == exports[0]));

    // What is wrong is said by the binary too, line by line, and the exit code tells.
    let mut file = File::create(first.folder.path().join("bad.jsonl")).unwrap();
    let text = String::from_utf8(exports[0].clone()).unwrap().replacen("\"number\":\"108\"", "\"number\":\"1\"", 1);
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let empty = with_key_of(Engine::Sqlite, &first);
    let bad = vext(&["import", path(&first.folder.path().join("bad.jsonl")), "--dry-run", "--database", &empty.url()])
        .arg("--key-file")
        .arg(key(&empty))
        .output()
        .unwrap();
    let said = String::from_utf8(bad.stderr).unwrap();
    assert!(bad.status.code() == Some(1) && said.contains("number must be 2 to 10 digits"), "{said}");
    assert!(said.ends_with("vext: nothing was imported: the file has 2 problems\n"), "{said}");
}
