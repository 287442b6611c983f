//! What a field that waits has to work with.

use std::any::Any;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Context, Positioned, Result};

use super::args::Args;
use super::types::Text;
use crate::graphql::errors::bug;
use crate::graphql::scope::Scope;

/// The call of a field of one object.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The arguments of the field.
    pub args: &'a Args,
    pub(super) from: CallOrigin<'a>,
}

/// The caller.
#[derive(Clone, Copy)]
pub(super) enum CallOrigin<'a> {
    /// The executor, for these fields of a document, which are merged.
    Executor(&'a Context<'a>, &'a [&'a Positioned<Field>]),
    /// A plan, with the names of the fields that are selected below this one.
    Plan(&'a Scope, &'a [Text]),
}

impl<'a> Call<'a> {
    /// The call of a plan.
    pub fn of_plan(args: &'a Args, scope: &'a Scope, selected: &'a [Text]) -> Self {
        Self { args, from: CallOrigin::Plan(scope, selected) }
    }

    /// The request.
    ///
    /// # Errors
    /// The executor's context has no request, which is a bug.
    pub fn scope(&self) -> Result<&'a Scope> {
        match self.from {
            CallOrigin::Executor(..) => self.data(),
            CallOrigin::Plan(scope, _) => Ok(scope),
        }
    }

    /// A value of the request's data, which only the executor has.
    ///
    /// # Errors
    /// There is no value of the type, which is a bug.
    pub fn data<D: Any + Send + Sync>(&self) -> Result<&'a D> {
        let found = match self.from {
            CallOrigin::Executor(context, _) => context.data_opt(),
            CallOrigin::Plan(..) => None,
        };
        found.ok_or_else(|| bug(format_args!("no {} in the data", std::any::type_name::<D>())))
    }

    /// Whether a field of this name is selected below this one, in a fragment or not.
    pub fn selects(&self, name: &str) -> bool {
        match self.from {
            CallOrigin::Plan(_, selected) => selected.iter().any(|selected| selected == name),
            CallOrigin::Executor(..) => self.selected().iter().any(|selected| selected == name),
        }
    }

    /// The names of the fields that are selected below this one.
    pub fn selected(&self) -> Vec<Text> {
        match self.from {
            CallOrigin::Plan(_, selected) => selected.to_vec(),
            CallOrigin::Executor(context, fields) => {
                let mut names = Vec::new();
                fields.iter().for_each(|field| within(context, &field.node.selection_set.node, &mut names));
                names
            }
        }
    }
}

fn within(context: &Context<'_>, set: &SelectionSet, names: &mut Vec<Text>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => names.push(field.node.name.node.to_string().into()),
            Selection::InlineFragment(fragment) => within(context, &fragment.node.selection_set.node, names),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = context.query_env.fragments.get(&spread.node.fragment_name.node) {
                    within(context, &fragment.node.selection_set.node, names);
                }
            }
        }
    }
}
