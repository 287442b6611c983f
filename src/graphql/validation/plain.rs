//! The plain values of scalars.

use crate::graphql::layer::{self, LayerSource as _};
use crate::graphql::schema::Vext;

/// The plain JSON values that a scalar takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::graphql) enum Plain {
    Text,
    Truth,
    /// A text, or a whole number that is taken for its digits.
    Id,
    /// Of 32 bits (GraphQL specification, section 3.5.1).
    Int,
    /// Of 64 bits.
    Whole,
    Float,
}

impl Plain {
    /// Of a scalar: one of GraphQL's, or the schema's own.
    pub(super) fn of(scalar: &str) -> Self {
        match scalar {
            "Boolean" => Plain::Truth,
            "Float" => Plain::Float,
            "ID" => Plain::Id,
            "Int" => Plain::Int,
            "String" => Plain::Text,
            own => match Vext::layer().scalars.get(own).map(|scalar| scalar.plain) {
                Some(layer::PlainType::Int) => Plain::Whole,
                Some(layer::PlainType::Boolean) => Plain::Truth,
                Some(layer::PlainType::Id) => Plain::Id,
                Some(layer::PlainType::String | layer::PlainType::Any) | None => Plain::Text,
            },
        }
    }

    /// What a value must be.
    pub(in crate::graphql) fn wanted(self) -> &'static str {
        match self {
            Plain::Text => "a text",
            Plain::Truth => "true or false",
            Plain::Id => "a text or a whole number",
            Plain::Int => "a whole number from -2147483648 to 2147483647",
            Plain::Whole => "a whole number",
            Plain::Float => "a number",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::graphql::described::DESCRIBED;
    use crate::graphql::validation::types::Definition;

    #[test]
    fn each_scalar_takes_what_its_type_takes() {
        for (name, wanted) in [("Seconds", "a whole number"), ("Pattern", "a text"), ("ID", "a text or a whole number")]
        {
            let Some(Definition::Scalar(plain)) = DESCRIBED.types.of(name) else { panic!("{name} is no scalar") };
            assert_eq!(plain.wanted(), wanted, "{name}");
        }
    }
}
