//! From a key to the rules that want its value: a tree of letters, read from the end of the key.
//!
//! What a key wants depends on its ending alone, so that each place in the tree has the rules of all
//! endings that lead to it, without those that one of them refuses. However many rules share an
//! ending, a key is read once.

use crate::pair;
use crate::rule::Rule;

/// Letters and digits.
const LETTERS: usize = 36;
/// In the place of a letter, or of a node.
const NONE: u8 = u8::MAX;

/// In the place of a rule: that of [`pair::KEY`], which no rule wants.
const PAIR: u16 = u16::MAX;

/// The tree of all keys.
#[derive(Debug)]
pub(crate) struct Keys {
    nodes: Vec<Node>,
    /// The rules of all nodes, each in the order of the rules.
    rules: Vec<u16>,
}

#[derive(Clone, Debug)]
struct Node {
    /// The letters that may stand before those that lead here: their places among the nodes that
    /// begin at `first`, or [`NONE`].
    places: [u8; LETTERS],
    first: u32,
    /// The rules of keys that end in these letters, and of those that are these letters.
    ending: Rules,
    whole: Rules,
    /// Whether [`pair::KEY`] leads here.
    pair: bool,
}

impl Default for Node {
    fn default() -> Self {
        let none = Rules::default();
        Self { places: [NONE; LETTERS], first: 0, ending: none, whole: none, pair: false }
    }
}

/// A part of [`Keys::rules`].
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    start: u32,
    end: u32,
}

impl Rules {
    fn is_empty(self) -> bool {
        self.start == self.end
    }

    fn of(self, all: &[u16]) -> &[u16] {
        &all[self.start as usize..self.end as usize]
    }
}

/// A key of a rule, its letters turned round.
struct Wanted {
    letters: Vec<u8>,
    /// Whether it must be the whole key.
    whole: bool,
    /// Whether the rule refuses it.
    refused: bool,
    rule: u16,
}

impl Keys {
    /// The keys of `rules`, and [`pair::KEY`], which no rule wants.
    pub(crate) fn new<'r>(rules: impl Iterator<Item = (u16, &'r Rule)>) -> Self {
        let mut wanted = Vec::new();
        for (rule, Rule { keys, not_keys, .. }) in rules {
            for (refused, key) in
                keys.iter().map(|key| (false, key)).chain(not_keys.iter().map(|key| (true, key)))
            {
                let whole = key.starts_with('^');
                let letters = key.trim_start_matches('^').bytes().rev().collect();
                wanted.push(Wanted { letters, whole, refused, rule });
            }
        }
        for key in pair::KEYS {
            let letters = key.bytes().rev().collect();
            wanted.push(Wanted { letters, whole: true, refused: true, rule: PAIR });
        }
        wanted.sort_by(|a, b| a.letters.cmp(&b.letters));
        let mut nodes = Vec::with_capacity(4 * wanted.len());
        nodes.push(Node::default());
        let mut keys = Self { nodes, rules: Vec::new() };
        keys.grow(0, 0, &wanted, &mut Vec::new(), Rules::default());
        keys
    }

    /// Fills the node that the first `depth` letters of all `wanted` lead to, and those behind it.
    /// `fitting` are the keys of the nodes before, and `above` the rules of the last of them.
    fn grow<'w>(
        &mut self,
        node: usize,
        depth: usize,
        wanted: &'w [Wanted],
        fitting: &mut Vec<&'w Wanted>,
        above: Rules,
    ) {
        let here = wanted.partition_point(|key| key.letters.len() == depth);
        let (here, longer) = wanted.split_at(here);
        let before = fitting.len();
        let (mut ending, mut whole) = (above, above);
        let pair = here.iter().any(|key| key.rule == PAIR);
        // No key ends at most nodes.
        if !here.is_empty() {
            fitting.extend(here.iter().filter(|key| !key.whole));
            ending = self.add(fitting);
            fitting.extend(here.iter().filter(|key| key.whole));
            whole = self.add(fitting);
            fitting.retain(|key| !key.whole);
        }
        let groups: Vec<&[Wanted]> = longer
            .chunk_by(|a, b| a.letters[depth] == b.letters[depth])
            .filter(|group| letter(group[0].letters[depth]).is_some())
            .collect();
        let first = self.nodes.len();
        let count = number(first);
        let mut places = [NONE; LETTERS];
        let letters = groups.iter().filter_map(|group| letter(group[0].letters[depth]));
        for (letter, place) in letters.zip(0..) {
            places[letter] = place;
        }
        self.nodes[node] = Node { places, first: count, ending, whole, pair };
        self.nodes.resize(first + groups.len(), Node::default());
        for (next, group) in groups.into_iter().enumerate() {
            self.grow(first + next, depth + 1, group, fitting, ending);
        }
        fitting.truncate(before);
    }

    /// The rules that `fitting` want and none refuses.
    fn add(&mut self, fitting: &[&Wanted]) -> Rules {
        let refused = |rule| fitting.iter().any(|key| key.refused && key.rule == rule);
        let mut rules: Vec<u16> = fitting
            .iter()
            .filter(|key| !key.refused && !refused(key.rule))
            .map(|key| key.rule)
            .collect();
        rules.sort_unstable();
        rules.dedup();
        let start = number(self.rules.len());
        self.rules.extend(&rules);
        Rules { start, end: number(self.rules.len()) }
    }

    /// Whether a rule, or [`pair::KEY`], wants the key of these letters, in its normal form and the
    /// last letter first: most keys are told after a few, before the whole key is read.
    #[inline]
    pub(crate) fn wants(&self, letters: impl Iterator<Item = u8>) -> bool {
        let mut node = &self.nodes[0];
        for byte in letters {
            match self.before(node, byte) {
                Some(next) => node = next,
                None => return !node.ending.is_empty(),
            }
        }
        node.pair || !node.whole.is_empty()
    }

    /// The node that `byte` leads to from `node`.
    #[inline]
    fn before(&self, node: &Node, byte: u8) -> Option<&Node> {
        let place = node.places[letter(byte)?];
        (place != NONE).then(|| &self.nodes[node.first as usize + usize::from(place)])
    }

    /// The rules that want the value of `key`, which is in its normal form.
    pub(crate) fn rules(&self, key: &[u8]) -> &[u16] {
        let mut node = &self.nodes[0];
        for &byte in key.iter().rev() {
            let Some(next) = self.before(node, byte) else {
                return node.ending.of(&self.rules);
            };
            node = next;
        }
        node.whole.of(&self.rules)
    }
}

/// Nodes and rules are counted in 32 bits.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("rules have fewer than 2³² keys")
}

/// The number of a small letter or digit.
#[inline]
fn letter(byte: u8) -> Option<usize> {
    static NUMBERS: [u8; 256] = {
        let mut numbers = [NONE; 256];
        let mut byte = 0_u8;
        while byte < 0x80 {
            numbers[byte as usize] = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'z' => byte - b'a' + 10,
                _ => NONE,
            };
            byte += 1;
        }
        numbers
    };
    let number = usize::from(NUMBERS[usize::from(byte)]);
    (number < LETTERS).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RULES;

    /// Whether a normalised key ends as a rule says, or is what it says.
    fn fits(key: &[u8], wanted: &str) -> bool {
        match wanted.strip_prefix('^') {
            Some(whole) => key == whole.as_bytes(),
            None => key.ends_with(wanted.as_bytes()),
        }
    }

    #[test]
    fn a_key_has_the_rules_that_each_rule_says() {
        let keys = Keys::new((0..).zip(RULES));
        let written = RULES.iter().flat_map(|rule| rule.keys.iter().chain(rule.not_keys));
        let mut seen = 0;
        for written in written {
            let written = written.trim_start_matches('^');
            for key in [
                written.to_owned(),
                format!("x{written}"),
                format!("openai{written}"),
                format!("my2{written}"),
                format!("{written}s"),
                written[1..].to_owned(),
            ] {
                let key = key.as_bytes();
                let wanted: Vec<u16> = (0..)
                    .zip(RULES)
                    .filter(|(_, rule)| {
                        rule.keys.iter().any(|wanted| fits(key, wanted))
                            && !rule.not_keys.iter().any(|not| fits(key, not))
                    })
                    .map(|(rule, _)| rule)
                    .collect();
                assert_eq!(keys.rules(key), wanted, "{}", key.escape_ascii());
                seen += wanted.len();
                let pair = pair::KEYS.iter().any(|pair| key == pair.as_bytes());
                assert_eq!(keys.wants(key.iter().rev().copied()), pair || !wanted.is_empty());
            }
        }
        assert!(seen > 0);
    }
}
