//! Checks the folded names, by which lists are sorted, and the search words: both must match the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::objects::ObjectRow;
use super::super::search::Words;
use super::super::session::column;
use super::problem::describe_problem;
use super::tenant::TenantCheck;
use crate::domain::sort_key;

const WORDS: &str = "SELECT object_id, word FROM search_word WHERE tenant_id = $1 AND source = $2";
const FOLDED: &str = "SELECT object_id, name_folded FROM pbx_object WHERE tenant_id = $1";

impl TenantCheck<'_, '_> {
    /// Checks that the rows that could be read have exactly the words derived from them. `keys` are the ids of all
    /// rows.
    pub(super) fn check_search_words(&mut self, source: &str, keys: &BTreeSet<i64>, rows: &BTreeMap<i64, Words>) {
        let mut present: BTreeMap<i64, Words> = BTreeMap::new();
        let read = self.query.for_each_row(WORDS, &[source.into()], &mut |row| {
            present.entry(column!(row, 0, int)?).or_default().insert(column!(row, 1, text)?.to_owned());
            Ok(())
        });
        self.problems.extend(read.err().map(|error| describe_problem("search_word", error)));
        for (id, words) in rows {
            if present.remove(id).unwrap_or_default() != *words {
                self.problems.push(format!("search_word[{id}.{source}]: must be the words of the object's row"));
            }
        }
        for id in present.into_keys().filter(|id| !keys.contains(id)) {
            self.problems.push(format!("search_word[{id}.{source}]: the object has no such row"));
        }
    }

    /// Checks the folded names of the rows that could be read.
    pub(super) fn check_folded_names(&mut self, rows: &[(i64, ObjectRow)]) {
        let names: HashMap<i64, &str> = rows.iter().map(|(id, row)| (*id, row.name.as_str())).collect();
        let problems = &mut self.problems;
        let read = self.query.for_each_row(FOLDED, &[], &mut |row| {
            let (id, folded) = (column!(row, 0, int)?, column!(row, 1, text)?);
            if names.get(&id).is_some_and(|name| sort_key(name) != folded) {
                problems.push(format!("pbx_object[{id}].name_folded: must follow from the name"));
            }
            Ok(())
        });
        self.problems.extend(read.err().map(|error| describe_problem("pbx_object", error)));
    }
}
