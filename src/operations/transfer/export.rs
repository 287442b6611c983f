//! Writes a tenant to a file, page by page, from one snapshot of the database.

use std::collections::HashMap;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::format::{
    ChangeLine, End, FORMAT, FieldChange, FileLine, Header, ObjectLine, Secrets, SectionLine, secret_place,
};
use super::line_reader::{MAX_LINE_BYTES, hex_digest};
use super::sections::{encode, may_hold_ids, sections_of, strip_tenant};
use super::{ProgressFn, TransferError};
use crate::domain::{Kind, Sealer, TenantId, Value};
use crate::form::Section;
use crate::service::App;
use crate::store::{self, ObjectRow, Query, StoreError, StoredChange};

/// How many objects or changes are read at a time.
const PAGE: i64 = 200;

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exported {
    /// How many objects.
    pub objects: u64,
    /// How many changes.
    pub changes: u64,
    /// How many secrets the tenant has.
    pub secrets: u64,
}

impl App {
    /// Writes a tenant to `out`, see the [module](super). Blocks while it writes.
    ///
    /// # Errors
    /// There is no such tenant; the database cannot be read; the file cannot be written.
    pub async fn export(
        &self,
        code: &str,
        secrets: Secrets,
        out: &mut dyn Write,
        on_progress: ProgressFn<'_>,
    ) -> Result<Exported, TransferError> {
        let snapshot = self.snapshot();
        let wanted = code.to_owned();
        let found = snapshot.read_system(move |session| store::tenant_by_code(session, &wanted)).await?;
        let tenant = found.ok_or_else(|| TransferError::Refused(format!("there is no tenant {code}")))?;
        let read = |query: &mut Query<'_>| Ok((store::tenant_counters(query)?, store::tenant_size(query)?));
        let (counters, (objects, changes)) = snapshot.read(tenant.id, read).await?;
        let total = (2 * objects + changes).unsigned_abs();
        let sealer = (secrets == Secrets::Sealed).then_some(&self.sealer);
        let mut sink = Sink { out, hash: Sha256::new(), end: End::default(), done: 0, total, on_progress };

        sink.line(&Header {
            format: FORMAT,
            tenant: encode(&tenant.settings, &mut |_, _| None),
            created_at: counters.created_at,
            next_object: counters.next_object,
            revision: counters.revision,
            defaults: counters.defaults,
            secrets,
            key_id: sealer.map(|sealer| sealer.key_id().to_owned()),
        })?;

        let mut after = 0;
        loop {
            let rows = snapshot.read(tenant.id, move |query| store::objects_after(query, after, PAGE)).await?;
            let Some(last) = rows.last() else { break };
            after = last.id.local;
            sink.end.objects += rows.len() as u64;
            sink.write_lines(rows.into_iter().map(|row| FileLine::Object(object_line(row))))?;
        }
        let mut after = 0;
        loop {
            let page = snapshot.read(tenant.id, move |query| load_sections(query, after)).await?;
            let Some(last) = page.last() else { break };
            after = last.object;
            sink.end.sections += page.iter().map(|found| found.sections.len() as u64).sum::<u64>();
            for found in page {
                let lines = found.lines(code, sealer, &mut sink.end.secrets)?;
                sink.write_step(&lines)?;
            }
        }
        let mut after = (0, 0);
        loop {
            let page = snapshot.read(tenant.id, move |query| store::changes_after(query, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = (last.object, last.version);
            sink.end.changes += page.len() as u64;
            let lines: Vec<_> =
                page.into_iter().map(|change| change_line(change, tenant.id)).collect::<Result<_, _>>()?;
            sink.write_lines(lines.into_iter())?;
        }
        sink.finish()
    }
}

/// The file that is being written, with its digest, counts and progress.
struct Sink<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    end: End,
    done: u64,
    total: u64,
    on_progress: ProgressFn<'a>,
}

impl Sink<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), TransferError> {
        let mut text = serde_json::to_string(line).map_err(|e| StoreError::Bug(e.to_string()))?;
        text.push('\n');
        if text.len() > MAX_LINE_BYTES {
            return Err(StoreError::Bug(format!("a line has {} bytes, more than an import reads", text.len())).into());
        }
        self.hash.update(&text);
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Writes lines, each of them one step of the progress.
    fn write_lines(&mut self, lines: impl Iterator<Item = FileLine>) -> Result<(), TransferError> {
        for line in lines {
            self.write_step(std::slice::from_ref(&line))?;
        }
        Ok(())
    }

    /// Writes lines that together are one step of the progress.
    fn write_step(&mut self, lines: &[FileLine]) -> Result<(), TransferError> {
        lines.iter().try_for_each(|line| self.line(line))?;
        self.done += 1;
        (self.on_progress)(self.done, self.total);
        Ok(())
    }

    fn finish(mut self) -> Result<Exported, TransferError> {
        self.end.sha256 = hex_digest(&self.hash);
        let End { objects, changes, secrets, .. } = self.end;
        self.line(&FileLine::End(self.end.clone()))?;
        self.out.flush()?;
        Ok(Exported { objects, changes, secrets })
    }
}

fn object_line(row: ObjectRow) -> ObjectLine {
    let ObjectRow { id, kind, number, name, description, enabled, version, created_at, changed_at } = row;
    let (kind, created_at, changed_at) = (kind.word().to_owned(), created_at.0, changed_at.0);
    ObjectLine { id: id.local, kind, number, name, description, enabled, version, created_at, changed_at }
}

/// The sections of an object.
struct ObjectSections {
    object: i64,
    sections: Vec<Box<dyn Section>>,
}

/// The sections of a page of objects. One statement per section and kind, however many objects there are.
fn load_sections(query: &mut Query<'_>, after: i64) -> store::Result<Vec<ObjectSections>> {
    let rows = store::objects_after(query, after, PAGE)?;
    let mut by_kind: HashMap<Kind, Vec<i64>> = HashMap::new();
    for row in &rows {
        by_kind.entry(row.kind).or_default().push(row.id.local);
    }
    let mut loaded = HashMap::new();
    for (kind, ids) in by_kind {
        let sections: Vec<_> = sections_of(kind)
            .iter()
            .map(|info| store::load_dyn_sections(query, info, &ids))
            .collect::<store::Result<_>>()?;
        loaded.insert(kind, sections);
    }
    let mut attach = |row: ObjectRow| {
        let (object, mut sections) = (row.id.local, Vec::new());
        for (info, loaded) in sections_of(row.kind).iter().zip(loaded.get_mut(&row.kind).into_iter().flatten()) {
            let missing = || StoreError::Corrupt(format!("{}[{object}] is missing", info.table));
            sections.push(loaded.remove(&object).ok_or_else(missing)?);
        }
        Ok(ObjectSections { object, sections })
    };
    rows.into_iter().map(&mut attach).collect()
}

impl ObjectSections {
    fn lines(self, code: &str, sealer: Option<&Sealer>, secrets: &mut u64) -> Result<Vec<FileLine>, TransferError> {
        let (object, keep_blank, mut failed) = (self.object, sealer.is_some(), false);
        let mut line = |section: Box<dyn Section>| {
            let name = section.info().client_name.clone();
            let mut secret = |field: &str, value: &Value| {
                let sealer = sealer.filter(|_| *value != Value::Null);
                *secrets += u64::from(*value != Value::Null);
                let Some(sealer) = sealer else { return keep_blank.then_some(Json::Null) };
                let sealed = match value {
                    // Sealed, because anybody with the file could guess a short PIN from its hash.
                    Value::Text(hash) => sealer.seal_for(&secret_place(code, object, &name, field), hash),
                    Value::Bytes(sealed) => Some(sealed.clone()),
                    _ => None,
                };
                failed |= sealed.is_none();
                sealed.map(|sealed| Json::String(STANDARD.encode(sealed)))
            };
            let fields = encode(&*section, &mut secret);
            FileLine::Section(SectionLine { object, name, fields })
        };
        let lines = self.sections.into_iter().map(&mut line).collect();
        if failed { Err(StoreError::Bug("a secret could not be sealed".into()).into()) } else { Ok(lines) }
    }
}

fn change_line(change: StoredChange, tenant: TenantId) -> Result<FileLine, TransferError> {
    let StoredChange { object, version, revision, at, actor, fields } = change;
    let field = |(path, before, after): (String, String, String)| {
        let json = |text: &str| {
            let broken = |_| StoreError::Corrupt(format!("the change {version} of object {object} is not JSON"));
            let mut json: Json = serde_json::from_str(text).map_err(broken)?;
            if may_hold_ids(&path) {
                strip_tenant(&mut json, tenant);
            }
            Ok::<_, StoreError>(json)
        };
        Ok(FieldChange { before: json(&before)?, after: json(&after)?, path })
    };
    let fields = fields.into_iter().map(field).collect::<store::Result<_>>()?;
    Ok(FileLine::Change(ChangeLine { object, version, revision, at, actor, fields }))
}
