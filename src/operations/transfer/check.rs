//! Finding everything that is wrong with a file before anything of it is imported: it is imported into a scratch
//! database first, whose constraints see what no line shows alone.

use std::fs::File;
use std::io::{BufReader, Seek as _};

use super::format::{End, Header, Secrets};
use super::header::{self, settings};
use super::lines::LineReader;
use super::reader::{Keys, Parsed, Reader};
use super::scratch::{Numbered, Scratch};
use super::step::{CHUNK, CHUNK_BYTES, ImportStep};
use super::verdict::ImportVerdict;
use super::{LineProblem, Tell, TransferError};
use crate::domain::{Code, Environment, Problem};
use crate::form;
use crate::objects::TenantSettings;
use crate::store::StoreError;

/// A file in which nothing is wrong.
pub(super) struct CheckedFile {
    pub settings: TenantSettings,
    pub end: End,
    /// The SHA-256 of as many lines as an interrupted import has got in.
    pub prefix: Option<String>,
}

/// Checks a whole file, whose first line is `header`. `prefix` asks for the SHA-256 of so many lines.
///
/// # Errors
/// Everything that is wrong; or the file or the scratch database fail.
pub(super) async fn check(
    file: &mut File,
    header: &Header,
    keys: &Keys,
    environment: &Environment,
    prefix: Option<i64>,
    tell: Tell<'_>,
) -> Result<CheckedFile, TransferError> {
    let mut verdict = ImportVerdict::default();
    let found = settings(header, &mut |problem| verdict.add(1, problem));
    let stand_in = || -> Result<TenantSettings, TransferError> {
        let fields = [("code", "SCRATCH"), ("name", "Scratch"), ("timezone", "UTC")];
        let settings = form::build::<TenantSettings>(&fields.into(), &mut |_| {});
        Ok(settings.ok_or_else(|| StoreError::Bug("there is no stand-in for a tenant".into()))?)
    };
    let used = found.clone().map_or_else(stand_in, Ok)?;
    let code = header.tenant.get("code").and_then(serde_json::Value::as_str).unwrap_or_default();
    let scratch = Scratch::make(&used, environment).await?;
    let reader = Reader::new(code, scratch.tenant, header, keys);

    header::counters(header, &mut |problem| verdict.add(1, problem));
    file.rewind()?;
    let mut lines = LineReader::new(BufReader::new(file));
    let (mut seen, mut chunk, mut bytes) = (End::default(), Vec::new(), 0);
    let mut greatest = (0, 0);
    let (mut end, mut end_line, mut digest) = (None, 0, None);
    let mut stopped = None;
    loop {
        match lines.next() {
            Ok(true) => {}
            Ok(false) => break,
            Err(TransferError::Problems { found, stopped: at }) => {
                found.into_iter().for_each(|LineProblem { line, problem }| verdict.add(line, problem));
                stopped = at;
                break;
            }
            Err(error) => return Err(error),
        }
        if prefix.is_some_and(|prefix| prefix.unsigned_abs() == lines.number) {
            digest = Some(lines.through());
        }
        if lines.number == 1 {
            continue;
        }
        let line = lines.number;
        if line.is_multiple_of(CHUNK as u64) {
            tell(lines.bytes, 0);
        }
        if end.is_some() {
            verdict.add(line, Problem::new(Code::InvalidFormat, "stands behind the last line of the export"));
            break;
        }
        match reader.parse(lines.text(), &mut |problem| verdict.add(line, problem)) {
            Parsed::End(found) => {
                (end, end_line) = (Some(found), line);
                seen.sha256 = lines.before();
            }
            Parsed::Refused(what) => verdict.refuse(what),
            Parsed::Step(step) => {
                match &step {
                    ImportStep::Object(_) => seen.objects += 1,
                    ImportStep::Section { .. } => seen.sections += 1,
                    ImportStep::Change(_) => seen.changes += 1,
                }
                chunk.push(Numbered { line, step });
            }
        }
        if reader.greatest_id() > greatest.0 {
            greatest = (reader.greatest_id(), line);
        }
        if chunk.len() == CHUNK || lines.bytes - bytes > CHUNK_BYTES {
            scratch.import(std::mem::take(&mut chunk), &mut verdict).await?;
            bytes = lines.bytes;
        }
        if verdict.is_full() {
            stopped = Some(line);
            break;
        }
    }
    scratch.import(chunk, &mut verdict).await?;
    if stopped.is_some() {
        return Err(verdict.told(stopped));
    }

    verdict.lines_are_read();
    let (last, line) = greatest;
    if (1..=last).contains(&header.next_object) {
        let rule = format!("must be greater than every id, of which {last} in line {line} is the greatest");
        verdict.add(1, Problem::new(Code::OutOfRange, rule).value(header.next_object).under("nextObject"));
    }
    scratch.complete(header, end_line.max(lines.number), &mut verdict).await?;
    match &end {
        None => {
            let rule = "is the last, but not the last of an export: the file is cut off";
            verdict.add(lines.number, Problem::new(Code::Required, rule));
        }
        Some(end) => {
            if header.secrets == Secrets::None {
                // What was left out cannot be counted.
                seen.secrets = end.secrets.min(reader.secrets_possible());
            } else {
                seen.secrets = reader.secrets_opened();
            }
            compare(end, &seen, end_line, &mut verdict);
        }
    }
    match (found, end) {
        (Some(settings), Some(end)) if verdict.is_empty() => Ok(CheckedFile { settings, end, prefix: digest }),
        _ => Err(verdict.told(None)),
    }
}

/// Compares the last line with what was seen. Lines that were refused are not counted a second time.
fn compare(end: &End, seen: &End, line: u64, verdict: &mut ImportVerdict) {
    if verdict.is_empty() {
        let counts = [
            ("objects", end.objects, seen.objects),
            ("sections", end.sections, seen.sections),
            ("changes", end.changes, seen.changes),
            ("secrets", end.secrets, seen.secrets),
        ];
        for (name, said, seen) in counts.into_iter().filter(|(_, said, seen)| said != seen) {
            let rule = format!("must be {seen}, as many as there are");
            verdict.add(line, Problem::new(Code::Contradiction, rule).value(said).under(name));
        }
    }
    if end.sha256 != seen.sha256 {
        let rule = "must be the SHA-256 of the lines before: the file was altered";
        verdict.add(line, Problem::new(Code::Contradiction, rule).value(&end.sha256).under("sha256"));
    }
}
