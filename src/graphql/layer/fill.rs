//! Values while they are put together, and the propagation of errors.

use std::future::poll_fn;
use std::task::Poll;

use async_graphql::{Name, PathSegment, ServerError, Value};
use futures_util::future::BoxFuture;
use indexmap::IndexMap;

use super::select::ResponseEntry;

/// Errors while they propagate. Their paths are in reverse order: each place that an error passes appends its own
/// segment.
pub type Errors = Vec<ServerError>;

/// The value of a place, and the errors that ended there.
pub struct PlaceAnswer {
    pub value: Value,
    pub errors: Errors,
}

impl PlaceAnswer {
    /// A value without errors.
    pub fn plain(value: Value) -> Self {
        Self { value, errors: Errors::new() }
    }
}

/// The result of a place: a value, or the errors that make its parent null.
pub type Answered = Result<PlaceAnswer, Errors>;

/// A result that is ready, or a future for it.
pub enum Done<'s> {
    Now(Answered),
    Later(BoxFuture<'s, Answered>),
}

impl Done<'_> {
    pub async fn wait(self) -> Answered {
        match self {
            Self::Now(answered) => answered,
            Self::Later(future) => future.await,
        }
    }
}

/// Ends errors at a nullable place: its value becomes null.
pub fn settle(nullable: bool, answered: Answered) -> Answered {
    match answered {
        Err(errors) if nullable => Ok(PlaceAnswer { value: Value::Null, errors }),
        answered => answered,
    }
}

/// The response keys or list indexes of the places of an object or a list.
#[derive(Clone, Copy)]
pub enum Steps<'s, 'a> {
    Keys(&'s [ResponseEntry<'a>]),
    Indexes(usize),
}

impl Steps<'_, '_> {
    fn length(self) -> usize {
        match self {
            Self::Keys(entries) => entries.len(),
            Self::Indexes(length) => length,
        }
    }

    fn to(self, at: usize) -> PathSegment {
        match self {
            Self::Keys(entries) => {
                PathSegment::Field(entries.get(at).map(|entry| entry.key.to_string()).unwrap_or_default())
            }
            Self::Indexes(_) => PathSegment::Index(at),
        }
    }
}

/// An object or a list while its places are filled.
pub struct Filling<'s, 'a> {
    steps: Steps<'s, 'a>,
    places: Vec<Option<Value>>,
    errors: Vec<(usize, ServerError)>,
}

/// The futures of places that are not filled yet, by index.
pub type Running<'s> = Vec<(usize, BoxFuture<'s, Answered>)>;

impl<'s, 'a> Filling<'s, 'a> {
    pub fn new(steps: Steps<'s, 'a>) -> Self {
        let places = std::iter::repeat_with(|| None).take(steps.length()).collect();
        Self { steps, places, errors: Vec::new() }
    }

    /// Fills a place.
    pub fn put(&mut self, at: usize, answered: Answered) -> Result<(), Errors> {
        let step = |error: &mut ServerError| error.path.push(self.steps.to(at));
        match answered {
            Ok(PlaceAnswer { value, mut errors }) => {
                errors.iter_mut().for_each(step);
                self.errors.extend(errors.into_iter().map(|error| (at, error)));
                if let Some(place) = self.places.get_mut(at) {
                    *place = Some(value);
                }
                Ok(())
            }
            Err(mut errors) => {
                errors.iter_mut().for_each(step);
                Err(errors)
            }
        }
    }

    /// Runs the futures concurrently and fills their places. Ends when all are filled, or when an error makes the whole
    /// value null.
    pub async fn wait(mut self, mut running: Running<'s>) -> Result<Self, Errors> {
        poll_fn(|cx| {
            let mut filled = Ok(());
            running.retain_mut(|(at, future)| {
                if filled.is_err() {
                    return true;
                }
                match future.as_mut().poll(cx) {
                    Poll::Pending => true,
                    Poll::Ready(answered) => {
                        filled = self.put(*at, answered);
                        false
                    }
                }
            });
            match filled {
                Ok(()) if !running.is_empty() => Poll::Pending,
                filled => Poll::Ready(filled),
            }
        })
        .await?;
        Ok(self)
    }

    /// Adds the places that another one has filled.
    pub fn and(mut self, other: Self) -> Self {
        for (place, filled) in self.places.iter_mut().zip(other.places) {
            if filled.is_some() {
                *place = filled;
            }
        }
        self.errors.extend(other.errors);
        self
    }

    /// The complete value. Errors are in the order of their places.
    pub fn done(self) -> PlaceAnswer {
        let Self { steps, places, mut errors } = self;
        errors.sort_by_key(|(at, _)| *at);
        let errors = errors.into_iter().map(|(_, error)| error).collect();
        let values = places.into_iter().map(Option::unwrap_or_default);
        let value = match steps {
            Steps::Keys(entries) => {
                let fields = entries.iter().map(|entry| Name::clone(entry.key)).zip(values);
                Value::Object(fields.collect::<IndexMap<_, _>>())
            }
            Steps::Indexes(_) => Value::List(values.collect()),
        };
        PlaceAnswer { value, errors }
    }
}
