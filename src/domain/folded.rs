//! Folded text for searching, comparing and sorting: case and accents make no difference, on any database.

use unicode_normalization::UnicodeNormalization as _;

/// Sorts after every character of a folded text, so that `prefix + LAST_CHARACTER` sorts after all texts with the
/// prefix.
pub const LAST_CHARACTER: char = '\u{10FFFF}';

/// The number of characters of a folded text that lists are sorted by: an index of any database can hold this many.
const SORT_KEY_LENGTH: usize = 120;
/// The number of characters of a word that are kept.
const WORD_LENGTH: usize = 40;

/// The text in lower case without the accents of the Latin, Greek and Cyrillic scripts: `Ström` becomes `strom`.
pub fn fold(text: &str) -> String {
    let no_accent = |c: &char| !('\u{300}'..='\u{36F}').contains(c);
    let kept = |c: &char| !matches!(*c, '\0' | LAST_CHARACTER);
    let plain = text.nfd().filter(no_accent).nfc().filter(kept);
    // By way of upper case, so that the sharp s and both lower-case sigmas match their other forms.
    plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The key by which lists are sorted for this text.
pub fn sort_key(text: &str) -> String {
    shortened(&fold(text), SORT_KEY_LENGTH)
}

/// The folded words of a text, separated by white space and punctuation.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(word).collect()
}

/// A folded text as a single word, whatever characters it has.
pub fn word(folded: &str) -> String {
    shortened(folded, WORD_LENGTH)
}

fn shortened(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_make_no_difference() {
        for (text, folded) in [
            ("Ivy MORGAN", "ivy morgan"),
            ("José Ström", "jose strom"),
            ("Jose\u{301}", "jose"),
            ("Straße", "strasse"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("İstanbul", "istanbul"),
            ("ガ", "ガ"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn words_are_separated_by_white_space_and_punctuation() {
        assert_eq!(words(" CRM-0042, O'Neill (Köln) "), ["crm", "0042", "o", "neill", "koln"]);
        assert!(words(" -- ").is_empty());
        assert_eq!(words(&"x".repeat(99))[0].len(), WORD_LENGTH);
    }

    proptest! {
        #[test]
        fn texts_with_a_prefix_sort_before_its_end(prefix in any::<String>(), rest in any::<String>()) {
            let (prefix, whole) = (fold(&prefix), fold(&(prefix.clone() + &rest)));
            if whole.starts_with(&prefix) {
                let end = prefix.clone() + &String::from(LAST_CHARACTER);
                prop_assert!(whole >= prefix && whole < end);
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in "[\u{20}-\u{24F}\u{370}-\u{4FF}]*") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
