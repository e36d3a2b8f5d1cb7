//! A place in the input that holds a sensitive value.

/// The index of a detector in its [`Engine`](crate::Engine).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DetectorId(pub(crate) u16);

/// A sensitive value: where it is (byte offsets into the input, end exclusive) and who found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Which detector.
    pub detector: DetectorId,
}
