//! What could not be read, or not to its end.

use std::fmt::{self, Display};
use std::io;
use std::path::{Path, PathBuf};

use crate::Packing;

/// A file that could not be read, or not to its end.
#[derive(Debug)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why a file could not be read to its end. It holds nothing of what is in the file.
#[derive(Debug)]
pub enum Reason {
    /// The system's error.
    Io(io::Error),
    /// The file is packed, and damaged or cut off; so many bytes were unpacked and looked at.
    Damaged(Packing, u64),
    /// The name promises a packing that the content is not of; it was looked at as it is.
    NotPacked(Packing),
    /// An internal error.
    Internal,
}

impl Problem {
    pub(crate) fn new(path: &Path, reason: Reason) -> Self {
        Self { path: path.to_owned(), reason }
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => {
                let text = error.to_string();
                let words = text.split(" (os error").next().unwrap_or(&text);
                let mut letters = words.chars();
                let first = letters.next().map(char::to_lowercase).into_iter().flatten();
                write!(f, "cannot read it: {}{}", first.collect::<String>(), letters.as_str())
            }
            Self::Damaged(packing, bytes) => {
                write!(
                    f,
                    "the {packing} file is damaged or cut off: the first {bytes} bytes in it were read"
                )
            }
            Self::NotPacked(packing) => {
                write!(f, "the name says {packing}, the content does not: read as it is")
            }
            Self::Internal => f.write_str("an internal error: not read to its end"),
        }
    }
}
