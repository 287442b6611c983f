//! One line of the file on its way in, parsed and checked alone.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::bounds::{counted, moment, within};
use super::format::{ChangeLine, End, FileLine, Header, ObjectLine, Secrets, SectionLine, place};
use super::json;
use super::shapes::{decode, named, refers, with_tenant};
use super::step::ImportStep;
use crate::domain::{Code, Counter, DateTime, Kind, ObjectId, Problem, Sealer, SecretStorage, TenantId, Value};
use crate::form::{self, Information, Typed};
use crate::objects::KindInfo;
use crate::store::{self, KeptChange, ObjectRow};

/// The keys of an import.
pub(super) struct Keys {
    /// Opens what the file has.
    pub source: Sealer,
    /// Seals what the database gets.
    pub target: Sealer,
}

/// A line that has been parsed.
pub(super) enum Parsed {
    Step(ImportStep),
    End(End),
    /// It cannot be used, as has been reported. What it would have made is named, so that it is not missed later.
    Refused(Option<(i64, String)>),
}

/// What a parser has to know.
pub(super) struct Reader<'a> {
    code: &'a str,
    tenant: TenantId,
    secrets: Secrets,
    /// The last revision that the first line tells, if it can be.
    revision: i64,
    keys: &'a Keys,
    opened: Cell<u64>,
    /// How many secrets there could have been.
    places: Cell<u64>,
    /// The greatest id of an object that is there, or was.
    greatest: Cell<i64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(code: &'a str, tenant: TenantId, header: &Header, keys: &'a Keys) -> Self {
        // What is wrong with the first line is told there, and not again with each line that is measured by it.
        let most = Counter::Revision.max_imported();
        let revision = if (0..=most).contains(&header.revision) { header.revision } else { most };
        let (opened, places, greatest) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { code, tenant, secrets: header.secrets, revision, keys, opened, places, greatest }
    }

    /// The greatest id of an object that lines have named so far, what is gone included.
    pub(super) fn greatest_id(&self) -> i64 {
        self.greatest.get()
    }

    /// Takes the id of an object, and reports what cannot be one.
    fn id(&self, id: i64, report: impl FnOnce(Problem)) {
        let most = Counter::NextObject.max_imported() - 1;
        within(1..=most, id, report);
        self.greatest.set(self.greatest.get().max(if id <= most { id } else { 0 }));
    }

    /// How many secrets have been opened.
    pub(super) fn secrets_opened(&self) -> u64 {
        self.opened.get()
    }

    /// How many secrets the sections that have been parsed could have.
    pub(super) fn secrets_possible(&self) -> u64 {
        self.places.get()
    }

    /// Parses any other line.
    pub(super) fn parse(&self, line: &[u8], report: &mut dyn FnMut(Problem)) -> Parsed {
        let json = match json::parse(line) {
            Ok(json) => json,
            Err(problem) => {
                report(problem);
                return Parsed::Refused(None);
            }
        };
        // Even of a line that cannot be used the object may be known, and need not be reported again wherever it is
        // referred to.
        let of = |line: &str, id: &str| json.get(line)?.get(id)?.as_i64();
        let name = || json.get("section")?.get("name")?.as_str().map(str::to_owned);
        let object = of("object", "id").map(|id| (id, String::new()));
        let made = object.or_else(|| Some((of("section", "object")?, name()?)));
        match json::typed(json) {
            Ok(FileLine::Object(line)) => self.object(line, report),
            Ok(FileLine::Section(line)) => self.section(line, report),
            Ok(FileLine::Change(line)) => self.change(line, report),
            Ok(FileLine::End(end)) => Parsed::End(end),
            Err(problem) => {
                report(problem);
                Parsed::Refused(made)
            }
        }
    }

    fn object(&self, line: ObjectLine, report: &mut dyn FnMut(Problem)) -> Parsed {
        let ObjectLine { id, kind: word, number, name, description, enabled, version, created_at, changed_at } = line;
        let mut bad = false;
        let mut wrong = |problem: Problem| {
            bad = true;
            report(problem);
        };
        self.id(id, |problem| wrong(problem.under("id")));
        counted(Counter::Version, 1, version, |problem| wrong(problem.under("version")));
        moment(created_at, |problem| wrong(problem.under("createdAt")));
        moment(changed_at, |problem| wrong(problem.under("changedAt")));
        let kind = Kind::from_word(&word);
        if kind.is_none() {
            wrong(Problem::new(Code::NotFound, "is not a kind that this program knows").value(&word).under("kind"));
        }
        own_row(
            kind,
            [
                ("number", number.as_deref().into()),
                ("name", name.as_str().into()),
                ("description", description.as_str().into()),
            ],
            &mut wrong,
        );
        match kind.filter(|_| !bad) {
            None => Parsed::Refused(Some((id, String::new()))),
            Some(kind) => {
                let (id, created_at) = (ObjectId { tenant: self.tenant, local: id }, DateTime(created_at));
                let changed_at = DateTime(changed_at);
                let row = ObjectRow { id, kind, number, name, description, enabled, version, created_at, changed_at };
                Parsed::Step(ImportStep::Object(row))
            }
        }
    }

    fn section(&self, line: SectionLine, report: &mut dyn FnMut(Problem)) -> Parsed {
        let SectionLine { object, name, fields } = line;
        let Some(info) = named(&name) else {
            let rule = "is not a section that this program knows";
            report(Problem::new(Code::NotFound, rule).value(&name).under("name"));
            return Parsed::Refused(None);
        };
        let mut bad = false;
        let mut under = |problem: Problem| {
            bad = true;
            report(problem.under(&name));
        };
        let secrets = info.fields.iter().filter(|field| field.secret.is_some()).count() as u64;
        self.places.set(self.places.get() + secrets);
        let open = |kept: SecretStorage, field: &str, text: &str| {
            self.open(kept, &place(self.code, object, &name, field), text)
        };
        let cells = decode(info, fields, &open, &mut under);
        let section = cells.and_then(|cells| info.load_untrusted(cells, self.tenant, &mut under));
        match section.filter(|_| !bad) {
            Some(section) => Parsed::Step(ImportStep::Section { object, section }),
            None => Parsed::Refused(Some((object, name))),
        }
    }

    /// What the database keeps of a secret in the file.
    fn open(&self, kept: SecretStorage, place: &str, text: &str) -> Result<Value, Problem> {
        let wrong = |rule: &str| Problem::new(Code::InvalidFormat, rule);
        self.opened.set(self.opened.get() + 1);
        if self.secrets == Secrets::None {
            return Err(wrong("must not be there: the first line says that there are no secrets"));
        }
        let sealed = STANDARD.decode(text).map_err(|_| wrong("must be sealed, in base64"))?;
        let broken = || wrong("cannot be opened: it was altered, or sealed for another field");
        let Keys { source, target } = self.keys;
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

    fn change(&self, line: ChangeLine, report: &mut dyn FnMut(Problem)) -> Parsed {
        let ChangeLine { object, version, revision, at, actor, fields } = line;
        let mut bad = false;
        let mut wrong = |field: &str, problem: Problem| {
            bad = true;
            report(problem.under(field));
        };
        self.id(object, |problem| wrong("object", problem));
        counted(Counter::Version, 1, version, |problem| wrong("version", problem));
        if !(1..=self.revision).contains(&revision) {
            let rule = format!("must be 1 to {}, the tenant's revision", self.revision);
            wrong("revision", Problem::new(Code::OutOfRange, rule).value(revision));
        }
        moment(at, |problem| wrong("at", problem));
        let mut kept = Vec::new();
        for (i, mut field) in fields.into_iter().enumerate() {
            let mut within = |side: &str, problem: Problem| wrong("fields", problem.under(side).under(i));
            if refers(&field.path) {
                for (side, json) in [("before", &mut field.before), ("after", &mut field.after)] {
                    with_tenant(json, self.tenant, &mut |id| {
                        let Some(local) = id.as_i64() else {
                            let rule = "must be the id of an object, a whole number";
                            within(side, Problem::new(Code::InvalidFormat, rule).value(id));
                            return None;
                        };
                        self.id(local, |problem| within(side, problem));
                        Some(local)
                    });
                }
            }
            // Who follows the tenant is told what is gone by this alone.
            if field.path == store::KIND_PATH && field.before.as_str().and_then(Kind::from_word).is_none() {
                let rule = "is not a kind that this program knows";
                within("before", Problem::new(Code::NotFound, rule).value(&field.before));
            }
            kept.push((field.path, field.before.to_string(), field.after.to_string()));
        }
        if actor.contains('\0') || kept.iter().any(|(path, ..)| path.contains('\0')) {
            wrong("actor", Problem::new(Code::InvalidFormat, "and paths must not contain the character NUL"));
        }
        match bad {
            true => Parsed::Refused(None),
            false => {
                Parsed::Step(ImportStep::Change(KeptChange { object, version, revision, at, actor, fields: kept }))
            }
        }
    }
}

/// Checks what stands in an object's own row by the types that the form has for it.
fn own_row(kind: Option<Kind>, values: [(&str, Value); 3], report: &mut dyn FnMut(Problem)) {
    for (field, value) in &values {
        if value.text().is_some_and(|text| text.contains('\0')) {
            report(Problem::new(Code::InvalidFormat, "must not contain the character NUL").under(field));
        }
    }
    // Whatever has a number shares the numbers of the form; names are the form's only where there is a form.
    let form = kind.is_some_and(|kind| KindInfo::for_kind(kind).is_none());
    let info = Information::section_info();
    let cells = info.fields.iter().map(|field| {
        let value =
            values.iter().find(|(name, _)| store::in_object_row(Information::TABLE, field.name) && *name == field.name);
        value.map(|(_, value)| form::Cell::Value(value.clone())).or_else(|| field.blank.clone())
    });
    let Some(cells) = cells.collect::<Option<Vec<_>>>() else { return };
    let _ = info.load_untrusted(cells, TenantId(0), &mut |problem| {
        if form || problem.path.first().is_some_and(|field| field == "number") {
            report(problem);
        }
    });
}
