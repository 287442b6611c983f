//! One line of the file on its way in: parsed and checked alone, then written.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::export::place;
use super::format::{ChangeLine, End, FORMAT, Header, Line, ObjectLine, Secrets, SectionLine};
use super::shapes::{Admitted, Shape, decode, named, refers, shapes, with_tenant};
use crate::domain::{Code, DateTime, Kept, Kind, ObjectId, Problem, Sealer, TenantId, Value};
use crate::form::{Information, Section as _};
use crate::objects::TenantSettings;
use crate::store::{self, KeptChange, ObjectRow, Result, Tx};

/// The keys of an import.
pub(super) struct Keys {
    /// Opens what the file has.
    pub source: Sealer,
    /// Seals what the database gets.
    pub target: Sealer,
}

/// What a line does.
pub(super) enum Step {
    Object(ObjectRow),
    Section { object: i64, shape: &'static dyn Shape, admitted: Admitted },
    Change(KeptChange),
}

/// A line that has been parsed.
pub(super) enum Parsed {
    Step(Step),
    End(End),
    /// It cannot be used, as has been reported. What it would have made is named, so that it is not missed later.
    Refused(Option<(i64, String)>),
}

/// What a parser has to know.
pub(super) struct Reader<'a> {
    code: &'a str,
    tenant: TenantId,
    secrets: Secrets,
    revision: i64,
    keys: &'a Keys,
    opened: Cell<u64>,
}

fn json_problem(error: &serde_json::Error) -> Problem {
    let text = error.to_string().replace(" at line 1 column ", " at column ");
    Problem::new(Code::InvalidFormat, format!("is not a line of an export: {text}"))
}

/// Parses the first line. `None` when the rest cannot be judged without it.
pub(super) fn header(line: &[u8], report: &mut dyn FnMut(Problem)) -> Option<Header> {
    let json: Json = serde_json::from_slice(line).map_err(|e| report(json_problem(&e))).ok()?;
    match json.get("format").and_then(Json::as_u64) {
        None => {
            report(Problem::new(Code::InvalidFormat, "is not the first line of an export: it has no format"));
            return None;
        }
        Some(FORMAT) => {}
        Some(other) => {
            let rule = format!("must be {FORMAT}; a newer vext has written this");
            report(Problem::new(Code::OutOfRange, rule).value(other).under("format"));
            return None;
        }
    }
    serde_json::from_value(json).map_err(|e| report(json_problem(&e))).ok()
}

/// The tenant of a header.
pub(super) fn settings(header: &Header, report: &mut dyn FnMut(Problem)) -> Option<TenantSettings> {
    let mut bad = false;
    let mut under = |problem: Problem| {
        bad = true;
        report(problem.under("tenant"));
    };
    let open = |_: Kept, _: &str, _: &str| Err(Problem::new(Code::InvalidFormat, "is no secret"));
    let described = TenantSettings::describe();
    let cells = decode(TenantSettings::TABLE, described, header.tenant.clone(), &open, &mut under)?;
    let settings = TenantSettings::admit(cells, TenantId(0), &mut under)?;
    settings.check(&mut under);
    (!bad).then_some(settings)
}

impl<'a> Reader<'a> {
    pub(super) fn new(code: &'a str, tenant: TenantId, header: &Header, keys: &'a Keys) -> Self {
        let Header { secrets, revision, .. } = *header;
        Self { code, tenant, secrets, revision, keys, opened: Cell::new(0) }
    }

    /// How many secrets have been opened.
    pub(super) fn secrets_opened(&self) -> u64 {
        self.opened.get()
    }

    /// Parses any other line.
    pub(super) fn parse(&self, line: &[u8], report: &mut dyn FnMut(Problem)) -> Parsed {
        match serde_json::from_slice(line) {
            Ok(Line::Object(line)) => self.object(line, report),
            Ok(Line::Section(line)) => self.section(line, report),
            Ok(Line::Change(line)) => self.change(line, report),
            Ok(Line::End(end)) => Parsed::End(end),
            Err(error) => {
                report(json_problem(&error));
                // Even so its object may be known, and need not be reported again wherever it is referred to.
                let json: Option<Json> = serde_json::from_slice(line).ok();
                let id = json.and_then(|json| json.get("object")?.get("id")?.as_i64());
                Parsed::Refused(id.map(|id| (id, String::new())))
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
        for (field, value) in [("id", id), ("version", version)] {
            if value < 1 {
                wrong(Problem::new(Code::OutOfRange, "must be at least 1").value(value).under(field));
            }
        }
        let kind = Kind::of(&word);
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
                Parsed::Step(Step::Object(row))
            }
        }
    }

    fn section(&self, line: SectionLine, report: &mut dyn FnMut(Problem)) -> Parsed {
        let SectionLine { object, name, fields } = line;
        let Some(shape) = named(&name) else {
            let rule = "is not a section that this program knows";
            report(Problem::new(Code::NotFound, rule).value(&name).under("name"));
            return Parsed::Refused(None);
        };
        let mut bad = false;
        let mut under = |problem: Problem| {
            bad = true;
            report(problem.under(&name));
        };
        let open = |kept: Kept, field: &str, text: &str| self.open(kept, &place(self.code, object, &name, field), text);
        let cells = decode(shape.table(), shape.describe(), fields, &open, &mut under);
        let admitted = cells.and_then(|cells| shape.admit(cells, self.tenant, &mut under));
        match admitted.filter(|_| !bad) {
            Some(admitted) => Parsed::Step(Step::Section { object, shape, admitted }),
            None => Parsed::Refused(Some((object, name))),
        }
    }

    /// What the database keeps of a secret in the file.
    fn open(&self, kept: Kept, place: &str, text: &str) -> std::result::Result<Value, Problem> {
        let wrong = |rule: &str| Problem::new(Code::InvalidFormat, rule);
        self.opened.set(self.opened.get() + 1);
        if self.secrets == Secrets::None {
            return Err(wrong("must not be there: the first line says that there are no secrets"));
        }
        let sealed = STANDARD.decode(text).map_err(|_| wrong("must be sealed, in base64"))?;
        let broken = || wrong("cannot be opened: it was altered, or sealed for another field");
        let Keys { source, target } = self.keys;
        match kept {
            Kept::Hashed => source.open_for(place, &sealed).map(|hash| hash.as_str().into()).ok_or_else(broken),
            Kept::Sealed => {
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
        for (field, value) in [("object", object), ("version", version)] {
            if value < 1 {
                wrong(field, Problem::new(Code::OutOfRange, "must be at least 1").value(value));
            }
        }
        if !(0..=self.revision).contains(&revision) {
            let rule = format!("must be 0 to {}, the tenant's revision", self.revision);
            wrong("revision", Problem::new(Code::OutOfRange, rule).value(revision));
        }
        let mut kept = Vec::new();
        for mut field in fields {
            if refers(&field.path) {
                with_tenant(&mut field.before, self.tenant);
                with_tenant(&mut field.after, self.tenant);
            }
            kept.push((field.path, field.before.to_string(), field.after.to_string()));
        }
        if actor.contains('\0') || kept.iter().any(|(path, ..)| path.contains('\0')) {
            wrong("actor", Problem::new(Code::InvalidFormat, "and paths must not contain the character NUL"));
        }
        match bad {
            true => Parsed::Refused(None),
            false => Parsed::Step(Step::Change(KeptChange { object, version, revision, at, actor, fields: kept })),
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
    let form = kind.is_some_and(|kind| shapes(kind).iter().any(|shape| shape.table() == Information::TABLE));
    let described = Information::describe();
    let cells = described.into_iter().map(|field| {
        let value =
            values.iter().find(|(name, _)| store::in_object_row(Information::TABLE, field.name) && *name == field.name);
        value.map(|(_, value)| crate::form::Cell::Value(value.clone())).or(field.blank)
    });
    let Some(cells) = cells.collect::<Option<Vec<_>>>() else { return };
    let _ = Information::admit(cells, TenantId(0), &mut |problem| {
        if form || problem.path.first().is_some_and(|field| field == "number") {
            report(problem);
        }
    });
}

/// Writes what a line says.
pub(super) fn apply(tx: &mut Tx<'_>, step: &Step) -> Result<()> {
    match step {
        Step::Object(row) => store::import_object(tx, row),
        Step::Section { object, admitted, .. } => (admitted.save)(tx, *object),
        Step::Change(change) => store::import_change(tx, change),
    }
}
