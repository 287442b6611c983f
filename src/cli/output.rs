//! The result of a command: its text on stdout and its exit code, or the reason for its failure.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::domain::Problem;

/// Why a command failed, as one sentence; a [`clap::Error`] for wrong usage.
pub type Failure = Box<dyn Error + Send + Sync>;

pub(super) type CommandResult = Result<ExitCode, Failure>;

/// The failure for a refused change: the messages of all its problems, on one line.
pub(super) fn problems_failure(problems: Vec<Problem>) -> Failure {
    problems.iter().map(Problem::message).collect::<Vec<_>>().join(" ").into()
}

/// A table whose columns are as wide as their longest cell.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            _ = write!(line, "{cell:width$}  ");
        }
        _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Writes to stdout. It is not a failure if the reader closes the pipe early (`vext schema | head`).
pub(super) fn print(text: &str) -> CommandResult {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write to stdout: {e}").into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let rows = [["ACME", "x"], ["B", "yy"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(["CODE", "N"], rows.into_iter()), "CODE  N\nACME  x\nB     yy\n");
    }
}
