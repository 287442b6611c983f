//! Exports a tenant to a file of JSON lines and imports it again; `docs/export-format.md` describes the format.
//!
//! All values go through the domain types, and nothing here names a field of a section. A field that is added to the
//! form is therefore exported and imported without further code. The same data gives the same bytes on every engine.
//!
//! An import first checks the whole file by importing it into a scratch database (`scratch.rs`). Only a file without
//! problems is then imported in chunks, by the same code (`import.rs`).

mod bounds;
mod check;
mod export;
mod format;
mod header;
mod import;
mod json;
mod line_parser;
mod line_reader;
mod problems;
mod scratch;
mod sections;
mod step;

use std::fmt;
use std::io;

pub use export::Exported;
pub use format::Secrets;
pub use import::{ImportOptions, Imported};

use crate::domain::{Problem, quoted};
use crate::store::StoreError;

/// Called with the work done and the total; the caller chooses the unit.
pub type ProgressFn<'a> = &'a mut dyn FnMut(u64, u64);

/// Why a tenant was not exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// It was refused; the sentence says why.
    #[error("{0}")]
    Refused(String),
    /// All problems of the file, or as many as were found before reading stopped.
    #[error("{}", count_problems(.found, *.stopped))]
    Problems {
        /// The problems: first those of single lines, in their order, then those of the whole file.
        found: Vec<LineProblem>,
        /// The line after which nothing was read.
        stopped: Option<u64>,
    },
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

fn count_problems(problems: &[LineProblem], stopped: Option<u64>) -> String {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        several => format!("{several} problems"),
    };
    let more = stopped.map(|line| format!(" up to line {line}, where reading stopped: there may be more"));
    format!("nothing was imported: the file has {count}{}", more.unwrap_or_default())
}

/// A problem of a line of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct LineProblem {
    /// The line, counted from 1.
    pub line: u64,
    /// The problem; its path begins with the section.
    pub problem: Problem,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { path, rule, value, .. } = &self.problem;
        let subject = if path.is_empty() { "the line".to_owned() } else { path.join(".") };
        match value {
            Some(value) => write!(f, "line {}: {subject} {rule}; it is {}.", self.line, quoted(value)),
            None => write!(f, "line {}: {subject} {rule}.", self.line),
        }
    }
}
