//! Reading lines, with the SHA-256 of those that have passed.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::export::digits;

/// The longest line that is read: far more than any export has, and little enough for memory.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The lines of a file, one after the other.
pub(super) struct Lines<R> {
    reader: R,
    hash: Sha256,
    line: Vec<u8>,
    /// The number of the line, from 1.
    pub number: u64,
    /// How many bytes have been read.
    pub bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, hash: Sha256::new(), line: Vec::new(), number: 0, bytes: 0 }
    }

    /// Reads the next line. False at the end of the file.
    ///
    /// # Errors
    /// What reading answers, and for a line without end.
    pub(super) fn next(&mut self) -> io::Result<bool> {
        self.hash.update(&self.line);
        self.line.clear();
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)? as u64;
        if read == LONGEST {
            return Err(io::Error::other(format!("line {} is longer than 16 MiB", self.number + 1)));
        }
        self.bytes += read;
        self.number += u64::from(read > 0);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(text: &str) -> String {
        digits(&Sha256::new().chain_update(text))
    }

    #[test]
    fn lines_are_counted_and_hashed_with_their_ends() {
        let mut lines = Lines::new("a\nb\nc".as_bytes());
        assert!(lines.next().unwrap() && lines.next().unwrap());
        assert_eq!((lines.number, lines.bytes, lines.text()), (2, 4, &b"b\n"[..]));
        assert_eq!((lines.before(), lines.through()), (sha256("a\n"), sha256("a\nb\n")));
        assert!(lines.next().unwrap() && !lines.next().unwrap());
        assert_eq!((lines.number, lines.before()), (3, sha256("a\nb\nc")));
    }

    #[test]
    fn a_line_without_end_is_not_read_into_memory() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        assert!(Lines::new(endless).next().unwrap_err().to_string().contains("line 1 is longer"));
    }
}
