//! Memory, as the system counts it.

/// Bytes of memory that this process holds; 0 where the system does not say.
pub(crate) fn held() -> usize {
    const PAGE: usize = 4096;
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<usize>().ok())
        .map_or(0, |pages| pages * PAGE)
}

/// Bytes a piece that `count` pieces made by `make` take.
pub(crate) fn each<T>(count: usize, make: impl Fn(usize) -> T) -> usize {
    let before = held();
    let pieces: Vec<T> = (0..count).map(make).collect();
    let after = held();
    drop(pieces);
    after.saturating_sub(before) / count
}
