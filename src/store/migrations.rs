//! The files of the folder `migrations`.

use sha2::{Digest, Sha256};

use crate::domain::hex;

/// One migration: a file in the engine's folder.
pub(super) struct Migration {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

impl Migration {
    /// The files for SQLite in order, as `build.rs` lists them.
    ///
    /// How to add one: a new file in each engine's folder, with the next number and the same name. A released file
    /// never changes, because databases store its checksum.
    pub(super) const SQLITE: &[Migration] = include!(concat!(env!("OUT_DIR"), "/sqlite.rs"));
    /// The files for PostgreSQL in order.
    pub(super) const POSTGRES: &[Migration] = include!(concat!(env!("OUT_DIR"), "/postgres.rs"));

    pub(super) fn checksum(&self) -> String {
        hex(&Sha256::digest(self.sql))
    }
}
