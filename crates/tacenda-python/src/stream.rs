//! What stands between the application and `sys.stdout` or `sys.stderr`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString};
use tacenda_detect::Followed;
use tacenda_redact::Redactor;

use crate::core::Core;
use crate::record::without_piece;

/// Single tokens that stop coming for this long are summarised.
const RUN_IDLE: Duration = Duration::from_secs(1);

/// Bytes that are kept for what comes out next.
const MOST_ROOM: usize = 16 * 1024;

/// Takes what is written to a text stream and gives back what may be written.
///
/// Whole lines are given back at once, a line that has begun when it ends or by `idle()`.
///
/// Calls no Python code. An interpreter that shuts down ends its daemon threads wherever they wait
/// for it, and a process in which such a thread has Rust code below it would be aborted.
#[pyclass(frozen, module = "tacenda._core")]
pub(crate) struct StreamFilter {
    redactor: Arc<Redactor>,
    log: u64,
    interactive: bool,
    state: Mutex<State>,
    /// Read and set under the interpreter's lock.
    watched: AtomicBool,
}

struct State {
    filter: tacenda_guard::StreamFilter<Arc<Redactor>>,
    /// When the last token of a run of single tokens came, while one is going on.
    run: Option<Instant>,
    closing: bool,
    /// `holds_anew` said so, and `idle` has not come since.
    noted: bool,
    /// An empty output with room: most come and go with each line.
    room: Vec<u8>,
}

#[pymethods]
impl StreamFilter {
    /// `log` tells this stream from others; `interactive`: it is a terminal.
    #[new]
    fn new(core: &Core, log: u64, interactive: bool) -> Self {
        let redactor = Arc::clone(&core.redactor);
        let state = Mutex::new(State::new(&redactor, interactive));
        // Threads, the other logs, have even ids: they are addresses.
        let watched = AtomicBool::new(false);
        Self { redactor, log: log | 1, interactive, state, watched }
    }

    /// Whether those who write do so one after the other, under a lock of their own.
    #[getter]
    fn watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Ordering::Relaxed);
    }

    /// As `push`, for those who write without a lock. True, and nothing is taken, while the stream is
    /// watched.
    fn begin<'py>(&self, text: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.watched() {
            return Ok(Some(PyBool::new(text.py(), true).to_owned().into_any()));
        }
        self.push(text)
    }

    /// What may be written now that `text` has come, as text if it is some.
    fn push<'py>(&self, text: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = text.py();
        let Ok(text) = text.cast::<PyString>() else {
            return Err(PyTypeError::new_err("write() argument must be str"));
        };
        if let Ok(utf8) = text.to_str() {
            return Ok(self.let_out(py, |state, out| self.take(state, utf8, out)));
        }
        let encoded = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
        let encoded: &[u8] = encoded.extract()?;
        Ok(self.let_out(py, |state, out| self.take_raw(state, encoded, out)))
    }

    /// What may be written now that `data` has come.
    fn push_bytes<'py>(&self, py: Python<'py>, data: &[u8]) -> Option<Bound<'py, PyBytes>> {
        self.shielded(
            |state, out| self.take_raw(state, data, out),
            |out| (!out.is_empty()).then(|| PyBytes::new(py, out)),
        )
    }

    /// What may be written at a flush.
    fn flush<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.let_out(py, |state, out| {
            if state.closing {
                state.finish(self, out);
            }
        })
    }

    /// Whether something is held that was not spoken of since the last `idle()`: then the stream is
    /// watched.
    fn holds_anew(&self) -> bool {
        let mut state = self.lock();
        let anew = state.is_holding() && !state.noted;
        if anew {
            state.noted = true;
            self.set_watched(true);
        }
        anew
    }

    /// Lets go of the part of a line that is held, redacted, and ends a run of single tokens that
    /// no longer come. Gives what may be written, and whether something is still held.
    fn idle<'py>(&self, py: Python<'py>) -> (Option<Bound<'py, PyAny>>, bool) {
        let out = self.let_out(py, |state, out| {
            if state.run.is_some_and(|last| last.elapsed() > RUN_IDLE) {
                state.end_run(self, out);
            }
            if state.filter.is_holding() {
                state.filter.idle(out);
            }
        });
        let mut state = self.lock();
        state.noted = state.is_holding();
        (out, state.noted)
    }

    /// Lets go of everything that is held, redacted. `closing`: from now on every flush does.
    #[pyo3(signature = (*, closing=true))]
    fn finish<'py>(&self, py: Python<'py>, closing: bool) -> Option<Bound<'py, PyAny>> {
        self.let_out(py, |state, out| {
            state.closing |= closing;
            state.finish(self, out);
        })
    }

    /// Drops what is held: in a child by fork it is the parent's to write.
    fn forget(&self) {
        let mut state = self.lock();
        *state = State { closing: state.closing, ..State::new(&self.redactor, self.interactive) };
        self.set_watched(false);
    }
}

impl StreamFilter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `change` lets out, as text if it is some: lone surrogates came as text, and how they are
    /// written is the wrapped stream's to say. None if nothing comes out.
    fn let_out<'py>(
        &self,
        py: Python<'py>,
        change: impl FnOnce(&mut State, &mut Vec<u8>),
    ) -> Option<Bound<'py, PyAny>> {
        match self.shielded(change, |out| given(py, out))? {
            Given::Text(text) => Some(text.into_any()),
            Given::Bytes(bytes) => {
                let text = bytes.call_method1("decode", ("utf-8", "surrogatepass"));
                Some(text.unwrap_or_else(|_| bytes.into_any()))
            }
        }
    }

    /// What `give` makes of what `change` lets out, which is empty again afterwards. It must not call
    /// Python code: others may wait for the lock. After a panic in `change` it is the marker, and the
    /// filter is as new.
    fn shielded<T>(
        &self,
        change: impl FnOnce(&mut State, &mut Vec<u8>),
        give: impl FnOnce(&[u8]) -> T,
    ) -> T {
        let mut state = self.lock();
        let mut out = std::mem::take(&mut state.room);
        if catch_unwind(AssertUnwindSafe(|| change(&mut state, &mut out))).is_err() {
            let State { closing, noted, .. } = *state;
            *state = State { closing, noted, ..State::new(&self.redactor, self.interactive) };
            out = format!("{}\n", tacenda_redact::MARKER).into_bytes();
        }
        let given = give(&out);
        if out.capacity() <= MOST_ROOM {
            out.clear();
            state.room = out;
        }
        given
    }

    fn take(&self, state: &mut State, text: &str, out: &mut Vec<u8>) {
        if self.redactor.protected().follows_nothing() {
            state.filter.push(text.as_bytes(), out);
            return;
        }
        match self.follow(text) {
            Followed::No => {}
            Followed::Started | Followed::Continued => {
                state.run = Some(Instant::now());
                return;
            }
            Followed::Ended => {
                state.end_run(self, out);
                if self.follow(text) == Followed::Started {
                    state.run = Some(Instant::now());
                    return;
                }
            }
        }
        let rest = without_piece(&self.redactor, self.log, text);
        state.filter.push(rest.as_deref().unwrap_or(text).as_bytes(), out);
    }

    fn follow(&self, text: &str) -> Followed {
        self.redactor.protected().follow(self.log, text)
    }

    fn take_raw(&self, state: &mut State, data: &[u8], out: &mut Vec<u8>) {
        match std::str::from_utf8(data) {
            Ok(text) => self.take(state, text, out),
            Err(_) => state.filter.push(data, out),
        }
    }
}

/// What comes out of a filter.
enum Given<'py> {
    Text(Bound<'py, PyString>),
    /// No text as it is.
    Bytes(Bound<'py, PyBytes>),
}

fn given<'py>(py: Python<'py>, out: &[u8]) -> Option<Given<'py>> {
    if out.is_empty() {
        return None;
    }
    // Told sooner than other text, which is looked at once more as it becomes a string.
    if out.is_ascii()
        && let Ok(text) = PyString::from_bytes(py, out)
    {
        return Some(Given::Text(text));
    }
    Some(match std::str::from_utf8(out) {
        Ok(text) => Given::Text(PyString::new(py, text)),
        Err(_) => Given::Bytes(PyBytes::new(py, out)),
    })
}

impl State {
    fn new(redactor: &Arc<Redactor>, interactive: bool) -> Self {
        let filter =
            tacenda_guard::StreamFilter::new(Arc::clone(redactor)).interactive(interactive);
        Self { filter, run: None, closing: false, noted: false, room: Vec::new() }
    }

    fn is_holding(&self) -> bool {
        self.filter.is_holding() || self.run.is_some()
    }

    fn end_run(&mut self, stream: &StreamFilter, out: &mut Vec<u8>) {
        if self.run.take().is_none() {
            return;
        }
        if let Some(value) = stream.redactor.protected().end_run(stream.log) {
            let summary = tacenda_redact::summary(&value);
            self.filter.push(summary.as_bytes(), out);
            self.filter.push(b"\n", out);
        }
    }

    fn finish(&mut self, stream: &StreamFilter, out: &mut Vec<u8>) {
        self.end_run(stream, out);
        self.filter.finish(out);
    }
}
