//! The text of completions while they grow, and for a while after: a log repeats it piece by piece.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Instant;

use super::roll::Roller;
use super::store::{ValueId, allocated, table_bytes};

/// The completions that can be followed token by token.
#[derive(Default)]
pub(super) struct Completions {
    growing: HashMap<ValueId, Box<Growing>>,
    /// In the order of their texts: those that begin alike lie together.
    order: Vec<Seat>,
    /// Those that are being generated, by the first bytes of their last token.
    ends: BTreeSet<(u64, ValueId)>,
    /// Those that grew or ended, the last ones last, and how many there were before.
    news: VecDeque<ValueId>,
    news_before: u64,
    /// Those of which there is one token only, the last ones first.
    firsts: VecDeque<ValueId>,
    /// What the texts take.
    held: usize,
}

/// News that are kept: who has not asked since looks at everything.
const MOST_NEWS: usize = 4096;

/// Completions of one token that are kept.
const MOST_FIRST: usize = 64;

/// A place in the order. What is asked most often, which begin with a piece, is told by the first
/// bytes that stand here: the texts themselves lie all over the memory.
#[derive(Clone, Copy, Debug)]
struct Seat {
    head: u64,
    id: ValueId,
}

/// The first bytes of a text, comparable as the text is.
fn head(text: impl Iterator<Item = u8>) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(text).for_each(|(to, byte)| *to = byte);
    u64::from_be_bytes(head)
}

/// A completion that is still being generated, or that a log may still be repeating.
#[derive(Default)]
pub(super) struct Growing {
    pub(super) text: String,
    /// The text without spaces, which a log may leave out or add.
    body: String,
    /// Where its last token begins in that.
    last: usize,
    tokens: usize,
    pub(super) roller: Roller,
    forget_at: Option<Instant>,
}

impl Growing {
    /// The first bytes of its last token.
    fn end(&self) -> u64 {
        head(self.body[self.last..].bytes())
    }

    /// What it takes, its places in the orders included.
    fn bytes(&self) -> usize {
        let texts = allocated(self.text.capacity()) + allocated(self.body.capacity());
        allocated(size_of::<Self>()) + texts + 2 * size_of::<(u64, ValueId)>()
    }
}

/// Where keys begin and end that texts have which begin with `piece`.
pub(super) fn keys_of(piece: &str) -> RangeInclusive<u64> {
    let from = head(piece.bytes());
    let bits = 8 * u32::try_from(piece.len().min(size_of::<u64>())).unwrap_or_default();
    from..=from | u64::MAX.checked_shr(bits).unwrap_or_default()
}

/// How far a log has come in a completion. It stands for all that are the same up to there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    pub(super) id: ValueId,
    at: usize,
}

impl Completions {
    pub(super) fn open(&mut self, id: ValueId) {
        let growing = Box::<Growing>::default();
        self.held += growing.bytes();
        self.growing.insert(id, growing);
        if let Err(place) = self.place(id) {
            self.order.insert(place, Seat { head: 0, id });
        }
    }

    /// Adds the text of the next token.
    pub(super) fn extend(&mut self, id: ValueId, segment: &str) -> Option<&mut Growing> {
        let place = self.place(id).ok()?;
        let growing = self.growing.get_mut(&id)?;
        let before = growing.bytes();
        growing.text.push_str(segment);
        self.ends.remove(&(growing.end(), id));
        growing.last = growing.body.len();
        growing.body.extend(segment.chars().filter(|char| !char.is_whitespace()));
        growing.tokens += 1;
        self.held = self.held + growing.bytes() - before;
        if growing.tokens < 3 {
            self.firsts.retain(|first| *first != id);
        }
        if growing.tokens == 1 {
            self.firsts.truncate(MOST_FIRST - 1);
            self.firsts.push_front(id);
        }
        self.ends.insert((growing.end(), id));
        Self::note(&mut self.news, &mut self.news_before, id);
        // A longer text can only belong further behind.
        let seat = Seat { head: head(growing.body.bytes()), id };
        let behind = &self.order[place + 1..];
        let moves = behind.partition_point(|other| self.compare(*other, seat) == Ordering::Less);
        self.order[place] = seat;
        self.order[place..=place + moves].rotate_left(1);
        self.growing.get_mut(&id).map(|growing| &mut **growing)
    }

    /// Has the text forgotten at that time.
    pub(super) fn close(&mut self, id: ValueId, forget_at: Instant) {
        if let Some(growing) = self.growing.get_mut(&id) {
            growing.forget_at = Some(forget_at);
            let before = growing.bytes();
            growing.text.shrink_to_fit();
            growing.body.shrink_to_fit();
            self.held = self.held + growing.bytes() - before;
            self.ends.remove(&(growing.end(), id));
            Self::note(&mut self.news, &mut self.news_before, id);
        }
    }

    /// Those to be forgotten now.
    pub(super) fn due(&self, now: Instant) -> Vec<ValueId> {
        let is_due = |growing: &Growing| growing.forget_at.is_some_and(|at| at <= now);
        let due = self.growing.iter().filter(|(_, growing)| is_due(growing));
        due.map(|(id, _)| *id).collect()
    }

    /// Takes these out of the order, to be forgotten. False: none of them is here.
    pub(super) fn hide(&mut self, ids: &[ValueId]) -> bool {
        let any = ids.iter().any(|id| self.growing.contains_key(id));
        if any {
            self.order.retain(|seat| !ids.contains(&seat.id));
        }
        any
    }

    /// Moves a cursor from one of these, which are hidden, to another completion that is the same
    /// up to there. False: there is none.
    pub(super) fn move_from(&self, ids: &[ValueId], cursor: &mut Cursor) -> bool {
        if !ids.contains(&cursor.id) {
            return true;
        }
        let twin = self.first_with(self.read(*cursor), "");
        cursor.id = twin.unwrap_or(cursor.id);
        twin.is_some()
    }

    pub(super) fn forget(&mut self, ids: &[ValueId]) {
        for id in ids {
            if let Some(growing) = self.growing.remove(id) {
                self.ends.remove(&(growing.end(), *id));
                self.held -= growing.bytes();
            }
        }
    }

    /// What they take of memory.
    pub(super) fn bytes(&self) -> usize {
        let order = self.order.capacity() * size_of::<Seat>();
        self.held + order + table_bytes(&self.growing)
    }

    fn note(news: &mut VecDeque<ValueId>, before: &mut u64, id: ValueId) {
        if news.len() == MOST_NEWS {
            news.pop_front();
            *before += 1;
        }
        news.push_back(id);
    }

    /// How many news there have been.
    pub(super) fn told(&self) -> u64 {
        self.news_before + self.news.len() as u64
    }

    /// What grew or ended since there were `told` news; none if that is too long ago to be known.
    pub(super) fn news_since(&self, told: u64) -> Option<impl Iterator<Item = ValueId>> {
        let from = usize::try_from(told.checked_sub(self.news_before)?).ok()?;
        Some(self.news.range(from.min(self.news.len())..).copied())
    }

    /// The first bytes of what comes next at a cursor, and whether they are all that a key holds.
    pub(super) fn next(&self, cursor: Cursor) -> (u64, bool) {
        let rest = self.body(cursor.id).get(cursor.at..).unwrap_or_default();
        (head(rest.bytes()), rest.len() >= size_of::<u64>())
    }

    /// The text so far.
    pub(super) fn text(&self, id: ValueId) -> Option<&str> {
        Some(&self.growing.get(&id)?.text)
    }

    pub(super) fn len(&self) -> usize {
        self.growing.len()
    }

    /// Whether one of them may begin with `piece`, as its first bytes tell.
    pub(super) fn may_begin(&self, piece: &str) -> bool {
        let bytes = piece.split_whitespace().flat_map(str::bytes).take(size_of::<u64>());
        let mut count = 0;
        let wanted = head(bytes.inspect(|_| count += 1));
        let seat = self.order.get(self.order.partition_point(|seat| seat.head < wanted));
        let bits = u64::BITS - 8 * u32::try_from(count).unwrap_or_default();
        seat.is_some_and(|seat| (seat.head ^ wanted).checked_shr(bits).is_none_or(|rest| rest == 0))
    }

    /// Where `piece`, which has no spaces, ends in those that begin with it.
    pub(super) fn begin(&self, piece: &str) -> Option<Cursor> {
        self.first_with("", piece).map(|id| Cursor { id, at: piece.len() })
    }

    /// Where `piece`, which has no spaces, ends when it goes on at `cursor`.
    pub(super) fn advance(&self, cursor: Cursor, piece: &str) -> Option<Cursor> {
        let rest = self.body(cursor.id).get(cursor.at..)?;
        rest.starts_with(piece).then(|| Cursor { at: cursor.at + piece.len(), ..cursor })
    }

    /// The same in any completion that is the same up to there.
    pub(super) fn advance_any(&self, cursor: Cursor, piece: &str) -> Option<Cursor> {
        let id = self.first_with(self.read(cursor), piece)?;
        Some(Cursor { id, at: cursor.at + piece.len() })
    }

    /// The end of one that is being generated, if `piece`, which has no spaces, is its last one.
    pub(super) fn at_end(&self, piece: &str) -> Option<Cursor> {
        let key = head(piece.bytes());
        let alike = self.ends.range((key, ValueId(0))..=(key, ValueId(u64::MAX)));
        let mut alike = alike.filter_map(|(_, id)| Some((*id, self.growing.get(id)?)));
        let ended = alike.find(|(_, growing)| growing.body[growing.last..] == *piece);
        ended.map(|(id, growing)| Cursor { id, at: growing.body.len() })
    }

    /// The texts of those that have one token only.
    pub(super) fn first_tokens(&self) -> impl Iterator<Item = &str> {
        let growing = self.firsts.iter().filter_map(|id| self.growing.get(id));
        let grow = growing.filter(|growing| growing.forget_at.is_none());
        grow.map(|growing| growing.text.as_str())
    }

    /// Whether its completion does not go on.
    pub(super) fn is_over(&self, cursor: Cursor) -> bool {
        let growing = self.growing.get(&cursor.id);
        growing.is_none_or(|growing| growing.forget_at.is_some() && cursor.at == growing.body.len())
    }

    /// Whether both stand for the same completions.
    pub(super) fn is_same(&self, one: Cursor, other: Cursor) -> bool {
        one.at == other.at && (one.id == other.id || self.read(one) == self.read(other))
    }

    /// Whether it stands for several completions.
    pub(super) fn is_shared(&self, cursor: Cursor) -> bool {
        let read = self.read(cursor);
        let is_alike = |place: usize| {
            self.order.get(place).is_some_and(|seat| self.body(seat.id).starts_with(read))
        };
        self.place(cursor.id)
            .is_ok_and(|place| is_alike(place.wrapping_sub(1)) || is_alike(place + 1))
    }

    /// What a log has repeated of it.
    fn read(&self, cursor: Cursor) -> &str {
        self.body(cursor.id).get(..cursor.at).unwrap_or_default()
    }

    /// One of those that begin with `read` and go on with `piece`.
    fn first_with(&self, read: &str, piece: &str) -> Option<ValueId> {
        let (read, piece) = (read.as_bytes(), piece.as_bytes());
        let wanted = head(read.iter().chain(piece).copied());
        let parts = |id: ValueId| {
            let body = self.body(id).as_bytes();
            body.split_at(read.len().min(body.len()))
        };
        let is_before = |seat: &Seat| match seat.head.cmp(&wanted) {
            Ordering::Equal => parts(seat.id) < (read, piece),
            unequal => unequal == Ordering::Less,
        };
        let Seat { id, .. } = *self.order.get(self.order.partition_point(is_before))?;
        let (beginning, rest) = parts(id);
        (beginning == read && rest.starts_with(piece)).then_some(id)
    }

    fn body(&self, id: ValueId) -> &str {
        self.growing.get(&id).map_or("", |growing| &growing.body)
    }

    /// Where it stands in the order, or would.
    fn place(&self, id: ValueId) -> Result<usize, usize> {
        let seat = Seat { head: head(self.body(id).bytes()), id };
        self.order.binary_search_by(|other| self.compare(*other, seat))
    }

    fn compare(&self, one: Seat, other: Seat) -> Ordering {
        let texts = || self.body(one.id).cmp(self.body(other.id));
        one.head.cmp(&other.head).then_with(texts).then_with(|| one.id.cmp(&other.id))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever grows and is forgotten: the order finds what a look at every text finds.
        #[test]
        fn the_order_finds_what_every_text_tells(
            steps in prop::collection::vec((0_u64..6, "[ab\u{0}é ]{0,6}", 0_u8..8), 0..60),
            questions in prop::collection::vec(("[ab\u{0}é]{0,9}", "[ab\u{0}é]{1,4}"), 1..20),
        ) {
            let mut completions = Completions::default();
            for (id, segment, dice) in steps {
                let id = ValueId(id);
                if dice == 0 {
                    completions.hide(&[id]);
                    completions.forget(&[id]);
                } else if completions.text(id).is_none() {
                    completions.open(id);
                } else {
                    completions.extend(id, &segment);
                }
                prop_assert_eq!(completions.order.len(), completions.growing.len());
                let is_sorted = completions.order.is_sorted_by(|one, other| {
                    completions.compare(*one, *other) == Ordering::Less
                });
                prop_assert!(is_sorted);
            }
            for (read, piece) in questions {
                let wanted = format!("{read}{piece}");
                let is_there = completions.growing.values().any(|it| it.body.starts_with(&wanted));
                let found = completions.first_with(&read, &piece);
                prop_assert_eq!(found.is_some(), is_there);
                prop_assert!(completions.may_begin(&piece) || completions.begin(&piece).is_none());
                prop_assert!(found.is_none_or(|id| completions.body(id).starts_with(&wanted)));
            }
        }
    }
}
