//! The door: what a request passes before anybody asks what it wants, and what its answer passes on the way out.

pub(super) mod body;
pub(super) mod claim;
mod client_stream;
pub(super) mod connections;
pub(super) mod cors;
mod crowds;
pub(super) mod encoding;
pub(super) mod fair;
pub(super) mod guard;
pub(super) mod identify;
mod linger;
mod seats;
pub(super) mod sign_in;
mod wire;
