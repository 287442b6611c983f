//! Content codings: answers that are packed, and bodies that grow when they are unpacked.

use std::io::{Read, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::attacks::ATTACKS;
use super::check::ServerCheck;
use super::client::{LONGEST, TestClient};
use super::verdict::{CheckResult, failed, noted, one_line};

/// What a bomb unpacks to, in bytes.
const BOMB: usize = 12 * 1024 * 1024;

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "an answer in gzip",
        expected: "packed, and JSON inside",
        run: |client| packed(client, "gzip"),
    },
    ServerCheck { name: "an answer in br", expected: "packed, and JSON inside", run: |client| packed(client, "br") },
    ServerCheck {
        name: "an answer in zstd",
        expected: "packed, and JSON inside",
        run: |client| packed(client, "zstd"),
    },
    ServerCheck {
        name: "an answer in no coding that there is",
        expected: "406",
        run: |client| {
            let ask = client.post("{ __typename }").with("accept-encoding", "*;q=0");
            client.send(&ask)?.expect_status(406)?.expect_refusal()?.pass()
        },
    },
    ServerCheck { name: "a body of 12 MiB in gzip", expected: "413", run: bomb },
    ServerCheck { name: "a body in an unknown coding", expected: "415", run: |client| refused(client, "compress") },
    ServerCheck { name: "a body in zstd", expected: "415", run: |client| refused(client, "zstd") },
    ServerCheck { name: "a body in gzip in gzip", expected: "415", run: |client| refused(client, "gzip, gzip") },
];

/// An answer of two kilobytes that everybody gets: many errors.
fn packed(client: &TestClient, coding: &str) -> CheckResult {
    let text = ATTACKS.iter().find(|attack| attack.name == "unknown fields").map(|attack| (attack.text)(100));
    let ask = client.post(&text.unwrap_or_default()).with("accept-encoding", coding);
    let answer = client.send(&ask)?;
    match answer.header("content-encoding") {
        Some(seen) if seen == coding => {
            let plain = unpacked(coding, &answer.bytes).map_err(|error| failed(format!("no {coding}: {error}")))?;
            let body: serde_json::Value = serde_json::from_slice(&plain).unwrap_or_default();
            match body["errors"].is_array() {
                true => Ok(format!("{coding}, {} bytes for {}", answer.bytes.len(), plain.len())),
                false => Err(failed(format!("{coding}, no JSON inside"))),
            }
        }
        // A proxy may unpack and pack as it likes.
        None if answer.body["errors"].is_array() => Err(noted("not packed")),
        Some(seen) => Err(failed(one_line(&format!("content-encoding: {seen}")))),
        None => Err(failed(answer.summary())),
    }
}

fn unpacked(coding: &str, packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(LONGEST as u64).read_to_end(&mut plain);
    match coding {
        "gzip" => read(&mut flate2::bufread::GzDecoder::new(packed))?,
        "br" => read(&mut brotli_decompressor::Decompressor::new(packed, 4096))?,
        _ => read(&mut zstd::stream::read::Decoder::with_buffer(packed)?)?,
    };
    Ok(plain)
}

fn refused(client: &TestClient, coding: &str) -> CheckResult {
    let ask = client.post("{ __typename }").with("content-encoding", coding);
    client.send(&ask)?.expect_status(415)?.expect_refusal()?.pass()
}

fn bomb(client: &TestClient) -> CheckResult {
    let body = gzip(&vec![b' '; BOMB]).map_err(|error| failed(format!("not packed: {error}")))?;
    let ask = client.post("").with("content-encoding", "gzip").with_body(body);
    client.send(&ask)?.expect_status(413)?.expect_refusal()?.pass()
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_small() {
        let packed = gzip(&vec![b' '; BOMB]).unwrap();
        assert!(packed.len() < 100_000, "{}", packed.len());
        assert_eq!(unpacked("gzip", &gzip(b"abc").unwrap()).unwrap(), b"abc");
        assert_eq!(unpacked("zstd", &zstd::encode_all(&b"abc"[..], 1).unwrap()).unwrap(), b"abc");
        assert!(unpacked("br", b"\xff\xff\xff").is_err());
    }
}
