//! Reading a tenant from a file: checked first, then written in chunks, each of which notes how far it got.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::PathBuf;
use std::sync::Arc;

use super::check::{CheckedFile, check};
use super::format::{End, Header, Secrets};
use super::header;
use super::lines::LineReader;
use super::reader::{Keys, Parsed, Reader};
use super::step::{CHUNK, CHUNK_BYTES, ImportStep, apply};
use super::verdict::ImportVerdict;
use super::{Tell, TransferError};
use crate::domain::{Sealer, TenantId};
use crate::service::{App, load_key};
use crate::store::{self, Outcome, Presence, StoreError, TenantCounters};

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Only check the file, and say what would be imported.
    pub dry_run: bool,
    /// The key file of the database that the file comes from, when this database has another one.
    pub from_key: Option<PathBuf>,
}

/// What was imported, or would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The tenant's code.
    pub code: String,
    /// How many objects.
    pub objects: u64,
    /// How many changes.
    pub changes: u64,
    /// How many secrets the tenant had that the file does not have.
    pub secrets_left_out: u64,
    /// How many lines were in already, from an import that was interrupted.
    pub lines_before: u64,
}

fn refused<T>(sentence: impl Into<String>) -> Result<T, TransferError> {
    Err(TransferError::Refused(sentence.into()))
}

impl App {
    /// Imports a file that [`App::export`] has written, see the [module](super). Blocks while it reads.
    ///
    /// # Errors
    /// Everything that is wrong with the file; that the tenant exists; that the keys do not fit; what the store answers.
    pub async fn import(
        &self,
        file: &mut File,
        options: &ImportOptions,
        tell: Tell<'_>,
    ) -> Result<Imported, TransferError> {
        let passes = if options.dry_run { 1 } else { 2 };
        let size = file.metadata()?.len();
        let header = header(file)?;
        let keys = self.keys(&header, options)?;
        let code = header.tenant.get("code").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let wanted = code.clone();
        let presence = self.snapshot().read_system(move |session| store::presence(session, &wanted)).await?;
        let begun = match presence {
            Presence::Absent => None,
            Presence::Complete => return refused(format!("there is a tenant {code} already; an import changes none")),
            Presence::Importing(progress) => Some(progress),
        };
        let prefix = begun.as_ref().map(|progress| progress.lines);
        let mut first = |done, _| tell(done, passes * size);
        let checked = check(file, &header, &keys, &self.environment, prefix, &mut first).await?;
        if let Some(progress) = &begun
            && checked.prefix.as_ref() != Some(&progress.digest)
        {
            let sentence = "is half imported from another file: go on with that file, or import into another database";
            return refused(format!("the tenant {code} {sentence}"));
        }
        let End { objects, changes, secrets, .. } = checked.end;
        let secrets_left_out = if header.secrets == Secrets::None { secrets } else { 0 };
        let lines_before = begun.as_ref().map_or(0, |progress| progress.lines.unsigned_abs());
        let imported = Imported { code, objects, changes, secrets_left_out, lines_before };
        if !options.dry_run {
            let begun = begun.map(|progress| (progress.tenant, progress.lines));
            let mut second = |done, _| tell(size + done, passes * size);
            self.write_file(file, &header, &checked, &keys, begun, &mut second).await?;
        }
        Ok(imported)
    }

    /// The keys that open what the file has and seal what the database gets.
    fn keys(&self, header: &Header, options: &ImportOptions) -> Result<Keys, TransferError> {
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
            (Secrets::Sealed, Some(_), None) => {
                let sentence = "the secrets in the file are sealed with another key than this database's";
                return refused(format!(
                    "{sentence}; name the key file of the database they come from with --from-key"
                ));
            }
            (Secrets::Sealed, Some(_), Some(path)) => {
                return refused(format!("the key in {} is not the one that sealed the file's secrets", path.display()));
            }
            (Secrets::Sealed, None, _) | (Secrets::None, Some(_), _) => {
                return refused("line 1 must name a keyId when the secrets are sealed, and only then");
            }
        }
        Ok(Keys { source, target })
    }

    /// Writes a file that has been checked, from behind the lines that are in already.
    async fn write_file(
        &self,
        file: &mut File,
        header: &Header,
        checked: &CheckedFile,
        keys: &Keys,
        begun: Option<(TenantId, i64)>,
        tell: Tell<'_>,
    ) -> Result<(), TransferError> {
        let code = checked.settings.code.as_str();
        file.rewind()?;
        let mut lines = LineReader::new(BufReader::new(file));
        if !lines.next()? {
            return changed();
        }
        let (tenant, mut written) = match begun {
            Some(begun) => begun,
            None => (self.begin(header, checked, lines.through()).await?, 1),
        };
        let reader = Reader::new(code, tenant, header, keys);
        let (mut steps, mut bytes) = (Vec::new(), lines.bytes);
        // One chunk is written while the next is read.
        let mut writing = None;
        while lines.next()? {
            if lines.number <= written.unsigned_abs() {
                bytes = lines.bytes;
                continue;
            }
            match reader.parse(lines.text(), &mut |_| {}) {
                Parsed::Refused(_) => return changed(),
                Parsed::Step(step) => steps.push(step),
                Parsed::End(end) => {
                    if end != checked.end || lines.before() != end.sha256 {
                        return changed();
                    }
                    let counters = TenantCounters {
                        created_at: header.created_at,
                        next_object: header.next_object,
                        revision: header.revision,
                        defaults: header.defaults,
                    };
                    finished(writing.take(), code).await?;
                    let last = self.write_chunk(tenant, std::mem::take(&mut steps), written, Until::End(counters));
                    return finished(Some(last), code).await;
                }
            }
            if steps.len() == CHUNK || lines.bytes - bytes > CHUNK_BYTES {
                let until = Until::Line(lines.number.cast_signed(), lines.through());
                finished(writing.take(), code).await?;
                writing = Some(self.write_chunk(tenant, std::mem::take(&mut steps), written, until));
                (written, bytes) = (lines.number.cast_signed(), lines.bytes);
                tell(lines.bytes, 0);
            }
        }
        changed()
    }

    /// Makes the tenant, out of sight.
    async fn begin(&self, header: &Header, checked: &CheckedFile, digest: String) -> Result<TenantId, TransferError> {
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
            None => at_the_same_time(checked.settings.code.as_str()),
        }
    }

    /// Begins to write some lines, and in the same transaction how far that is.
    fn write_chunk(&self, tenant: TenantId, steps: Vec<ImportStep>, before: i64, until: Until) -> Chunk {
        let work = move |tx: &mut store::Tx<'_>| {
            // First, so that two imports of one file do not meet in the rows.
            let ours = match &until {
                Until::Line(lines, digest) => store::advance_import(tx, before, *lines, digest)?,
                Until::End(counters) => store::finish_import(tx, before, *counters)?,
            };
            if !ours {
                return Ok(Outcome::Rollback(false));
            }
            steps.iter().try_for_each(|step| apply(tx, step))?;
            Ok(Outcome::Commit(true))
        };
        let store = self.store.clone();
        tokio::spawn(async move { store.write(tenant, work).await })
    }
}

/// A chunk that is being written; `false` when somebody else imports too.
type Chunk = tokio::task::JoinHandle<store::Result<bool>>;

/// Waits until a chunk is written, if there is one.
async fn finished(chunk: Option<Chunk>, code: &str) -> Result<(), TransferError> {
    let Some(chunk) = chunk else { return Ok(()) };
    match chunk.await.map_err(|error| StoreError::Bug(error.to_string()))?? {
        true => Ok(()),
        false => at_the_same_time(code),
    }
}

/// How far a chunk goes.
enum Until {
    /// Up to this line; with the SHA-256 of all lines so far.
    Line(i64, String),
    /// To the end.
    End(TenantCounters),
}

fn changed<T>() -> Result<T, TransferError> {
    refused("the file was changed while it was imported; put it back as it was and import it again to go on")
}

fn at_the_same_time<T>(code: &str) -> Result<T, TransferError> {
    refused(format!("somebody else imports the tenant {code} at the same time"))
}

/// The first line.
fn header(file: &mut File) -> Result<Header, TransferError> {
    file.rewind()?;
    let mut lines = LineReader::new(BufReader::new(file));
    if !lines.next()? {
        return refused("the file is empty");
    }
    let mut verdict = ImportVerdict::default();
    let header = header::parse(lines.text(), &mut |problem| verdict.add(1, problem));
    header.ok_or_else(|| verdict.told(None))
}
