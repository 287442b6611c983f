//! The values of strings (GraphQL specification of September 2025, section 2.10.4).

/// The value of a string token, from the text between its quotes.
///
/// # Errors
/// The escape that represents no character, as it is written.
pub(super) fn string(mut raw: &str) -> Result<String, String> {
    let mut value = String::with_capacity(raw.len());
    while let Some((plain, escape)) = raw.split_once('\\') {
        value.push_str(plain);
        let (meant, length) = match escape.as_bytes() {
            [b'"' | b'\\' | b'/', ..] => (escape.chars().next(), 1),
            [b'b', ..] => (Some('\u{8}'), 1),
            [b'f', ..] => (Some('\u{c}'), 1),
            [b'n', ..] => (Some('\n'), 1),
            [b'r', ..] => (Some('\r'), 1),
            [b't', ..] => (Some('\t'), 1),
            [b'u', b'{', ..] => braced(escape),
            [b'u', ..] => fixed(escape),
            _ => (None, 1),
        };
        let Some(meant) = meant else {
            return Err(format!("\\{}", escape.chars().take(length.max(1)).collect::<String>()));
        };
        value.push(meant);
        raw = escape.get(length..).unwrap_or_default();
    }
    value.push_str(raw);
    Ok(value)
}

/// Parses hexadecimal digits and nothing else.
fn hexadecimal(digits: Option<&str>) -> Option<u32> {
    let digits = digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// Parses `u{…}`: the character, and the length of the escape.
fn braced(escape: &str) -> (Option<char>, usize) {
    let end = escape.find('}').map_or(escape.len(), |end| end + 1).min(12);
    let digits = escape.get(2..end).and_then(|rest| rest.strip_suffix('}'));
    (hexadecimal(digits).and_then(char::from_u32), end)
}

/// Parses `u` and four digits, or a surrogate pair of two of these.
fn fixed(escape: &str) -> (Option<char>, usize) {
    let Some(unit) = hexadecimal(escape.get(1..5)) else { return (None, 5) };
    if let Some(character) = char::from_u32(unit) {
        return (Some(character), 5);
    }
    let second = escape.get(5..7).filter(|begin| *begin == "\\u").and_then(|_| hexadecimal(escape.get(7..11)));
    match second {
        Some(second @ 0xDC00..=0xDFFF) if unit < 0xDC00 => {
            (char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00)), 11)
        }
        _ => (None, 5),
    }
}

/// The value of a block string, from the text between its quotes: without the indentation that all lines but the first
/// share, and without blank lines at both ends.
pub(super) fn block(raw: &str) -> String {
    let raw = raw.replace("\\\"\"\"", "\"\"\"");
    let lines: Vec<&str> =
        raw.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).collect();
    let blank = |line: &str| line.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
    let indented = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = lines.iter().skip(1).filter(|line| !blank(line)).map(|line| indented(line)).min().unwrap_or(0);
    let Some(first) = lines.iter().position(|line| !blank(line)) else { return String::new() };
    let last = lines.iter().rposition(|line| !blank(line)).unwrap_or(first);
    let shown = lines.iter().enumerate().take(last + 1).skip(first);
    let shown = shown.map(|(i, line)| if i == 0 { line } else { line.get(common..).unwrap_or_default() });
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_represents_one_character() {
        for (raw, value) in [
            ("", ""),
            ("aé", "aé"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u00e9\u00E9x", "éé\u{78}"),
            (r"\uD83D\uDE00!", "😀!"),
            (r"\u{1F600}\u{41}\u{00000041}", "😀AA"),
        ] {
            assert_eq!(string(raw).as_deref(), Ok(value), "{raw}");
        }
        for (raw, escape) in [
            (r"a\x", r"\x"),
            (r"\u00g0", r"\u00g0"),
            (r"\u12", r"\u12"),
            (r"\u+123", r"\u+123"),
            (r"\uD83D", r"\uD83D"),
            (r"\uD83Da", r"\uD83D"),
            (r"\uD83D\u0041", r"\uD83D"),
            (r"\uDE00\uD83D", r"\uDE00"),
            (r"\u{}", r"\u{}"),
            (r"\u{D800}", r"\u{D800}"),
            (r"\u{110000}", r"\u{110000}"),
            (r"\u{41", r"\u{41"),
            (r"\u{é}", r"\u{é}"),
        ] {
            assert_eq!(string(raw), Err(escape.to_owned()), "{raw}");
        }
    }

    #[test]
    fn a_block_string_loses_its_common_indentation() {
        for (raw, value) in [
            ("", ""),
            (" \n\t\n", ""),
            ("a", "a"),
            ("  a", "  a"),
            ("\n    a\n      b\r\n\n    c\n  ", "a\n  b\n\nc"),
            ("a\n  b\r  c", "a\nb\nc"),
            ("\n  \\\"\"\"a\\n\\\"\n", "\"\"\"a\\n\\\""),
        ] {
            assert_eq!(block(raw), value, "{raw:?}");
        }
    }
}
