//! The parser's state, and how it takes tokens.

use async_graphql::{Name, Pos, Positioned, ServerError};

use super::lexer::{Kind, Lexer, Token};
use super::outline::Outline;
use super::refused::{RefusedDocument, exceeded};
use crate::graphql::errors::{self, Code};
use crate::graphql::limits::{Limit, Limits};

pub(super) type ParseResult<T> = Result<T, RefusedDocument>;

pub(super) struct Parser<'a, 'l> {
    lexer: Lexer<'a>,
    pub(super) limits: &'l Limits,
    /// The next token, if it has been peeked at.
    next: Option<Token<'a>>,
    tokens: usize,
    open: usize,
    pub(super) aliases: usize,
    pub(super) directives: usize,
    pub(super) outline: Outline<'a>,
    /// Errors other than those of the grammar.
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

    pub(super) fn peek(&mut self) -> ParseResult<Token<'a>> {
        match self.next {
            Some(token) => Ok(token),
            None => {
                let token = self.lexer.next().map_err(|(sentence, at)| RefusedDocument::syntax(sentence, at))?;
                Ok(*self.next.insert(token))
            }
        }
    }

    pub(super) fn take(&mut self) -> ParseResult<Token<'a>> {
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
    pub(super) fn take_if(&mut self, punctuator: u8) -> ParseResult<Option<Token<'a>>> {
        if self.peek()?.is(punctuator) { self.take().map(Some) } else { Ok(None) }
    }

    pub(super) fn expect(&mut self, punctuator: u8) -> ParseResult<Token<'a>> {
        match self.take()? {
            token if token.is(punctuator) => Ok(token),
            token => Err(unexpected(&format!("\"{}\"", char::from(punctuator)), token)),
        }
    }

    pub(super) fn name(&mut self, expected: &str) -> ParseResult<Positioned<Name>> {
        match self.take()? {
            Token { kind: Kind::Name, text, pos } => Ok(Positioned::new(Name::new(text), pos)),
            token => Err(unexpected(expected, token)),
        }
    }

    /// Parses items up to the closing bracket; the opening one has been taken.
    pub(super) fn bracketed(
        &mut self,
        open: Token<'a>,
        close: u8,
        mut one: impl FnMut(&mut Self) -> ParseResult<()>,
    ) -> ParseResult<()> {
        self.open = count(Limit::Nesting, self.open, self.limits.max_nesting, open.pos)?;
        while self.take_if(close)?.is_none() {
            one(self)?;
        }
        self.open -= 1;
        Ok(())
    }

    /// Reports a name that must be unique and is not.
    pub(super) fn check_unique(&mut self, kind: &str, name: &Positioned<Name>, is_first: bool) {
        if !is_first {
            let sentence = format!("There can be only one {kind} named \"{}\".", name.node);
            self.errors.push(errors::error(Code::Validation, sentence, Some(name.pos)));
        }
    }
}

pub(super) fn unexpected(wanted: &str, token: Token<'_>) -> RefusedDocument {
    RefusedDocument::syntax(format!("Syntax error: expected {wanted}, found {}.", token.describe()), token.pos)
}

/// Counts one more of what a limit counts.
pub(super) fn count(limit: Limit, before: usize, allowed: usize, at: Pos) -> ParseResult<usize> {
    if before < allowed { Ok(before + 1) } else { Err(exceeded(limit, allowed, before + 1, Some(at)).into()) }
}
