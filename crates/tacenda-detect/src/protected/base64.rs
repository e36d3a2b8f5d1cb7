//! Base64 inside a text, decoded at every alignment: a cut copy may start anywhere.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::runs::runs;

/// Shortest run worth decoding: sixteen bytes and a little.
const MIN_RUN: usize = 22;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Maps a range of decoded bytes to the range of the input that spells it.
pub(super) type PlaceOf<'p> = &'p dyn Fn(usize, usize) -> (usize, usize);

/// Calls `visit` with what each long run of base64 (RFC 4648, either alphabet) decodes to.
pub(super) fn scan(text: &[u8], mut visit: impl FnMut(&[u8], PlaceOf<'_>)) {
    let mut decoded = Vec::new();
    let mut standard = Vec::new();
    for (start, run) in runs(text, MIN_RUN, is_base64) {
        standard.clear();
        standard.extend(run.iter().map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        }));
        for skip in 0..4 {
            let mut aligned = &standard[skip..];
            if aligned.len() % 4 == 1 {
                aligned = &aligned[..aligned.len() - 1];
            }
            decoded.clear();
            if ENGINE.decode_vec(aligned, &mut decoded).is_err() {
                continue;
            }
            let origin = start + skip;
            visit(&decoded, &|from, to| {
                (origin + from / 3 * 4 + from % 3, origin + (to * 4).div_ceil(3))
            });
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_long_run_is_seen(text in "[a-c+. ]{0,120}|([a-z]{20,24}[ .]{1,2}){0,4}") {
            let long = |run: &&str| run.len() >= MIN_RUN;
            let expected: Vec<_> = text.split(['.', ' ']).filter(long).collect();
            let seen: Vec<_> = runs(text.as_bytes(), MIN_RUN, is_base64).collect();
            for (start, run) in &seen {
                proptest::prop_assert_eq!(&text.as_bytes()[*start..start + run.len()], *run);
            }
            let seen: Vec<_> = seen.iter().map(|(_, run)| *run).collect();
            let expected: Vec<_> = expected.iter().map(|run| run.as_bytes()).collect();
            proptest::prop_assert_eq!(seen, expected);
        }
    }
}
