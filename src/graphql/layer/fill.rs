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
pub struct PlaceValue {
    pub value: Value,
    pub errors: Errors,
}

impl PlaceValue {
    /// A value without errors.
    pub fn plain(value: Value) -> Self {
        Self { value, errors: Errors::new() }
    }
}

/// The result of a place: a value, or the errors that make its parent null.
pub type PlaceResult = Result<PlaceValue, Errors>;

/// A result that is ready, or a future for it.
pub enum Completion<'s> {
    Now(PlaceResult),
    Later(BoxFuture<'s, PlaceResult>),
}

impl Completion<'_> {
    pub async fn wait(self) -> PlaceResult {
        match self {
            Self::Now(result) => result,
            Self::Later(future) => future.await,
        }
    }
}

/// Ends errors at a nullable place: its value becomes null.
pub fn null_on_error(nullable: bool, result: PlaceResult) -> PlaceResult {
    match result {
        Err(errors) if nullable => Ok(PlaceValue { value: Value::Null, errors }),
        result => result,
    }
}

/// The response keys or list indexes of the places of an object or a list.
#[derive(Clone, Copy)]
pub enum PlaceKeys<'s, 'a> {
    Keys(&'s [ResponseEntry<'a>]),
    Indexes(usize),
}

impl PlaceKeys<'_, '_> {
    fn length(self) -> usize {
        match self {
            Self::Keys(entries) => entries.len(),
            Self::Indexes(length) => length,
        }
    }

    fn segment(self, at: usize) -> PathSegment {
        match self {
            Self::Keys(entries) => {
                PathSegment::Field(entries.get(at).map(|entry| entry.key.to_string()).unwrap_or_default())
            }
            Self::Indexes(_) => PathSegment::Index(at),
        }
    }
}

/// An object or a list while its places are filled.
pub struct PartialValue<'s, 'a> {
    keys: PlaceKeys<'s, 'a>,
    slots: Vec<Option<Value>>,
    errors: Vec<(usize, ServerError)>,
}

/// The futures of places that are not filled yet, by index.
pub type PendingPlaces<'s> = Vec<(usize, BoxFuture<'s, PlaceResult>)>;

impl<'s, 'a> PartialValue<'s, 'a> {
    pub fn new(keys: PlaceKeys<'s, 'a>) -> Self {
        let slots = std::iter::repeat_with(|| None).take(keys.length()).collect();
        Self { keys, slots, errors: Vec::new() }
    }

    /// Fills a place.
    pub fn put(&mut self, at: usize, result: PlaceResult) -> Result<(), Errors> {
        let step = |error: &mut ServerError| error.path.push(self.keys.segment(at));
        match result {
            Ok(PlaceValue { value, mut errors }) => {
                errors.iter_mut().for_each(step);
                self.errors.extend(errors.into_iter().map(|error| (at, error)));
                if let Some(place) = self.slots.get_mut(at) {
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
    pub async fn wait(mut self, mut pending: PendingPlaces<'s>) -> Result<Self, Errors> {
        poll_fn(|cx| {
            let mut filled = Ok(());
            pending.retain_mut(|(at, future)| {
                if filled.is_err() {
                    return true;
                }
                match future.as_mut().poll(cx) {
                    Poll::Pending => true,
                    Poll::Ready(result) => {
                        filled = self.put(*at, result);
                        false
                    }
                }
            });
            match filled {
                Ok(()) if !pending.is_empty() => Poll::Pending,
                filled => Poll::Ready(filled),
            }
        })
        .await?;
        Ok(self)
    }

    /// Adds the places that another one has filled.
    pub fn merge(mut self, other: Self) -> Self {
        for (place, filled) in self.slots.iter_mut().zip(other.slots) {
            if filled.is_some() {
                *place = filled;
            }
        }
        self.errors.extend(other.errors);
        self
    }

    /// The complete value. Errors are in the order of their places.
    pub fn finish(self) -> PlaceValue {
        let Self { keys, slots, mut errors } = self;
        errors.sort_by_key(|(at, _)| *at);
        let errors = errors.into_iter().map(|(_, error)| error).collect();
        let values = slots.into_iter().map(Option::unwrap_or_default);
        let value = match keys {
            PlaceKeys::Keys(entries) => {
                let fields = entries.iter().map(|entry| Name::clone(entry.key)).zip(values);
                Value::Object(fields.collect::<IndexMap<_, _>>())
            }
            PlaceKeys::Indexes(_) => Value::List(values.collect()),
        };
        PlaceValue { value, errors }
    }
}
