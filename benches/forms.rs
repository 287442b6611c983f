//! The overhead of GraphQL: compares each request with the same SQLite reads by plain rusqlite and serde_json, in turn,
//! in one run. Prints a Markdown table of medians and ratios; only the ratios can be compared across machines.
//!
//! `VEXT_BENCH_ROUNDS` sets the number of rounds (default 30). A round has some tens of requests of each side.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark measures time and stops at the first surprise"
)]

mod common;

use std::path::Path;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use rusqlite::{Connection, config::DbConfig, params, types::ValueRef};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use vext::domain::{Environment, ObjectId, TenantId};
use vext::operations::demo;
use vext::service::{App, Database, NewToken, OpenOptions};

/// Options without limits and without cached answers.
fn unlimited() -> vext::http::ServeOptions {
    let request_timeout = std::time::Duration::from_secs(300);
    let limits = vext::graphql::Limits::default();
    let limits = vext::graphql::Limits { max_cost: u64::MAX, answer_cache: 0, request_timeout, ..limits };
    let fair = vext::http::FairUse { expensive_cost: u64::MAX, ..vext::http::FairUse::default() };
    vext::http::ServeOptions { limits, fair, ..vext::http::ServeOptions::default() }
}

const EXTENSIONS: usize = 500;
const SECTIONS: [&str; 9] = [
    "information",
    "call_settings",
    "outbound_recording",
    "security",
    "web_user_panel",
    "outbound_calls",
    "follow_me",
    "additional_destinations",
    "note",
];

const WHOLE: &str = r#"query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id version number name description
  information { emails securityPinSet internalCallerIdMode internalCallerIdName internalCallerIdNumber dnd inboundTimeoutSeconds
    members { id number name } callGroups { id name } pickupGroups { id name } }
  callSettings { txVolume rxVolume musicOnHoldId includeInDialByName recordedNameMediaId includeInPhoneBooks callWaitingServerSide parkingLotId }
  outboundRecording { alwaysRecordOutbound recordingEmails minRecordingBytes recordingAnnouncementMediaId privacyRecording transcript aiSummary aiSentiment }
  security { outboundMode outboundRegex outboundBlockReason lockPinSet locked maxOutboundSeconds workingHoursEnabled workingHoursConditionId }
  webUserPanel { userPanelEnabled webUser webPasswordSet useLdap ldapServerId twoFactorType twoFactorSecretSet twoFactorMobileSet notificationEmail
    userProfileId passwordLocked neverExpire useIpFilter ipFilter }
  outboundCalls { externalCallerIdNumber externalCallerIdName blockCallerId emergencyCallerIdNumber useThisCallerIdInVirtual callerIdRuleSetId areaCode
    areaCodeMinDigits areaCodeMaxDigits areaCodeRegex useTenantAreaCode useTenantAreaCodeRegex routingProfile { id name } applyAlwaysRoutingProfile }
  followMe { enabled number conditionId dialMethod confirm confirmMediaId holdMediaId callerIdMode fixedCallerId numberPrefix namePrefix delaySeconds timeoutSeconds }
  additionalDestinations { unconditionalEnabled onConditionEnabled conditionId onBusyEnabled onOfflineEnabled onNoAnswerEnabled missedCallEmails
    ignoreInternalMissed ignoreQueueMissed unconditional { objectId number hangup } onBusy { objectId number hangup } onNoAnswer { objectId number hangup } }
  note { branch department referenceId additionalInfo } } } }"#;
const LIST: &str = "{ tenant { virtualExtensions(first: 100) { nodes { id number name description version
  information { dnd inboundTimeoutSeconds members { id number name } callGroups { id name } pickupGroups { id name } }
  outboundCalls { externalCallerIdNumber routingProfile { id name } } note { branch department } } } } }";
const FIVE: &str =
    "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id number name version } } }";
const UPDATE: &str =
    "mutation($id: ID!, $text: String!) { virtualExtensionNoteUpdate(input: {id: $id, note: {additionalInfo: $text}}) {
  object { version } userErrors { code } } }";

struct Bench {
    runtime: Runtime,
    router: Router,
    raw: Connection,
    ids: Vec<(String, i64)>,
    turn: usize,
}

impl Bench {
    fn new(folder: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = folder.join("bench.db");
        let options = OpenOptions {
            database: Database::Sqlite(database.clone()),
            key_file: folder.join("key"),
            readers: 2,
            environment: Environment::system(),
        };
        let app = App::open(&options).unwrap();
        let token = NewToken {
            name: "bench".into(),
            tenants: vec!["CANISTRACCI".into()],
            all_tenants: false,
            write: true,
            delete: true,
            explore: false,
        };
        runtime.block_on(async {
            demo::fill(&app).await.unwrap();
            app.create_token(token, Some("T".into())).await.unwrap().unwrap();
        });
        let raw = Connection::open(database).unwrap();
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        raw.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 16000")
            .unwrap();
        raw.set_prepared_statement_cache_capacity(64);
        let mut bench =
            Self { runtime, router: vext::http::router(app, unlimited()).unwrap(), raw, ids: Vec::new(), turn: 0 };
        bench.fill();
        bench
    }

    /// Creates copies of the demo's 108, with its references and texts.
    fn fill(&mut self) {
        let query = "{ tenant { virtualExtension(by: {number: \"108\"}) { information { memberIds callGroupIds pickupGroupIds emails }
            callSettings { musicOnHoldId parkingLotId } outboundCalls { routingProfileId externalCallerIdNumber }
            note { branch department additionalInfo } } } }";
        let form = self.post(query, &json!({}))["data"]["tenant"]["virtualExtension"].clone();
        let create = "mutation($input: VirtualExtensionCreateInput!) { virtualExtensionCreate(input: $input) {
            object { id } userErrors { message } } }";
        for i in 0..EXTENSIONS {
            let number = format!("{}", 5000 + i);
            let mut input = form.clone();
            input["information"]["number"] = json!(number);
            input["information"]["name"] = json!(format!("Extension {i}"));
            let busy = json!([{ "objectId": form["information"]["memberIds"][0] }, { "hangup": "BUSY" }]);
            input["additionalDestinations"] = json!({ "onBusy": busy, "onNoAnswer": [{ "number": "100" }] });
            let answer = self.post(create, &json!({ "input": input }));
            assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
            let local = self
                .raw
                .query_row("SELECT object_id FROM pbx_object WHERE tenant_id = 1 AND number = ?1", [&number], |row| {
                    row.get(0)
                })
                .unwrap();
            self.ids.push((number, local));
        }
    }

    /// Sends a request and returns the bytes of the answer.
    fn send(&self, query: &str, variables: &Value) -> impl Future<Output = Vec<u8>> + Send + use<> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", "Bearer T")
            .body(Body::from(body))
            .unwrap();
        let router = self.router.clone();
        async move { to_bytes(router.oneshot(request).await.unwrap().into_body(), usize::MAX).await.unwrap().to_vec() }
    }

    fn bytes(&self, query: &str, variables: &Value) -> Vec<u8> {
        self.runtime.block_on(self.send(query, variables))
    }

    /// Sends a request per number, all at the same time; returns the total size of the answers.
    fn together(&self, query: &str, numbers: &[String]) -> usize {
        let running: Vec<_> =
            numbers.iter().map(|number| self.runtime.spawn(self.send(query, &json!({ "n": number })))).collect();
        running.into_iter().map(|task| self.runtime.block_on(task).unwrap().len()).sum()
    }

    fn post(&self, query: &str, variables: &Value) -> Value {
        serde_json::from_slice(&self.bytes(query, variables)).unwrap()
    }

    fn next(&mut self) -> (String, i64) {
        self.turn = (self.turn + 7) % self.ids.len();
        self.ids[self.turn].clone()
    }

    /// One row of a statement as a JSON object.
    fn object(&self, sql: &str, key: &[&dyn rusqlite::ToSql]) -> Value {
        self.objects(sql, key).pop().unwrap_or_default()
    }

    fn objects(&self, sql: &str, key: &[&dyn rusqlite::ToSql]) -> Vec<Value> {
        let mut statement = self.raw.prepare_cached(sql).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(key).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let value = |i| match row.get_ref(i).unwrap() {
                ValueRef::Integer(n) => json!(n),
                ValueRef::Text(text) => json!(std::str::from_utf8(text).unwrap()),
                _ => Value::Null,
            };
            found.push(Value::Object(names.iter().enumerate().map(|(i, name)| (name.clone(), value(i))).collect()));
        }
        found
    }

    fn links(&self, id: i64) -> Vec<Value> {
        self.objects(
            "SELECT l.slot, o.object_id, o.number, o.name FROM link l JOIN pbx_object o ON o.tenant_id = l.tenant_id AND o.object_id = l.target_id
             WHERE l.tenant_id = 1 AND l.owner_id = ?1 ORDER BY l.slot, l.position",
            &[&id],
        )
    }

    fn snapshot(&self, read: impl FnOnce() -> Value) -> Vec<u8> {
        self.raw.execute_batch("BEGIN").unwrap();
        let value = read();
        self.raw.execute_batch("COMMIT").unwrap();
        serde_json::to_vec(&value).unwrap()
    }

    fn raw_whole(&self, number: &str) -> Vec<u8> {
        self.snapshot(|| {
            let row = self.object("SELECT * FROM pbx_object WHERE tenant_id = 1 AND number = ?1", &[&number]);
            let id = row["object_id"].as_i64().unwrap();
            let mut form = Map::from_iter([("object".to_owned(), row)]);
            for section in SECTIONS {
                let sql = format!("SELECT * FROM {section} WHERE tenant_id = 1 AND object_id = ?1");
                form.insert(section.to_owned(), self.object(&sql, &[&id]));
            }
            form.insert("links".into(), self.links(id).into());
            let sql = "SELECT slot, target_id, number, hangup FROM destination WHERE tenant_id = 1 AND owner_id = ?1 ORDER BY slot, position";
            form.insert("destinations".into(), self.objects(sql, &[&id]).into());
            let profile = form["outbound_calls"]["routing_profile_id"].as_i64();
            let sql = "SELECT object_id, name FROM pbx_object WHERE tenant_id = 1 AND object_id = ?1";
            form.insert("routingProfile".into(), self.object(sql, &[&profile]));
            form.into()
        })
    }

    fn raw_list(&self) -> Vec<u8> {
        self.snapshot(|| {
            let page = "SELECT o.object_id, o.number, o.name, o.description, o.version, i.dnd, i.inbound_timeout_seconds,
                c.external_caller_id_number, r.object_id AS profile_id, r.name AS profile, n.branch, n.department FROM pbx_object o
                JOIN information i ON i.tenant_id = o.tenant_id AND i.object_id = o.object_id
                JOIN outbound_calls c ON c.tenant_id = o.tenant_id AND c.object_id = o.object_id
                LEFT JOIN pbx_object r ON r.tenant_id = c.tenant_id AND r.object_id = c.routing_profile_id
                JOIN note n ON n.tenant_id = o.tenant_id AND n.object_id = o.object_id
                WHERE o.tenant_id = 1 AND o.kind = 'VIRTUAL_EXTENSION' AND o.number > '' ORDER BY o.number LIMIT 100";
            let mut rows = self.objects(page, &[]);
            for row in &mut rows {
                row["links"] = self.links(row["object_id"].as_i64().unwrap()).into();
            }
            rows.into()
        })
    }

    fn raw_five(&self, number: &str) -> Vec<u8> {
        let sql = "SELECT object_id, number, name, version FROM pbx_object WHERE tenant_id = 1 AND number = ?1";
        self.snapshot(|| self.object(sql, &[&number]))
    }

    /// Writes the same rows as a section update: tenant, section, object, change and its field.
    fn raw_update(&self, id: i64, text: &str) -> Vec<u8> {
        let run = |sql, values: &[&dyn rusqlite::ToSql]| {
            assert_eq!(self.raw.prepare_cached(sql).unwrap().execute(values).unwrap(), 1);
        };
        self.raw.execute_batch("BEGIN IMMEDIATE").unwrap();
        run("UPDATE tenant SET revision = revision + 1 WHERE tenant_id = 1", params![]);
        let before =
            self.object("SELECT * FROM note WHERE tenant_id = 1 AND object_id = ?1", &[&id])["additional_info"]
                .to_string();
        let version =
            self.object("SELECT version FROM pbx_object WHERE tenant_id = 1 AND object_id = ?1", &[&id])["version"]
                .as_i64();
        let version = version.unwrap() + 1;
        run("UPDATE note SET additional_info = ?2 WHERE tenant_id = 1 AND object_id = ?1", params![id, text]);
        run(
            "UPDATE pbx_object SET version = ?2, changed_at = 1 WHERE tenant_id = 1 AND object_id = ?1",
            params![id, version],
        );
        let change = "INSERT INTO change (tenant_id, object_id, version, revision, changed_at, actor) VALUES (1, ?1, ?2, 0, 1, 'raw')";
        run(change, params![id, version]);
        let field = "INSERT INTO change_field (tenant_id, object_id, version, path, before_value, after_value) VALUES (1, ?1, ?2, 'note.additionalInfo', ?3, ?4)";
        run(field, params![id, version, before, json!(text).to_string()]);
        self.raw.execute_batch("COMMIT").unwrap();
        serde_json::to_vec(&json!({ "version": version })).unwrap()
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Runs both sides in turn, round by round; the ratio is the median of the rounds' ratios.
fn compare(
    bench: &mut Bench,
    name: &str,
    requests: usize,
    mut graphql: impl FnMut(&mut Bench) -> usize,
    mut raw: impl FnMut(&mut Bench) -> usize,
) {
    let rounds = common::rounds(30);
    let (mut of_graphql, mut of_raw, mut ratios, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), (0, 0));
    for round in 0..=rounds {
        let mut time = |side: &mut dyn FnMut(&mut Bench) -> usize, size: &mut usize| {
            let begun = Instant::now();
            for _ in 0..requests {
                *size = side(bench);
            }
            begun.elapsed().as_secs_f64() * 1e6 / requests as f64
        };
        let (one, other) = (time(&mut graphql, &mut sizes.0), time(&mut raw, &mut sizes.1));
        // The first round only warms up the caches.
        if round > 0 {
            of_graphql.push(one);
            of_raw.push(other);
            ratios.push(one / other);
        }
    }
    let (low, high) = (ratios.iter().copied().fold(f64::MAX, f64::min), ratios.iter().copied().fold(0.0, f64::max));
    println!(
        "| {name} | {:.0} | {:.0} | {} | {} | **{:.1}** | {low:.1} to {high:.1} |",
        median(&mut of_graphql),
        median(&mut of_raw),
        sizes.0,
        sizes.1,
        median(&mut ratios)
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(folder.path());
    println!("| request | vext, µs | raw, µs | bytes, vext | bytes, raw | ratio | rounds' ratios |");
    println!("|---|---|---|---|---|---|---|");
    let whole = |bench: &mut Bench| {
        let (number, _) = bench.next();
        bench.bytes(WHOLE, &json!({ "n": number })).len()
    };
    compare(&mut bench, "whole form of one", 100, whole, |bench| {
        let (number, _) = bench.next();
        bench.raw_whole(&number).len()
    });
    let crowd = |bench: &mut Bench| {
        let numbers: Vec<_> = (0..16).map(|_| bench.next().0).collect();
        bench.together(WHOLE, &numbers)
    };
    compare(&mut bench, "whole forms, 16 at a time", 10, crowd, |bench| {
        let numbers: Vec<_> = (0..16).map(|_| bench.next().0).collect();
        numbers.iter().map(|number| bench.raw_whole(number).len()).sum()
    });
    let list = |bench: &mut Bench| bench.bytes(LIST, &json!({})).len();
    compare(&mut bench, "list of 100 with members, groups, routing profile", 10, list, |bench| bench.raw_list().len());
    let five = |bench: &mut Bench| {
        let (number, _) = bench.next();
        bench.bytes(FIVE, &json!({ "n": number })).len()
    };
    compare(&mut bench, "five fields of one", 200, five, |bench| {
        let (number, _) = bench.next();
        bench.raw_five(&number).len()
    });
    let mut count = 0;
    let update = |bench: &mut Bench| {
        let (_, local) = bench.next();
        let id = ObjectId { tenant: TenantId(1), local }.opaque();
        count += 1;
        bench.bytes(UPDATE, &json!({ "id": *id, "text": format!("save {count}") })).len()
    };
    compare(&mut bench, "one section update (note), on disk", 20, update, |bench| {
        let (_, id) = bench.next();
        let text = format!("turn {} {id}", bench.turn);
        bench.raw_update(id, &text).len()
    });
}
