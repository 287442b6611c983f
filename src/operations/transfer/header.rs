//! Parses and checks the first line of a file that is imported.

use super::bounds::{check_counter, check_time};
use super::format::{FORMAT, Header};
use super::json;
use super::sections::decode;
use crate::domain::{Code, Counter, Problem, SecretStorage, TenantId};
use crate::form::{self, Typed};
use crate::objects::TenantSettings;

/// The first bytes of compressed files: gzip, zstd, xz, bzip2, zip.
const COMPRESSED: [&[u8]; 5] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"PK\x03\x04"];

/// Parses the first line. `None` when the rest of the file cannot be checked without it.
pub(super) fn parse(line: &[u8], report: &mut dyn FnMut(Problem)) -> Option<Header> {
    if COMPRESSED.iter().any(|magic| line.starts_with(magic)) {
        report(Problem::new(Code::InvalidFormat, "is not text: the file is compressed, so decompress it first"));
        return None;
    }
    let json = json::parse(line).map_err(&mut *report).ok()?;
    match json.get("format") {
        None => {
            report(Problem::new(Code::InvalidFormat, "is not the first line of an export: it has no format"));
            return None;
        }
        Some(format) if format.as_u64() == Some(FORMAT) => {}
        Some(other) => {
            let newer = other.as_u64().filter(|format| *format > FORMAT);
            let newer = newer.map_or("", |_| "; a newer vext wrote this");
            let rule = format!("must be {FORMAT}{newer}");
            report(Problem::new(Code::OutOfRange, rule).value(other).under("format"));
            return None;
        }
    }
    json::from_json(json).map_err(report).ok()
}

/// Checks the counters of a header.
pub(super) fn check_counters(header: &Header, report: &mut dyn FnMut(Problem)) {
    check_time(header.created_at, |problem| report(problem.under("createdAt")));
    check_counter(Counter::NextObject, 1, header.next_object, |problem| report(problem.under("nextObject")));
    check_counter(Counter::Revision, 0, header.revision, |problem| report(problem.under("revision")));
}

/// The tenant's settings in a header; `None` if any is invalid.
pub(super) fn tenant_settings(header: &Header, report: &mut dyn FnMut(Problem)) -> Option<TenantSettings> {
    let mut bad = false;
    let mut under = |problem: Problem| {
        bad = true;
        report(problem.under("tenant"));
    };
    let open = |_: SecretStorage, _: &str, _: &str| Err(Problem::new(Code::InvalidFormat, "is not a secret"));
    let cells = decode(TenantSettings::section_info(), header.tenant.clone(), &open, &mut under)?;
    let settings: TenantSettings = form::load_untrusted(cells, TenantId(0), &mut under)?;
    settings.check(&mut under);
    (!bad).then_some(settings)
}
