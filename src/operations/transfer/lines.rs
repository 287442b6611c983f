//! Reading lines, with the SHA-256 of those that have passed.

use std::io::{BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::{LineProblem, TransferError};
use crate::domain::{Code, Problem, hex};

/// The longest line, its end included, in MiB: more than twice the longest that an export can have, which is a change of
/// a list of 1000 entries. An export writes none that is longer.
const LONGEST_MIB: usize = 8;
pub(super) const LONGEST: usize = LONGEST_MIB * 1024 * 1024;

/// The lines of a file, one after the other.
pub(super) struct LineReader<R> {
    reader: R,
    hash: Sha256,
    line: Vec<u8>,
    /// The number of the line, from 1.
    pub number: u64,
    /// How many bytes have been read.
    pub bytes: u64,
}

impl<R: BufRead> LineReader<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, hash: Sha256::new(), line: Vec::new(), number: 0, bytes: 0 }
    }

    /// Reads the next line. False at the end of the file.
    ///
    /// # Errors
    /// What reading answers; a problem of the line when it is too long, behind which nothing can be read.
    pub(super) fn next(&mut self) -> Result<bool, TransferError> {
        self.hash.update(&self.line);
        self.line.clear();
        let read = self.reader.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut self.line)?;
        self.bytes += read as u64;
        self.number += u64::from(read > 0);
        if read > LONGEST {
            self.line = Vec::new();
            let rule = format!("is longer than {LONGEST_MIB} MiB, which no line of an export is");
            let found = vec![LineProblem { line: self.number, problem: Problem::new(Code::OutOfRange, rule) }];
            return Err(TransferError::Problems { found, stopped: Some(self.number) });
        }
        Ok(read > 0)
    }

    /// The line.
    pub(super) fn text(&self) -> &[u8] {
        &self.line
    }

    /// The SHA-256 of all lines before this one.
    pub(super) fn before(&self) -> String {
        digits(&self.hash)
    }

    /// The SHA-256 of all lines up to this one.
    pub(super) fn through(&self) -> String {
        digits(&self.hash.clone().chain_update(&self.line))
    }
}

/// What has been hashed so far, in hexadecimal digits.
pub(super) fn digits(hash: &Sha256) -> String {
    hex(&hash.clone().finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn sha256(text: &str) -> String {
        digits(&Sha256::new().chain_update(text))
    }

    #[test]
    fn lines_are_counted_and_hashed_with_their_ends() {
        let mut lines = LineReader::new("a\nb\nc".as_bytes());
        assert!(lines.next().unwrap() && lines.next().unwrap());
        assert_eq!((lines.number, lines.bytes, lines.text()), (2, 4, &b"b\n"[..]));
        assert_eq!((lines.before(), lines.through()), (sha256("a\n"), sha256("a\nb\n")));
        assert!(lines.next().unwrap() && !lines.next().unwrap());
        assert_eq!((lines.number, lines.before()), (3, sha256("a\nb\nc")));
    }

    #[test]
    fn a_line_without_end_is_not_read_into_memory() {
        let endless = io::BufReader::new(io::Cursor::new("a\n").chain(io::repeat(b'x')));
        let mut lines = LineReader::new(endless);
        assert!(lines.next().unwrap());
        let TransferError::Problems { found, stopped: Some(2) } = lines.next().unwrap_err() else { panic!() };
        assert_eq!(found[0].to_string(), "line 2: the line is longer than 8 MiB, which no line of an export is.");
        assert!(lines.line.capacity() == 0);
    }

    #[test]
    fn the_longest_line_is_read() {
        let text = "x".repeat(LONGEST - 1) + "\n";
        assert!(LineReader::new(text.as_bytes()).next().unwrap());
    }
}
