//! Text as it is found, compared and sorted: capitals and accents make no difference, on any engine.

use unicode_normalization::UnicodeNormalization as _;

/// Stands behind every character of a folded text, so that `prefix + BEHIND_ALL` is behind all that begins with it.
pub const BEHIND_ALL: char = '\u{10FFFF}';

/// The most characters of a folded text that lists are sorted by: what an index takes on every engine.
const SORTED: usize = 120;
/// The most characters of a word that are kept.
const WORD: usize = 40;

/// The text without capitals and without the accents of the Latin, Greek and Cyrillic scripts: `Ström` is `strom`.
pub fn fold(text: &str) -> String {
    let no_accent = |c: &char| !('\u{300}'..='\u{36F}').contains(c);
    let kept = |c: &char| !matches!(*c, '\0' | BEHIND_ALL);
    let plain = text.nfd().filter(no_accent).nfc().filter(kept);
    // Through capitals, so that the sharp s and the two small sigmas are found by their other forms.
    plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// What a list is sorted by that is sorted by this text.
pub fn sort_key(text: &str) -> String {
    shortened(&fold(text), SORTED)
}

/// The words of a text, folded: what stands between blanks and punctuation.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(word).collect()
}

/// A folded text as one word, whatever stands in it.
pub fn word(folded: &str) -> String {
    shortened(folded, WORD)
}

fn shortened(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn capitals_and_accents_make_no_difference() {
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
    fn words_stand_between_blanks_and_punctuation() {
        assert_eq!(words(" CRM-0042, O'Neill (Köln) "), ["crm", "0042", "o", "neill", "koln"]);
        assert!(words(" -- ").is_empty());
        assert_eq!(words(&"x".repeat(99))[0].len(), WORD);
    }

    proptest! {
        #[test]
        fn what_begins_with_a_prefix_stands_before_its_end(prefix in any::<String>(), rest in any::<String>()) {
            let (prefix, whole) = (fold(&prefix), fold(&(prefix.clone() + &rest)));
            if whole.starts_with(&prefix) {
                let end = prefix.clone() + &String::from(BEHIND_ALL);
                prop_assert!(whole >= prefix && whole < end);
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in "[\u{20}-\u{24F}\u{370}-\u{4FF}]*") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
