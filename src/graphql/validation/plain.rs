//! The kinds of plain values that scalars take.

use crate::graphql::layer::{self, LayerSource as _};
use crate::graphql::schema::Vext;

/// The kind of plain JSON value that a scalar takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::graphql) enum PlainKind {
    String,
    Boolean,
    /// A text, or a whole number, which is converted to a text.
    Id,
    /// A whole number of 32 bits (GraphQL specification, section 3.5.1).
    Int,
    /// A whole number of 64 bits.
    WholeNumber,
    Float,
}

impl PlainKind {
    /// The kind of a scalar: one of GraphQL's, or one of the schema.
    pub(super) fn for_scalar(scalar: &str) -> Self {
        match scalar {
            "Boolean" => PlainKind::Boolean,
            "Float" => PlainKind::Float,
            "ID" => PlainKind::Id,
            "Int" => PlainKind::Int,
            "String" => PlainKind::String,
            own => match Vext::layer().scalars.get(own).map(|scalar| scalar.plain) {
                Some(layer::PlainType::Int) => PlainKind::WholeNumber,
                Some(layer::PlainType::Boolean) => PlainKind::Boolean,
                Some(layer::PlainType::Id) => PlainKind::Id,
                Some(layer::PlainType::String | layer::PlainType::Any) | None => PlainKind::String,
            },
        }
    }

    /// What a value must be, for error messages.
    pub(in crate::graphql) fn wanted(self) -> &'static str {
        match self {
            PlainKind::String => "a text",
            PlainKind::Boolean => "true or false",
            PlainKind::Id => "a text or a whole number",
            PlainKind::Int => "a whole number from -2147483648 to 2147483647",
            PlainKind::WholeNumber => "a whole number",
            PlainKind::Float => "a number",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::graphql::described::DESCRIBED;
    use crate::graphql::validation::types::KnownType;

    #[test]
    fn each_scalar_takes_what_its_type_takes() {
        for (name, wanted) in [("Seconds", "a whole number"), ("Pattern", "a text"), ("ID", "a text or a whole number")]
        {
            let Some(KnownType::Scalar(plain)) = DESCRIBED.types.get(name) else { panic!("{name} is no scalar") };
            assert_eq!(plain.wanted(), wanted, "{name}");
        }
    }
}
