//! The words that a search finds objects by. They follow from an object's own row and from the fields that sections
//! and details name behind `searched:`; whoever writes one of these rows writes its words, and only what differs.

use std::collections::{BTreeSet, HashSet};

use super::error::Result;
use super::session::{Query, Tx, column};
use crate::domain::{LAST_CHARACTER, fold, word, words};
use crate::form::{Cell, SectionInfo};

/// The words of one row.
pub(super) type Words = BTreeSet<String>;

/// The source of the words of an object's own row.
pub(super) const OWN: &str = "pbx_object";

const KNOWN: &str = "SELECT word FROM search_word WHERE tenant_id = $1 AND object_id = $2 AND source = $3";
const INSERT: &str = "INSERT INTO search_word (tenant_id, object_id, source, word) VALUES ($1, $2, $3, $4)";
const DELETE: &str = "DELETE FROM search_word WHERE tenant_id = $1 AND object_id = $2 AND source = $3 AND word = $4";
// The objects are few and the words may be common: an expression keeps the engines from going through the words.
const AMONG: &str = "SELECT object_id FROM search_word
  WHERE tenant_id = $1 AND object_id = ANY($2) AND word || '' >= $3 AND word || '' < $4";

/// The words of an object's own row.
pub(super) fn own(number: Option<&str>, name: &str, description: &str) -> Words {
    [number.unwrap_or_default(), name, description].into_iter().flat_map(words).collect()
}

/// The words of a section's row: those of each text, and each text as a whole, which a filter for it begins with.
pub(super) fn of_section(info: &SectionInfo, cells: &[Cell]) -> Words {
    let cells = info.fields.iter().zip(cells).filter(|(field, _)| info.searched.contains(&field.name));
    of_texts(&mut cells.filter_map(|(_, cell)| if let Cell::Value(value) = cell { value.text() } else { None }))
}

/// The words of some texts, and each text as a whole.
pub(super) fn of_texts(texts: &mut dyn Iterator<Item = &str>) -> Words {
    texts.flat_map(|text| words(text).into_iter().chain([word(&fold(text))])).filter(|word| !word.is_empty()).collect()
}

/// Writes the words of an object's own row that has just been made.
pub(super) fn insert_own(tx: &mut Tx<'_>, id: i64, words: &Words) -> Result<()> {
    save(tx, id, OWN, &Words::new(), words)
}

/// Writes the words of an object's own row that has changed.
pub(super) fn update_own(tx: &mut Tx<'_>, id: i64, words: &Words) -> Result<()> {
    let known = tx.rows(KNOWN, &[id.into(), OWN.into()])?;
    let known = known.iter().map(|row| Ok(column!(row, 0, text)?.to_owned())).collect::<Result<Words>>()?;
    save(tx, id, OWN, &known, words)
}

/// Writes the words of a row that are not there yet, and deletes those that have gone.
pub(super) fn save(tx: &mut Tx<'_>, id: i64, source: &str, before: &Words, after: &Words) -> Result<()> {
    let key = |word: &String| [id.into(), source.into(), word.as_str().into()];
    before.difference(after).try_for_each(|word| tx.later(DELETE, &key(word)))?;
    after.difference(before).try_for_each(|word| tx.later(INSERT, &key(word)))
}

/// Which of some objects have a word that begins so.
///
/// # Errors
/// What the engine answers.
pub fn with_word(query: &mut Query<'_>, ids: &[i64], term: &str) -> Result<HashSet<i64>> {
    let params = [ids.iter().copied().collect(), term.into(), format!("{term}{LAST_CHARACTER}").into()];
    query.rows(AMONG, &params)?.iter().map(|row| column!(row, 0, int)).collect()
}
