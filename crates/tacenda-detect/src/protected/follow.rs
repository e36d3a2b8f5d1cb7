//! Following a completion through a log that writes it token by token.
//!
//! One token is too short to be found by itself. But records that repeat a completion piece by
//! piece, in order, are recognised by keeping a cursor in it; also those that say something around
//! each piece, once two of them have shown what that is.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::completions::{Completions, Cursor};
use super::readings::{Reading, Readings};
use super::store::{ProtectedValues, State, Value, ValueId, allocated};

/// How one piece of a log continues a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It does not: it is a record of its own.
    No,
    /// It is the first piece of a run.
    Started,
    /// It is a further piece of the run.
    Continued,
    /// It does not go on with the run: [`end`](ProtectedValues::end_run) that, then ask again.
    Ended,
}

/// One follower per log: a thread's records (even), or a stream's writes (odd).
#[derive(Debug, Default)]
pub(super) struct Followers {
    logs: HashMap<u64, Follower>,
    /// What logs write that is no piece by itself.
    framed: HashMap<u64, Framed>,
    /// The frames that logs have shown last: another log may write its first piece in one.
    shown: VecDeque<(String, String)>,
    /// What `framed` takes.
    held: usize,
}

#[derive(Debug, Default)]
struct Follower {
    /// Whether a run is going on.
    running: bool,
    /// How far this log has come in each completion that it has begun to repeat: several may be
    /// written in turns, and a run goes on after other records.
    readings: Readings,
    /// The completion that the last piece was of.
    last: Option<ValueId>,
}

/// A reading in doubt is given up after so many pieces.
const MOST_DOUBT: u8 = 16;

/// Longest piece that is looked for in what other logs have written, in bytes.
const LONGEST_TAKEN: usize = 64;
/// Longest text in which a piece is looked for, in bytes.
const LONGEST_FRAMED: usize = 512;
/// Logs of which such texts are kept: a thread of a server may be one of very many.
const MOST_FRAMED: usize = 4096;
/// Texts of a log that are kept to be compared with the next one.
const RECENT: usize = 4;

/// Frames of a log: one for the token, say, and one for the line of JSON that is sent.
const FRAMES: usize = 4;

/// Frames of all logs that are known.
const MOST_SHOWN: usize = 16;

/// A log that writes pieces in frames.
#[derive(Debug, Default)]
struct Framed {
    recent: VecDeque<String>,
    frames: VecDeque<Frame>,
}

/// What stands before and behind each piece: `token: ' her'`, or a line of JSON with a time.
#[derive(Debug)]
struct Frame {
    before: String,
    after: String,
    follower: Follower,
}

impl Framed {
    /// What it takes.
    fn bytes(&self) -> usize {
        let frames = self.frames.iter().flat_map(|frame| [&frame.before, &frame.after]);
        let texts = self.recent.iter().chain(frames).map(|text| allocated(text.capacity()));
        let rows = self.recent.capacity() * size_of::<String>();
        let rows = rows + self.frames.capacity() * size_of::<Frame>();
        size_of::<(u64, Self)>() + rows + texts.sum::<usize>()
    }

    fn follow(
        &mut self,
        completions: &Completions,
        shown: &mut VecDeque<(String, String)>,
        text: &str,
    ) -> Option<Range<usize>> {
        let known = self.frames.iter_mut().find_map(|frame| frame.follow(completions, text));
        if known.is_some() {
            return known;
        }
        let as_others = || {
            shown.iter().find_map(|(before, after)| {
                inside(before, after, text)?;
                let (before, after) = (before.clone(), after.clone());
                let mut frame = Frame { before, after, follower: Follower::default() };
                Some((frame.follow(completions, text)?, frame))
            })
        };
        if let Some((piece, frame)) = as_others() {
            self.keep(frame);
            return Some(piece);
        }
        let found = self.recent.iter().find_map(|before| Frame::of(completions, before, text));
        let Some((frame, piece)) = found else {
            self.recent.truncate(RECENT - 1);
            self.recent.push_front(text.to_owned());
            return first_token(completions, text);
        };
        shown.truncate(MOST_SHOWN - 1);
        shown.push_front((frame.before.clone(), frame.after.clone()));
        self.keep(frame);
        Some(piece)
    }

    fn keep(&mut self, frame: Frame) {
        self.frames.truncate(FRAMES - 1);
        self.frames.push_front(frame);
    }
}

impl Frame {
    /// What two texts have in common, if a completion begins in one and goes on in the other.
    fn of(completions: &Completions, one: &str, other: &str) -> Option<(Self, Range<usize>)> {
        let (old, new) = differing(one, other)?;
        let mut follower = Follower::default();
        let first = without_quotes(&one[old]);
        if follower.follow(completions, first) != Followed::Started {
            return None;
        }
        let (before, after) = (other[..new.start].to_owned(), other[new.end..].to_owned());
        let mut frame = Self { before, after, follower };
        let piece = frame.follow(completions, other)?;
        Some((frame, piece))
    }

    /// The piece in a text, if it goes on with what stood in this frame before.
    fn follow(&mut self, completions: &Completions, text: &str) -> Option<Range<usize>> {
        let inside = inside(&self.before, &self.after, text)?;
        let whole = &text[inside.clone()];
        // One library writes quotes where another one writes none, or only where there are spaces.
        let bare = without_quotes(whole);
        let is_piece = self.goes_on(completions, whole)
            || bare.len() < whole.len() && self.goes_on(completions, bare)
            || whole.contains('\\') && self.goes_on(completions, &unescaped(bare));
        is_piece.then_some(inside)
    }

    fn goes_on(&mut self, completions: &Completions, piece: &str) -> bool {
        let mut followed = self.follower.follow(completions, piece);
        if followed == Followed::Ended {
            self.follower.running = false;
            followed = self.follower.follow(completions, piece);
        }
        followed != Followed::No
    }
}

/// The part of a text that stands in a frame.
fn inside(before: &str, after: &str, text: &str) -> Option<Range<usize>> {
    let (whole, start) = alike(before.as_bytes(), text.as_bytes(), Side::Start);
    if whole != before.len() {
        return None;
    }
    let (whole, end) = alike(after.as_bytes(), &text.as_bytes()[start..], Side::End);
    let inside = start..text.len() - end;
    let fits = whole == after.len();
    (fits && !text.get(inside.clone())?.trim().is_empty()).then_some(inside)
}

/// Where the first token of a completion stands in a text, while it is the only one: in quotes, or at
/// the end. Of no frame is anything known then.
fn first_token(completions: &Completions, text: &str) -> Option<Range<usize>> {
    completions.first_tokens().find_map(|piece| {
        let word = piece.trim();
        if !word.contains(char::is_alphabetic) {
            return None;
        }
        let quoted = |piece: &str| {
            let at = text.match_indices(piece).map(|(at, _)| at..at + piece.len());
            let sign = |place: Option<usize>| text.as_bytes().get(place?).copied();
            at.into_iter().find(|at| {
                let before = sign(at.start.checked_sub(1));
                before.is_some_and(|byte| b"'\"`".contains(&byte)) && before == sign(Some(at.end))
            })
        };
        let at_end = || {
            let before = text.trim_end().strip_suffix(word)?;
            let is_apart =
                before.ends_with(|char: char| char.is_whitespace() || ":=".contains(char));
            is_apart.then_some(before.len()..before.len() + word.len())
        };
        quoted(piece).or_else(|| quoted(word)).or_else(at_end)
    })
}

/// Where two texts differ, by whole words: what they have in common stands before and behind it.
fn differing(one: &str, other: &str) -> Option<(Range<usize>, Range<usize>)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let (start, begun) = alike(one.as_bytes(), other.as_bytes(), Side::Start);
    // Not in the middle of a word, which would be one of the piece.
    let word = other.as_bytes()[..begun].iter().rev().take_while(|byte| is_word(byte)).count();
    let (start, begun) = (start.checked_sub(word)?, begun - word);
    let (rest, other_rest) = (&one.as_bytes()[start..], &other.as_bytes()[begun..]);
    let (end, other_end) = alike(rest, other_rest, Side::End);
    let from = other.len() - other_end;
    let word = other.as_bytes()[from..].iter().take_while(|byte| is_word(byte)).count();
    let (old, new) = (start..one.len() - end.checked_sub(word)?, begun..from + word);
    let has_word = |text: &str| text.contains(char::is_alphanumeric);
    (has_word(one.get(old.clone())?) && has_word(other.get(new.clone())?)).then_some((old, new))
}

/// From which side two texts are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

/// How many bytes of each text are alike: numbers are, whatever they are, for times and counts go on;
/// so are quotes, of which `repr` chooses one by what is in them.
fn alike(one: &[u8], other: &[u8], side: Side) -> (usize, usize) {
    let at = |text: &[u8], place: usize| match side {
        Side::Start => text.get(place).copied(),
        Side::End => text.len().checked_sub(place + 1).map(|place| text[place]),
    };
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let (mut here, mut there) = (0, 0);
    loop {
        match (at(one, here), at(other, there)) {
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                while is_digit(at(one, here)) {
                    here += 1;
                }
                while is_digit(at(other, there)) {
                    there += 1;
                }
            }
            (Some(a), Some(b)) if a == b || [a, b].iter().all(|byte| b"'\"".contains(byte)) => {
                here += 1;
                there += 1;
            }
            _ => return (here, there),
        }
    }
}

fn without_quotes(piece: &str) -> &str {
    let inside = |quote| piece.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(piece)
}

/// A piece without the escapes of JSON and `repr`.
fn unescaped(piece: &str) -> String {
    let mut text = String::with_capacity(piece.len());
    let mut rest = piece.chars();
    while let Some(char) = rest.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        let digits = match rest.next() {
            Some('n' | 'r' | 't') | None => continue,
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some(other) => {
                text.push(other);
                continue;
            }
        };
        let code: String = rest.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&code, 16).ok();
        text.extend(code.and_then(char::from_u32));
    }
    text
}

impl Followers {
    pub(super) fn len(&self) -> usize {
        self.logs.len()
    }

    /// What is kept of logs, in bytes, without their readings.
    pub(super) fn bytes(&self) -> usize {
        self.held
    }

    /// Whether a piece goes on with what another thread has written: of a pool of them, each may
    /// write the next one. `log` follows it from there on.
    fn take_over(&mut self, completions: &Completions, log: u64, piece: &str) -> bool {
        if piece.len() > LONGEST_TAKEN || log & 1 == 1 || !piece.contains(char::is_alphanumeric) {
            return false;
        }
        let piece: String = piece.chars().filter(|char| !char.is_whitespace()).collect();
        let others = self.logs.iter().filter(|(other, _)| **other != log && *other & 1 == 0);
        let mut readings = others.filter_map(|(_, follower)| follower.readings.first());
        let further = readings.find_map(|reading| {
            reading.advance(completions, &piece).filter(|_| reading.doubt.is_none())
        });
        // Nothing tells where that thread was: then it is the token that has just been generated.
        let Some(cursor) = further.or_else(|| completions.at_end(&piece)) else {
            return false;
        };
        let follower = self.logs.entry(log).or_default();
        let reading = Reading { doubt: None, ..Reading::doubtful(completions, cursor) };
        follower.readings.add(completions, reading);
        (follower.running, follower.last) = (true, Some(cursor.id));
        true
    }

    /// Forgets completions of these: what stands at one of them stands at another that is the same
    /// up to there, or is given up. Logs that follow nothing are forgotten, too.
    pub(super) fn forget(&mut self, completions: &mut Completions, ids: &[ValueId]) {
        if !completions.hide(ids) {
            return;
        }
        self.logs.retain(|_, follower| {
            follower.readings.move_from(completions, ids);
            follower.running || !follower.readings.is_empty()
        });
        completions.forget(ids);
        if completions.len() == 0 {
            (self.framed, self.held) = (HashMap::new(), 0);
        }
    }
}

impl Follower {
    /// How `piece` goes on with what this log has written.
    fn follow(&mut self, completions: &Completions, piece: &str) -> Followed {
        let piece: String = piece.chars().filter(|char| !char.is_whitespace()).collect();
        if self.running && piece.is_empty() {
            // Line ends and spaces between the tokens are the log's own.
            return Followed::Continued;
        }
        // Signs may be the log's own: they begin no run, though a completion may begin with them.
        let is_silent = !self.running && !piece.chars().any(char::is_alphanumeric);
        if piece.is_empty() {
            return Followed::No;
        }
        self.readings.catch_up(completions);
        let mut taken = self.readings.take_sure(completions, &piece);
        if taken.is_empty() {
            taken = self.readings.take_doubtful(completions, &piece);
        }
        // A completion that this log has not repeated yet begins at its beginning.
        let begun = completions.begin(&piece);
        let Some(last) = taken.first().map(|(.., further)| *further).or(begun) else {
            return if self.running { Followed::Ended } else { Followed::No };
        };
        self.explain(completions, taken, begun, is_silent);
        if is_silent {
            return Followed::No;
        }
        self.last = Some(last.id);
        let outcome = if self.running { Followed::Continued } else { Followed::Started };
        self.running = true;
        outcome
    }

    /// Keeps what a piece may be: what goes on with it, taken out of the readings, and what begins.
    /// With `is_silent` nothing is sure, for it may be a piece of none.
    fn explain(
        &mut self,
        completions: &Completions,
        taken: Vec<(u64, Reading, Cursor)>,
        begun: Option<Cursor>,
        is_silent: bool,
    ) {
        // Nothing else goes on: then it is what goes on, or what begins, for sure.
        let is_sure = taken.len() < 2 && !is_silent;
        let mut new: Vec<Cursor> = Vec::with_capacity(taken.len() + 1);
        let is_among = |new: &[Cursor], cursor: Cursor| {
            new.iter().any(|other| completions.is_same(*other, cursor))
        };
        for cursor in taken.iter().map(|(.., further)| *further).chain(begun) {
            if !is_among(&new, cursor) {
                new.push(cursor);
            }
        }
        self.readings.remove_same(completions, &new);
        self.readings.doubt(MOST_DOUBT);
        // It may be a piece of any of them: in the others the log has come no further.
        for (age, reading, _) in taken {
            if is_among(&new, reading.cursor) {
                continue;
            }
            if !is_sure {
                self.readings.put(completions, age, reading);
            } else if new.len() > 1 || reading.is_shared {
                self.readings.put(completions, age, Reading { doubt: Some(0), ..reading });
            }
        }
        // The likely ones come first.
        for (place, cursor) in new.into_iter().enumerate().rev() {
            let doubtful = Reading::doubtful(completions, cursor);
            let doubt = if place == 0 && is_sure { None } else { doubtful.doubt };
            self.readings.add(completions, Reading { doubt, ..doubtful });
        }
    }
}

impl ProtectedValues {
    /// Whether `piece`, written to the log `log`, is the next piece of a completion. A piece
    /// without letters or digits continues a run and starts none.
    pub fn follow(&self, log: u64, piece: &str) -> Followed {
        if self.follows_nothing() {
            return Followed::No;
        }
        let mut guard = self.lock_current();
        let State { completions, followers, .. } = &mut *guard;
        let mut outcome = Followed::No;
        // Most of what is written goes on with nothing and begins nothing.
        if followers.logs.contains_key(&log) || completions.may_begin(piece) {
            let follower = followers.logs.entry(log).or_default();
            outcome = follower.follow(completions, piece);
            if follower.readings.is_empty() && !follower.running {
                followers.logs.remove(&log);
            }
        }
        if outcome == Followed::No && followers.take_over(completions, log, piece) {
            return Followed::Started;
        }
        outcome
    }

    /// Where in `text`, written to the log `log`, the next piece of a completion stands among other
    /// words. The first piece that a log writes so, in words that no log has written before, is told
    /// only while it is all that there is of the completion.
    pub fn follow_framed(&self, log: u64, text: &str) -> Option<Range<usize>> {
        if self.follows_nothing() || text.len() > LONGEST_FRAMED || text.trim().is_empty() {
            return None;
        }
        let mut guard = self.lock_current();
        let State { completions, followers, .. } = &mut *guard;
        if completions.len() == 0 {
            return None;
        }
        if followers.framed.len() > MOST_FRAMED {
            (followers.framed, followers.held) = (HashMap::new(), 0);
        }
        let Followers { framed, shown, held, .. } = followers;
        let before = framed.get(&log).map_or(0, Framed::bytes);
        let framed = framed.entry(log).or_default();
        let found = framed.follow(completions, shown, text);
        *held = *held + framed.bytes() - before;
        found
    }

    /// Nothing more comes in the log `log`, or what comes goes on with nothing.
    pub fn end_log(&self, log: u64) {
        let followers = &mut self.lock().followers;
        followers.logs.remove(&log);
        if let Some(framed) = followers.framed.remove(&log) {
            followers.held -= framed.bytes();
        }
    }

    /// Ends the run of `log` and names the completion that it repeated. A later piece of that
    /// completion begins another run.
    pub fn end_run(&self, log: u64) -> Option<Arc<Value>> {
        let mut state = self.lock();
        let follower = state.followers.logs.get_mut(&log)?;
        if !std::mem::take(&mut follower.running) {
            return None;
        }
        let last = follower.last?;
        self.value(&state, last)
    }
}
