//! The search index: the words that a search finds objects by. They are derived from an object's own row and from the
//! fields that sections and details list in `searched:`. Code that writes one of these rows also updates its words, and
//! writes only the difference.

use std::collections::{BTreeSet, HashSet};

use super::error::Result;
use super::session::{Query, Tx, column};
use crate::domain::{LAST_CHARACTER, fold, word, words};
use crate::form::{Cell, SectionInfo};

/// The words of one row.
pub(super) type Words = BTreeSet<String>;

/// The source of the words of an object's own row.
pub(super) const OBJECT_SOURCE: &str = "pbx_object";

const STORED: &str = "SELECT word FROM search_word WHERE tenant_id = $1 AND object_id = $2 AND source = $3";
const INSERT: &str = "INSERT INTO search_word (tenant_id, object_id, source, word) VALUES ($1, $2, $3, $4)";
const DELETE: &str = "DELETE FROM search_word WHERE tenant_id = $1 AND object_id = $2 AND source = $3 AND word = $4";
// There are few objects, but the word may be common. The expression keeps the engines from using the index on words.
const WITH_WORD: &str = "SELECT object_id FROM search_word
  WHERE tenant_id = $1 AND object_id = ANY($2) AND word || '' >= $3 AND word || '' < $4";

/// The words of an object's own row.
pub(super) fn object_words(number: Option<&str>, name: &str, description: &str) -> Words {
    [number.unwrap_or_default(), name, description].into_iter().flat_map(words).collect()
}

/// The words of a section's row: the words of each text, and each text as a whole for filters by its beginning.
pub(super) fn section_words(info: &SectionInfo, cells: &[Cell]) -> Words {
    let cells = info.fields.iter().zip(cells).filter(|(field, _)| info.searched.contains(&field.name));
    text_words(&mut cells.filter_map(|(_, cell)| if let Cell::Value(value) = cell { value.text() } else { None }))
}

/// The words of some texts, and each text as a whole.
pub(super) fn text_words(texts: &mut dyn Iterator<Item = &str>) -> Words {
    texts.flat_map(|text| words(text).into_iter().chain([word(&fold(text))])).filter(|word| !word.is_empty()).collect()
}

/// Writes the words of a new object's own row.
pub(super) fn insert_object_words(tx: &mut Tx<'_>, id: i64, words: &Words) -> Result<()> {
    save_words(tx, id, OBJECT_SOURCE, &Words::new(), words)
}

/// Updates the words of an object's own row after a change.
pub(super) fn update_object_words(tx: &mut Tx<'_>, id: i64, words: &Words) -> Result<()> {
    let known = tx.rows(STORED, &[id.into(), OBJECT_SOURCE.into()])?;
    let known = known.iter().map(|row| Ok(column!(row, 0, text)?.to_owned())).collect::<Result<Words>>()?;
    save_words(tx, id, OBJECT_SOURCE, &known, words)
}

/// Inserts the new words of a row and deletes those that are gone.
pub(super) fn save_words(tx: &mut Tx<'_>, id: i64, source: &str, before: &Words, after: &Words) -> Result<()> {
    let key = |word: &String| [id.into(), source.into(), word.as_str().into()];
    before.difference(after).try_for_each(|word| tx.execute_later(DELETE, &key(word)))?;
    after.difference(before).try_for_each(|word| tx.execute_later(INSERT, &key(word)))
}

/// Which of the objects have a word that starts with `term`.
///
/// # Errors
/// An engine error.
pub fn objects_with_word(query: &mut Query<'_>, ids: &[i64], term: &str) -> Result<HashSet<i64>> {
    let params = [ids.iter().copied().collect(), term.into(), format!("{term}{LAST_CHARACTER}").into()];
    query.rows(WITH_WORD, &params)?.iter().map(|row| column!(row, 0, int)).collect()
}
