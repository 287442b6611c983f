//! GraphQL over HTTP, event streams and WebSockets.
//!
//! Every request takes the same steps in the same order, whichever way it comes:
//!
//! 1. Its address pays for reading it, and it is read ([`request`]).
//! 2. Its document is found or parsed, its cost estimated and its plan compiled ([`prepared`]). Nothing is waited for.
//! 3. Its sign-in begins: a token counts as a wrong one until it is looked up ([`in_flight`]).
//! 4. A cached answer that still holds is sent ([`at_once`]).
//! 5. It waits for a place in the lane of its cost ([`respond`], [`subscribe`]).
//! 6. In the place the token is looked up, token, tenant and address pay, and the request is executed, by its plan
//!    ([`at_once`]) or by the executor.
//!
//! A subscription gives its place back before its first event. What is left to a transport is how a request arrives and
//! how the responses are written: [`graphql`], [`events`], [`socket`].

mod at_once;
mod etag;
mod events;
pub(super) mod graphql;
mod in_flight;
pub(super) mod persisted;
mod prepared;
mod request;
mod respond;
mod response;
mod running;
mod socket;
pub(super) mod streams;
mod subscribe;
