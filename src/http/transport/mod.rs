//! GraphQL over HTTP, event streams and WebSockets.
//!
//! Every request takes the same steps in the same order, whichever transport it uses:
//!
//! 1. Its address pays for reading it, and it is read ([`request`]).
//! 2. Its document is found or parsed, its cost is estimated, and its plan is compiled ([`prepared`]). None of this
//!    waits.
//! 3. Its sign-in begins: its token counts as invalid until it has been looked up ([`in_flight`]).
//! 4. If there is a cached response that is still valid, it is sent ([`fast_path`]).
//! 5. Otherwise the request waits for a place in the lane of its cost ([`execution`], [`subscribe`]).
//! 6. In its place the token is looked up, then token, tenant and address pay, and the request is executed, by its plan
//!    ([`fast_path`]) or by the executor ([`execution`]).
//!
//! A subscription gives its place back before its first event. Only how a request arrives and how its responses are
//! written depends on the transport: [`handler`], [`events`], [`socket`].

mod etag;
mod events;
mod execution;
mod fast_path;
pub(super) mod handler;
mod in_flight;
pub(super) mod persisted;
mod prepared;
mod request;
mod response;
mod running;
mod socket;
pub(super) mod streams;
mod subscribe;
