//! Parses the JSON of a line. A duplicate key is refused, since programs differ in which of the two they read. The
//! number of values in a line is limited, to bound memory.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use serde_path_to_error::{Path, Segment, Track};

use crate::domain::{Code, Problem};

/// The maximum number of values in a line: ten times as many as in any export, whose longest line is a change of a list
/// of 1000 entries.
const MAX_VALUES: usize = 250_000;

/// Parses a line to a JSON value.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn parse(line: &[u8]) -> Result<Json, Problem> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::new(Code::InvalidFormat, "is empty"));
    }
    let wrong = |path: &Path, error: &serde_json::Error| {
        let text = error.to_string().replace(" at line 1 column ", " at column ");
        with_path(path, Problem::new(Code::InvalidFormat, format!("is not a line of an export: {text}")))
    };
    let (left, mut track) = (Cell::new(MAX_VALUES), Track::new());
    let mut json = serde_json::Deserializer::from_slice(line);
    let parsed = UniqueKeys(&left).deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let path = track.path();
    let parsed = parsed.and_then(|parsed| json.end().map(|()| parsed));
    parsed.map_err(|error| wrong(&path, &error))
}

/// Converts a JSON value to the type of a line.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn from_json<T: DeserializeOwned>(json: Json) -> Result<T, Problem> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let rule = format!("is not what an export writes: {}", error.inner());
        with_path(error.path(), Problem::new(Code::InvalidFormat, rule))
    })
}

fn with_path(path: &Path, problem: Problem) -> Problem {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    };
    Problem { path: path.iter().filter_map(step).collect(), ..problem }
}

/// Reads a value, refuses duplicate keys, and counts down the values that are still allowed.
#[derive(Clone, Copy)]
struct UniqueKeys<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for UniqueKeys<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        match self.0.get().checked_sub(1) {
            Some(left) => self.0.set(left),
            None => return Err(D::Error::custom(format!("a line has at most {MAX_VALUES} values"))),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} appears twice in one object")));
            }
            fields.insert(key, object.next_value_seed(self)?);
        }
        Ok(Json::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let problem = parse(text.as_bytes()).unwrap_err();
        format!("{}: {}", problem.path.join("."), problem.rule)
    }

    #[test]
    fn values_are_read_as_serde_json_reads_them() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "1.5",
            "1e5",
            "[]",
            r#"{"b":[1,{"a":"\u00e9\n"}],"a":{}}"#,
            "  [1]  \n",
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Json>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn duplicate_keys_are_refused() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"\u0061":3}"#] {
            assert!(refused(text).contains(r#"the key "a" appears twice in one object"#), "{}", refused(text));
        }
        let nested = refused(r#"{"section":{"fields":{"list":[{"x":1},{"y":1,"y":2}]}}}"#);
        assert!(nested.starts_with("section.fields.list") && nested.contains(r#"the key "y""#), "{nested}");
        assert!(parse(br#"[{"a":1},{"a":1}]"#).is_ok());
    }

    #[test]
    fn a_problem_names_its_place() {
        for (text, place, said) in [
            ("", ": ", "is empty"),
            (" \n", ": ", "is empty"),
            (r#"{"object":{"id":1e400}}"#, "object.id: ", "number out of range at column"),
            (r#"{"a":[1,2,x]}"#, "a.2: ", "expected value at column"),
            (r#"{"a":1} {}"#, ": ", "trailing characters at column"),
            (r#"{"a":"\ud800"}"#, "a: ", "at column"),
            ("{\"a\":\"\u{1}\"}", "a: ", "at column"),
        ] {
            let refused = refused(text);
            assert!(refused.starts_with(place) && refused.contains(said), "{text}: {refused}");
        }
        assert!(parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(refused(&"[".repeat(100_000)).contains("recursion limit"));
        assert!(refused(&format!("[{}1]", "1,".repeat(MAX_VALUES))).contains("at most 250000 values"));
    }
}
