//! Files that no export has written: numbers at their edges, and files that are far too much. An import refuses them in
//! words, or takes them and everything goes on; its memory does not grow with them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use vext::graphql::Limits;
use vext::operations::demo;
use vext::operations::transfer::{ImportOptions, LineProblem, Secrets, TransferError};
use vext::service::{App, NewToken};
use vext::store::FeedPlace;

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::finding;
use crate::harness::{MOLLOY, Server, TOKEN};
use crate::transfer::{Lines, export, finish, import, open, path, sha256, start, with_key_of};
use crate::types::Types;

/// What a number is replaced by, as JSON writes it. The two that counters can have leave room for the saves of the test:
/// who has counted beyond the edge of an import is exported, but not imported.
const EDGES: [&str; 20] = [
    "-9223372036854775808",
    "-1",
    "0",
    "1",
    "1073741000",
    "1073741824",
    "2147483647",
    "2147483648",
    "4503599627370000",
    "9007199254740992",
    "253402207200001",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "1e400",
    "1e5",
    "1.5",
    "true",
    "\"7\"",
    "null",
];
/// Stands where the edge goes: not every edge is a value of `serde_json`.
const MARK: &str = "HERE-GOES-THE-EDGE";

/// Where a number stands: the line, and the pointer within it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place {
    line: usize,
    pointer: String,
}

/// A number of each shape: the same field of another object of the kind, or of another entry of the list, is the same.
fn places(lines: &Lines) -> Vec<Place> {
    fn walk(json: &Value, pointer: &str, shape: &str, each: &mut dyn FnMut(&str, &str)) {
        match json {
            Value::Number(_) => each(pointer, shape),
            Value::Array(list) => {
                let mut entry = |(i, json)| walk(json, &format!("{pointer}/{i}"), &format!("{shape}/*"), each);
                list.iter().enumerate().for_each(&mut entry);
            }
            Value::Object(fields) => {
                let mut field =
                    |(name, json)| walk(json, &format!("{pointer}/{name}"), &format!("{shape}/{name}"), each);
                fields.iter().for_each(&mut field);
            }
            _ => {}
        }
    }
    let (mut known, mut places) = (BTreeSet::new(), Vec::new());
    for (line, json) in lines.0.iter().enumerate() {
        let of = json["section"]["name"].as_str().or(json["object"]["kind"].as_str()).unwrap_or_default();
        walk(json, "", of, &mut |pointer, shape| {
            if known.insert(shape.to_owned()) {
                places.push(Place { line, pointer: pointer.to_owned() });
            }
        });
    }
    places
}

/// The file with an edge at some places, counted and with its SHA-256.
fn altered(lines: &Lines, at: &[Place], edge: &str) -> String {
    let mut lines = lines.clone();
    let last = lines.0.len() - 1;
    let put = |json: &mut Value, place: &Place| *json.pointer_mut(&place.pointer).unwrap() = json!(MARK);
    at.iter().filter(|place| place.line != last).for_each(|place| put(&mut lines.0[place.line], place));
    let write = |json: &Value| json.to_string().replace(&format!("\"{MARK}\""), edge) + "\n";
    let mut text: String = lines.0[..last].iter().map(write).collect();
    let mut end = lines.0[last].clone();
    end["end"]["sha256"] = json!(sha256(&text));
    at.iter().filter(|place| place.line == last).for_each(|place| put(&mut end, place));
    text += &write(&end);
    text
}

async fn dry_run(app: &App, text: &str) -> Result<(), Vec<LineProblem>> {
    match import(app, text, &ImportOptions { dry_run: true, ..ImportOptions::default() }).await {
        Ok(_) => Ok(()),
        Err(TransferError::Problems { found, .. }) if !found.is_empty() => Err(found),
        Err(other) => panic!("{other:?}"),
    }
}

/// Whether a problem names the field at a place, or what that field is part of: a section, a list, a side of a change.
fn says(problem: &LineProblem, place: &Place, lines: &Lines) -> bool {
    let said = problem.to_string();
    let steps: Vec<_> = place.pointer.split('/').skip(1).filter(|step| step.parse::<usize>().is_err()).collect();
    // The first step only says of what sort the line is.
    let steps = if steps.len() > 1 { &steps[1..] } else { &steps[..] };
    let section = lines.0[place.line]["section"]["name"].as_str();
    // The first line tells of an id that it does not count, with the line where that stands.
    let elsewhere = problem.line == 1 && said.contains(&format!("in line {};", place.line + 1));
    elsewhere || section.into_iter().chain(steps.iter().copied()).any(|name| said.contains(name))
}

/// Whether a problem is about what stands at a place, and says so.
fn names(problem: &LineProblem, place: &Place, lines: &Lines) -> bool {
    problem.line == place.line as u64 + 1 && says(problem, place, lines)
}

/// The places that are taken as they are with this edge; all others are refused by name.
async fn accepted(app: &App, lines: &Lines, edge: &str) -> Vec<Place> {
    let (mut left, mut good) = (places(lines), Vec::new());
    assert!(left.len() > 100, "{}", left.len());
    // All at once, then without those that were named, until nothing new is named.
    loop {
        let before = left.len();
        match dry_run(app, &altered(lines, &left, edge)).await {
            Ok(()) => return left,
            Err(found) => left.retain(|place| !found.iter().any(|problem| names(problem, place, lines))),
        }
        if left.len() == before {
            break;
        }
    }
    // What is left hides behind what else is wrong, or is told elsewhere: one by one.
    for place in left {
        match dry_run(app, &altered(lines, std::slice::from_ref(&place), edge)).await {
            Ok(()) => good.push(place),
            Err(found) => {
                let told = found.iter().any(|problem| says(problem, &place, lines));
                assert!(told, "{edge} at {place:?}: {found:?}");
            }
        }
    }
    good
}

/// Reads all of a tenant, saves every kind of object twice, and makes and deletes one.
async fn is_alive(server: &Server, types: &Types, what: &str) {
    let query = |list: &str, of: &str| {
        format!("{{ tenant {{ code revision {list}(first: 100) {{ nodes {} }} }} }}", types.selection(of, 2))
    };
    let no_errors = |answer: &Value| assert!(answer.get("errors").is_none(), "{what}: {answer:#}");
    for (list, of) in finding::lists(server).await {
        let answer = server.answer(TOKEN, &query(&list, &of), json!({})).await;
        no_errors(&answer);
        let Some(id) = answer["data"]["tenant"][&list]["nodes"][0]["id"].as_str() else { continue };
        for text in ["once", "twice"] {
            let kind = of[..1].to_lowercase() + &of[1..];
            let fields = match kind.as_str() {
                "virtualExtension" => json!({ "id": id, "information": { "description": text } }),
                _ => json!({ "id": id, "description": text }),
            };
            let saved = server.mutate_as(TOKEN, &format!("{kind}Update"), fields).await;
            let refused: Vec<_> = saved["userErrors"].as_array().unwrap().iter().map(|e| &e["code"]).collect();
            assert!(refused.is_empty(), "{what}: {kind}: {saved}");
        }
    }
    for name in ["One", "Two"] {
        let made = server.mutate_as(TOKEN, "callListCreate", json!({ "name": name })).await;
        let id = made["object"]["id"].as_str().unwrap_or_else(|| panic!("{what}: {made}")).to_owned();
        let delete = "mutation($id: ID!) { objectDelete(input: {id: $id}) { deletedId userErrors { message } } }";
        let gone = server.answer(TOKEN, delete, json!({ "id": id })).await;
        no_errors(&gone);
        assert_eq!(gone["data"]["objectDelete"]["userErrors"], json!([]), "{what}");
    }
    let tenant = server.app.tenants().await.unwrap().remove(0).id;
    let feed = |query: &mut vext::store::Query<'_>| vext::store::read_feed(query, FeedPlace::after_revision(-1), 1000);
    assert!(server.app.snapshot().read(tenant, feed).await.unwrap().len() > 10, "{what}");
}

/// Every number of an export, written to its edges: it is refused with its line and field, or the tenant that arrives can
/// be read in full, saved, exported and imported again.
async fn every_number_has_edges(engine: Engine) {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let lines = Lines::of(&export(&open(&source), demo::CANISTRACCI, Secrets::Sealed).await);
    let scratch = with_key_of(Engine::Sqlite, &source);
    let checking = open(&scratch);
    let types = Types::of(&Server::start(Engine::Sqlite)).await;
    assert_eq!(dry_run(&checking, &altered(&lines, &[], "")).await, Ok(()));
    // The check of an edge is the same whatever the engine: it is made once, by the test that comes to it first. They begin
    // at opposite ends.
    static TAKEN: [OnceCell<Vec<Place>>; EDGES.len()] = [const { OnceCell::const_new() }; EDGES.len()];
    let mut edges: Vec<_> = EDGES.into_iter().zip(&TAKEN).collect();
    if engine == Engine::Postgres {
        edges.reverse();
    }
    let mut count = 0;
    for (edge, taken) in edges {
        let good = taken.get_or_init(|| accepted(&checking, &lines, edge)).await.clone();
        count += good.len();
        if good.is_empty() {
            continue;
        }
        // Each of them alone is fine; together they may exclude each other.
        let together = dry_run(&checking, &altered(&lines, &good, edge)).await.is_ok();
        let files = if together { vec![good] } else { good.into_iter().map(|place| vec![place]).collect() };
        for places in files {
            let what = format!("{edge} at {places:?}");
            let target = with_key_of(engine, &source);
            let app = open(&target);
            import(&app, &altered(&lines, &places, edge), &ImportOptions::default()).await.unwrap();
            let token = NewToken {
                name: "all".into(),
                tenants: vec![demo::CANISTRACCI.into()],
                all_tenants: false,
                write: true,
                delete: true,
                explore: true,
            };
            app.create_token(token, Some(TOKEN.into())).await.unwrap().unwrap();
            let limits = Limits { max_cost: u64::MAX, request_timeout: Duration::from_secs(300), ..Limits::default() };
            let server = Server::limited(target, limits);
            is_alive(&server, &types, &what).await;
            let again = export(&server.app, demo::CANISTRACCI, Secrets::Sealed).await;
            let beside = with_key_of(Engine::Sqlite, &source);
            let third = open(&beside);
            import(&third, &again, &ImportOptions::default()).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
            assert_eq!(export(&third, demo::CANISTRACCI, Secrets::Sealed).await, again, "{what}");
        }
    }
    println!("{count} numbers of {} were taken", EDGES.len() * places(&lines).len());
}

/// A database that such a file has already got into: it is told, and the counters end in words.
async fn a_counter_at_its_end_is_told(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let most = i64::from(i32::MAX);
    for (sql, told) in [
        (format!("UPDATE tenant SET revision = {most} WHERE tenant_id = 1"), "tenant.revision"),
        ("UPDATE tenant SET revision = -7 WHERE tenant_id = 2".into(), "tenant.revision"),
        (format!("UPDATE tenant SET next_object = {} WHERE tenant_id = 2", i64::MAX), "tenant.next_object"),
        (format!("UPDATE tenant SET created_at = {} WHERE tenant_id = 2", i64::MIN), "tenant.created_at"),
        (format!("UPDATE pbx_object SET version = {} WHERE number = '108'", i64::MAX), ".version"),
        (format!("UPDATE pbx_object SET created_at = {} WHERE number = '110'", i64::MAX), ".created_at"),
        (format!("UPDATE pbx_object SET changed_at = {} WHERE number = '110'", i64::MIN), ".changed_at"),
        (format!("UPDATE change SET changed_at = {} WHERE tenant_id = 1 AND revision = 2", i64::MAX), ".changed_at"),
        (format!("UPDATE condition_span SET starts_at = {} WHERE tenant_id = 1", i64::MAX), ".starts_at"),
    ] {
        assert!(live.execute(&sql) > 0, "{sql}");
        let app = open(&live);
        let mut progress = |_: &'static str, _, _| Ok::<_, String>(());
        let look = || vext::store::verify_rows(live.database.open_view().unwrap().session(), None, &mut progress);
        let found = std::thread::scope(|scope| scope.spawn(look).join().unwrap()).unwrap();
        assert!(found.iter().any(|line| line.contains(told)), "{sql}: {found:#?}");
        drop(app);
    }
    let server = Server::over(live);
    // Read, it is a moment; saved, the counter says that it is at its end.
    let moments = "{ tenant { virtualExtension(by: {number: \"110\"}) { createdAt changedAt } } }";
    let shown = server.data(moments, json!({})).await;
    let shown = &shown["tenant"]["virtualExtension"];
    assert_eq!(shown["createdAt"], "9999-12-30T22:00:00Z");
    assert_eq!(shown["changedAt"], "0001-01-01T00:00:00Z");
    let exhausted = async |server: &Server, token: &str, save: &str| {
        let answer = server.answer(token, save, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "COUNTER_EXHAUSTED", "{save}: {answer}");
    };
    let create = "mutation { callListCreate(input: {name: \"x\"}) { object { id } } }";
    exhausted(&server, TOKEN, create).await;
    exhausted(&server, MOLLOY, create).await;
    server.live.execute("UPDATE tenant SET revision = 100 WHERE tenant_id = 1");
    let list = server.save(TOKEN, "callListCreate", json!({ "name": "Counted" })).await;
    let version = |version: i64| format!("UPDATE pbx_object SET version = {version} WHERE name = 'Counted'");
    let update = format!(
        "mutation {{ callListUpdate(input: {{id: \"{list}\", description: \"x\"}}) {{ userErrors {{ code }} }} }}"
    );
    let delete = format!("mutation {{ objectDelete(input: {{id: \"{list}\"}}) {{ userErrors {{ code }} }} }}");
    for at in [i64::MAX, most] {
        server.live.execute(&version(at));
        exhausted(&server, TOKEN, &update).await;
        exhausted(&server, TOKEN, &delete).await;
    }
    // One save before its end it can still be deleted.
    server.live.execute(&version(most - 1));
    exhausted(&server, TOKEN, &update).await;
    let gone = server.data(&delete, json!({})).await;
    assert_eq!(gone["objectDelete"]["userErrors"], json!([]));
}

on_each_engine!(every_number_has_edges, a_counter_at_its_end_is_told);

/// What a header and objects say twice is said with its line.
#[tokio::test]
async fn a_key_that_stands_twice_is_refused() {
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let beside = with_key_of(Engine::Sqlite, &source);
    let target = open(&beside);
    let text = export(&open(&source), demo::MOLLOY, Secrets::Sealed).await;
    for (line, once, twice, key) in [
        (1, r#""revision":"#, r#""revision":1,"revision":"#, "revision"),
        (1, r#""code":"#, r#""code":"X","code":"#, "code"),
        (2, r#""version":"#, r#""version":1,"version":"#, "version"),
    ] {
        let altered = text.replacen(once, twice, 1);
        let said = match import(&target, &altered, &ImportOptions::default()).await {
            Err(TransferError::Problems { found, .. }) => found[0].to_string(),
            other => panic!("{other:?}"),
        };
        assert!(said.starts_with(&format!("line {line}: ")), "{said}");
        assert!(said.contains(&format!("the key \"{key}\" appears twice in one object")), "{said}");
    }
}

/// Files of every bad sort, each far larger than the memory that the real program may have for it.
#[test]
fn memory_does_not_grow_with_the_file() {
    /// In KiB. A debug build reads and checks the demo's own export with less.
    const MORE: u64 = 96 * 1024;
    const MIB: usize = 1024 * 1024;
    let source = Live::new(Engine::Sqlite, Content::Demo);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let good = runtime.block_on(async { export(&open(&source), demo::MOLLOY, Secrets::Sealed).await });
    let file = source.folder.path().join("bad.jsonl");
    let run = |write: &dyn Fn(&mut dyn std::io::Write)| {
        let mut out = BufWriter::new(File::create(&file).unwrap());
        write(&mut out);
        out.flush().unwrap();
        let target = with_key_of(Engine::Sqlite, &source);
        finish(start(&target, &["import", path(&file)]))
    };
    let (done, said, usual) = run(&|out| out.write_all(good.as_bytes()).unwrap());
    assert!(done, "{said}");
    let lines = Lines::of(&good);
    let header = lines.0[0].to_string();
    let object = &lines.0[lines.object("VIRTUAL_EXTENSION")];
    let repeat = |out: &mut dyn std::io::Write, text: &str, bytes: usize| {
        for _ in 0..bytes / text.len() {
            out.write_all(text.as_bytes()).unwrap();
        }
    };
    type Write<'a> = Box<dyn Fn(&mut dyn std::io::Write) + 'a>;
    let behind = |text: String, bytes: usize| -> Write<'_> {
        let header = header.clone();
        Box::new(move |out| {
            writeln!(out, "{header}").unwrap();
            repeat(out, &text, bytes);
        })
    };
    let long = "x".repeat(7 * MIB);
    let numbers = "1,".repeat(2 * MIB);
    let mut unknown = String::new();
    for i in 0..100_000 {
        write!(unknown, "\"{i}\":{i},").unwrap();
    }
    let another = |i: usize| {
        let mut object = object.clone();
        (object["object"]["id"], object["object"]["number"]) = (json!(1000 + i), json!(format!("{}", 1_000_000 + i)));
        object["object"]["version"] = json!(0);
        object.to_string()
    };
    let files: Vec<(&str, Write<'_>, &str)> = vec![
        ("empty lines", Box::new(|out| repeat(out, "\n", 50 * MIB)), "line 1: the line is empty"),
        ("empty lines behind a header", behind("\n".into(), 50 * MIB), "line 2: the line is empty"),
        ("one endless line", Box::new(|out| repeat(out, "xxxxxxxx", 64 * MIB)), "longer than 8 MiB"),
        ("an endless line later", behind("[[[[[[[[".into(), 64 * MIB), "line 2: the line is longer than 8 MiB"),
        ("brackets", behind("[".repeat(7 * MIB) + "\n", 35 * MIB), "recursion limit"),
        ("a line of many values", behind(format!("[{numbers}1]\n"), 20 * MIB), "at most 250000 values"),
        ("long names", behind(format!("{{\"object\":{{\"{long}\":1}}}}\n"), 70 * MIB), "unknown field"),
        (
            "long values",
            behind(format!("{{\"section\":{{\"object\":1,\"name\":\"{long}\",\"fields\":{{}}}}}}\n"), 70 * MIB),
            "name is not a section",
        ),
        (
            "many unknown fields",
            behind(
                format!("{{\"section\":{{\"object\":1,\"name\":\"note\",\"fields\":{{{unknown}\"x\":1}}}}}}\n"),
                20 * MIB,
            ),
            "is not a field",
        ),
        ("one object over and over", behind(format!("{object}\n"), 30 * MIB), "is the number of an object above"),
        (
            "many objects that are refused",
            Box::new(|out| {
                writeln!(out, "{header}").unwrap();
                (0..100_000).for_each(|i| writeln!(out, "{}", another(i)).unwrap());
            }),
            "version must be 1 to",
        ),
        ("a packed file", Box::new(|out| repeat(out, "\x1f\u{8b}", 8 * MIB)), "is not a line of an export"),
    ];
    for (what, write, cause) in files {
        let (done, said, peak) = run(&*write);
        println!("{what}: {} MiB, {} lines", peak / 1024, said.lines().count());
        assert!(!done && said.lines().next().unwrap().contains(cause), "{what}: {said}");
        assert!(said.lines().count() <= 22 && said.len() < 32 * 1024, "{what}: {} bytes", said.len());
        assert!(
            said.lines().last().unwrap().starts_with("vext: nothing was imported: the file has "),
            "{what}: {said}"
        );
        assert!(peak < usual + MORE, "{what}: {peak} KiB, usually {usual}");
    }
    fs::write(&file, [0x1f, 0x8b, 8, 0, 10, 10, 10]).unwrap();
    let target = with_key_of(Engine::Sqlite, &source);
    let (done, said, _) = finish(start(&target, &["import", path(&file)]));
    assert!(!done && said.contains("the file is compressed"), "{said}");
    // The first 20 of 200, how many more, and that there may be others.
    let (_, said, _) = run(&*behind("\n".into(), 1000));
    let lines: Vec<_> = said.lines().collect();
    assert_eq!((lines.len(), lines[19], lines[20]), (22, "line 21: the line is empty.", "and 180 more"), "{said}");
    assert!(lines[21].ends_with("the file has 200 problems up to line 201, where reading stopped: there may be more"));
}
