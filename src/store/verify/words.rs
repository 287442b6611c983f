//! What lists are sorted by and searches find: it follows from the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::objects::ObjectRow;
use super::super::search::Words;
use super::super::session::column;
use super::problem::problem;
use super::tenant::Check;
use crate::domain::sort_key;

const WORDS: &str = "SELECT object_id, word FROM search_word WHERE tenant_id = $1 AND source = $2";
const FOLDED: &str = "SELECT object_id, name_folded FROM pbx_object WHERE tenant_id = $1";

impl Check<'_, '_> {
    /// The words of the rows that could be read: exactly those that follow from them. `keys` are those of all rows.
    pub(super) fn words(&mut self, source: &str, keys: &BTreeSet<i64>, rows: &BTreeMap<i64, Words>) {
        let mut there: BTreeMap<i64, Words> = BTreeMap::new();
        let read = self.query.each(WORDS, &[source.into()], &mut |row| {
            there.entry(column!(row, 0, int)?).or_default().insert(column!(row, 1, text)?.to_owned());
            Ok(())
        });
        self.found.extend(read.err().map(|error| problem("search_word", error)));
        for (id, words) in rows {
            if there.remove(id).unwrap_or_default() != *words {
                self.found.push(format!("search_word[{id}.{source}]: must be the words of the object's row"));
            }
        }
        for id in there.into_keys().filter(|id| !keys.contains(id)) {
            self.found.push(format!("search_word[{id}.{source}]: the object has no such row"));
        }
    }

    /// The folded names of rows that could be read.
    pub(super) fn folded(&mut self, rows: &[(i64, ObjectRow)]) {
        let names: HashMap<i64, &str> = rows.iter().map(|(id, row)| (*id, row.name.as_str())).collect();
        let found = &mut self.found;
        let read = self.query.each(FOLDED, &[], &mut |row| {
            let (id, folded) = (column!(row, 0, int)?, column!(row, 1, text)?);
            if names.get(&id).is_some_and(|name| sort_key(name) != folded) {
                found.push(format!("pbx_object[{id}].name_folded: must follow from the name"));
            }
            Ok(())
        });
        self.found.extend(read.err().map(|error| problem("pbx_object", error)));
    }
}
