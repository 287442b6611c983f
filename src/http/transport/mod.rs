//! GraphQL over HTTP, event streams and WebSockets: what a request asks for, and how it is answered.

mod at_once;
mod etag;
mod events;
mod execute;
pub(super) mod graphql;
pub(super) mod persisted;
mod pipeline;
mod prepared;
mod request;
mod response;
mod socket;
pub(super) mod streams;
