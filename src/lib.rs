//! vext serves the *virtual extension* form of a PBX as a multi-tenant GraphQL API, from one binary and one SQLite file
//! or PostgreSQL database.
//!
//! Everything follows from one sentence: *saved = checked(base ⊕ what the client sent)*, where the base is the tenant's
//! defaults for a new extension and the saved form for an existing one. `ARCHITECTURE.md` has the map; the layers use
//! each other in one direction only: `http` → `graphql` → `service` → `store` → `objects` → `form` → `domain`. Beside
//! `http` and `graphql` stands `operations`, which only the command line uses.

/// A request makes some hundred small allocations: a fifth of the time of one that is answered from memory less than with
/// the allocator of glibc (docs/decisions/0032-the-door.md).
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
