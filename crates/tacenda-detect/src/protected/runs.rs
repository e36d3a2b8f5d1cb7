//! Long runs of digits, in whatever spelling.

/// Each run of at least `shortest` bytes that may stand in one, with its place.
pub(super) fn runs(
    text: &[u8],
    shortest: usize,
    may_stand: impl Fn(u8) -> bool,
) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(run) = text.get(at..at + shortest) {
            // Where the last byte of the shortest one cannot stand, none begins before it.
            if let Some(last) = run.iter().rposition(|byte| !may_stand(*byte)) {
                at += last + 1;
                continue;
            }
            let start = at;
            at += shortest;
            at += text[at..].iter().take_while(|byte| may_stand(**byte)).count();
            return Some((start, &text[start..at]));
        }
        None
    })
}

/// What a scanner of runs visits, and where that stands.
#[cfg(test)]
pub(super) fn seen(
    text: &str,
    scan: impl FnOnce(&[u8], &mut dyn FnMut(&[u8], super::base64::PlaceOf<'_>)),
) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    scan(text.as_bytes(), &mut |bytes, place| {
        let (from, to) = place(0, bytes.len());
        seen.push((String::from_utf8_lossy(bytes).into_owned(), text[from..to].to_owned()));
    });
    seen
}
