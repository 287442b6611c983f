//! Finds every problem in a file before any of it is imported. The file is imported into a scratch database first,
//! whose constraints catch what a single line cannot show.

use std::fs::File;
use std::io::{BufReader, Seek as _};

use super::format::{End, Header, Secrets};
use super::header::{self, tenant_settings};
use super::line_parser::{LineParser, ParsedLine, TransferKeys};
use super::line_reader::LineReader;
use super::problems::ImportProblems;
use super::scratch::{NumberedStep, ScratchDatabase};
use super::step::{CHUNK_BYTES, CHUNK_LINES, ImportStep};
use super::{LineProblem, ProgressFn, TransferError};
use crate::domain::{Code, Environment, Problem};
use crate::form;
use crate::objects::TenantSettings;
use crate::store::StoreError;

/// A file without problems.
pub(super) struct CheckedFile {
    pub settings: TenantSettings,
    pub end: End,
    /// The SHA-256 of the lines that an interrupted import has already written.
    pub prefix: Option<String>,
}

/// Checks a whole file, whose first line is `header`. With `prefix`, also computes the SHA-256 of that many lines.
///
/// # Errors
/// All problems of the file; or the file or the scratch database cannot be read or written.
pub(super) async fn check(
    file: &mut File,
    header: &Header,
    keys: &TransferKeys,
    environment: &Environment,
    prefix: Option<i64>,
    on_progress: ProgressFn<'_>,
) -> Result<CheckedFile, TransferError> {
    let mut problems = ImportProblems::default();
    let found = tenant_settings(header, &mut |problem| problems.add(1, problem));
    let placeholder = || -> Result<TenantSettings, TransferError> {
        let fields = [("code", "SCRATCH"), ("name", "Scratch"), ("timezone", "UTC")];
        let settings = form::build::<TenantSettings>(&fields.into(), &mut |_| {});
        Ok(settings.ok_or_else(|| StoreError::Bug("the placeholder tenant is invalid".into()))?)
    };
    let used = found.clone().map_or_else(placeholder, Ok)?;
    let code = header.tenant.get("code").and_then(serde_json::Value::as_str).unwrap_or_default();
    let scratch = ScratchDatabase::create(&used, environment).await?;
    let parser = LineParser::new(code, scratch.tenant, header, keys);

    header::check_counters(header, &mut |problem| problems.add(1, problem));
    file.rewind()?;
    let mut lines = LineReader::new(BufReader::new(file));
    let (mut counted, mut chunk, mut bytes) = (End::default(), Vec::new(), 0);
    let mut greatest = (0, 0);
    let (mut end, mut end_line, mut digest) = (None, 0, None);
    let mut stopped = None;
    loop {
        match lines.read_next() {
            Ok(true) => {}
            Ok(false) => break,
            Err(TransferError::Problems { found, stopped: at }) => {
                found.into_iter().for_each(|LineProblem { line, problem }| problems.add(line, problem));
                stopped = at;
                break;
            }
            Err(error) => return Err(error),
        }
        if prefix.is_some_and(|prefix| prefix.unsigned_abs() == lines.number) {
            digest = Some(lines.hash_through());
        }
        if lines.number == 1 {
            continue;
        }
        let line = lines.number;
        if line.is_multiple_of(CHUNK_LINES as u64) {
            on_progress(lines.bytes, 0);
        }
        if end.is_some() {
            problems.add(line, Problem::new(Code::InvalidFormat, "follows the last line of the export"));
            break;
        }
        match parser.parse(lines.line(), &mut |problem| problems.add(line, problem)) {
            ParsedLine::End(found) => {
                (end, end_line) = (Some(found), line);
                counted.sha256 = lines.hash_before();
            }
            ParsedLine::Refused(target) => problems.refuse(target),
            ParsedLine::Step(step) => {
                match &step {
                    ImportStep::Object(_) => counted.objects += 1,
                    ImportStep::Section { .. } => counted.sections += 1,
                    ImportStep::Change(_) => counted.changes += 1,
                }
                chunk.push(NumberedStep { line, step });
            }
        }
        if parser.greatest_id() > greatest.0 {
            greatest = (parser.greatest_id(), line);
        }
        if chunk.len() == CHUNK_LINES || lines.bytes - bytes > CHUNK_BYTES {
            scratch.import(std::mem::take(&mut chunk), &mut problems).await?;
            bytes = lines.bytes;
        }
        if problems.is_full() {
            stopped = Some(line);
            break;
        }
    }
    scratch.import(chunk, &mut problems).await?;
    if stopped.is_some() {
        return Err(problems.into_error(stopped));
    }

    // Nothing is reported as missing from a file that is cut off: that would hide the cause.
    let Some(end) = end else {
        let rule = "must be followed by the rest of the export: the file is cut off";
        problems.add(lines.number, Problem::new(Code::Required, rule));
        return Err(problems.into_error(None));
    };
    problems.end_of_lines();
    let (last, line) = greatest;
    if (1..=last).contains(&header.next_object) {
        let rule = format!("must be greater than every id in the file; the greatest is {last}, in line {line}");
        problems.add(1, Problem::new(Code::OutOfRange, rule).value(header.next_object).under("nextObject"));
    }
    scratch.check_completeness(header, end_line.max(lines.number), &mut problems).await?;
    counted.secrets = match header.secrets {
        // Secrets that were left out cannot be counted.
        Secrets::None => end.secrets.min(parser.secrets_possible()),
        Secrets::Sealed => parser.secrets_opened(),
    };
    compare(&end, &counted, end_line, &mut problems);
    match found {
        Some(settings) if problems.is_empty() => Ok(CheckedFile { settings, end, prefix: digest }),
        _ => Err(problems.into_error(None)),
    }
}

/// Compares the last line with what was counted. If lines were refused, the counts are not compared.
fn compare(end: &End, counted: &End, line: u64, problems: &mut ImportProblems) {
    if problems.is_empty() {
        let counts = [
            ("objects", end.objects, counted.objects),
            ("sections", end.sections, counted.sections),
            ("changes", end.changes, counted.changes),
            ("secrets", end.secrets, counted.secrets),
        ];
        for (name, claimed, actual) in counts.into_iter().filter(|(_, claimed, actual)| claimed != actual) {
            let rule = format!("must be {actual}, the number in the file");
            problems.add(line, Problem::new(Code::Contradiction, rule).value(claimed).under(name));
        }
    }
    if end.sha256 != counted.sha256 {
        let rule = "must be the SHA-256 of the lines before it: the file was altered";
        problems.add(line, Problem::new(Code::Contradiction, rule).value(&end.sha256).under("sha256"));
    }
}
