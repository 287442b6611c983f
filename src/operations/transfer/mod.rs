//! One tenant as a file of JSON lines, out of one database and into another: `docs/export-format.md` describes it.
//!
//! Everything goes through the domain types, and nothing here names a field of a section: a field that is added to the
//! form is exported and imported as soon as its line is there. The same data gives the same bytes, on every engine.
//!
//! An import is checked first, all of it, by importing it into a scratch database (`scratch.rs`); only a file without a
//! problem is then imported in earnest, in chunks, by the same code (`import.rs`).

mod bounds;
mod check;
mod export;
mod format;
mod header;
mod import;
mod json;
mod lines;
mod reader;
mod scratch;
mod shapes;
mod step;
mod verdict;

use std::fmt;
use std::io;

pub use export::Exported;
pub use format::Secrets;
pub use import::{ImportOptions, Imported};

use crate::domain::Problem;
use crate::store::StoreError;

/// Told how much is done, and of how much; the unit is up to who tells.
pub type Tell<'a> = &'a mut dyn FnMut(u64, u64);

/// Why a tenant was not exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// One sentence.
    #[error("{0}")]
    Refused(String),
    /// Everything that is wrong with the file, or so much of it that reading was stopped.
    #[error("{}", counted(.found, *.stopped))]
    Problems {
        /// What is wrong: of lines in their order, then of the whole file.
        found: Vec<LineProblem>,
        /// The line behind which nothing was read.
        stopped: Option<u64>,
    },
    /// What the store answers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

fn counted(problems: &[LineProblem], stopped: Option<u64>) -> String {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        several => format!("{several} problems"),
    };
    let more = stopped.map(|line| format!(" up to line {line}, where reading stopped: there may be more"));
    format!("nothing was imported: the file has {count}{}", more.unwrap_or_default())
}

/// Something that is wrong with a line of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct LineProblem {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong; the path begins with the section.
    pub problem: Problem,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { path, rule, value, .. } = &self.problem;
        let what = if path.is_empty() { "the line".to_owned() } else { path.join(".") };
        match value {
            Some(value) => write!(f, "line {}: {what} {rule}; it is \"{value}\".", self.line),
            None => write!(f, "line {}: {what} {rule}.", self.line),
        }
    }
}
