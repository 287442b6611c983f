//! Selections: fields with their arguments and directives, spreads and inline fragments.

use async_graphql::parser::types::{
    Directive, Field, FragmentSpread, InlineFragment, Selection, SelectionSet, TypeCondition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;

use super::lexer::{Kind, Token};
use super::outline::Spread;
use super::parser::{ParseResult, Parser, count, unexpected};
use super::refused::RefusedDocument;
use crate::graphql::limits::Limit;

/// Arguments with their names.
type Arguments = Vec<(Positioned<Name>, Positioned<Value>)>;

impl<'a> Parser<'a, '_> {
    /// The type after `on`.
    pub(super) fn type_condition(&mut self) -> ParseResult<Positioned<TypeCondition>> {
        let on = self.name("the name of a type")?;
        Ok(Positioned::new(TypeCondition { on: on.clone() }, on.pos))
    }

    pub(super) fn directives(&mut self) -> ParseResult<Vec<Positioned<Directive>>> {
        let mut directives = Vec::new();
        while let Some(at) = self.take_if(b'@')? {
            self.directives = count(Limit::Directives, self.directives, self.limits.max_directives, at.pos)?;
            let name = self.name("the name of a directive")?;
            let arguments = self.arguments()?;
            directives.push(Positioned::new(Directive { name, arguments }, at.pos));
        }
        Ok(directives)
    }

    fn arguments(&mut self) -> ParseResult<Arguments> {
        let Some(open) = self.take_if(b'(')? else { return Ok(Vec::new()) };
        let mut arguments = Vec::new();
        self.bracketed(open, b')', |parser| {
            let name = parser.name("the name of an argument")?;
            parser.expect(b':')?;
            arguments.push((name, parser.value(0)?));
            Ok(())
        })?;
        match arguments.is_empty() {
            true => Err(RefusedDocument::syntax("Syntax error: these parentheses are empty.", open.pos)),
            false => Ok(arguments),
        }
    }

    /// A selection set. `depth` is the number of fields around it; `None` inside of introspection.
    pub(super) fn selection_set(
        &mut self,
        open: Token<'a>,
        depth: Option<usize>,
    ) -> ParseResult<Positioned<SelectionSet>> {
        let mut items = Vec::new();
        self.bracketed(open, b'}', |parser| {
            let token = parser.take()?;
            let selection = match token.kind {
                Kind::Name => Selection::Field(Positioned::new(parser.field(token, depth)?, token.pos)),
                Kind::Spread => parser.spread(token, depth)?,
                _ => return Err(unexpected("a field", token)),
            };
            items.push(Positioned::new(selection, token.pos));
            Ok(())
        })?;
        match items.is_empty() {
            true => Err(RefusedDocument::syntax("Syntax error: these braces are empty; a field is missing.", open.pos)),
            false => Ok(Positioned::new(SelectionSet { items }, open.pos)),
        }
    }

    fn field(&mut self, first: Token<'a>, depth: Option<usize>) -> ParseResult<Field> {
        let mut name = Positioned::new(Name::new(first.text), first.pos);
        let mut alias = None;
        if self.take_if(b':')?.is_some() {
            self.aliases = count(Limit::Aliases, self.aliases, self.limits.max_aliases, first.pos)?;
            alias = Some(std::mem::replace(&mut name, Positioned::new(Name::new(""), first.pos)));
            name = self.name("the name of a field")?;
        }
        self.tally(depth.map_or(0, |around| around + 1), first.pos);
        let arguments = self.arguments()?;
        let directives = self.directives()?;
        let inner = match name.node.as_str() {
            "__schema" | "__type" => None,
            _ => depth.map(|around| around + 1),
        };
        let selection_set = match self.take_if(b'{')? {
            Some(open) => self.selection_set(open, inner)?,
            None => Positioned::new(SelectionSet::default(), first.pos),
        };
        Ok(Field { alias, name, arguments, directives, selection_set })
    }

    fn spread(&mut self, dots: Token<'a>, depth: Option<usize>) -> ParseResult<Selection> {
        self.tally(0, dots.pos);
        let next = self.peek()?;
        if next.kind == Kind::Name && next.text != "on" {
            let fragment_name = self.name("the name of a fragment")?;
            self.outline.spreads.push(Spread { fragment: next.text, at: dots.pos, depth });
            let directives = self.directives()?;
            return Ok(Selection::FragmentSpread(Positioned::new(
                FragmentSpread { fragment_name, directives },
                dots.pos,
            )));
        }
        let type_condition = match next.kind {
            Kind::Name => {
                self.take()?;
                Some(self.type_condition()?)
            }
            _ => None,
        };
        let directives = self.directives()?;
        let open = self.expect(b'{')?;
        let selection_set = self.selection_set(open, depth)?;
        let fragment = InlineFragment { type_condition, directives, selection_set };
        Ok(Selection::InlineFragment(Positioned::new(fragment, dots.pos)))
    }

    /// Counts a field, spread or inline fragment towards its definition.
    fn tally(&mut self, depth: usize, at: Pos) {
        if let Some(definition) = self.outline.definitions.last_mut() {
            definition.fields += 1;
            if depth > definition.deepest.0 {
                definition.deepest = (depth, at);
            }
        }
    }
}
