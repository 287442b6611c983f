//! What a field that waits gets to work with.

use std::any::Any;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Context, Positioned, Result};

use super::args::Args;
use super::bug;
use crate::graphql::scope::Scope;

/// One field of one object while it is answered.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What is asked of the field.
    pub args: &'a Args,
    pub(super) context: &'a Context<'a>,
    pub(super) fields: &'a [&'a Positioned<Field>],
}

impl<'a> Call<'a> {
    /// The request.
    ///
    /// # Errors
    /// There is none, which is a bug.
    pub fn scope(&self) -> Result<&'a Scope> {
        self.data()
    }

    /// A value of the request's data.
    ///
    /// # Errors
    /// There is none of the type, which is a bug.
    pub fn data<D: Any + Send + Sync>(&self) -> Result<&'a D> {
        self.context.data_opt().ok_or_else(|| bug(format_args!("no {} in the data", std::any::type_name::<D>())))
    }

    /// Whether a field of this name is selected of what this one answers, in a fragment or not.
    pub fn selects(&self, name: &str) -> bool {
        self.fields.iter().any(|field| self.within(&field.node.selection_set.node, name))
    }

    fn within(&self, set: &SelectionSet, name: &str) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => field.node.name.node == name,
            Selection::InlineFragment(fragment) => self.within(&fragment.node.selection_set.node, name),
            Selection::FragmentSpread(spread) => {
                let fragment = self.context.query_env.fragments.get(&spread.node.fragment_name.node);
                fragment.is_some_and(|fragment| self.within(&fragment.node.selection_set.node, name))
            }
        })
    }
}
