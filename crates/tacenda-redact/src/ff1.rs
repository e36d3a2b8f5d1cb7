//! FF1: format-preserving encryption as in NIST SP 800-38G, for numbers of up to 56 digits.

use aes::cipher::{Block, BlockCipherEncrypt, BlockSizeUser, consts::U16};

/// FF1 over a block cipher with blocks of 128 bits.
#[derive(Clone)]
pub(crate) struct Ff1<C> {
    cipher: C,
    radix: u32,
}

/// What the rounds of one number have in common.
struct Rounds<'t> {
    tweak: &'t [u8],
    /// The lengths of the halves.
    halves: [usize; 2],
    /// The numbers of values of the halves.
    sizes: [u128; 2],
    /// Bytes that hold a half.
    bytes: usize,
    first: [u8; 16],
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> Ff1<C> {
    /// A radix of at most 36.
    pub(crate) fn new(cipher: C, radix: u32) -> Self {
        Self { cipher, radix }
    }

    /// Whether there are at least a million numbers with these digits, as the standard's first
    /// revision requires, and no more than fit.
    pub(crate) fn accepts(&self, digits: usize) -> bool {
        let values = u32::try_from(digits).ok().and_then(|n| u128::from(self.radix).checked_pow(n));
        digits <= 56 && values.is_none_or(|values| values >= 1_000_000) && self.bytes(digits) <= 12
    }

    /// Encrypts digits in place; they have to be [accepted](Self::accepts).
    pub(crate) fn encrypt(&self, tweak: &[u8], digits: &mut [u8]) {
        let rounds = self.rounds(tweak, digits.len());
        let (mut a, mut b) = self.split(&rounds, digits);
        for i in 0..10 {
            let size = rounds.sizes[i as usize % 2];
            let c = (a + self.round(&rounds, i, b) % size) % size;
            (a, b) = (b, c);
        }
        self.join(&rounds, digits, a, b);
    }

    /// The inverse of [`encrypt`](Self::encrypt).
    pub(crate) fn decrypt(&self, tweak: &[u8], digits: &mut [u8]) {
        let rounds = self.rounds(tweak, digits.len());
        let (mut a, mut b) = self.split(&rounds, digits);
        for i in (0..10).rev() {
            let size = rounds.sizes[i as usize % 2];
            let c = (b + size - self.round(&rounds, i, a) % size) % size;
            (a, b) = (c, a);
        }
        self.join(&rounds, digits, a, b);
    }

    fn bytes(&self, digits: usize) -> usize {
        let half = u32::try_from(digits.div_ceil(2)).unwrap_or(u32::MAX);
        let largest = u128::from(self.radix).checked_pow(half).unwrap_or(0).wrapping_sub(1);
        ((u128::BITS - largest.leading_zeros()).div_ceil(8)) as usize
    }

    fn rounds<'t>(&self, tweak: &'t [u8], digits: usize) -> Rounds<'t> {
        assert!(self.accepts(digits), "the caller asked whether the number is accepted");
        let halves = [digits / 2, digits - digits / 2];
        let size = |half: usize| {
            u128::from(self.radix).pow(u32::try_from(half).expect("a half has at most 28 digits"))
        };
        let narrow =
            |n: usize| u32::try_from(n).expect("a log has no value of 4 GiB").to_be_bytes();
        let mut first = [0; 16];
        first[..3].copy_from_slice(&[1, 2, 1]);
        first[3..6].copy_from_slice(&self.radix.to_be_bytes()[1..]);
        first[6] = 10;
        first[7] = halves[0].to_le_bytes()[0];
        first[8..12].copy_from_slice(&narrow(digits));
        first[12..].copy_from_slice(&narrow(tweak.len()));
        Rounds { tweak, halves, sizes: halves.map(size), bytes: self.bytes(digits), first }
    }

    /// The number of a round: the standard's steps 6.i to 6.iv. Up to 16 bytes are one block.
    fn round(&self, rounds: &Rounds<'_>, i: u8, half: u128) -> u128 {
        let unpadded = rounds.tweak.len() + 1 + rounds.bytes;
        let mut q = Vec::with_capacity(unpadded.next_multiple_of(16));
        q.extend_from_slice(rounds.tweak);
        q.resize(q.len() + unpadded.next_multiple_of(16) - unpadded, 0);
        q.push(i);
        q.extend_from_slice(&half.to_be_bytes()[16 - rounds.bytes..]);
        let mut block = Block::<C>::from(rounds.first);
        self.cipher.encrypt_block(&mut block);
        for chunk in q.chunks_exact(16) {
            block.iter_mut().zip(chunk).for_each(|(byte, with)| *byte ^= with);
            self.cipher.encrypt_block(&mut block);
        }
        let length = 4 * rounds.bytes.div_ceil(4) + 4;
        block[..length].iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    fn split(&self, rounds: &Rounds<'_>, digits: &[u8]) -> (u128, u128) {
        let number = |digits: &[u8]| {
            digits.iter().fold(0, |n, digit| n * u128::from(self.radix) + u128::from(*digit))
        };
        let (a, b) = digits.split_at(rounds.halves[0]);
        (number(a), number(b))
    }

    fn join(&self, rounds: &Rounds<'_>, digits: &mut [u8], a: u128, b: u128) {
        let radix = u128::from(self.radix);
        let (left, right) = digits.split_at_mut(rounds.halves[0]);
        for (half, mut number) in [(left, a), (right, b)] {
            for digit in half.iter_mut().rev() {
                *digit = u8::try_from(number % radix).expect("a digit is less than the radix");
                number /= radix;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aes::cipher::KeyInit;
    use aes::{Aes128, Aes192, Aes256};
    use proptest::prelude::*;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<char> = hex.chars().collect();
        let byte = |pair: &[char]| pair.iter().collect::<String>();
        digits.chunks(2).map(|pair| u8::from_str_radix(&byte(pair), 16).unwrap()).collect()
    }

    fn check<C>(key: &str, radix: u32, tweak: &str, plain: &str, cipher: &str)
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        let numerals = |text: &str| -> Vec<u8> {
            text.chars().map(|c| u8::try_from(c.to_digit(36).unwrap()).unwrap()).collect()
        };
        let ff1 = Ff1::new(C::new_from_slice(&bytes(key)).unwrap(), radix);
        let mut digits = numerals(plain);
        ff1.encrypt(&bytes(tweak), &mut digits);
        assert_eq!(digits, numerals(cipher));
        ff1.decrypt(&bytes(tweak), &mut digits);
        assert_eq!(digits, numerals(plain));
    }

    /// All samples for FF1 that NIST publishes with the standard.
    #[test]
    fn the_samples_of_the_standard() {
        const K128: &str = "2B7E151628AED2A6ABF7158809CF4F3C";
        const K192: &str = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F";
        const K256: &str = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94";
        const TEN: &str = "39383736353433323130";
        const MIXED: &str = "3737373770717273373737";
        const LETTERS: &str = "0123456789abcdefghi";
        check::<Aes128>(K128, 10, "", "0123456789", "2433477484");
        check::<Aes128>(K128, 10, TEN, "0123456789", "6124200773");
        check::<Aes128>(K128, 36, MIXED, LETTERS, "a9tv40mll9kdu509eum");
        check::<Aes192>(K192, 10, "", "0123456789", "2830668132");
        check::<Aes192>(K192, 10, TEN, "0123456789", "2496655549");
        check::<Aes192>(K192, 36, MIXED, LETTERS, "xbj3kv35jrawxv32ysr");
        check::<Aes256>(K256, 10, "", "0123456789", "6657667009");
        check::<Aes256>(K256, 10, TEN, "0123456789", "1001623463");
        check::<Aes256>(K256, 36, MIXED, LETTERS, "xs8a0azh2avyalyzuwd");
    }

    #[test]
    fn small_domains_are_refused() {
        let ff1 = Ff1::new(Aes256::new(&[1; 32].into()), 10);
        assert!(!ff1.accepts(0) && !ff1.accepts(5) && ff1.accepts(6));
        assert!(ff1.accepts(56) && !ff1.accepts(57));
        let ff1 = Ff1::new(Aes256::new(&[1; 32].into()), 36);
        assert!(!ff1.accepts(3) && ff1.accepts(4) && !ff1.accepts(56));
    }

    proptest! {
        #[test]
        fn it_comes_back(
            key in any::<[u8; 32]>(),
            tweak in prop::collection::vec(any::<u8>(), 0..40),
            digits in prop::collection::vec(0_u8..10, 6..=56),
        ) {
            let ff1 = Ff1::new(Aes256::new(&key.into()), 10);
            let mut number = digits.clone();
            ff1.encrypt(&tweak, &mut number);
            prop_assert!(number.iter().all(|digit| *digit < 10));
            ff1.decrypt(&tweak, &mut number);
            prop_assert_eq!(number, digits);
        }
    }
}
