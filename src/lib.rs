//! vext serves the *virtual extension* form of a PBX as a multi-tenant GraphQL API, from one binary and one SQLite file
//! or PostgreSQL database.
//!
//! Everything follows from one sentence: *saved = checked(base ⊕ what the client sent)*, where the base is the tenant's
//! defaults for a new extension and the saved form for an existing one. `ARCHITECTURE.md` has the map; the layers use
//! each other in one direction only: `http` → `graphql` → `service` → `store` → `objects` → `form` → `domain`.
//! `operations` is on the level of `http` and `graphql`; only the command line uses it.

/// A request makes a few hundred small allocations. A request that is answered from memory takes a fifth less time with
/// this allocator than with glibc's (docs/decisions/0032-the-door.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod cli;
pub mod config;
pub mod domain;
pub mod form;
pub mod graphql;
pub mod http;
pub mod objects;
pub mod operations;
pub mod selftest;
pub mod service;
pub mod store;
