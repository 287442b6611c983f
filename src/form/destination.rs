//! Ordered lists of destinations: what happens to a call next. An object has one list per field.

use super::field::Field;
use super::info::FieldShape;
use super::place::{Cell, Place, Pointer, Reference, ReferenceBy, Rows};
use super::problems::{too_many, wrong_shape};
use crate::domain::{Code, DialNumber, Kind, ObjectId, Patch, Problem, Row, Scalar, Sent, TenantId, Value, choice};

choice! {
    /// What a caller hears when the call is hung up.
    pub enum HangupCause {
        /// Nothing: the call just ends.
        Normal = "NORMAL",
        /// A busy tone.
        Busy = "BUSY",
        /// A congestion tone.
        Congestion = "CONGESTION",
    }
}

/// The target of one step.
#[derive(Clone, Debug, PartialEq)]
pub enum DestinationTarget {
    /// Go to an object: ring an extension, play a media file, evaluate a condition, …
    Object(ObjectId),
    /// Dial a number, inside or outside.
    Number(DialNumber),
    /// Hang up.
    Hangup(HangupCause),
}

/// One step in what happens to a call: go to an object, dial a number, or hang up.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination(DestinationTarget);

impl Destination {
    /// The kinds of objects that a call can go to.
    pub const KINDS: &'static [Kind] = &[
        Kind::VirtualExtension,
        Kind::Extension,
        Kind::VoicemailBox,
        Kind::Condition,
        Kind::MediaFile,
        Kind::ParkingLot,
        Kind::Queue,
        Kind::Ivr,
        Kind::HuntList,
        Kind::Conference,
        Kind::PagingGroup,
        Kind::Flow,
    ];

    /// The step with this target.
    pub fn new(target: DestinationTarget) -> Self {
        Self(target)
    }

    /// The target of the step.
    pub fn target(&self) -> &DestinationTarget {
        &self.0
    }

    /// The name of the input field that is set: `objectId`, `number` or `hangup`.
    pub fn field_name(&self) -> &'static str {
        match self.0 {
            DestinationTarget::Object(_) => "objectId",
            DestinationTarget::Number(_) => "number",
            DestinationTarget::Hangup(_) => "hangup",
        }
    }

    /// The object that the step goes to by id, if it does.
    pub fn object(&self) -> Option<ObjectId> {
        match self.0 {
            DestinationTarget::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Fields that are null count as absent, so that clients can send back a destination that they have read.
    fn parse(sent: &Patch) -> Result<Self, Problem> {
        let given: Vec<_> = sent.0.iter().filter(|(_, sent)| !matches!(sent, Sent::Null)).collect();
        let [(field, sent)] = given.as_slice() else {
            let rule = "must have exactly one of objectId, number and hangup";
            return Err(Problem::new(Code::InvalidFormat, rule).value(given.len()));
        };
        let target = match field.as_str() {
            "objectId" => sent.text().and_then(|id| {
                let object = ObjectId::from_opaque(id);
                object.map(DestinationTarget::Object).ok_or_else(|| Problem::not_found(Self::KINDS, id))
            }),
            "number" => <DialNumber as Scalar>::parse(sent).map(DestinationTarget::Number),
            "hangup" => <HangupCause as Scalar>::parse(sent).map(DestinationTarget::Hangup),
            _ => Err(wrong_shape()),
        };
        target.map(Self).map_err(|problem| problem.under(field))
    }

    fn store(&self) -> Row {
        match &self.0 {
            DestinationTarget::Object(object) => vec![object.local.into(), Value::Null, Value::Null],
            DestinationTarget::Number(number) => vec![Value::Null, number.to_value(), Value::Null],
            DestinationTarget::Hangup(cause) => vec![Value::Null, Value::Null, cause.to_value()],
        }
    }

    /// Loads a destination from its three columns: the object, the number and the hang-up cause.
    ///
    /// # Errors
    /// Zero or several columns have a value, or the value breaks a rule.
    pub fn load(row: Row, tenant: TenantId) -> Result<Self, Problem> {
        let [target, number, hangup] = <[Value; 3]>::try_from(row).map_err(|_| wrong_shape())?;
        Ok(Self::new(match (target, number, hangup) {
            (Value::Int(local), Value::Null, Value::Null) => DestinationTarget::Object(ObjectId { tenant, local }),
            (Value::Null, number, Value::Null) => DestinationTarget::Number(DialNumber::from_value(number)?),
            (Value::Null, Value::Null, cause) => DestinationTarget::Hangup(HangupCause::from_value(cause)?),
            _ => return Err(wrong_shape()),
        }))
    }

    /// The form in answers and change records: the one field that is set.
    pub fn show(&self) -> serde_json::Value {
        match &self.0 {
            DestinationTarget::Object(object) => serde_json::json!({ "objectId": object.opaque() }),
            DestinationTarget::Number(number) => serde_json::json!({ "number": number.as_str() }),
            DestinationTarget::Hangup(cause) => serde_json::json!({ "hangup": cause.word() }),
        }
    }
}

/// The ordered destinations of one field, at most 20. They are rows of the table `destination` with the field's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Destinations(pub Vec<Destination>);

impl Destinations {
    const MAX: usize = 20;
}

impl Field for Destinations {
    const SHAPE: FieldShape = FieldShape::Destinations;

    const PLACE: Place =
        Place::Rows(Rows { table: "destination", columns: &["target_id", "number", "hangup"], slotted: true });

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        let sent = sent.list().map_err(|p| vec![p])?;
        let (mut list, mut problems) = (Vec::new(), too_many(sent.len(), Self::MAX));
        for (i, one) in sent.iter().enumerate() {
            match one.object().and_then(Destination::parse) {
                Ok(destination) => list.push(destination),
                Err(problem) => problems.push(problem.under(i)),
            }
        }
        if problems.is_empty() { Ok(Self(list)) } else { Err(problems) }
    }

    fn blank() -> Option<Self> {
        Some(Self::default())
    }

    fn cleared() -> Option<Self> {
        Some(Self::default())
    }

    fn store(&self) -> Cell {
        Cell::Rows(self.0.iter().map(Destination::store).collect())
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        cell.rows()?.into_iter().map(|row| Destination::load(row, tenant)).collect::<Result<_, _>>().map(Self)
    }

    fn load_untrusted(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        let (mut list, rows) = (Vec::new(), cell.rows().map_err(|p| vec![p])?);
        let mut problems = too_many(rows.len(), Self::MAX);
        for (i, row) in rows.into_iter().enumerate() {
            match Destination::load(row, tenant) {
                Ok(destination) => list.push(destination),
                Err(problem) => problems.push(problem.under(i)),
            }
        }
        if problems.is_empty() { Ok(Self(list)) } else { Err(problems) }
    }

    fn entry_defaults() -> Vec<Option<Value>> {
        vec![Some(Value::Null); 3]
    }

    fn show(&self) -> serde_json::Value {
        self.0.iter().map(Destination::show).collect()
    }

    fn pointers(_: &'static str) -> Vec<Pointer> {
        let by_id = Pointer { column: "target_id", by: ReferenceBy::Id(Destination::KINDS) };
        vec![by_id, Pointer { column: "number", by: ReferenceBy::Number }]
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        self.0.retain_mut(|destination| {
            let goes_there = destination.object() == Some(from);
            if let (true, Some(to)) = (goes_there, to) {
                *destination = Destination::new(DestinationTarget::Object(to));
            }
            !goes_there || to.is_some()
        });
        true
    }

    fn redial(&mut self, from: &str, to: &str) {
        for destination in &mut self.0 {
            if let DestinationTarget::Number(mut number) = destination.0.clone() {
                Scalar::redial(&mut number, from, to);
                *destination = Destination::new(DestinationTarget::Number(number));
            }
        }
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        for (i, destination) in self.0.iter().enumerate() {
            if let Some(object) = destination.object() {
                visit(Reference { object, kinds: Destination::KINDS, path: vec![i.to_string(), "objectId".into()] });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_survives_the_rows() {
        let tenant = TenantId(1);
        let list = Destinations(vec![
            Destination::new(DestinationTarget::Object(ObjectId { tenant, local: 7 })),
            Destination::parse(&[("number", "+390551234")].into()).unwrap(),
            Destination::new(DestinationTarget::Hangup(HangupCause::Busy)),
        ]);
        assert_eq!(Destinations::load(list.store(), tenant).unwrap(), list);
        assert!(Destination::load(vec![1.into(), Value::Null, "BUSY".into()], tenant).is_err());
    }
}
