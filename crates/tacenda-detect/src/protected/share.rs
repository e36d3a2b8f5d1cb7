//! The same values in several processes.
//!
//! The process that a value enters registers it. Another process, one that filters what programs
//! write, finds the value too once it has its fingerprints and the key they were made with: the
//! text itself stays where it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tacenda_policy::Kind;

use super::roll::{HashKey, MAX_WINDOW};
use super::store::{Entry, FINGERPRINT_BYTES, ProtectedValues, State, Value, ValueId};

/// The key under which several processes make the same fingerprints of the same text.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedKey(pub [u8; 16]);

impl SharedKey {
    /// A fresh one.
    pub fn random() -> Self {
        HashKey::random().shared()
    }
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKey(..)")
    }
}

/// What another process has to know of a value besides its fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedValue {
    /// As the process numbers it that registered the value.
    pub id: ValueId,
    /// What may be said about it.
    pub value: Value,
    /// Its length in canonical characters, if it is found whole only.
    pub short: Option<usize>,
    /// How many requests hold it.
    pub holds: u32,
    /// How long it stays when nobody holds it.
    pub expires: Duration,
}

/// News of a value: what there is to know, and its fingerprints from the `from`th on.
#[derive(Clone, Debug)]
pub struct News<'v> {
    /// What has to be known of it.
    pub value: SharedValue,
    /// How many fingerprints are known already.
    pub from: usize,
    /// Those that are not.
    pub fingerprints: &'v [u64],
}

/// Tells other processes of the values that are registered here.
///
/// Called with the store locked, so that what is told comes in order.
pub trait Share: Send + Sync {
    /// The key that they use; none if nobody is there. Asked once, before the first value.
    fn key(&self) -> Option<SharedKey>;

    /// Which audience listens: another number when it has changed and has to be told anew what it
    /// is to know; 0 for nobody.
    fn audience(&self) -> u64;

    /// Tells news, all at once. False: the audience has changed, or is gone.
    fn tell(&self, news: &[News<'_>]) -> bool;
}

impl<S: Share + ?Sized> Share for Arc<S> {
    fn key(&self) -> Option<SharedKey> {
        (**self).key()
    }

    fn audience(&self) -> u64 {
        (**self).audience()
    }

    fn tell(&self, news: &[News<'_>]) -> bool {
        (**self).tell(news)
    }
}

/// How often a value is told again because the audience changed meanwhile.
const ATTEMPTS: usize = 3;

/// How long before its end a value counts as forgotten by others: their clocks are not ours.
const NEARLY_EXPIRED: Duration = Duration::from_secs(1);

/// Values that are told of at once, at most.
const TOGETHER: usize = 16;

/// What others know of a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// The audience that was told all its fingerprints.
    audience: u64,
    /// When they forget it by themselves; none while it is held.
    until: Option<Instant>,
    /// What they know of it besides.
    value: Option<Value>,
}

impl Told {
    fn knows(&self, audience: u64, now: Instant) -> bool {
        self.audience == audience && self.until.is_none_or(|until| until > now + NEARLY_EXPIRED)
    }

    /// Whether those who know it know how it is now: nothing has changed but, by a moment, when it
    /// expires.
    fn is_current(&self, entry: &Entry) -> bool {
        let lasts = match self.until {
            None => entry.holds > 0,
            Some(until) => {
                entry.holds == 0 && entry.expires >= until && entry.expires < until + NEARLY_EXPIRED
            }
        };
        lasts && self.value.as_ref() == Some(&*entry.value)
    }
}

// What the process does that registers values.
impl ProtectedValues {
    /// Tells others of the values that are registered from now on. To be called once, before the
    /// first of them.
    pub fn share(&self, with: Box<dyn Share>) {
        // A second call is refused: values may have been told to the first audience.
        let _ = self.share.set(with);
    }

    /// The key of the fingerprints.
    pub(super) fn key(&self) -> &HashKey {
        self.key.get_or_init(|| {
            let shared = self.share.get().and_then(|share| share.key());
            shared.as_ref().map_or_else(HashKey::random, HashKey::from_shared)
        })
    }

    /// Tells of values, each with how many of its fingerprints are known: of all of them to those
    /// who do not know it. A new audience is told of everything that is in use.
    pub(super) fn tell(&self, state: &mut State, values: &[(ValueId, usize)]) {
        let Some(share) = self.share.get() else { return };
        for _ in 0..ATTEMPTS {
            let audience = share.audience();
            if audience == 0 {
                return;
            }
            let is_other = |id: &ValueId| values.iter().all(|(own, _)| own != id);
            let mut all = Vec::new();
            if state.audience != audience {
                let entries = state.values.iter();
                let in_use = entries.filter(|(id, entry)| entry.is_in_use() && is_other(id));
                all.extend(in_use.map(|(id, _)| (*id, 0)));
            }
            all.extend_from_slice(values);
            if all
                .chunks(TOGETHER)
                .all(|some| tell_some(&**share, audience, self.now(), state, some))
            {
                state.audience = audience;
                return;
            }
        }
    }

    /// Tells those who know a value that it is no longer registered.
    pub(super) fn tell_of_end(&self, state: &State, id: ValueId, entry: &Entry) {
        let Some(share) = self.share.get() else { return };
        if entry.told.knows(state.audience, self.now()) && share.audience() == state.audience {
            let value = Value::clone(&entry.value);
            let short = entry.short;
            let shared = SharedValue { id, value, short, holds: 0, expires: Duration::ZERO };
            // Whoever does not hear it forgets the value when it expires.
            share.tell(&[News { value: shared, from: 0, fingerprints: &[] }]);
        }
    }
}

fn tell_some(
    share: &dyn Share,
    audience: u64,
    now: Instant,
    state: &mut State,
    values: &[(ValueId, usize)],
) -> bool {
    let news = |&(id, from): &(ValueId, usize)| {
        let entry = state.values.get(&id)?;
        let is_known = entry.told.knows(audience, now);
        if is_known && from == entry.hashes.len() && entry.told.is_current(entry) {
            return None;
        }
        let expires = entry.expires.saturating_duration_since(now);
        let value = Value::clone(&entry.value);
        let value = SharedValue { id, value, short: entry.short, holds: entry.holds, expires };
        let from = if is_known { from } else { 0 };
        Some(News { value, from, fingerprints: &entry.hashes[from..] })
    };
    let news: Vec<News<'_>> = values.iter().filter_map(news).collect();
    if news.is_empty() {
        return true;
    }
    let is_told = share.tell(&news);
    let told: Vec<SharedValue> = news.into_iter().map(|news| news.value).collect();
    for SharedValue { id, value, holds, expires, .. } in told.into_iter().filter(|_| is_told) {
        let Some(entry) = state.values.get_mut(&id) else { continue };
        let until = (holds == 0).then(|| now + expires);
        entry.told = Told { audience, until, value: Some(value) };
    }
    is_told
}

// What the process does that is told of them.
impl ProtectedValues {
    /// Uses the key of others. Must come before anything is registered or looked for.
    pub fn adopt(&self, key: &SharedKey) {
        let _ = self.key.set(HashKey::from_shared(key));
    }

    /// The key, to be given to others.
    pub fn shared_key(&self) -> SharedKey {
        self.key().shared()
    }

    /// Registers a value that another process tells of, or renews the one that is `known`.
    ///
    /// Nothing is removed here: what was written before a release may not have been looked at.
    /// [`expire`](Self::expire) is to be called when it has been.
    pub fn put(&self, known: Option<ValueId>, shared: &SharedValue) -> ValueId {
        let now = self.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        state.is_told = true;
        let known = known.filter(|id| state.values.contains_key(id));
        if shared.value.kind == Kind::Completion {
            state.grew = Some(now);
        }
        let id = known.unwrap_or_else(|| {
            self.make_room_told(state, 0, now);
            state.insert(shared.value.clone(), None, Vec::new(), None, now)
        });
        let entry = state.values.get_mut(&id).expect("the id was just found or made");
        if *entry.value != shared.value {
            entry.value = Arc::new(shared.value.clone());
        }
        if entry.short.is_none()
            && let Some(len) = shared.short.filter(|len| (1..=MAX_WINDOW).contains(len))
        {
            entry.short = Some(len);
            state.short_lengths[len] += 1;
        }
        entry.holds = shared.holds;
        entry.expires = now + shared.expires.min(self.limits.expire);
        state.seat(id);
        self.publish(state);
        id
    }

    /// Adds fingerprints, the `from`th and the following, to a value. What is known is not added
    /// again. When memory is short, values go that were let go or whose process is gone, the oldest
    /// first; what a process still knows stays until that process lets it go, whatever it costs: its
    /// own bound holds for it.
    pub fn add(&self, id: ValueId, from: usize, fingerprints: &[u64]) {
        let now = self.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(entry) = state.values.get(&id) else { return };
        let known = entry.hashes.len().saturating_sub(from).min(fingerprints.len());
        let new = &fingerprints[known..];
        self.make_room_told(state, new.len() * FINGERPRINT_BYTES, now);
        state.extend(id, new);
        self.publish(state);
    }

    fn make_room_told(&self, state: &mut State, wanted: usize, now: Instant) {
        let may_go = |entry: &Entry| entry.orphan || entry.expires <= now;
        state.make_room(wanted, self.limits.max_bytes, may_go);
    }

    /// The process that told of this value is gone: what it held stays until it expires, for its
    /// children and successors may still write it, unless
    /// memory is short.
    pub fn orphan(&self, id: ValueId) {
        let mut state = self.lock();
        let Some(entry) = state.values.get_mut(&id) else { return };
        entry.orphan = true;
        if entry.holds > 0 {
            entry.holds = 0;
            entry.expires = self.now() + self.limits.expire;
        }
        state.seat(id);
    }

    /// Whether the value is still registered.
    pub fn knows(&self, id: ValueId) -> bool {
        self.lock().values.contains_key(&id)
    }

    /// Removes what has expired.
    pub fn expire(&self) {
        let mut state = self.lock();
        state.sweep(self.now());
        self.publish(&state);
    }

    /// When the next value may expire.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.lock().next_due()
    }

    /// Tells `visit` of every value that is registered, as of one that nobody holds.
    pub fn each(&self, mut visit: impl FnMut(&SharedValue, &[u64])) {
        let now = self.now();
        for (id, entry) in &self.lock().values {
            let expires = match entry.holds {
                0 => entry.expires.saturating_duration_since(now),
                _ => self.limits.expire,
            };
            let value = Value::clone(&entry.value);
            let shared = SharedValue { id: *id, value, short: entry.short, holds: 0, expires };
            visit(&shared, &entry.hashes);
        }
    }
}
