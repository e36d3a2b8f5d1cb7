//! The values that are protected now, and for how long.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tacenda_policy::Kind;

use super::canon::Canon;
use super::completions::Completions;
use super::follow::Followers;
use super::grams::{GRAM_BYTES, Grams};
use super::member::Member;
use super::phrases::Phrases;
use super::roll::{HashKey, MAX_WINDOW, Roller};
use super::share::{Share, Told};

/// Canonical characters in one fingerprint. With a run of them at least
/// [`Limits::min_chars`] long, chance matches need two texts that share far more than eight.
pub(super) const GRAM: usize = 8;

/// Shortest value that can be protected at all, in canonical characters: less would hit
/// ordinary words everywhere.
const MIN_SHORT: usize = 4;

/// How long the log may lag behind the model before single tokens are no longer recognised.
const FOLLOW_AFTER_CLOSE: Duration = Duration::from_secs(60);

/// How long after a token the next one is still expected.
const GROWING: Duration = Duration::from_secs(1);

/// What a fingerprint and its mirror in the value take at most, in bytes.
pub(super) const FINGERPRINT_BYTES: usize = GRAM_BYTES + size_of::<u64>();

/// What a value takes besides.
pub(super) const VALUE_BYTES: usize = allocated(size_of::<Entry>())
    + allocated(2 * size_of::<usize>() + size_of::<Value>())
    + 2 * size_of::<(Instant, ValueId)>();

/// What an allocator takes for a piece.
pub(super) const fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..24 => 32,
        _ => (bytes + 8).next_multiple_of(16),
    }
}

/// What a table with this capacity takes, one byte for each place included.
pub(super) fn table_bytes<K, V>(table: &HashMap<K, V>) -> usize {
    (table.capacity() * 8 / 7).next_power_of_two() * (size_of::<(K, V)>() + 1)
}

/// Gives back what a table does not need any more.
fn trim<K: std::hash::Hash + Eq, V>(table: &mut HashMap<K, V>) {
    if table.capacity() > 4 * table.len() + 64 {
        table.shrink_to(2 * table.len());
    }
}

/// Makes room for more fingerprints of a value: for little more, since memory is bounded.
pub(super) fn reserve(hashes: &mut Vec<u64>, more: usize) {
    if hashes.capacity() - hashes.len() < more {
        hashes.reserve_exact(more.max(hashes.len() / 8));
    }
}

/// Looks at what is held between two at the clock: what has expired is found in a few lines more.
const LOOKS: u32 = if cfg!(test) { 1 } else { 8 };

/// Bounds of the store.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Shortest fragment that is found, in characters. A shorter value is found only whole.
    pub min_chars: usize,
    /// Memory for all that is kept. Beyond it the oldest values that nobody holds go first.
    pub max_bytes: usize,
    /// How long a value stays that nobody holds.
    pub expire: Duration,
    /// Phrases by which no value is known, besides those that everybody writes.
    pub phrases: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_chars: 16,
            max_bytes: 64 << 20,
            expire: Duration::from_secs(15 * 60),
            phrases: Vec::new(),
        }
    }
}

/// A protected value, as far as anyone may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Of a short text of a structure: how many canonical characters the name has by which it is
    /// found. 0 for any other.
    pub name_chars: u16,
    /// Its length in characters.
    pub chars: usize,
    /// Its length in tokens, where a tokenizer told.
    pub tokens: Option<usize>,
    /// Its keyed fingerprint.
    pub fingerprint: [u8; 3],
}

/// A registered value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u64);

/// What the store holds now. Numbers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Protected values.
    pub values: usize,
    /// Memory that they take, in bytes.
    pub bytes: usize,
    /// Values dropped before their time because memory was short.
    pub evicted: u64,
}

/// Computes the keyed fingerprint of a value.
pub type Fingerprinter = Box<dyn Fn(&[u8]) -> [u8; 3] + Send + Sync>;

/// The values that are protected now.
pub struct ProtectedValues {
    /// Set with the first value, so that those who are to find it too can say which one.
    pub(super) key: OnceLock<HashKey>,
    pub(super) share: OnceLock<Box<dyn Share>>,
    /// Set with the first match.
    pub(super) phrases: OnceLock<Phrases>,
    pub(super) limits: Limits,
    fingerprint: Fingerprinter,
    identity: RandomState,
    /// How many values there are: zero lets every scan return at once, without the lock.
    count: AtomicUsize,
    /// How many completions there are, and logs that follow some: the same for them.
    followed: AtomicUsize,
    state: Mutex<State>,
    /// By how much the clock is ahead.
    #[cfg(test)]
    pub(super) ahead: Mutex<Duration>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) grams: Grams,
    /// Whole short values: their canonical lengths, and their hashes.
    pub(super) short_lengths: [u32; MAX_WINDOW + 1],
    pub(super) values: HashMap<ValueId, Box<Entry>>,
    pub(super) completions: Completions,
    pub(super) followers: Followers,
    by_identity: HashMap<u64, ValueId>,
    /// The values that nobody holds, by when they have to be looked at: not after they expire.
    due: BTreeSet<(Instant, ValueId)>,
    next: u64,
    /// What the values take, without the tables.
    held: usize,
    pub(super) evicted: u64,
    /// What was taken when all of it was in use.
    looked_for_room_at: usize,
    /// Whether other processes tell of what is here.
    pub(super) is_told: bool,
    /// When completions were looked at for those whose text is to be forgotten.
    swept: Option<Instant>,
    looks: u32,
    /// When a completion grew last.
    pub(super) grew: Option<Instant>,
    /// The audience that knows all that is held.
    pub(super) audience: u64,
}

pub(super) struct Entry {
    pub(super) value: Arc<Value>,
    pub(super) hashes: Vec<u64>,
    pub(super) short: Option<usize>,
    /// None for one whose text is not known here.
    identity: Option<u64>,
    pub(super) holds: u32,
    pub(super) expires: Instant,
    /// Where it stands among those that nobody holds.
    due: Option<Instant>,
    pub(super) told: Told,
    /// Another process told of it that is gone.
    pub(super) orphan: bool,
    /// Whether it is a completion that still grows.
    grows: bool,
}

impl Entry {
    /// Whether others are to know it as soon as they listen.
    pub(super) fn is_in_use(&self) -> bool {
        self.holds > 0 || self.grows
    }

    /// What it takes.
    fn bytes(&self) -> usize {
        VALUE_BYTES + allocated(self.hashes.capacity() * size_of::<u64>())
    }
}

impl ProtectedValues {
    /// An empty store.
    pub fn new(limits: Limits, fingerprint: Fingerprinter) -> Self {
        Self {
            key: OnceLock::new(),
            share: OnceLock::new(),
            phrases: OnceLock::new(),
            limits,
            fingerprint,
            identity: RandomState::new(),
            count: AtomicUsize::new(0),
            followed: AtomicUsize::new(0),
            state: Mutex::default(),
            #[cfg(test)]
            ahead: Mutex::default(),
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Whether no log can repeat a completion token by token.
    pub fn follows_nothing(&self) -> bool {
        self.followed.load(Ordering::Acquire) == 0
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a completion is being generated, here or in a process that tells of it.
    pub fn grows(&self) -> bool {
        let grows = |grew| self.now().saturating_duration_since(grew) < GROWING;
        !self.is_empty() && self.lock().grew.is_some_and(grows)
    }

    /// What the store holds.
    pub fn usage(&self) -> Usage {
        let state = self.lock_current();
        Usage { values: state.values.len(), bytes: state.bytes(), evicted: state.evicted }
    }

    /// Protects `text` until [`release`](Self::release) (`held`) or until it expires. The same
    /// text again gives the same id and renews it. `None`: too short to be told from ordinary
    /// words.
    pub fn protect(
        &self,
        text: &str,
        kind: Kind,
        tokens: Option<usize>,
        held: bool,
    ) -> Option<ValueId> {
        let mut state = self.lock();
        let (member, room) = (Member::unnamed(text), self.room());
        let (id, known) = self.register(&mut state, &member, kind, tokens, held, room)?;
        self.tell(&mut state, &[(id, known)]);
        self.publish(&state);
        Some(id)
    }

    /// The same for those of a structure, which others are told of together. Together they take no
    /// more than one text may: short ones come first.
    pub fn protect_all<'t>(
        &self,
        members: impl IntoIterator<Item = Member<'t>>,
        kind: Kind,
        held: bool,
    ) -> Vec<ValueId> {
        let mut members: Vec<_> = members.into_iter().collect();
        let mut room = self.room();
        if members.iter().map(Member::cost).sum::<usize>() > room {
            members.sort_by_key(Member::cost);
        }
        let mut state = self.lock();
        let mut news = Vec::new();
        for member in members {
            if room < VALUE_BYTES + MAX_WINDOW * FINGERPRINT_BYTES {
                break;
            }
            news.extend(self.register(&mut state, &member, kind, None, held, room));
            room = room.saturating_sub(member.cost());
        }
        self.tell(&mut state, &news);
        self.publish(&state);
        news.into_iter().map(|(id, _)| id).collect()
    }

    /// What one text may take, or one structure: who sends it is not to push out all else.
    fn room(&self) -> usize {
        self.limits.max_bytes / 2
    }

    /// Registers a text, or as much of it as there is room for; says which value it is, and how many of its fingerprints others know if
    /// they know it.
    fn register(
        &self,
        state: &mut State,
        member: &Member<'_>,
        kind: Kind,
        tokens: Option<usize>,
        held: bool,
        room: usize,
    ) -> Option<(ValueId, usize)> {
        let sought = &*member.sought();
        let identity = self.identity.hash_one((sought, kind));
        let now = self.now();
        state.sweep(now);
        let id = if let Some(&id) = state.by_identity.get(&identity) {
            id
        } else {
            let mut parts: Vec<&str> = super::blob::remembered(sought).collect();
            super::blob::ends(&mut parts, room / FINGERPRINT_BYTES);
            let chars: usize = parts.iter().map(|part| part.chars().count()).sum();
            self.make_room(state, chars * FINGERPRINT_BYTES);
            let (hashes, short) = self.hashes(&parts, chars)?;
            let value = Value {
                kind,
                name_chars: member.name_chars(),
                chars: member.text.chars().count(),
                tokens: None,
                fingerprint: (self.fingerprint)(member.text.as_bytes()),
            };
            state.insert(value, Some(identity), hashes, short, now)
        };
        let entry = state.values.get_mut(&id).expect("the id was just found or made");
        entry.expires = now + self.limits.expire;
        entry.holds += u32::from(held);
        if tokens.is_some() && entry.value.tokens != tokens {
            Arc::make_mut(&mut entry.value).tokens = tokens;
        }
        let known = entry.hashes.len();
        state.seat(id);
        Some((id, known))
    }

    /// Keeps a value until it is released, whatever its expiry.
    pub fn hold(&self, id: ValueId) {
        let mut state = self.lock();
        if let Some(entry) = state.values.get_mut(&id) {
            entry.holds += 1;
            let known = entry.hashes.len();
            self.tell(&mut state, &[(id, known)]);
        }
    }

    /// Ends one hold. The value stays for `linger` more: other threads may still log it.
    pub fn release(&self, id: ValueId, linger: Duration) {
        self.release_all(&[id], linger);
    }

    /// The same for several, which others are told of together.
    pub fn release_all(&self, ids: &[ValueId], linger: Duration) {
        let mut state = self.lock();
        let mut news = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(entry) = state.values.get_mut(id) else { continue };
            entry.holds = entry.holds.saturating_sub(1);
            if entry.holds == 0 {
                entry.expires = self.now() + linger;
            }
            news.push((*id, entry.hashes.len()));
            state.seat(*id);
        }
        self.tell(&mut state, &news);
        state.sweep(self.now());
        self.publish(&state);
    }

    /// Starts a completion: a value that grows.
    pub fn open_completion(&self) -> ValueId {
        let now = self.now();
        let mut state = self.lock();
        state.sweep(now);
        let value = Value {
            kind: Kind::Completion,
            name_chars: 0,
            chars: 0,
            tokens: Some(0),
            fingerprint: [0; 3],
        };
        let id = state.insert(value, None, Vec::new(), None, now);
        let entry = state.values.get_mut(&id).expect("the value was just inserted");
        entry.grows = true;
        entry.expires = now + self.limits.expire;
        state.seat(id);
        state.completions.open(id);
        self.make_room(&mut state, 0);
        self.publish(&state);
        id
    }

    /// Adds the text of the next token to a completion.
    pub fn extend_completion(&self, id: ValueId, segment: &str) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(entry) = state.values.get_mut(&id) else { return };
        let Some(growing) = state.completions.extend(id, segment) else { return };
        let (known, before) = (entry.hashes.len(), entry.bytes());
        let key = self.key();
        for canonical in Canon::new(segment.as_bytes()) {
            growing.roller.push(key, canonical.char);
            if let Some(hash) = growing.roller.window(key, GRAM) {
                reserve(&mut entry.hashes, 1);
                entry.hashes.push(hash);
                state.grams.add(hash, id);
            }
        }
        state.held = state.held + entry.bytes() - before;
        let now = self.now();
        entry.expires = now + self.limits.expire;
        state.grew = Some(now);
        let value = Arc::make_mut(&mut entry.value);
        value.chars += segment.chars().count();
        value.tokens = value.tokens.map(|tokens| tokens + 1);
        self.tell(state, &[(id, known)]);
        self.make_room(state, 0);
    }

    /// Ends a completion. Its text is forgotten soon after, its fingerprints when they expire.
    pub fn close_completion(&self, id: ValueId) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(entry) = state.values.get_mut(&id) else { return };
        let Some(text) = state.completions.text(id) else { return };
        let fingerprint = (self.fingerprint)(text.as_bytes());
        Arc::make_mut(&mut entry.value).fingerprint = fingerprint;
        entry.grows = false;
        let before = entry.bytes();
        entry.hashes.shrink_to_fit();
        state.held = state.held + entry.bytes() - before;
        state.completions.close(id, self.now() + FOLLOW_AFTER_CLOSE);
        let known = entry.hashes.len();
        self.tell(state, &[(id, known)]);
    }

    /// Makes room for what comes next. What somebody holds, a request that is being served, stays
    /// whatever it costs.
    fn make_room(&self, state: &mut State, wanted: usize) {
        for (id, entry) in state.make_room(wanted, self.limits.max_bytes, |_| true) {
            self.tell_of_end(state, id, &entry);
        }
    }

    /// The value behind an id, its fingerprint up to date; `None` once it has expired.
    pub(super) fn value(&self, state: &State, id: ValueId) -> Option<Arc<Value>> {
        let mut value = Arc::clone(&state.values.get(&id)?.value);
        if let Some(text) = state.completions.text(id) {
            Arc::make_mut(&mut value).fingerprint = (self.fingerprint)(text.as_bytes());
        }
        Some(value)
    }

    /// Whether a fingerprint lies inside a phrase that everybody writes.
    pub(super) fn is_common(&self, hash: u64) -> bool {
        let phrases = || Phrases::listed(self.key(), &self.limits.phrases);
        self.phrases.get_or_init(phrases).hold(hash)
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "a test has a clock of its own"))]
    pub(super) fn now(&self) -> Instant {
        let now = Instant::now();
        #[cfg(test)]
        let now = now + *self.ahead.lock().expect("no test panics with it");
        now
    }

    /// What is held, without what has expired. Where others tell of it, what they have let go is
    /// looked for until [`expire`](Self::expire).
    pub(super) fn lock_current(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.looks = state.looks.wrapping_add(1);
        if !state.is_told && state.looks.is_multiple_of(LOOKS) && state.sweep(self.now()) {
            self.publish(&state);
        }
        state
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves at worst a value half registered: still no reason to
        // stop protecting the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(&self, state: &State) {
        self.count.store(state.values.len(), Ordering::Release);
        self.followed.store(state.completions.len() + state.followers.len(), Ordering::Release);
    }

    /// The fingerprints of the parts of a text: of each eight characters, or of the whole when it is
    /// short.
    fn hashes(&self, parts: &[&str], chars: usize) -> Option<(Vec<u64>, Option<usize>)> {
        let mut roller = Roller::default();
        let mut hashes = Vec::with_capacity(chars);
        let mut decoded = 0;
        let key = self.key();
        for part in parts {
            let mut canon = Canon::new(part.as_bytes());
            for canonical in canon.by_ref() {
                roller.push(key, canonical.char);
                hashes.extend(roller.window(key, GRAM));
            }
            decoded += canon.decoded();
        }
        let len = roller.count();
        if len < GRAM || decoded < self.limits.min_chars {
            if !(MIN_SHORT..=MAX_WINDOW).contains(&len) {
                return None;
            }
            return Some((roller.window(key, len).into_iter().collect(), Some(len)));
        }
        hashes.shrink_to_fit();
        Some((hashes, None))
    }
}

impl std::fmt::Debug for ProtectedValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProtectedValues").field("usage", &self.usage()).finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn insert(
        &mut self,
        value: Value,
        identity: Option<u64>,
        hashes: Vec<u64>,
        short: Option<usize>,
        now: Instant,
    ) -> ValueId {
        let id = ValueId(self.next);
        self.next += 1;
        for hash in &hashes {
            self.grams.add(*hash, id);
        }
        if let Some(len) = short {
            self.short_lengths[len] += 1;
        }
        self.by_identity.extend(identity.map(|identity| (identity, id)));
        let value = Arc::new(value);
        let entry = Entry {
            value,
            hashes,
            short,
            identity,
            holds: 0,
            expires: now,
            due: None,
            told: Told::default(),
            orphan: false,
            grows: false,
        };
        self.held += entry.bytes();
        self.values.insert(id, Box::new(entry));
        id
    }

    /// What is taken of memory.
    pub(super) fn bytes(&self) -> usize {
        let tables = table_bytes(&self.values) + table_bytes(&self.by_identity);
        let completions = self.completions.bytes() + self.followers.bytes();
        self.held + self.grams.bytes() + tables + completions
    }

    /// Adds fingerprints to a value.
    pub(super) fn extend(&mut self, id: ValueId, hashes: &[u64]) {
        let Some(entry) = self.values.get_mut(&id) else { return };
        let before = entry.bytes();
        reserve(&mut entry.hashes, hashes.len());
        entry.hashes.extend_from_slice(hashes);
        self.held = self.held + entry.bytes() - before;
        for hash in hashes {
            self.grams.add(*hash, id);
        }
    }

    /// Has a value looked at when it expires. One that stays longer than it did is looked at when it
    /// would have expired before.
    pub(super) fn seat(&mut self, id: ValueId) {
        let Some(entry) = self.values.get_mut(&id).filter(|entry| entry.holds == 0) else { return };
        if entry.due.is_none_or(|due| entry.expires < due) {
            let before = entry.due.replace(entry.expires);
            before.map(|due| self.due.remove(&(due, id)));
            self.due.insert((entry.expires, id));
        }
    }

    fn remove(&mut self, id: ValueId) -> Option<Box<Entry>> {
        let entry = self.values.remove(&id)?;
        trim(&mut self.values);
        if let Some(identity) = entry.identity {
            self.by_identity.remove(&identity);
            trim(&mut self.by_identity);
        }
        entry.due.map(|due| self.due.remove(&(due, id)));
        if let Some(len) = entry.short {
            self.short_lengths[len] -= 1;
        }
        for hash in &entry.hashes {
            self.grams.take(*hash);
        }
        self.held -= entry.bytes();
        self.followers.forget(&mut self.completions, &[id]);
        self.looked_for_room_at = self.looked_for_room_at.min(self.bytes());
        Some(entry)
    }

    /// Removes what has expired. True: something has.
    pub(super) fn sweep(&mut self, now: Instant) -> bool {
        const PERIOD: Duration = Duration::from_secs(1);
        let mut any = false;
        if self.completions.len() > 0
            && self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= PERIOD)
        {
            self.swept = Some(now);
            let due = self.completions.due(now);
            any = !due.is_empty();
            self.followers.forget(&mut self.completions, &due);
        }
        while let Some((due, id)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            if self.look_at(due, id) {
                self.remove(id);
                any = true;
            }
        }
        any
    }

    /// Not before then does a value expire.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Whether the value that is to be looked at then expires then. Else nobody sees it there any
    /// more.
    fn look_at(&mut self, due: Instant, id: ValueId) -> bool {
        let entry = self.values.get_mut(&id).expect("a value takes its seat with it");
        let expires = entry.holds == 0 && entry.expires <= due;
        if !expires {
            entry.due = None;
            self.due.remove(&(due, id));
            self.seat(id);
        }
        expires
    }

    /// Removes the oldest of those that `may_go` and that nobody holds until there is room, and gives
    /// them. It makes more room than is wanted now, and when it finds too little it does not look
    /// again soon: it may look at every value.
    pub(super) fn make_room(
        &mut self,
        wanted: usize,
        max_bytes: usize,
        may_go: impl Fn(&Entry) -> bool,
    ) -> Vec<(ValueId, Box<Entry>)> {
        let step = max_bytes / 16;
        let mut gone = Vec::new();
        if self.bytes() + wanted <= max_bytes.max(self.looked_for_room_at + step) {
            return gone;
        }
        let mut behind = Bound::Unbounded;
        while self.bytes() + wanted > max_bytes - step {
            let next = self.due.range((behind, Bound::Unbounded)).next().copied();
            let Some((due, id)) = next else { break };
            if !self.look_at(due, id) {
                continue;
            }
            if self.values.get(&id).is_some_and(|entry| may_go(entry)) {
                gone.extend(self.remove(id).map(|entry| (id, entry)));
                self.evicted += 1;
            } else {
                behind = Bound::Excluded((due, id));
            }
        }
        let taken = self.bytes() + wanted;
        self.looked_for_room_at = if taken > max_bytes { taken } else { 0 };
        gone
    }

    /// Whether there are values that are found only whole.
    pub(super) fn has_short(&self) -> bool {
        self.short_lengths.iter().any(|count| *count > 0)
    }

    /// The length of a value; none once it is gone.
    pub(super) fn chars(&self, id: ValueId) -> Option<usize> {
        self.values.get(&id).map(|entry| entry.value.chars)
    }
}
