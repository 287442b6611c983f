//! Imports a tenant from a file. The file is checked first and then written in chunks; each chunk records its progress.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use super::check::{CheckedFile, check};
use super::format::{End, Header, Secrets};
use super::header;
use super::line_parser::{LineParser, ParsedLine, TransferKeys};
use super::line_reader::LineReader;
use super::problems::ImportProblems;
use super::step::{CHUNK_BYTES, CHUNK_LINES, ImportStep, write_step};
use super::{ProgressFn, TransferError};
use crate::domain::{Sealer, TenantId};
use crate::service::{App, load_key};
use crate::store::{self, Outcome, Presence, StoreError, TenantCounters};

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Only checks the file and reports what would be imported.
    pub dry_run: bool,
    /// The key file of the database that the file was exported from, if it differs from this database's own.
    pub from_key: Option<PathBuf>,
}

/// What was imported, or would be in a dry run.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The tenant's code.
    pub code: String,
    /// How many objects.
    pub objects: u64,
    /// How many changes.
    pub changes: u64,
    /// How many secrets of the tenant are not in the file.
    pub secrets_left_out: u64,
    /// How many lines an interrupted import had already written.
    pub lines_before: u64,
}

fn refuse<T>(sentence: impl Into<String>) -> Result<T, TransferError> {
    Err(TransferError::Refused(sentence.into()))
}

impl App {
    /// Imports a file that [`App::export`] has written, see the [module](super). Blocks while it reads.
    ///
    /// # Errors
    /// The file has problems; the tenant exists already; the key is not the one that sealed the secrets; or an error of
    /// the store.
    pub async fn import(
        &self,
        file: &mut File,
        options: &ImportOptions,
        on_progress: ProgressFn<'_>,
    ) -> Result<Imported, TransferError> {
        let passes = if options.dry_run { 1 } else { 2 };
        let size = file.metadata()?.len();
        let header = read_header(file)?;
        let keys = self.keys(&header, options, claims_no_secrets(file)?)?;
        let code = header.tenant.get("code").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let wanted = code.clone();
        let presence = self.snapshot().read_system(move |session| store::presence(session, &wanted)).await?;
        let earlier = match presence {
            Presence::Absent => None,
            Presence::Complete => {
                return refuse(format!("there is a tenant {code} already; an import does not change existing tenants"));
            }
            Presence::Importing(progress) => Some(progress),
        };
        let prefix = earlier.as_ref().map(|progress| progress.lines);
        let mut check_progress = |done, _| on_progress(done, passes * size);
        let checked = check(file, &header, &keys, &self.environment, prefix, &mut check_progress).await?;
        if let Some(progress) = &earlier
            && checked.prefix.as_ref() != Some(&progress.digest)
        {
            let sentence =
                "is half imported from another file: continue with that file, or import into another database";
            return refuse(format!("the tenant {code} {sentence}"));
        }
        let End { objects, changes, secrets, .. } = checked.end;
        let secrets_left_out = if header.secrets == Secrets::None { secrets } else { 0 };
        let lines_before = earlier.as_ref().map_or(0, |progress| progress.lines.unsigned_abs());
        let imported = Imported { code, objects, changes, secrets_left_out, lines_before };
        if !options.dry_run {
            let earlier = earlier.map(|progress| (progress.tenant, progress.lines));
            let mut write_progress = |done, _| on_progress(size + done, passes * size);
            self.write_file(file, &header, &checked, &keys, earlier, &mut write_progress).await?;
        }
        Ok(imported)
    }

    /// The keys that open the secrets of the file and seal those of the database. A file without secrets needs no key of
    /// another database.
    fn keys(
        &self,
        header: &Header,
        options: &ImportOptions,
        claims_no_secrets: bool,
    ) -> Result<TransferKeys, TransferError> {
        let target = self.sealer.clone();
        let source = match &options.from_key {
            None => target.clone(),
            Some(path) => {
                let random = &self.environment.random;
                let key = load_key(path, false, &**random).map_err(TransferError::Refused)?;
                Sealer::new(&key, Arc::clone(random))
            }
        };
        match (header.secrets, &header.key_id, &options.from_key) {
            (Secrets::None, None, _) => {}
            (Secrets::Sealed, Some(id), _) if id == source.key_id() => {}
            (Secrets::Sealed, Some(_), None) if claims_no_secrets => {}
            (Secrets::Sealed, Some(_), None) => {
                let sentence = "the secrets in the file are sealed with another key than this database's";
                return refuse(format!("{sentence}; name the key file of the database they come from with --from-key"));
            }
            (Secrets::Sealed, Some(_), Some(path)) => {
                return refuse(format!("the key in {} is not the one that sealed the file's secrets", path.display()));
            }
            (Secrets::Sealed, None, _) | (Secrets::None, Some(_), _) => {
                return refuse("line 1 must name a keyId when the secrets are sealed, and only then");
            }
        }
        Ok(TransferKeys { source, target })
    }

    /// Writes a file that has been checked, starting after the lines that are already imported.
    async fn write_file(
        &self,
        file: &mut File,
        header: &Header,
        checked: &CheckedFile,
        keys: &TransferKeys,
        earlier: Option<(TenantId, i64)>,
        on_progress: ProgressFn<'_>,
    ) -> Result<(), TransferError> {
        let code = checked.settings.code.as_str();
        file.rewind()?;
        let mut lines = LineReader::new(BufReader::new(file));
        if !lines.read_next()? {
            return file_changed();
        }
        let (tenant, mut written) = match earlier {
            Some(progress) => progress,
            None => (self.start_import(header, checked, lines.hash_through()).await?, 1),
        };
        let parser = LineParser::new(code, tenant, header, keys);
        let (mut steps, mut bytes) = (Vec::new(), lines.bytes);
        // One chunk is written while the next is read.
        let mut writing = None;
        while lines.read_next()? {
            if lines.number <= written.unsigned_abs() {
                bytes = lines.bytes;
                continue;
            }
            match parser.parse(lines.line(), &mut |_| {}) {
                ParsedLine::Refused(_) => return file_changed(),
                ParsedLine::Step(step) => steps.push(step),
                ParsedLine::End(end) => {
                    if end != checked.end || lines.hash_before() != end.sha256 {
                        return file_changed();
                    }
                    let counters = TenantCounters {
                        created_at: header.created_at,
                        next_object: header.next_object,
                        revision: header.revision,
                        defaults: header.defaults,
                    };
                    await_chunk(writing.take(), code).await?;
                    let last = self.write_chunk(tenant, std::mem::take(&mut steps), written, ChunkEnd::File(counters));
                    return await_chunk(Some(last), code).await;
                }
            }
            if steps.len() == CHUNK_LINES || lines.bytes - bytes > CHUNK_BYTES {
                let end = ChunkEnd::Line(lines.number.cast_signed(), lines.hash_through());
                await_chunk(writing.take(), code).await?;
                writing = Some(self.write_chunk(tenant, std::mem::take(&mut steps), written, end));
                (written, bytes) = (lines.number.cast_signed(), lines.bytes);
                on_progress(lines.bytes, 0);
            }
        }
        file_changed()
    }

    /// Creates the tenant; it stays hidden until the import is complete.
    async fn start_import(
        &self,
        header: &Header,
        checked: &CheckedFile,
        digest: String,
    ) -> Result<TenantId, TransferError> {
        let (settings, created_at) = (checked.settings.clone(), header.created_at);
        let begin = move |session: &mut dyn store::Session| match store::begin_import(
            session,
            &settings,
            created_at,
            (1, &digest),
        ) {
            Err(StoreError::Conflict { .. }) => Ok(Outcome::Rollback(None)),
            made => made.map(|tenant| Outcome::Commit(Some(tenant))),
        };
        match self.store.write_system(begin).await? {
            Some(tenant) => Ok(tenant),
            None => concurrent_import(checked.settings.code.as_str()),
        }
    }

    /// Starts to write some lines and, in the same transaction, the import's progress.
    fn write_chunk(&self, tenant: TenantId, steps: Vec<ImportStep>, before: i64, end: ChunkEnd) -> Chunk {
        let work = move |tx: &mut store::Tx<'_>| {
            // The progress comes first, so that a second import of the same file fails here and not on a row.
            let ours = match &end {
                ChunkEnd::Line(lines, digest) => store::advance_import(tx, before, *lines, digest)?,
                ChunkEnd::File(counters) => store::finish_import(tx, before, *counters)?,
            };
            if !ours {
                return Ok(Outcome::Rollback(false));
            }
            steps.iter().try_for_each(|step| write_step(tx, step))?;
            Ok(Outcome::Commit(true))
        };
        let store = self.store.clone();
        tokio::spawn(async move { store.write(tenant, work).await })
    }
}

/// A chunk that is being written; it returns `false` if another import of the tenant is running.
type Chunk = tokio::task::JoinHandle<store::Result<bool>>;

/// Waits until a chunk is written, if there is one.
async fn await_chunk(chunk: Option<Chunk>, code: &str) -> Result<(), TransferError> {
    let Some(chunk) = chunk else { return Ok(()) };
    match chunk.await.map_err(|error| StoreError::Bug(error.to_string()))?? {
        true => Ok(()),
        false => concurrent_import(code),
    }
}

/// Where a chunk ends.
enum ChunkEnd {
    /// At this line; with the SHA-256 of all lines so far.
    Line(i64, String),
    /// At the end of the file.
    File(TenantCounters),
}

fn file_changed<T>() -> Result<T, TransferError> {
    refuse("the file changed during the import; put it back as it was and import it again to continue")
}

fn concurrent_import<T>(code: &str) -> Result<T, TransferError> {
    refuse(format!("another import of the tenant {code} is running"))
}

/// Reads and parses the first line.
/// The most bytes of the end of a file that are looked at for its last line, which has some 150.
const TAIL: u64 = 4096;

/// Whether the last line says that the tenant has no secrets. If that is not true, those in the file cannot be opened.
fn claims_no_secrets(file: &mut File) -> Result<bool, TransferError> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(file.metadata()?.len().saturating_sub(TAIL)))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    let last = tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let last: serde_json::Value = serde_json::from_slice(last).unwrap_or_default();
    Ok(last["end"]["secrets"] == 0)
}

fn read_header(file: &mut File) -> Result<Header, TransferError> {
    file.rewind()?;
    let mut lines = LineReader::new(BufReader::new(file));
    if !lines.read_next()? {
        return refuse("the file is empty");
    }
    let mut problems = ImportProblems::default();
    let header = header::parse(lines.line(), &mut |problem| problems.add(1, problem));
    header.ok_or_else(|| problems.into_error(None))
}
