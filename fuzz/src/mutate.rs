//! Inputs made of other inputs, the same in every run.

/// An endless row of inputs: seeds cut, joined and damaged.
#[derive(Debug)]
pub struct Mutations<'s> {
    seeds: &'s [Vec<u8>],
    state: u64,
}

impl<'s> Mutations<'s> {
    /// The row number `row` over these seeds.
    pub fn new(seeds: &'s [Vec<u8>], row: u64) -> Self {
        assert!(!seeds.is_empty(), "there is something to begin with");
        Self { seeds, state: row.wrapping_mul(2).wrapping_add(1) }
    }

    /// A number below `bound` (`SplitMix64`).
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).expect("lengths fit").max(1);
        usize::try_from((mixed ^ mixed >> 31) % bound).expect("less than the bound")
    }

    fn piece(&mut self) -> &'s [u8] {
        let seed = self.below(self.seeds.len());
        let seed = &self.seeds[seed][..];
        let from = if self.below(2) == 0 { 0 } else { self.below(seed.len() + 1) };
        let to =
            if self.below(2) == 0 { seed.len() } else { from + self.below(seed.len() - from + 1) };
        &seed[from..to]
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = Vec::new();
        for _ in 0..=self.below(4) {
            let piece = self.piece();
            let at = if self.below(2) == 0 { input.len() } else { self.below(input.len() + 1) };
            input.splice(at..at, piece.iter().copied());
        }
        for _ in 0..self.below(4) {
            if input.is_empty() {
                break;
            }
            let at = self.below(input.len());
            match self.below(4) {
                0 => input[at] = u8::try_from(self.below(256)).expect("a byte"),
                1 => drop(input.remove(at)),
                2 => input[at] ^= 1 << self.below(8),
                _ => {
                    let end = at + self.below((input.len() - at).min(16) + 1);
                    let again = input[at..end].to_vec();
                    input.splice(at..at, again);
                }
            }
        }
        Some(input)
    }
}
