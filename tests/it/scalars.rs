//! Every value type and every GraphQL scalar against arbitrary input: nothing panics, what is accepted is accepted
//! again as it is answered and as it is kept, and what is refused is told the rule.

use std::collections::BTreeSet;

use async_graphql::{InputType, Number, Value};
use proptest::prelude::*;
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
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(|n| Value::Number(n.into())),
        any::<u64>().prop_map(|n| Value::Number(n.into())),
        any::<f64>().prop_map(|n| Number::from_f64(n).map_or(Value::Null, Value::Number)),
        texts().prop_map(Value::String),
        "[A-Z]{1,6}".prop_map(|name| Value::Enum(async_graphql::Name::new(name))),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::List))
}

/// What must hold of a type and of what a client sends for it.
fn holds<S: Scalar + std::fmt::Debug>(sent: Value) -> Result<(), TestCaseError> {
    // What is not of the plain JSON type is the executor's to refuse.
    let Ok(plain) = S::Sent::parse(Some(sent.clone())) else { return Ok(()) };
    match S::parse(&plain) {
        Ok(value) => {
            let again = S::Sent::parse(Some(value.answer())).map(|sent| S::parse(&sent));
            let again = again.map_err(|_| TestCaseError::fail(format!("{sent} is answered as another type")))?;
            prop_assert_eq!(&again, &Ok(value.clone()), "answered as {}", value.answer());
            prop_assert_eq!(&S::from_value(value.to_value()), &Ok(value.clone()));
            prop_assert_eq!(&S::admit(value.to_value()), &Ok(value));
        }
        Err(problem) => prop_assert!(problem.rule.len() > 5, "{problem:?}"),
    }
    Ok(())
}

/// The value types, each with the GraphQL type of what is sent.
macro_rules! types {
    ($($Type:ty),+ $(,)?) => {
        fn all_hold(sent: &Value) -> Result<(), TestCaseError> {
            $(holds::<$Type>(sent.clone())?;)+
            Ok(())
        }

        fn names() -> BTreeSet<String> {
            [$(<$Type as Scalar>::Sent::type_name().into_owned()),+].into()
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
        all_hold(&Value::List(vec![Value::String(text)]))?;
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
        if let Some(id) = TenantId::of_opaque(&text) {
            prop_assert_eq!(id.opaque().0, text);
        }
    }
}

/// No scalar of the schema is left out.
#[test]
fn every_scalar_is_tried() {
    let sdl = vext::graphql::sdl();
    let scalars = sdl.lines().filter_map(|line| line.strip_prefix("scalar "));
    let missing: Vec<_> =
        scalars.map(|line| line.split(' ').next().unwrap()).filter(|name| !names().contains(*name)).collect();
    assert_eq!(missing, [""; 0]);
}
