//! Definitions: operations and fragments, and the document that they form.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, VariableDefinition,
};
use async_graphql::{Name, Positioned};

use super::lexer::{Kind, Token};
use super::outline::{Definition, Outline};
use super::parser::{ParseResult, Parser, count, unexpected};
use super::refused::RefusedDocument;
use super::value::text;
use crate::graphql::errors::{self, Code};
use crate::graphql::limits::Limit;

impl<'a> Parser<'a, '_> {
    /// Parses the text to its end. The outline is complete even if the document is refused.
    pub(super) fn document(mut self) -> ParseResult<(Outline<'a>, ParseResult<ExecutableDocument>)> {
        let (mut named, mut anonymous, mut fragments) = (HashMap::new(), Vec::new(), HashMap::new());
        loop {
            self.description()?;
            let token = self.take()?;
            self.begin_definition(token)?;
            match token.text {
                "{" => anonymous.push(self.operation(token, OperationType::Query)?.1),
                "fragment" => {
                    let (name, fragment) = self.fragment(token)?;
                    self.check_unique("fragment", &name, fragments.insert(name.node.clone(), fragment).is_none());
                }
                _ => {
                    let ty = match token.text {
                        "query" => OperationType::Query,
                        "mutation" => OperationType::Mutation,
                        _ => OperationType::Subscription,
                    };
                    let (name, operation) = self.operation(token, ty)?;
                    match name {
                        Some(name) => {
                            self.check_unique("operation", &name, named.insert(name.node.clone(), operation).is_none());
                        }
                        None => anonymous.push(operation),
                    }
                }
            }
            if self.peek()?.kind == Kind::End {
                break;
            }
        }
        if anonymous.len() + named.len() > 1 {
            for operation in &anonymous {
                let sentence = "This anonymous operation must be the only operation of the document.";
                self.errors.push(errors::error(Code::Validation, sentence, Some(operation.pos)));
            }
        }
        let document = match (self.errors.is_empty(), anonymous.pop()) {
            (false, _) => Err(RefusedDocument::Document(self.errors)),
            (true, Some(only)) => Ok(ExecutableDocument { operations: DocumentOperations::Single(only), fragments }),
            (true, None) => Ok(ExecutableDocument { operations: DocumentOperations::Multiple(named), fragments }),
        };
        Ok((self.outline, document))
    }

    /// Skips a description, which is for human readers only.
    fn description(&mut self) -> ParseResult<()> {
        if matches!(self.peek()?.kind, Kind::String | Kind::BlockString) {
            let described = self.take()?;
            text(described)?;
            if self.peek()?.is(b'{') {
                let token = self.take()?;
                return Err(unexpected("a keyword after the description", token));
            }
        }
        Ok(())
    }

    /// Starts a definition.
    fn begin_definition(&mut self, token: Token<'a>) -> ParseResult<()> {
        let fragment = match token.text {
            "query" | "mutation" | "subscription" | "{" => None,
            // Its name is set once it is parsed.
            "fragment" => Some(""),
            _ => return Err(unexpected("query, mutation, subscription, fragment or \"{\"", token)),
        };
        let is_other = |definition: &&Definition<'_>| definition.fragment.is_some() == fragment.is_some();
        let others = self.outline.definitions.iter().filter(is_other).count();
        let (limit, allowed) = match fragment {
            None => (Limit::Operations, self.limits.max_operations),
            Some(_) => (Limit::Fragments, self.limits.max_fragments),
        };
        count(limit, others, allowed, token.pos)?;
        let (at, spreads) = (token.pos, self.outline.spreads.len());
        self.outline.definitions.push(Definition { fragment, at, fields: 0, deepest: (0, at), spreads });
        Ok(())
    }

    fn operation(
        &mut self,
        token: Token<'a>,
        ty: OperationType,
    ) -> ParseResult<(Option<Positioned<Name>>, Positioned<OperationDefinition>)> {
        let (mut name, mut variable_definitions, mut directives) = (None, Vec::new(), Vec::new());
        let mut open = token;
        if !token.is(b'{') {
            if self.peek()?.kind == Kind::Name {
                name = Some(self.name("a name")?);
            }
            if let Some(open) = self.take_if(b'(')? {
                self.bracketed(open, b')', |parser| {
                    variable_definitions.push(parser.variable_definition()?);
                    Ok(())
                })?;
                if variable_definitions.is_empty() {
                    return Err(RefusedDocument::syntax("Syntax error: these parentheses are empty.", open.pos));
                }
            }
            directives = self.directives()?;
            open = self.expect(b'{')?;
        }
        let selection_set = self.selection_set(open, Some(0))?;
        let operation = OperationDefinition { ty, variable_definitions, directives, selection_set };
        Ok((name, Positioned::new(operation, token.pos)))
    }

    fn variable_definition(&mut self) -> ParseResult<Positioned<VariableDefinition>> {
        self.description()?;
        let begin = self.expect(b'$')?;
        let name = self.name("the name of a variable")?;
        self.expect(b':')?;
        let var_type = self.ty(0)?;
        let default_value = match self.take_if(b'=')? {
            Some(_) => Some(self.constant()?),
            None => None,
        };
        let directives = self.directives()?;
        Ok(Positioned::new(VariableDefinition { name, var_type, directives, default_value }, begin.pos))
    }

    fn fragment(&mut self, begin: Token<'a>) -> ParseResult<(Positioned<Name>, Positioned<FragmentDefinition>)> {
        let token = self.peek()?;
        let name = self.name("the name of a fragment")?;
        if token.text == "on" {
            return Err(unexpected("the name of a fragment", token));
        }
        if let Some(definition) = self.outline.definitions.last_mut() {
            definition.fragment = Some(token.text);
        }
        match self.take()? {
            Token { kind: Kind::Name, text: "on", .. } => {}
            token => return Err(unexpected("on", token)),
        }
        let type_condition = self.type_condition()?;
        let directives = self.directives()?;
        let open = self.expect(b'{')?;
        let selection_set = self.selection_set(open, Some(0))?;
        Ok((name, Positioned::new(FragmentDefinition { type_condition, directives, selection_set }, begin.pos)))
    }
}
