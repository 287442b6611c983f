//! Fields that are kept in one column: values, references, and nullable fields of both kinds.

use serde_json::Value as Json;

use super::field::Field;
use super::info::FieldShape;
use super::place::{Cell, Pointer, Reference, ReferenceBy};
use super::problems::wrong_shape;
use crate::domain::{
    Id, ObjectId, Problem, Scalar, SecretStorage, Sent, Shape, Target, TenantId, Value, ValueRef, json,
};

impl<T: Scalar> Field for T {
    const SHAPE: FieldShape = FieldShape::Value { takes: T::TAKES, answers: T::ANSWERS };

    const SECRET: Option<SecretStorage> = T::SECRET;

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        Scalar::parse(sent).map_err(|p| vec![p])
    }

    fn blank() -> Option<Self> {
        T::blank()
    }

    fn cleared() -> Option<Self> {
        T::empty()
    }

    fn store(&self) -> Cell {
        Cell::Value(self.to_value())
    }

    fn load(cell: Cell, _: TenantId) -> Result<Self, Problem> {
        match cell {
            Cell::Value(value) => T::from_value(value),
            Cell::Rows(_) => Err(wrong_shape()),
        }
    }

    fn load_untrusted(cell: Cell, _: TenantId) -> Result<Self, Vec<Problem>> {
        match cell {
            Cell::Value(value) => T::load_untrusted(value).map_err(|p| vec![p]),
            Cell::Rows(_) => Err(vec![wrong_shape()]),
        }
    }

    fn show(&self) -> Json {
        self.answer()
    }

    fn write(stored: ValueRef<'_>, _: TenantId, json: &mut Vec<u8>) -> Result<(), Problem> {
        <T as Scalar>::write(stored, json)
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        if T::DIALS { vec![Pointer { column: name, by: ReferenceBy::Number }] } else { Vec::new() }
    }

    fn redial(&mut self, from: &str, to: &str) {
        Scalar::redial(self, from, to);
    }
}

impl<T: Field> Field for Option<T> {
    const SHAPE: FieldShape = T::SHAPE;

    const NULLABLE: bool = true;

    const SECRET: Option<SecretStorage> = T::SECRET;

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        T::parse(sent).map(Some)
    }

    fn blank() -> Option<Self> {
        Some(None)
    }

    fn cleared() -> Option<Self> {
        Some(None)
    }

    fn store(&self) -> Cell {
        self.as_ref().map_or(Cell::Value(Value::Null), T::store)
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        match cell {
            Cell::Value(Value::Null) => Ok(None),
            cell => T::load(cell, tenant).map(Some),
        }
    }

    fn load_untrusted(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        match cell {
            Cell::Value(Value::Null) => Ok(None),
            cell => T::load_untrusted(cell, tenant).map(Some),
        }
    }

    fn show(&self) -> Json {
        self.as_ref().map_or(Json::Null, T::show)
    }

    fn write(stored: ValueRef<'_>, tenant: TenantId, json: &mut Vec<u8>) -> Result<(), Problem> {
        match stored {
            ValueRef::Null => {
                json::write(&(), json);
                Ok(())
            }
            stored => T::write(stored, tenant, json),
        }
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        T::pointers(name)
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        if let Some(value) = self {
            value.references(visit);
        }
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        if self.as_mut().is_some_and(|value| !value.redirect(from, to)) {
            *self = None;
        }
        true
    }

    fn redial(&mut self, from: &str, to: &str) {
        if let Some(value) = self {
            value.redial(from, to);
        }
    }
}

impl<K: Target> Field for Id<K> {
    const SHAPE: FieldShape = FieldShape::Value { takes: Shape::Id, answers: Shape::Id };

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        sent.text().and_then(Id::parse).map_err(|p| vec![p])
    }

    fn blank() -> Option<Self> {
        None
    }

    fn cleared() -> Option<Self> {
        None
    }

    fn store(&self) -> Cell {
        Cell::Value(self.object().local.into())
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        match cell {
            Cell::Value(Value::Int(local)) => Ok(Self::new(ObjectId { tenant, local })),
            _ => Err(wrong_shape()),
        }
    }

    fn show(&self) -> Json {
        self.object().opaque().into()
    }

    fn write(stored: ValueRef<'_>, tenant: TenantId, json: &mut Vec<u8>) -> Result<(), Problem> {
        stored.int().map(|local| ObjectId { tenant, local }.write(json)).ok_or_else(wrong_shape)
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        vec![Pointer { column: name, by: ReferenceBy::Id(K::KINDS) }]
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        visit(Reference { object: self.object(), kinds: K::KINDS, path: Vec::new() });
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        match to {
            _ if self.object() != from => {}
            Some(to) => *self = Self::new(to),
            None => return false,
        }
        true
    }
}
