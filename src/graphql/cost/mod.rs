//! The cost and depth of a query: estimated from its document before it is executed, and actual from its answer.
//!
//! An object of the answer costs 1, and 1 more for every 10 of its plain fields; an entry of a list of plain values
//! costs 1 too. The estimate counts each field as often as it is selected. The actual cost counts it as often as it is
//! in the answer, once per key. Some fields cost more, see [`super::prices`]. A fragment is measured once, not at every
//! spread. A field that is not in the schema is measured as a plain field: validation, which runs later, refuses it.

mod actual;
mod estimate;
mod measure;
#[cfg(test)]
mod tests;
mod walk;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::{Value, Variables};

pub(super) use measure::{Peak, SelectionMeasure};

use self::walk::CostWalk;
use super::prices::{LIST, Prices};
use super::validation::root;

impl Prices {
    /// Measures an operation for these variables, and returns whether the measure is the same for all variables.
    pub(super) fn operation(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> (SelectionMeasure, bool) {
        let mut walk = CostWalk::new(self, document, operation, variables);
        let measure = walk.selection(&operation.selection_set.node, self.type_id(root(operation.ty)), LIST);
        (SelectionMeasure { cost: measure.total(), ..measure }, !walk.varies.get())
    }

    /// Measures every operation of a document, whichever is run: all of them are validated.
    pub(super) fn document(&self, document: &ExecutableDocument) -> SelectionMeasure {
        let variables = Variables::default();
        let mut all = SelectionMeasure::default();
        for (_, operation) in document.operations.iter() {
            let mut walk = CostWalk::new(self, document, &operation.node, &variables);
            all =
                all.plus(walk.selection(&operation.node.selection_set.node, self.type_id(root(operation.node.ty)), 0));
        }
        all
    }

    /// The actual cost of an operation, from its answer. Introspection costs its estimate.
    pub(super) fn answer(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
        data: &Value,
    ) -> u64 {
        let mut walk = CostWalk::new(self, document, operation, variables);
        let asked = walk.merged(std::iter::once((&operation.selection_set.node, self.type_id(root(operation.ty)))));
        walk.answer(&asked, data).total()
    }
}
