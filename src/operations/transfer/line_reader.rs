//! Reads a file line by line, with the SHA-256 of the lines so far.

use std::io::{BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::{LineProblem, TransferError};
use crate::domain::{Code, Problem, hex};

/// The maximum length of a line in MiB, including the line feed: more than twice the longest line of an export, which
/// is a change of a list of 1000 entries. An export never writes a longer line.
const MAX_LINE_MIB: usize = 8;
pub(super) const MAX_LINE_BYTES: usize = MAX_LINE_MIB * 1024 * 1024;

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
    /// An I/O error; or the line is too long, and nothing can be read after it.
    pub(super) fn read_next(&mut self) -> Result<bool, TransferError> {
        self.hash.update(&self.line);
        self.line.clear();
        let read = self.reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut self.line)?;
        self.bytes += read as u64;
        self.number += u64::from(read > 0);
        if read > MAX_LINE_BYTES {
            self.line = Vec::new();
            let rule = format!("is longer than {MAX_LINE_MIB} MiB, the maximum of an export");
            let found = vec![LineProblem { line: self.number, problem: Problem::new(Code::OutOfRange, rule) }];
            return Err(TransferError::Problems { found, stopped: Some(self.number) });
        }
        Ok(read > 0)
    }

    /// The current line.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The SHA-256 of all lines before this one.
    pub(super) fn hash_before(&self) -> String {
        hex_digest(&self.hash)
    }

    /// The SHA-256 of all lines up to this one.
    pub(super) fn hash_through(&self) -> String {
        hex_digest(&self.hash.clone().chain_update(&self.line))
    }
}

/// The digest so far, in hexadecimal.
pub(super) fn hex_digest(hash: &Sha256) -> String {
    hex(&hash.clone().finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn sha256(text: &str) -> String {
        hex_digest(&Sha256::new().chain_update(text))
    }

    #[test]
    fn lines_are_counted_and_hashed_with_their_ends() {
        let mut lines = LineReader::new("a\nb\nc".as_bytes());
        assert!(lines.read_next().unwrap() && lines.read_next().unwrap());
        assert_eq!((lines.number, lines.bytes, lines.line()), (2, 4, &b"b\n"[..]));
        assert_eq!((lines.hash_before(), lines.hash_through()), (sha256("a\n"), sha256("a\nb\n")));
        assert!(lines.read_next().unwrap() && !lines.read_next().unwrap());
        assert_eq!((lines.number, lines.hash_before()), (3, sha256("a\nb\nc")));
    }

    #[test]
    fn a_line_without_end_is_not_read_into_memory() {
        let endless = io::BufReader::new(io::Cursor::new("a\n").chain(io::repeat(b'x')));
        let mut lines = LineReader::new(endless);
        assert!(lines.read_next().unwrap());
        let TransferError::Problems { found, stopped: Some(2) } = lines.read_next().unwrap_err() else { panic!() };
        assert_eq!(found[0].to_string(), "line 2: the line is longer than 8 MiB, the maximum of an export.");
        assert!(lines.line.capacity() == 0);
    }

    #[test]
    fn the_longest_line_is_read() {
        let text = "x".repeat(MAX_LINE_BYTES - 1) + "\n";
        assert!(LineReader::new(text.as_bytes()).read_next().unwrap());
    }
}
