//! The frames of a write-ahead file, read piece by piece: memory for all of it would have to be made
//! first, and is far from the processor.

use std::io::{self, Read};

use crate::survey::Frame;

/// What is read at once.
const PIECE: usize = 1 << 16;

/// The frames that follow.
pub(crate) struct Frames<R> {
    file: R,
    bytes: Vec<u8>,
    /// Where the next one begins.
    at: usize,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(file: R) -> Self {
        Self { file, bytes: Vec::new(), at: 0 }
    }

    /// The next one; `None` when there is none that is whole.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        while Frame::read(&self.bytes[self.at..]).is_none() {
            if !self.more()? {
                return Ok(None);
            }
        }
        let frame = Frame::read(&self.bytes[self.at..]);
        self.at += frame.as_ref().map_or(0, |frame| frame.bytes.len() + frame.chain.len());
        Ok(frame)
    }

    /// Reads on; whether there was more.
    fn more(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.at);
        self.at = 0;
        let end = self.bytes.len();
        self.bytes.resize(end + PIECE, 0);
        let count = loop {
            match self.file.read(&mut self.bytes[end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.bytes.truncate(end + count);
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, or fails.
    struct Slow<'b>(&'b [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Err(io::Error::other("for the test"));
            };
            (bytes[0], self.0) = (*first, rest);
            Ok(1)
        }
    }

    #[test]
    fn frames_come_whole_however_they_are_read() {
        let lengths = [0, 5, PIECE - 40, PIECE, 3 * PIECE, 1];
        let frames = lengths.map(|length| {
            let mut frame = u32::try_from(length).unwrap().to_be_bytes().to_vec();
            frame.resize(4 + length + 32, 7);
            frame
        });
        let bytes = frames.concat();
        let mut read = Frames::new(bytes.as_slice());
        for frame in &frames {
            let one = read.next().unwrap().unwrap();
            assert_eq!([one.bytes, one.chain].concat(), *frame);
        }
        assert!(read.next().unwrap().is_none());
        let mut cut = Frames::new(&frames[1][..40]);
        assert!(cut.next().unwrap().is_none());
        let mut slow = Frames::new(Slow(&frames[1]));
        assert!(slow.next().unwrap().is_some());
        slow.next().map(|_| ()).unwrap_err();
    }
}
