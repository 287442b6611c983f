//! The pass over the tokens: what is open where, what is counted, and what the definitions spread.

use std::collections::HashSet;
use std::iter::Peekable;

use async_graphql::ServerError;

use super::lexer::{Kind, Lexer, Token};
use super::{Refused, exceeded, place};
use crate::graphql::{Limit, Limits};

/// What a text defines.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub definitions: Vec<Definition<'a>>,
    /// In the order of the text, so that those of a definition are neighbours.
    pub spreads: Vec<Spread<'a>>,
}

/// An operation or a fragment.
pub(super) struct Definition<'a> {
    /// Of a fragment.
    pub fragment: Option<&'a str>,
    /// The byte that it begins at.
    pub at: usize,
    /// The fields, spreads and inline fragments that stand in it.
    pub fields: usize,
    /// The deepest field that stands in it, and its byte.
    pub deepest: (usize, usize),
    /// The first of its spreads; they end where those of the next definition begin.
    pub spreads: usize,
}

/// `...Name` in a definition.
pub(super) struct Spread<'a> {
    pub fragment: &'a str,
    pub at: usize,
    /// How many fields are around it, unless introspection is one of them.
    pub depth: Option<usize>,
}

/// A bracket that is open.
#[derive(Clone, Copy)]
enum Open {
    /// `{` of fields, with the number of fields around them, unless introspection is one of them.
    Selection(Option<usize>),
    /// `(` of a field or a directive.
    Arguments,
    /// `(` of an operation.
    Variables { default: bool },
    /// `[` of values, with its depth among values.
    List(usize),
    /// `{` of values, the same, and its byte.
    Object(usize, usize),
    /// `[` of a variable's type, with its depth.
    Type(usize),
}

/// What a `{` between fields belongs to.
#[derive(Clone, Copy)]
enum Before {
    Field,
    Introspection,
    InlineFragment,
    /// Nothing: `__typename` has neither arguments nor fields, which validation overlooks.
    TypeName,
}

struct Scan<'a, 'l> {
    text: &'a str,
    limits: &'l Limits,
    lexer: Peekable<Lexer<'a>>,
    open: Vec<Open>,
    /// Whether a definition has begun whose selection has not.
    heading: bool,
    /// Whether a directive stands before, which parentheses would belong to.
    directed: bool,
    before: Before,
    tokens: usize,
    aliases: usize,
    directives: usize,
    keys: HashSet<(usize, &'a str)>,
    document: Document<'a>,
}

/// Reads a text to its end.
pub(super) fn scan<'a>(text: &'a str, limits: &Limits) -> Result<Document<'a>, Refused> {
    let mut scan = Scan {
        text,
        limits,
        lexer: Lexer::new(text).peekable(),
        open: Vec::with_capacity(16),
        heading: false,
        directed: false,
        before: Before::Field,
        tokens: 0,
        aliases: 0,
        directives: 0,
        keys: HashSet::new(),
        document: Document::default(),
    };
    while let Some(token) = scan.next()? {
        match scan.open.last() {
            None if scan.heading => scan.heading(token)?,
            None => scan.definition(token)?,
            Some(&Open::Selection(depth)) => scan.selection(token, depth)?,
            Some(&top) => scan.value(token, top)?,
        }
    }
    Ok(scan.document)
}

impl<'a> Scan<'a, '_> {
    fn next(&mut self) -> Result<Option<Token<'a>>, Refused> {
        let Some(token) = self.lexer.next() else { return Ok(None) };
        self.tokens = self.count(Limit::Tokens, self.tokens, self.limits.max_tokens, token)?;
        match token.kind {
            Kind::Name if token.text.len() > self.limits.max_name => {
                self.refuse(Limit::Name, self.limits.max_name, token.text.len(), token)
            }
            Kind::Unterminated => Err(self.grammar("This block string has no end.".into(), token)),
            _ => Ok(Some(token)),
        }
    }

    fn next_if(&mut self, fits: impl Fn(&Token<'_>) -> bool) -> Result<Option<Token<'a>>, Refused> {
        if self.lexer.peek().is_some_and(fits) { self.next() } else { Ok(None) }
    }

    /// One more of what a limit counts.
    fn count(&self, limit: Limit, before: usize, allowed: usize, token: Token<'a>) -> Result<usize, Refused> {
        if before < allowed { Ok(before + 1) } else { self.refuse(limit, allowed, before + 1, token) }
    }

    fn refuse<T>(&self, limit: Limit, allowed: usize, actual: usize, token: Token<'a>) -> Result<T, Refused> {
        Err(exceeded(limit, allowed, actual, Some(place(self.text, token.at))).into())
    }

    fn grammar(&self, sentence: String, token: Token<'a>) -> Refused {
        Refused::Grammar(ServerError::new(sentence, Some(place(self.text, token.at))))
    }

    fn unexpected<T>(&self, token: Token<'a>) -> Result<T, Refused> {
        Err(self.grammar(format!("Syntax error: unexpected {:?}.", token.text), token))
    }

    fn push(&mut self, open: Open, token: Token<'a>) -> Result<(), Refused> {
        self.count(Limit::Nesting, self.open.len(), self.limits.max_nesting, token)?;
        self.open.push(open);
        Ok(())
    }

    fn directive(&mut self, token: Token<'a>) -> Result<(), Refused> {
        self.directives = self.count(Limit::Directives, self.directives, self.limits.max_directives, token)?;
        self.directed = true;
        self.next_if(|next| next.kind == Kind::Name)?;
        Ok(())
    }

    /// The beginning of a definition. The parser takes `queryx` for a query of the name x; the specification does not.
    fn definition(&mut self, token: Token<'a>) -> Result<(), Refused> {
        let fragment = match token.text {
            "query" | "mutation" | "subscription" | "{" => None,
            "fragment" => match self.next_if(|next| next.kind == Kind::Name)? {
                Some(name) if name.text == "on" => return self.unexpected(name),
                name => Some(name.map_or("", |name| name.text)),
            },
            _ => return self.unexpected(token),
        };
        let is_other = |definition: &&Definition<'_>| definition.fragment.is_some() == fragment.is_some();
        let others = self.document.definitions.iter().filter(is_other).count();
        let (limit, allowed) = match fragment {
            None => (Limit::Operations, self.limits.max_operations),
            Some(_) => (Limit::Fragments, self.limits.max_fragments),
        };
        self.count(limit, others, allowed, token)?;
        let spreads = self.document.spreads.len();
        self.document.definitions.push(Definition {
            fragment,
            at: token.at,
            fields: 0,
            deepest: (0, token.at),
            spreads,
        });
        self.directed = false;
        self.heading = !token.is(b'{');
        if self.heading { Ok(()) } else { self.push(Open::Selection(Some(0)), token) }
    }

    /// Between the keyword of a definition and its fields.
    fn heading(&mut self, token: Token<'a>) -> Result<(), Refused> {
        match token.kind {
            Kind::Name => Ok(()),
            Kind::Punctuator(b'@') => self.directive(token),
            Kind::Punctuator(b'(') if self.directed => self.push(Open::Arguments, token),
            Kind::Punctuator(b'(') => match self.next_if(|next| next.is(b')'))? {
                Some(end) => self.unexpected(end),
                None => self.push(Open::Variables { default: false }, token),
            },
            Kind::Punctuator(b'{') => {
                self.heading = false;
                self.push(Open::Selection(Some(0)), token)
            }
            _ => self.unexpected(token),
        }
    }

    /// Among fields, with `depth` fields around them.
    fn selection(&mut self, token: Token<'a>, depth: Option<usize>) -> Result<(), Refused> {
        match token.kind {
            Kind::Name => {
                let mut name = token;
                if self.next_if(|next| next.is(b':'))?.is_some() {
                    self.aliases = self.count(Limit::Aliases, self.aliases, self.limits.max_aliases, token)?;
                    name = self.next_if(|next| next.kind == Kind::Name)?.unwrap_or(token);
                }
                self.before = match name.text {
                    "__schema" | "__type" => Before::Introspection,
                    "__typename" => Before::TypeName,
                    _ => Before::Field,
                };
                self.directed = false;
                self.field(depth.map_or(0, |around| around + 1), token);
            }
            Kind::Spread => {
                let name = self.next_if(|next| next.kind == Kind::Name)?;
                self.field(0, token);
                match name {
                    Some(Token { text: fragment, .. }) if fragment != "on" => {
                        self.document.spreads.push(Spread { fragment, at: token.at, depth });
                    }
                    condition => {
                        if condition.is_some() {
                            self.next_if(|next| next.kind == Kind::Name)?;
                        }
                        self.before = Before::InlineFragment;
                    }
                }
            }
            Kind::Punctuator(b'@') => self.directive(token)?,
            Kind::Punctuator(b'(') if !self.directed && matches!(self.before, Before::TypeName) => {
                return self.unexpected(token);
            }
            Kind::Punctuator(b'(') => self.push(Open::Arguments, token)?,
            Kind::Punctuator(b'{') => {
                let depth = match self.before {
                    Before::Field => depth.map(|around| around + 1),
                    Before::Introspection => None,
                    Before::InlineFragment => depth,
                    Before::TypeName => return self.unexpected(token),
                };
                self.push(Open::Selection(depth), token)?;
            }
            Kind::Punctuator(b'}') => _ = self.open.pop(),
            _ => return self.unexpected(token),
        }
        Ok(())
    }

    /// Counts what stands among fields to its definition.
    fn field(&mut self, depth: usize, token: Token<'a>) {
        if let Some(definition) = self.document.definitions.last_mut() {
            definition.fields += 1;
            if depth > definition.deepest.0 {
                definition.deepest = (depth, token.at);
            }
        }
    }

    /// Within parentheses. No directive of the schema belongs to a variable, and validation would not look at it there.
    fn value(&mut self, token: Token<'a>, top: Open) -> Result<(), Refused> {
        let deepest = self.limits.max_value_depth;
        match (token.kind, top) {
            (Kind::Name, Open::Object(_, object)) => {
                if self.next_if(|next| next.is(b':'))?.is_some() && !self.keys.insert((object, token.text)) {
                    let sentence = format!("There can be only one input field named {:?}.", token.text);
                    return Err(self.grammar(sentence, token));
                }
            }
            (Kind::Punctuator(b'['), Open::Variables { default: false } | Open::Type(_)) => {
                let around = if let Open::Type(depth) = top { depth } else { 0 };
                let depth = self.count(Limit::TypeDepth, around, deepest, token)?;
                self.push(Open::Type(depth), token)?;
            }
            (Kind::Punctuator(bracket @ (b'[' | b'{')), _) => {
                let around = if let Open::List(depth) | Open::Object(depth, _) = top { depth } else { 0 };
                let depth = self.count(Limit::ValueDepth, around, deepest, token)?;
                self.push(if bracket == b'[' { Open::List(depth) } else { Open::Object(depth, token.at) }, token)?;
            }
            (Kind::Punctuator(b')'), Open::Arguments | Open::Variables { .. })
            | (Kind::Punctuator(b']'), Open::List(_) | Open::Type(_))
            | (Kind::Punctuator(b'}'), Open::Object(..)) => _ = self.open.pop(),
            (Kind::Punctuator(b'='), Open::Variables { .. }) => self.variables(true),
            (Kind::Punctuator(b'$'), Open::Variables { .. }) => self.variables(false),
            (Kind::Punctuator(b'$' | b':' | b'!') | Kind::Name | Kind::Number | Kind::String, _) => {}
            _ => return self.unexpected(token),
        }
        Ok(())
    }

    /// Says whether the values or the type of a variable follow.
    fn variables(&mut self, default: bool) {
        if let Some(top) = self.open.last_mut() {
            *top = Open::Variables { default };
        }
    }
}
