//! Content codings: answers packed, requests unpacked, and what grows without end refused after its first bytes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::client;
use crate::engines::{Engine, on_each_engine};
use crate::harness::{Server, TOKEN};
use crate::process::Process;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

/// Of requests; answers also come in zstd.
const CODINGS: [&str; 2] = ["br", "gzip"];
const LIST: &str =
    "{ tenant { virtualExtensions(first: 20) { nodes { number name information { members { name } } } } } }";
const CODE: &str = r#"{"query":"{ tenant { code } }"}"#;

fn pack(coding: &str, plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    match coding {
        "gzip" => {
            let mut packer = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
            packer.write_all(plain).unwrap();
            packer.finish().unwrap();
        }
        "br" => brotli::CompressorWriter::new(&mut packed, 4096, 1, 22).write_all(plain).unwrap(),
        other => panic!("{other}"),
    }
    packed
}

fn unpack(coding: &str, packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(packed).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(packed, 4096).read_to_end(&mut plain),
        "zstd" => zstd::Decoder::new(packed).unwrap().read_to_end(&mut plain),
        other => panic!("{other}"),
    }
    .unwrap();
    plain
}

async fn asked(server: &Server, query: &str, accept_encoding: &str) -> (HeaderMap, Vec<u8>) {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {TOKEN}"));
    let request = request.header("accept-encoding", accept_encoding);
    let answer = server.send(request.body(Body::from(json!({ "query": query }).to_string())).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::OK, "{query}");
    let (head, body) = answer.into_parts();
    (head.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

async fn long_answers_are_packed_as_the_client_likes(engine: Engine) {
    let server = Server::start(engine);
    let (headers, plain) = asked(&server, LIST, "identity").await;
    assert!(plain.len() > 1024 && !headers.contains_key("content-encoding"), "{} bytes", plain.len());
    for (accepted, coding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0.5, zstd;q=0", "gzip"),
    ] {
        let (headers, packed) = asked(&server, LIST, accepted).await;
        assert_eq!(headers["content-encoding"], coding, "{accepted}");
        assert!(headers.get_all("vary").iter().any(|value| value == "accept-encoding"), "{headers:?}");
        assert!(packed.len() * 2 < plain.len() && unpack(coding, &packed) == plain, "{accepted}");
    }
    let (headers, short) = asked(&server, "{ tenant { code } }", "gzip, br, zstd").await;
    assert!(short.len() < 1024 && !headers.contains_key("content-encoding"), "not worth it");
    let (headers, _) = asked(&server, LIST, "compress").await;
    assert!(!headers.contains_key("content-encoding"), "an unknown coding");
}

/// Refused before it is executed: the object is not made.
async fn an_answer_that_nobody_takes_changes_nothing(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let query = "mutation($id: ID!) { virtualExtensionNoteUpdate(input: {id: $id, note: {branch: \"Turin\"}}) {
        object { version } } }";
    let body = json!({ "query": query, "variables": { "id": id } });
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*authorization), ("accept-encoding", "rot13, *;q=0")];
    let (status, answer) = server.post(&headers, &body).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!((status, code), (StatusCode::NOT_ACCEPTABLE, &json!("NOT_ACCEPTABLE")), "{answer}");
    assert_eq!(server.extension("108").await, (id, version));
    assert_eq!(
        server.post(&headers[..1], &body).await.1["data"]["virtualExtensionNoteUpdate"]["object"]["version"],
        version + 1
    );
}

async fn sent(server: &Server, codings: &[&str], body: Vec<u8>) -> (StatusCode, HeaderMap, Value) {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    request = request.header("authorization", format!("Bearer {TOKEN}"));
    for coding in codings {
        request = request.header("content-encoding", *coding);
    }
    let (head, body) = server.send(request.body(Body::from(body)).unwrap()).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (head.status, head.headers, serde_json::from_slice(&body).unwrap())
}

async fn packed_requests_are_answered_like_plain_ones(engine: Engine) {
    let server = Server::start(engine);
    for coding in CODINGS {
        let (status, _, answer) = sent(&server, &[coding], pack(coding, CODE.as_bytes())).await;
        assert_eq!((status, &answer["data"]["tenant"]["code"]), (StatusCode::OK, &json!("CANISTRACCI")), "{coding}");
        let mut broken = pack(coding, CODE.as_bytes());
        broken.truncate(broken.len() / 2);
        for broken in [broken, CODE.as_bytes().to_vec(), Vec::new()] {
            let (status, _, answer) = sent(&server, &[coding], broken).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            assert_eq!((status, code), (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")), "{coding}: {answer}");
        }
    }
    // Members of gzip that follow each other are one body (RFC 1952, section 2.2).
    let (begin, end) = CODE.as_bytes().split_at(9);
    let (status, _, answer) = sent(&server, &["gzip"], [pack("gzip", begin), pack("gzip", end)].concat()).await;
    assert_eq!((status, &answer["data"]["tenant"]["code"]), (StatusCode::OK, &json!("CANISTRACCI")));
    let twice = pack("gzip", &pack("gzip", CODE.as_bytes()));
    for codings in [&["gzip, gzip"][..], &["gzip", "gzip"], &["zstd"], &["deflate"], &["rot13"]] {
        let (status, headers, answer) = sent(&server, codings, twice.clone()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{codings:?}");
        assert_eq!(headers["accept-encoding"], "gzip, br", "what can be sent instead");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNSUPPORTED_CONTENT_ENCODING");
    }
    let (status, _, _) = sent(&server, &["identity"], CODE.as_bytes().to_vec()).await;
    assert_eq!(status, StatusCode::OK);
}

/// As many bytes as the limit allows are read, packed in whatever way; one more is refused.
async fn the_limit_holds_for_what_is_unpacked(engine: Engine) {
    let server = Server::start(engine);
    let limit = 256 * 1024;
    for coding in CODINGS {
        let padded = |bytes: usize| {
            let mut body = CODE.as_bytes().to_vec();
            body.resize(bytes, b' ');
            pack(coding, &body)
        };
        assert_eq!(sent(&server, &[coding], padded(limit)).await.0, StatusCode::OK, "{coding}");
        let (status, _, answer) = sent(&server, &[coding], padded(limit + 1)).await;
        let extensions = json!({ "code": "BODY_TOO_LARGE", "limit": limit, "actual": limit + 1 });
        assert_eq!(
            (status, &answer["errors"][0]["extensions"]),
            (StatusCode::PAYLOAD_TOO_LARGE, &extensions),
            "{coding}"
        );
    }
    // Many empty members: nothing comes out, however much is sent.
    let empty = pack("gzip", b"").repeat(20_000);
    let (status, _, answer) = sent(&server, &["gzip"], empty).await;
    assert_eq!(
        (status, &answer["errors"][0]["extensions"]["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("BODY_TOO_LARGE"))
    );
}

/// Bodies of some kilobytes that would fill a gigabyte, at the real program: it looks at their beginning alone.
#[test]
fn a_bomb_costs_neither_memory_nor_time() {
    let demo = Process::demo(&[]);
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", demo.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let bombs = CODINGS.map(|coding| {
        // Brotli packs zeros a thousand times better.
        let bytes = if coding == "gzip" { 32 << 20 } else { 64 << 20 };
        (coding, pack(coding, &vec![0; bytes]))
    });
    for (coding, bomb) in &bombs {
        assert!(bomb.len() < 256 * 1024, "{coding}: {} bytes pass the door", bomb.len());
        let send = || client::post(&demo.address, &[("content-encoding", *coding)], bomb).unwrap();
        let first = send();
        assert!(first.status == 413 && first.body.contains(r#""actual":262145"#), "{coding}: {first:?}");
        let (before, begun) = (peak(), Instant::now());
        for _ in 0..20 {
            send();
        }
        let (grown, took) = (peak() - before, begun.elapsed());
        println!("{coding}: {} bytes, 20 times: {grown} kB more at the peak, {took:?}", bomb.len());
        // The allocator keeps the window of a coding, of 16 MiB at most, for each thread that has unpacked something.
        assert!(grown < 64 * 1024, "{coding}: {grown} kB");
        assert!(took < Duration::from_secs(20), "{coding}: {took:?}");
    }
    assert_eq!(
        demo.ask("nobody", "{ __typename }", &json!({})).unwrap()["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

on_each_engine!(
    long_answers_are_packed_as_the_client_likes,
    an_answer_that_nobody_takes_changes_nothing,
    packed_requests_are_answered_like_plain_ones,
    the_limit_holds_for_what_is_unpacked,
);
