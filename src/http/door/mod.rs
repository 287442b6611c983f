//! What every request passes before its content is looked at (connections, fair use, sign-in), and what every response
//! passes on its way out.

mod ambiguity;
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
pub(super) mod playground_sign_in;
mod seats;
