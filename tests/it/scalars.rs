//! Every value type and every GraphQL scalar against arbitrary input: nothing panics, what is accepted is accepted
//! again as it is answered and as it is kept, and what is refused is told the rule.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use vext::domain::*;

/// Texts that nobody sends, and texts that are nearly right.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[+*#0-9]{0,34}",
        "[0-9a-fA-F:.-]{10,18}",
        "[0-9a-f:.]{2,20}(/[0-9]{1,3})?",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(/[0-9]{1,2})?",
        "[0-2][0-9]:[0-6][0-9]",
        "-?[0-9]{4,6}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-][0-2][0-9]:[0-5][0-9])",
        "[a-z._+-]{1,8}@[a-z-]{1,8}(\\.[a-z]{2,4}){0,2}",
        "[A-Z][A-Z0-9_]{0,33}",
        "[ \ta-zA-Z0-9._@+\"<>-]{0,70}",
        "(\\^|\\(|\\)|\\[|\\]|[a-z0-9*+?.|{}$\\\\-]){0,40}",
        "(Europe|America|Etc)/[A-Z][a-z]{2,9}",
    ]
}

/// Any value that a literal or a variable can be.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts().prop_map(Value::from),
        "[A-Z]{1,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
}

/// What a client sends.
fn sent(value: &Value) -> Sent {
    match value {
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => n.as_i64().unwrap().into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(list) => Sent::List(list.iter().map(sent).collect()),
        Value::Null | Value::Object(_) => Sent::Null,
    }
}

/// What must hold of a type and of what a client sends for it.
fn holds<S: Scalar + std::fmt::Debug>(value: &Value) -> Result<(), TestCaseError> {
    match S::parse(&sent(value)) {
        Ok(value) => {
            let again = S::parse(&sent(&value.answer()));
            prop_assert_eq!(&again, &Ok(value.clone()), "answered as {}", value.answer());
            prop_assert_eq!(&S::from_value(value.to_value()), &Ok(value.clone()));
            prop_assert_eq!(&S::load_untrusted(value.to_value()), &Ok(value));
        }
        Err(problem) => prop_assert!(problem.rule.len() > 5, "{problem:?}"),
    }
    Ok(())
}

/// The name of the scalar in a shape, if it has one of its own.
fn name(shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::Scalar(scalar) => Some(scalar.name),
        Shape::List(entry) => name(*entry),
        _ => None,
    }
}

/// The value types, each with the GraphQL type of what is sent.
macro_rules! types {
    ($($Type:ty),+ $(,)?) => {
        fn all_hold(value: &Value) -> Result<(), TestCaseError> {
            $(holds::<$Type>(value)?;)+
            Ok(())
        }

        fn names() -> BTreeSet<String> {
            [$(name(<$Type as Scalar>::TAKES)),+].into_iter().flatten().map(str::to_owned).collect()
        }
    };
}

types!(
    bool, Text<80>, LongText<500>, DisplayName<40>, WebUser<64>, ReferenceId, CidrList, Email, EmailList, MacAddress,
    ExtensionNumber, PhoneNumber, CallerIdDigits, DialNumber, KeypadKey, Digits<20>, Seconds<1, 600>, Amount<0, 100>, Gain,
    Pattern, DateTime, MinuteOfDay, TimeZone, TenantCode, Weekday,
);

proptest! {
    #[test]
    fn texts_hold(text in texts()) {
        all_hold(&Value::String(text.clone()))?;
        all_hold(&Value::from(vec![text]))?;
    }

    #[test]
    fn values_of_any_type_hold(value in values()) {
        all_hold(&value)?;
    }

    /// A secret's rule never repeats the secret, which nothing but its type may keep.
    #[test]
    fn secrets_are_not_repeated(text in texts()) {
        fn told<P: Plain>(text: &str) -> Result<(), TestCaseError> {
            if let Err(problem) = P::check(text) {
                prop_assert_eq!(&problem.value, &None);
                prop_assert!(problem.rule.len() > 5 && (text.chars().count() < 4 || !problem.rule.contains(text)), "{problem:?}");
            }
            Ok(())
        }
        told::<Pin>(&text)?;
        told::<Password>(&text)?;
        told::<TotpSeed>(&text)?;
        told::<PhoneNumber>(&text)?;
    }

    #[test]
    fn opaque_ids_are_read_as_they_were_written(text in texts()) {
        if let Some(plain) = opaque::read(&text) {
            prop_assert_eq!(opaque::write(plain), text.clone());
        }
        if let Some(id) = TenantId::from_opaque(&text) {
            prop_assert_eq!(id.opaque(), text);
        }
    }
}

/// No scalar of the schema is left out, but that which is only answered.
#[test]
fn every_scalar_is_tried() {
    let sdl = vext::graphql::sdl();
    let scalars = sdl.lines().filter_map(|line| line.strip_prefix("scalar ")).filter(|line| !line.starts_with("JSON "));
    let missing: Vec<_> =
        scalars.map(|line| line.split(' ').next().unwrap()).filter(|name| !names().contains(*name)).collect();
    assert_eq!(missing, [""; 0]);
}
