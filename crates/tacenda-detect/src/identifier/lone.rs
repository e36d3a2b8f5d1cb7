//! A number that is all of a text: an identifier, or a count, a size, a time.

/// How many digits it has at least: shorter ones are counts.
const SHORTEST: usize = 9;
/// With so many digits or more it is no size; with more than [`LONGEST`], a time or a seed.
const LONG: usize = 11;
const LONGEST: usize = 13;
/// Sizes in memory and numbers of parameters are multiples of this.
const BLOCK: u64 = 128;
/// Round numbers are multiples of this.
const ROUND: u64 = 1000;
/// Seconds since 1970, from 2014 to 2033: the times that a log has.
const SECONDS: std::ops::Range<u64> = 1_400_000_000..2_000_000_000;

/// Whether digits whose check digits are good may be believed without a word for them. One number in
/// ten has good check digits, so that what is more often something else is left.
pub(super) fn is_telling(digits: &[u8]) -> bool {
    let number = digits.iter().fold(0_u64, |number, digit| {
        number.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    });
    let other = number.is_multiple_of(BLOCK)
        || number.is_multiple_of(ROUND)
        || SECONDS.contains(&number)
        || counts_up(digits);
    (LONG..=LONGEST).contains(&digits.len()) || (SHORTEST..LONG).contains(&digits.len()) && !other
}

/// `123456789`: what stands for a number in an example.
fn counts_up(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair[1] == (pair[0] - b'0' + 1) % 10 + b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_sizes_and_times_are_left() {
        for number in ["494032768", "1732180309", "125000", "450000000"] {
            assert!(!is_telling(number.as_bytes()), "{number}");
        }
        for number in ["123456789", "1234567890", "12345678", "12345678901234"] {
            assert!(!is_telling(number.as_bytes()), "{number}");
        }
        for number in ["130692544", "1003000126", "9201232387", "76543210794", "0032698675"] {
            assert!(is_telling(number.as_bytes()), "{number}");
        }
    }
}
