//! Parses and checks one line of an imported file by itself.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::bounds::{check_counter, check_range, check_time};
use super::format::{ChangeLine, End, FileLine, Header, ObjectLine, Secrets, SectionLine, secret_place};
use super::json;
use super::sections::{add_tenant, decode, may_hold_ids, section_by_name};
use super::step::ImportStep;
use crate::domain::{Code, Counter, DateTime, Kind, ObjectId, Problem, Sealer, SecretStorage, TenantId, Value};
use crate::form::{self, Information, Typed};
use crate::objects::KindInfo;
use crate::store::{self, ObjectRow, StoredChange};

/// The keys of an import.
pub(super) struct TransferKeys {
    /// Opens the secrets in the file.
    pub source: Sealer,
    /// Seals the secrets for the database.
    pub target: Sealer,
}

/// A line that has been parsed.
pub(super) enum ParsedLine {
    Step(ImportStep),
    End(End),
    /// It was refused, and the problems were reported. Names the object or section that it would have created, so that
    /// this is not reported as missing later.
    Refused(Option<(i64, String)>),
}

/// Parses the lines after the first one.
pub(super) struct LineParser<'a> {
    code: &'a str,
    tenant: TenantId,
    secrets: Secrets,
    /// The tenant's last revision by the first line, or the maximum if that is invalid.
    revision: i64,
    keys: &'a TransferKeys,
    opened: Cell<u64>,
    /// How many secrets the sections so far could have.
    secret_fields: Cell<u64>,
    /// The greatest id of an object so far, including deleted ones.
    greatest: Cell<i64>,
}

impl<'a> LineParser<'a> {
    pub(super) fn new(code: &'a str, tenant: TenantId, header: &Header, keys: &'a TransferKeys) -> Self {
        // An invalid revision is reported for the first line, and not again for every line that is compared with it.
        let most = Counter::Revision.max_imported();
        let revision = if (0..=most).contains(&header.revision) { header.revision } else { most };
        let (opened, secret_fields, greatest) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { code, tenant, secrets: header.secrets, revision, keys, opened, secret_fields, greatest }
    }

    /// The greatest id of an object in the lines so far, including deleted ones.
    pub(super) fn greatest_id(&self) -> i64 {
        self.greatest.get()
    }

    /// Notes the id of an object, and reports an invalid one.
    fn note_id(&self, id: i64, report: impl FnOnce(Problem)) {
        let most = Counter::NextObject.max_imported() - 1;
        check_range(1..=most, id, report);
        self.greatest.set(self.greatest.get().max(if id <= most { id } else { 0 }));
    }

    /// How many secrets have been opened.
    pub(super) fn secrets_opened(&self) -> u64 {
        self.opened.get()
    }

    /// How many secrets the sections parsed so far could have.
    pub(super) fn secrets_possible(&self) -> u64 {
        self.secret_fields.get()
    }

    /// Parses a line after the first one.
    pub(super) fn parse(&self, line: &[u8], report: &mut dyn FnMut(Problem)) -> ParsedLine {
        let json = match json::parse(line) {
            Ok(json) => json,
            Err(problem) => {
                report(problem);
                return ParsedLine::Refused(None);
            }
        };
        // The object of a line that cannot be used may still be known. Then it is not reported as missing wherever
        // another line refers to it.
        let id_in = |line: &str, id: &str| json.get(line)?.get(id)?.as_i64();
        let name = || json.get("section")?.get("name")?.as_str().map(str::to_owned);
        let object = id_in("object", "id").map(|id| (id, String::new()));
        let target = object.or_else(|| Some((id_in("section", "object")?, name()?)));
        match json::from_json(json) {
            Ok(FileLine::Object(line)) => self.object(line, report),
            Ok(FileLine::Section(line)) => self.section(line, report),
            Ok(FileLine::Change(line)) => self.change(line, report),
            Ok(FileLine::End(end)) => ParsedLine::End(end),
            Err(problem) => {
                report(problem);
                ParsedLine::Refused(target)
            }
        }
    }

    fn object(&self, line: ObjectLine, report: &mut dyn FnMut(Problem)) -> ParsedLine {
        let ObjectLine { id, kind: word, number, name, description, enabled, version, created_at, changed_at } = line;
        let mut bad = false;
        let mut wrong = |problem: Problem| {
            bad = true;
            report(problem);
        };
        self.note_id(id, |problem| wrong(problem.under("id")));
        check_counter(Counter::Version, 1, version, |problem| wrong(problem.under("version")));
        check_time(created_at, |problem| wrong(problem.under("createdAt")));
        check_time(changed_at, |problem| wrong(problem.under("changedAt")));
        let kind = Kind::from_word(&word);
        if kind.is_none() {
            wrong(Problem::new(Code::NotFound, "is not a kind that this program knows").value(&word).under("kind"));
        }
        check_object_row(
            kind,
            [
                ("number", number.as_deref().into()),
                ("name", name.as_str().into()),
                ("description", description.as_str().into()),
            ],
            &mut wrong,
        );
        match kind.filter(|_| !bad) {
            None => ParsedLine::Refused(Some((id, String::new()))),
            Some(kind) => {
                let (id, created_at) = (ObjectId { tenant: self.tenant, local: id }, DateTime(created_at));
                let changed_at = DateTime(changed_at);
                let row = ObjectRow { id, kind, number, name, description, enabled, version, created_at, changed_at };
                ParsedLine::Step(ImportStep::Object(row))
            }
        }
    }

    fn section(&self, line: SectionLine, report: &mut dyn FnMut(Problem)) -> ParsedLine {
        let SectionLine { object, name, fields } = line;
        let Some(info) = section_by_name(&name) else {
            let rule = "is not a section that this program knows";
            report(Problem::new(Code::NotFound, rule).value(&name).under("name"));
            return ParsedLine::Refused(None);
        };
        let mut bad = false;
        let mut under = |problem: Problem| {
            bad = true;
            report(problem.under(&name));
        };
        let secrets = info.fields.iter().filter(|field| field.secret.is_some()).count() as u64;
        self.secret_fields.set(self.secret_fields.get() + secrets);
        let open = |kept: SecretStorage, field: &str, text: &str| {
            self.open(kept, &secret_place(self.code, object, &name, field), text)
        };
        let cells = decode(info, fields, &open, &mut under);
        let section = cells.and_then(|cells| info.load_untrusted(cells, self.tenant, &mut under));
        match section.filter(|_| !bad) {
            Some(section) => ParsedLine::Step(ImportStep::Section { object, section }),
            None => ParsedLine::Refused(Some((object, name))),
        }
    }

    /// Opens a secret of the file and returns what the database stores of it.
    fn open(&self, kept: SecretStorage, place: &str, text: &str) -> Result<Value, Problem> {
        let wrong = |rule: &str| Problem::new(Code::InvalidFormat, rule);
        self.opened.set(self.opened.get() + 1);
        if self.secrets == Secrets::None {
            return Err(wrong("must not be present: the first line says that there are no secrets"));
        }
        let sealed = STANDARD.decode(text).map_err(|_| wrong("must be a sealed secret in base64"))?;
        let broken = || wrong("cannot be opened: it was altered, or sealed for another field");
        let TransferKeys { source, target } = self.keys;
        match kept {
            SecretStorage::Hashed => {
                source.open_for(place, &sealed).map(|hash| hash.as_str().into()).ok_or_else(broken)
            }
            SecretStorage::Sealed => {
                let plain = source.open(&sealed).ok_or_else(broken)?;
                if source.key_id() == target.key_id() {
                    return Ok(Value::Bytes(sealed));
                }
                target.seal_for(place, &plain).map(Value::Bytes).ok_or_else(broken)
            }
        }
    }

    fn change(&self, line: ChangeLine, report: &mut dyn FnMut(Problem)) -> ParsedLine {
        let ChangeLine { object, version, revision, at, actor, fields } = line;
        let mut bad = false;
        let mut wrong = |field: &str, problem: Problem| {
            bad = true;
            report(problem.under(field));
        };
        self.note_id(object, |problem| wrong("object", problem));
        check_counter(Counter::Version, 1, version, |problem| wrong("version", problem));
        if !(1..=self.revision).contains(&revision) {
            let rule = format!("must be 1 to {}, the tenant's revision", self.revision);
            wrong("revision", Problem::new(Code::OutOfRange, rule).value(revision));
        }
        check_time(at, |problem| wrong("at", problem));
        let mut kept = Vec::new();
        for (i, mut field) in fields.into_iter().enumerate() {
            let mut report_side = |side: &str, problem: Problem| wrong("fields", problem.under(side).under(i));
            if may_hold_ids(&field.path) {
                for (side, json) in [("before", &mut field.before), ("after", &mut field.after)] {
                    add_tenant(json, self.tenant, &mut |id| {
                        let Some(local) = id.as_i64() else {
                            let rule = "must be the id of an object, a whole number";
                            report_side(side, Problem::new(Code::InvalidFormat, rule).value(id));
                            return None;
                        };
                        self.note_id(local, |problem| report_side(side, problem));
                        Some(local)
                    });
                }
            }
            // Subscribers learn the kind of a deleted object only from this field.
            if field.path == store::KIND_PATH && field.before.as_str().and_then(Kind::from_word).is_none() {
                let rule = "is not a kind that this program knows";
                report_side("before", Problem::new(Code::NotFound, rule).value(&field.before));
            }
            kept.push((field.path, field.before.to_string(), field.after.to_string()));
        }
        if actor.contains('\0') || kept.iter().any(|(path, ..)| path.contains('\0')) {
            wrong("actor", Problem::new(Code::InvalidFormat, "and paths must not contain the character NUL"));
        }
        match bad {
            true => ParsedLine::Refused(None),
            false => ParsedLine::Step(ImportStep::Change(StoredChange {
                object,
                version,
                revision,
                at,
                actor,
                fields: kept,
            })),
        }
    }
}

/// Checks the values of an object's own row by the types of the form's fields.
fn check_object_row(kind: Option<Kind>, values: [(&str, Value); 3], report: &mut dyn FnMut(Problem)) {
    for (field, value) in &values {
        if value.text().is_some_and(|text| text.contains('\0')) {
            report(Problem::new(Code::InvalidFormat, "must not contain the character NUL").under(field));
        }
    }
    // Every kind with a number follows the form's rules for numbers; the rules for names apply only to kinds with a
    // form.
    let form = kind.is_some_and(|kind| KindInfo::for_kind(kind).is_none());
    let info = Information::section_info();
    let cells = info.fields.iter().map(|field| {
        let value = values
            .iter()
            .find(|(name, _)| store::is_in_object_row(Information::TABLE, field.name) && *name == field.name);
        value.map(|(_, value)| form::Cell::Value(value.clone())).or_else(|| field.blank.clone())
    });
    let Some(cells) = cells.collect::<Option<Vec<_>>>() else { return };
    let _ = info.load_untrusted(cells, TenantId(0), &mut |problem| {
        if form || problem.path.first().is_some_and(|field| field == "number") {
            report(problem);
        }
    });
}
