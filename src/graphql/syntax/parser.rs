//! Definitions, and how tokens are taken.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError};

use super::lexer::{Kind, Lexer, Token};
use super::value::text;
use super::{Definition, Outline, Refused, exceeded};
use crate::graphql::errors::{self, Code};
use crate::graphql::limits::{Limit, Limits};

pub(super) type Parsed<T> = Result<T, Refused>;

pub(super) struct Parser<'a, 'l> {
    lexer: Lexer<'a>,
    pub(super) limits: &'l Limits,
    /// The token that comes next, once somebody has looked at it.
    next: Option<Token<'a>>,
    tokens: usize,
    open: usize,
    pub(super) aliases: usize,
    pub(super) directives: usize,
    pub(super) outline: Outline<'a>,
    /// What is wrong besides the grammar.
    pub(super) errors: Vec<ServerError>,
}

impl<'a, 'l> Parser<'a, 'l> {
    pub(super) fn new(text: &'a str, limits: &'l Limits) -> Self {
        Self {
            lexer: Lexer::new(text),
            limits,
            next: None,
            tokens: 0,
            open: 0,
            aliases: 0,
            directives: 0,
            outline: Outline::default(),
            errors: Vec::new(),
        }
    }

    /// Reads the text to its end. The outline is there even where the document is not.
    pub(super) fn document(mut self) -> Parsed<(Outline<'a>, Parsed<ExecutableDocument>)> {
        let (mut named, mut anonymous, mut fragments) = (HashMap::new(), Vec::new(), HashMap::new());
        loop {
            self.description()?;
            let token = self.take()?;
            self.begin(token)?;
            match token.text {
                "{" => anonymous.push(self.operation(token, OperationType::Query)?.1),
                "fragment" => {
                    let (name, fragment) = self.fragment(token)?;
                    self.once("fragment", &name, fragments.insert(name.node.clone(), fragment).is_none());
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
                            self.once("operation", &name, named.insert(name.node.clone(), operation).is_none());
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
            (false, _) => Err(Refused::Document(self.errors)),
            (true, Some(only)) => Ok(ExecutableDocument { operations: DocumentOperations::Single(only), fragments }),
            (true, None) => Ok(ExecutableDocument { operations: DocumentOperations::Multiple(named), fragments }),
        };
        Ok((self.outline, document))
    }

    pub(super) fn peek(&mut self) -> Parsed<Token<'a>> {
        match self.next {
            Some(token) => Ok(token),
            None => {
                let token = self.lexer.next().map_err(|(sentence, at)| Refused::syntax(sentence, at))?;
                Ok(*self.next.insert(token))
            }
        }
    }

    pub(super) fn take(&mut self) -> Parsed<Token<'a>> {
        let token = self.peek()?;
        if token.kind != Kind::End {
            self.tokens = count(Limit::Tokens, self.tokens, self.limits.max_tokens, token.pos)?;
            if token.kind == Kind::Name && token.text.len() > self.limits.max_name {
                return Err(exceeded(Limit::Name, self.limits.max_name, token.text.len(), Some(token.pos)).into());
            }
            self.next = None;
        }
        Ok(token)
    }

    /// Takes the next token if it is this punctuator.
    pub(super) fn take_if(&mut self, punctuator: u8) -> Parsed<Option<Token<'a>>> {
        if self.peek()?.is(punctuator) { self.take().map(Some) } else { Ok(None) }
    }

    pub(super) fn expect(&mut self, punctuator: u8) -> Parsed<Token<'a>> {
        match self.take()? {
            token if token.is(punctuator) => Ok(token),
            token => Err(unexpected(&format!("\"{}\"", char::from(punctuator)), token)),
        }
    }

    pub(super) fn name(&mut self, what: &str) -> Parsed<Positioned<Name>> {
        match self.take()? {
            Token { kind: Kind::Name, text, pos } => Ok(Positioned::new(Name::new(text), pos)),
            token => Err(unexpected(what, token)),
        }
    }

    /// Reads what stands between two brackets, of which the first has been taken, one after the other.
    pub(super) fn within(
        &mut self,
        open: Token<'a>,
        close: u8,
        mut one: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        self.open = count(Limit::Nesting, self.open, self.limits.max_nesting, open.pos)?;
        while self.take_if(close)?.is_none() {
            one(self)?;
        }
        self.open -= 1;
        Ok(())
    }

    /// What may stand only once under a name.
    pub(super) fn once(&mut self, what: &str, name: &Positioned<Name>, is_first: bool) {
        if !is_first {
            let sentence = format!("There can be only one {what} named \"{}\".", name.node);
            self.errors.push(errors::error(Code::Validation, sentence, Some(name.pos)));
        }
    }

    /// Passes over a description, which is for who reads the text.
    fn description(&mut self) -> Parsed<()> {
        if matches!(self.peek()?.kind, Kind::String | Kind::BlockString) {
            let described = self.take()?;
            text(described)?;
            if self.peek()?.is(b'{') {
                let token = self.take()?;
                return Err(unexpected("a keyword behind the description", token));
            }
        }
        Ok(())
    }

    /// Begins a definition.
    fn begin(&mut self, token: Token<'a>) -> Parsed<()> {
        let fragment = match token.text {
            "query" | "mutation" | "subscription" | "{" => None,
            // Its name is known once it is read.
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
    ) -> Parsed<(Option<Positioned<Name>>, Positioned<OperationDefinition>)> {
        let (mut name, mut variable_definitions, mut directives) = (None, Vec::new(), Vec::new());
        let mut open = token;
        if !token.is(b'{') {
            if self.peek()?.kind == Kind::Name {
                name = Some(self.name("a name")?);
            }
            if let Some(open) = self.take_if(b'(')? {
                self.within(open, b')', |parser| {
                    variable_definitions.push(parser.variable_definition()?);
                    Ok(())
                })?;
                if variable_definitions.is_empty() {
                    return Err(Refused::syntax("Syntax error: these parentheses are empty.", open.pos));
                }
            }
            directives = self.directives()?;
            open = self.expect(b'{')?;
        }
        let selection_set = self.selection_set(open, Some(0))?;
        let operation = OperationDefinition { ty, variable_definitions, directives, selection_set };
        Ok((name, Positioned::new(operation, token.pos)))
    }

    fn variable_definition(&mut self) -> Parsed<Positioned<VariableDefinition>> {
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

    fn fragment(&mut self, begin: Token<'a>) -> Parsed<(Positioned<Name>, Positioned<FragmentDefinition>)> {
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

pub(super) fn unexpected(wanted: &str, token: Token<'_>) -> Refused {
    Refused::syntax(format!("Syntax error: expected {wanted}, found {}.", token.shown()), token.pos)
}

/// One more of what a limit counts.
pub(super) fn count(limit: Limit, before: usize, allowed: usize, at: Pos) -> Parsed<usize> {
    if before < allowed { Ok(before + 1) } else { Err(exceeded(limit, allowed, before + 1, Some(at)).into()) }
}
