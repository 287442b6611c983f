//! The lint of a tenant that takes longer than a request may: every page comes in time, and together they are all of it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vext::domain::{Pattern, Scalar as _, TenantId};
use vext::graphql::Limits;
use vext::service::{Finding, Findings, Lint, LintPlace};

use crate::cost;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{Server, TOKEN};

/// The demo's first tenant.
const OIL: TenantId = TenantId(1);
const EXTENSIONS: usize = 3000;
const RULE_SETS: usize = 38;
const RULES: usize = 60;
/// Each of so many matches nothing.
const FAILS: usize = 10;

/// An expression that is as large as can be when it is compiled, and matches nothing, or the sign that outside numbers
/// begin with.
fn largest(i: usize, sign: &str) -> String {
    let text = |times: usize| format!("(?:[0-9]|[2-6]x){{{times}}}z{i}${sign}");
    let fits = |times: usize| Pattern::parse(&text(times).into()).is_ok();
    let (mut least, mut most) = (1, 8192);
    while most - least > 1 {
        let middle = (least + most) / 2;
        if fits(middle) { least = middle } else { most = middle }
    }
    assert!(least > 100, "{least}");
    text(least)
}

/// Gives the tenant extensions and rule sets.
fn crowd(live: &Live) {
    let numbers =
        |count: usize| format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
    let rows = |first: usize, count: usize, kind: &str, number: &str| {
        format!(
            "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, description, enabled, version, created_at,
               changed_at, name_folded)
             {} SELECT 1, {first} + i, '{kind}', {number}, 'x', '', o.enabled, 1, o.created_at, o.changed_at, 'x'
             FROM pbx_object o, n WHERE o.tenant_id = 1 AND o.number = '110'",
            numbers(count)
        )
    };
    live.execute(&rows(10_000, EXTENSIONS, "VIRTUAL_EXTENSION", "CAST(7000000 + i AS TEXT)"));
    for (section, _) in cost::form_fields() {
        let table = section.chars().fold(String::new(), |mut table, c| {
            if c.is_ascii_uppercase() {
                table.push('_');
            }
            table.push(c.to_ascii_lowercase());
            table
        });
        let columns: Vec<_> = cost::columns(live, &table).into_iter().collect();
        let copied: Vec<_> = columns
            .iter()
            .map(|column| match column.as_str() {
                "object_id" => "10000 + i".to_owned(),
                "web_user" => "NULL".to_owned(),
                column => format!("s.{column}"),
            })
            .collect();
        let copy = format!(
            "INSERT INTO {table} ({}) {} SELECT {} FROM {table} s JOIN pbx_object o
               ON o.tenant_id = s.tenant_id AND o.object_id = s.object_id, n WHERE o.tenant_id = 1 AND o.number = '110'",
            columns.join(", "),
            numbers(EXTENSIONS),
            copied.join(", ")
        );
        assert_eq!(live.execute(&copy), EXTENSIONS as u64);
    }
    live.execute(&rows(20_000, RULE_SETS, "CALLER_ID_RULE_SET", "NULL"));
    let sets = "INSERT INTO caller_id_rule_set (tenant_id, object_id)
         SELECT 1, object_id FROM pbx_object WHERE tenant_id = 1 AND object_id > 20000";
    assert_eq!(live.execute(sets), RULE_SETS as u64);
    let [fitting, failing] = ["|\\+", ""].map(|sign| largest(10_000, sign));
    let mut rules = String::from(
        "INSERT INTO caller_id_rule (tenant_id, owner_id, position, applies_to, pattern, replacement, stop) VALUES ",
    );
    for set in 1..=RULE_SETS {
        for rule in 0..RULES {
            let comma = if (set, rule) == (1, 0) { "" } else { ", " };
            let pattern = if rule % FAILS == 0 { &failing } else { &fitting };
            let pattern = pattern.replace("z10000", &format!("z{}", 10_000 + set * RULES + rule));
            let stop = matches!(live.database, vext::service::Database::Sqlite(_));
            let stop = if stop { "1" } else { "TRUE" };
            write!(rules, "{comma}(1, {}, {rule}, 'NUMBER', '{pattern}', '', {stop})", 20_000 + set).unwrap();
        }
    }
    assert_eq!(live.execute(&rules), (RULE_SETS * RULES) as u64);
}

fn told(findings: &[Finding]) -> Vec<String> {
    let object = |finding: &Finding| finding.object.as_ref().map_or(0, |row| row.id.local);
    findings.iter().map(|f| format!("{}: {:?} {}", object(f), f.severity, f.problem.message())).collect()
}

async fn page(server: &Server, within: Option<Duration>, first: usize, after: Option<LintPlace>) -> Findings {
    let snapshot = server.app.snapshot();
    let snapshot = match within {
        Some(limit) => snapshot.with_time_limit(limit),
        None => snapshot,
    };
    let (now, deadline) = (server.app.now(), snapshot.deadline());
    snapshot.read(OIL, move |query| Lint::default().page(query, first, after, now, deadline)).await.unwrap()
}

/// The lint of everything takes so many times what a page may.
const TIMES: u32 = 6;

/// All pages of a length, each within a time, and how many there were.
async fn walk(server: &Server, within: Option<Duration>, first: usize) -> (Vec<String>, usize) {
    let (mut all, mut after, mut pages): (Vec<String>, Option<LintPlace>, usize) = (Vec::new(), None, 0);
    loop {
        let Findings { findings, more, resume_at } = page(server, within, first, after).await;
        assert!(findings.len() <= first);
        let next = resume_at.or(findings.last().map(|finding| finding.place));
        all.extend(told(&findings));
        pages += 1;
        if !more {
            return (all, pages);
        }
        assert_ne!(next, after, "a page went no further");
        after = Some(next.unwrap());
    }
}

async fn what_takes_long_takes_more_pages(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    crowd(&live);
    let server = Server::over(live);
    let begun = Instant::now();
    let (whole, _) = walk(&server, None, usize::MAX).await;
    let within = begun.elapsed() / TIMES;
    let of_rules = whole.iter().filter(|finding| finding.contains("matches none of")).count();
    assert!(of_rules >= RULE_SETS * RULES / FAILS, "{of_rules}");
    // Whatever the machine, it takes longer than it may. A page has room for all of it, so that only time can end one.
    let (found, pages) = walk(&server, Some(within), whole.len()).await;
    assert_eq!(found, whole);
    println!("{} findings in {pages} pages of {within:?}", whole.len());
    assert!(pages > 1, "no page was ended by its time");
    let first = page(&server, Some(within), 1, None).await;
    assert_eq!((told(&first.findings), first.more), (whole[..1].to_vec(), true));
}

/// The same over GraphQL: a page that ends early is answered with the cursor to go on at, and all of them join.
async fn pages_that_end_early_join(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    crowd(&live);
    let server = Server::over(live);
    let begun = Instant::now();
    page(&server, None, usize::MAX, None).await;
    let limits = Limits { request_timeout: begun.elapsed() / TIMES, ..Limits::default() };
    let server = Server::limited(server.live, limits);
    let query =
        "query($first: Int!, $after: String) { tenantLint(first: $first, after: $after, codes: [MATCHES_NOTHING],
        kinds: [CALLER_ID_RULE_SET]) { nodes { label path } pageInfo { hasNextPage endCursor } } }";
    let (mut after, mut found, mut short, mut late) = (Value::Null, Vec::new(), 0, 0);
    loop {
        let answer = server.answer(TOKEN, query, json!({ "first": 100, "after": after })).await;
        if let Some(error) = answer["errors"].get(0) {
            // Such requests have the least priority: beside other tests even the beginning may take too long.
            assert_eq!(error["extensions"]["code"], "DEADLINE_EXCEEDED", "{answer}");
            late += 1;
            assert!(late < 50, "{} found", found.len());
            continue;
        }
        let page = &answer["data"]["tenantLint"];
        let nodes = page["nodes"].as_array().unwrap();
        found.extend(nodes.iter().map(ToString::to_string));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        short += usize::from(nodes.len() < 100);
        let next = page["pageInfo"]["endCursor"].clone();
        assert!(next.is_string() && next != after, "{page}");
        after = next;
    }
    let server = Server::over(server.live);
    let whole = server.answer(TOKEN, query, json!({ "first": 100, "after": null })).await;
    let whole = &whole["data"]["tenantLint"]["nodes"];
    let whole: Vec<_> = whole.as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(found[..whole.len()], whole);
    // Those of the demo itself are two.
    assert_eq!(found.len(), RULE_SETS * RULES / FAILS + 2);
    assert!(short > 0, "every page was full");
    println!("{short} short pages, {late} too late");
}

on_each_engine!(what_takes_long_takes_more_pages, pages_that_end_early_join);
