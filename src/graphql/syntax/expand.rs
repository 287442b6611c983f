//! The size of a document with all fragments expanded: computed without building it, and once per fragment.

use std::collections::HashMap;

use async_graphql::Pos;

use super::outline::{Definition, Outline, Spread};
use super::refused::{RefusedDocument, exceeded};
use crate::graphql::errors::{self, Code};
use crate::graphql::limits::{Limit, Limits};

/// The size of a definition with its fragments expanded.
#[derive(Clone, Copy)]
struct ExpandedSize {
    fields: usize,
    /// The deepest field, and its position or that of the spread that leads to it.
    deepest: (usize, Pos),
}

/// How far the counting of a definition has come.
#[derive(Clone, Copy)]
enum CountingProgress {
    Untouched,
    /// The fragments that it spreads are being counted.
    Open,
    Counted(ExpandedSize),
}

struct Expansion<'a> {
    outline: &'a Outline<'a>,
    fragments: HashMap<&'a str, usize>,
    progress: Vec<CountingProgress>,
}

/// Checks the number of fields and their depth, and that no fragment spreads itself.
pub(super) fn check(outline: &Outline<'_>, limits: &Limits) -> Result<(), RefusedDocument> {
    let named = outline.definitions.iter().enumerate();
    let fragments = named.filter_map(|(index, definition)| Some((definition.fragment?, index))).collect();
    let progress = vec![CountingProgress::Untouched; outline.definitions.len()];
    let mut expansion = Expansion { outline, fragments, progress };
    let mut total = 0_usize;
    // A fragment that is still untouched after the operations is not spread by any of them, but validation visits it
    // anyway.
    for operations in [true, false] {
        for (index, definition) in outline.definitions.iter().enumerate() {
            if definition.fragment.is_none() != operations
                || !matches!(expansion.progress[index], CountingProgress::Untouched)
            {
                continue;
            }
            let whole = expansion.count(index).map_err(|spread| {
                let sentence = format!("The fragment \"{}\" spreads itself.", spread.fragment);
                RefusedDocument::Document(vec![errors::error(Code::Validation, sentence, Some(spread.at))])
            })?;
            let (depth, at) = whole.deepest;
            if operations && depth > limits.max_depth {
                return Err(exceeded(Limit::Depth, limits.max_depth, depth, Some(at)).into());
            }
            total = total.saturating_add(whole.fields);
            if total > limits.max_fields {
                let at = Some(definition.at);
                return Err(exceeded(Limit::Fields, limits.max_fields, total, at).into());
            }
        }
    }
    Ok(())
}

impl<'a> Expansion<'a> {
    fn spreads(&self, index: usize) -> &'a [Spread<'a>] {
        let definitions = &self.outline.definitions;
        let end = definitions.get(index + 1).map_or(self.outline.spreads.len(), |next| next.spreads);
        &self.outline.spreads[definitions[index].spreads..end]
    }

    /// Counts a definition. The error is the spread that closes a circle.
    fn count(&mut self, root: usize) -> Result<ExpandedSize, &'a Spread<'a>> {
        // The definitions that are being counted, each with the spreads that have not been followed yet.
        let mut path = vec![(root, self.spreads(root).iter())];
        self.progress[root] = CountingProgress::Open;
        loop {
            let Some((index, rest)) = path.last_mut() else { return Ok(self.whole(root)) };
            let index = *index;
            let Some(spread) = rest.next() else {
                path.pop();
                self.progress[index] = CountingProgress::Counted(self.whole(index));
                continue;
            };
            let Some(&target) = self.fragments.get(spread.fragment) else { continue };
            match self.progress[target] {
                CountingProgress::Untouched => {
                    self.progress[target] = CountingProgress::Open;
                    path.push((target, self.spreads(target).iter()));
                }
                CountingProgress::Open => return Err(spread),
                CountingProgress::Counted(_) => {}
            }
        }
    }

    /// The size of a definition whose fragments have been counted.
    fn whole(&self, index: usize) -> ExpandedSize {
        let Definition { fields, deepest, .. } = self.outline.definitions[index];
        let mut whole = ExpandedSize { fields, deepest };
        for spread in self.spreads(index) {
            let target = self.fragments.get(spread.fragment).map(|&target| self.progress[target]);
            let Some(CountingProgress::Counted(part)) = target else { continue };
            whole.fields = whole.fields.saturating_add(part.fields);
            let depth = spread.depth.map_or(0, |around| around + part.deepest.0);
            if depth > whole.deepest.0 {
                whole.deepest = (depth, spread.at);
            }
        }
        whole
    }
}
