//! Reads complete sections of a form together.

use std::collections::HashMap;

use super::chosen_fields::{ChosenField, ChosenFields, ChosenRead, FIRST_ENTRY_COLUMN, read_chosen};
use super::error::{Result, StoreError};
use super::session::Query;
use crate::domain::{Problem, Row, Value};
use crate::form::{Cell, FieldInfo, Place, Section, SectionInfo};

/// Some sections of a form with all their fields, which are read together.
pub struct WholeSections {
    infos: Vec<&'static SectionInfo>,
    chosen: ChosenFields,
    /// For each section, the columns of its fields; `None` for a list.
    columns: Vec<Vec<Option<usize>>>,
}

impl WholeSections {
    /// Prepares to read these sections.
    pub fn new(infos: Vec<&'static SectionInfo>) -> Self {
        let fields = |info: &'static SectionInfo| (0..info.fields.len()).map(move |at| ChosenField { info, at });
        let chosen = ChosenFields::new(infos.iter().copied().flat_map(fields).collect());
        let columns =
            infos.iter().copied().map(|info| fields(info).map(|field| chosen.column(&field)).collect()).collect();
        Self { infos, chosen, columns }
    }

    /// The sections of each object, in the order passed to [`WholeSections::new`]. The number of statements does not
    /// depend on the number of objects. An object that lacks a section is left out.
    ///
    /// # Errors
    /// An engine error; `Corrupt` if a value violates the rules of its field's type.
    pub fn load(&self, query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, Vec<Box<dyn Section>>>> {
        let (tenant, ids) = (query.tenant(), ids.iter().copied().collect());
        let mut lists: HashMap<(i64, &'static str, String), Vec<Row>> = HashMap::new();
        let mut found = HashMap::new();
        let wanted = [ChosenRead { chosen: &self.chosen, ids }];
        read_chosen(query, &wanted, &mut |_, list, columns| {
            if let Some(list) = list {
                let slot = columns.get(1)?.text().unwrap_or_default().to_owned();
                let entry = (FIRST_ENTRY_COLUMN..columns.count()).map(|at| columns.get(at).map(Value::from));
                lists.entry((columns.int(0)?, list.table, slot)).or_default().push(entry.collect::<Result<_>>()?);
                return Ok(());
            }
            let id = columns.int(0)?;
            let mut cell = |(field, column): (&FieldInfo, &Option<usize>)| match (field.place, column) {
                (Place::Rows(rows), _) => {
                    let entries = lists.remove(&(id, rows.table, field.name.to_owned()));
                    Ok(Cell::Rows(entries.unwrap_or_default()))
                }
                (Place::Column, Some(at)) => Ok(Cell::Value(columns.get(*at)?.into())),
                (Place::Column, None) => Err(StoreError::Bug(format!("{} is not read", field.name))),
            };
            let section = |(info, at): (&&'static SectionInfo, &Vec<Option<usize>>)| {
                let cells = info.fields.iter().zip(at).map(&mut cell).collect::<Result<_>>()?;
                let of = |problem: Problem| StoreError::from(problem.under(format!("{}[{id}]", info.table)));
                info.load(cells, tenant).map_err(of)
            };
            let sections = self.infos.iter().zip(&self.columns).map(section).collect::<Result<_>>()?;
            found.insert(id, sections);
            Ok(())
        })?;
        Ok(found)
    }
}
