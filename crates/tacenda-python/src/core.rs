//! The core that the hooks of one `tacenda.install()` share.

use std::ffi::{CString, OsString};
use std::os::fd::IntoRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use tacenda_detect::{Engine, ProtectedSpan, Trail, ValueId};
use tacenda_guard::audit;
use tacenda_guard::run::{Diversion, PROGRAM_VARIABLE, Waiting, divert};
use tacenda_guard::share::{Client, SHARE_VARIABLE};
use tacenda_policy::{
    HANDOVER_VARIABLE, Kind, Level, Loader, MappedCall, MappedFile, Policy, QueryStrings, Setting,
    SinkTarget, SlotMap, Tmpdir, Umask,
};
use tacenda_redact::vault::VaultError;
use tacenda_redact::{
    Canonical, HANDOVER_KEYS_VARIABLE, KEYS_VARIABLE, KeyError, Keys, Redactor, Report, engine,
    engine_with, vault,
};

use crate::levels::Levels;

create_exception!(tacenda, PolicyError, PyException, "The policy file or a setting is wrong.");

/// How long a released value is still looked for: other threads may log it after its request.
const LINGER: Duration = Duration::from_secs(30);

/// Where outputs led before, where they lead to now, the child that is about to end, and what other
/// processes need in their environment.
type Diversions<'py> = (Vec<i32>, Vec<i32>, u32, Bound<'py, PyDict>);

/// Policy, detectors, key and protected values.
#[pyclass(frozen, module = "tacenda._core")]
pub(crate) struct Core {
    pub(crate) redactor: Arc<Redactor>,
    filters: Arc<Client>,
    /// Whether the log of this process goes anywhere but where its outputs lead. A log of a process
    /// that has handed us its policy is that process's to keep.
    has_sinks: bool,
    pub(crate) levels: Mutex<Levels>,
    slots: Option<SlotMap>,
    /// A filter that has no task yet.
    waiting: Mutex<Option<Waiting>>,
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "Python hands over owned values")]
impl Core {
    /// Loads the policy as the command does: the one handed over by a parent process, else the
    /// nearest file, the environment and these arguments.
    #[new]
    #[pyo3(signature = (*, config=None, environment=None, stdout=None))]
    fn new(
        py: Python<'_>,
        config: Option<PathBuf>,
        environment: Option<&str>,
        stdout: Option<&str>,
    ) -> PyResult<Self> {
        let mut loader = Loader::new();
        if let Some(config) = &config {
            loader = loader.file(config);
        }
        for (setting, name, value) in [
            (Setting::Environment, "environment", environment),
            (Setting::Stdout, "stdout", stdout),
        ] {
            if let Some(value) = value {
                loader = loader.argument(setting, name, value);
            }
        }
        let (policy, engine, keys, spool, slots, is_own) = match std::env::var(HANDOVER_VARIABLE) {
            Ok(handover) if config.is_none() && environment.is_none() && stdout.is_none() => {
                // Unreadable: the default protects everything.
                let policy = Policy::from_handover(&handover).unwrap_or_default();
                let engine = engine(&policy).unwrap_or_else(|_| rules_are_gone(py));
                let keys = Keys::handed_over(&policy).map_err(|error| key_fault(&error))?;
                // Whom the program runs as may not be who owns the vault: redacting comes first.
                let spool = vault::spool(&policy, &keys).unwrap_or_default();
                let slots = policy.slot_map().unwrap_or_else(|error| slots_are_gone(py, &error));
                (policy, engine, keys, spool, slots, false)
            }
            _ => {
                let (policy, engine, slots) = load(&loader)?;
                let keys = Keys::load(&policy).map_err(|error| key_fault(&error))?;
                let spool = vault::spool(&policy, &keys).map_err(|error| vault_fault(&error))?;
                (policy, engine, keys, spool, slots, true)
            }
        };
        let has_sinks = is_own && policy.sinks() != [SinkTarget::Stdio];
        let redactor = Redactor::new(engine, policy, keys).with_spool(spool);
        let filters = std::env::var_os(SHARE_VARIABLE).unwrap_or_default();
        let filters = std::env::split_paths(&filters).filter(|path| path.is_absolute());
        let filters = Arc::new(Client::new(filters.collect()));
        redactor.protected().share(Box::new(Arc::clone(&filters)));
        let redactor = Arc::new(redactor);
        let (levels, waiting) = (Mutex::default(), Mutex::default());
        Ok(Self { redactor, filters, has_sinks, levels, slots, waiting })
    }

    /// Starts the filter process for `divert`, which has to follow. `program`: whose log it is.
    fn start_filter(&self, command: PathBuf, program: OsString) -> PyResult<()> {
        let keys = self.redactor.keys().handover();
        let environment = [
            (HANDOVER_VARIABLE.into(), self.redactor.policy().handover().into()),
            (HANDOVER_KEYS_VARIABLE.into(), keys.as_str().into()),
            // The secrets that ours are derived from are for nobody else. Empty is unset.
            (KEYS_VARIABLE.into(), OsString::new()),
            (PROGRAM_VARIABLE.into(), program),
        ];
        *self.waiting() = Some(Waiting::start(&command, &environment)?);
        Ok(())
    }

    /// Ends a filter process that was started and not used.
    fn stop_filter(&self) {
        let waiting = self.waiting().take();
        drop(waiting);
    }

    /// Leads descriptors, 1, 2 or both, through the filter process that was started, which also writes
    /// to the sinks of the log. Gives a descriptor for where each led before; one for each that this
    /// process itself is to write to (the same, without sinks); the process id of a child that is
    /// about to end; and what other processes need in their environment to tell that filter of
    /// protected values.
    ///
    /// `base`: where it may make a directory; `remove`: one that it removes when the last writer has
    /// ended.
    #[pyo3(signature = (outputs, *, base, remove=None))]
    fn divert<'py>(
        &self,
        py: Python<'py>,
        outputs: Vec<i32>,
        base: PathBuf,
        remove: Option<PathBuf>,
    ) -> PyResult<Diversions<'py>> {
        let Some(filter) = self.waiting().take() else {
            return Err(PyRuntimeError::new_err("no filter was started"));
        };
        let diversion = Diversion {
            stdio: !self.has_sinks || self.redactor.policy().sinks().contains(&SinkTarget::Stdio),
            sinks: self.has_sinks,
            outputs: &outputs,
            base: &base,
            remove: remove.as_deref(),
        };
        let diverted = shielded(|| divert(filter, &diversion, self.redactor.protected()))??;
        let variables = PyDict::new(py);
        let others = std::env::var_os(SHARE_VARIABLE).unwrap_or_default();
        let paths = std::iter::once(diverted.path.clone()).chain(std::env::split_paths(&others));
        let paths = paths.filter(|path| path.is_absolute());
        variables.set_item(SHARE_VARIABLE, std::env::join_paths(paths).unwrap_or_default())?;
        self.filters.add(diverted.path, &diverted.control, diverted.key);
        let before: Vec<i32> =
            diverted.before.into_iter().map(|(_, fd)| fd.into_raw_fd()).collect();
        let own = match diverted.into {
            none if none.is_empty() => before.clone(),
            into => into.into_iter().map(IntoRawFd::into_raw_fd).collect(),
        };
        Ok((before, own, diverted.shell.id(), variables))
    }

    /// Makes the tables of the engine in the background, while the application goes on. What is
    /// redacted meanwhile waits for them.
    fn prepare(&self) {
        let engine = self.redactor.engine();
        settle();
        let thread = std::thread::Builder::new().spawn(|| engine.prepare());
        *preparing() = thread.ok();
    }

    /// Whether the log of this process goes anywhere but where its outputs lead.
    #[getter]
    fn has_sinks(&self) -> bool {
        self.has_sinks
    }

    /// How many filter processes are told of protected values, of how many.
    fn filters(&self) -> (usize, usize) {
        self.filters.connected()
    }

    /// The text with every sensitive value replaced; the same object when there is none.
    pub(crate) fn redact<'py>(
        &self,
        text: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyString>> {
        let Ok(utf8) = text.to_str() else { return self.redact_surrogates(text) };
        match self.redactor.redact(utf8.as_bytes(), &mut Report::default()) {
            std::borrow::Cow::Borrowed(_) => Ok(text.clone()),
            std::borrow::Cow::Owned(bytes) => {
                Ok(PyString::new(text.py(), &String::from_utf8_lossy(&bytes)))
            }
        }
    }

    /// The same for bytes.
    fn redact_bytes(&self, data: &[u8]) -> Vec<u8> {
        self.redactor.redact(data, &mut Report::default()).into_owned()
    }

    /// Bytes of the same number, with `*` in place of every sensitive value; the same object when
    /// there is none.
    fn blank<'py>(&self, data: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
        match self.redactor.blank(data.as_bytes()) {
            std::borrow::Cow::Borrowed(_) => data.clone(),
            std::borrow::Cow::Owned(blanked) => PyBytes::new(data.py(), &blanked),
        }
    }

    /// Protects a text. Gives an id, or None when the text is too short to be told from ordinary
    /// words. `held`: until `release(id)`; otherwise until it expires. `automatic`: only when it
    /// is at least `protect.min_chars` long.
    #[pyo3(signature = (text, kind, *, tokens=None, held=false, automatic=true))]
    fn protect(
        &self,
        text: &Bound<'_, PyString>,
        kind: &str,
        tokens: Option<usize>,
        held: bool,
        automatic: bool,
    ) -> PyResult<Option<u64>> {
        let kind = parse_kind(kind)?;
        let text = text.to_string_lossy();
        let values = self.redactor.protected();
        if automatic && !crate::body::is_long(&text, values.limits().min_chars) {
            return Ok(None);
        }
        shielded(|| values.protect(&text, kind, tokens, held).map(|id| id.0))
    }

    /// Protects each text of a JSON document, or the whole when it is none. Gives the ids.
    #[pyo3(signature = (document, kind, *, held=false))]
    fn protect_document(&self, document: &[u8], kind: &str, held: bool) -> PyResult<Vec<u64>> {
        let kind = parse_kind(kind)?;
        shielded(|| crate::body::protect(self.redactor.protected(), document, kind, held))
    }

    /// Whether any value is protected now.
    #[getter]
    fn protects(&self) -> bool {
        !self.redactor.protected().is_empty()
    }

    /// The kind of a protected value that stands in a text; None if none does.
    fn known_kind(&self, text: &Bound<'_, PyString>) -> PyResult<Option<&'static str>> {
        let text = text.to_string_lossy();
        shielded(|| {
            let mut spans = Vec::new();
            self.redactor.protected().scan(text.as_bytes(), &mut Trail::alone(), &mut spans);
            // One whose value has just expired is what most are.
            let kind = |span: &ProtectedSpan| span.value.as_ref().map(|value| value.kind);
            spans.first().map(|span| kind(span).unwrap_or(Kind::Prompt).name())
        })
    }

    /// Keeps a value until it is released.
    fn hold(&self, id: u64) -> PyResult<()> {
        shielded(|| self.redactor.protected().hold(ValueId(id)))
    }

    /// Ends a hold of each of these. `linger`: the values stay protected a little longer.
    #[pyo3(signature = (ids, *, linger=false))]
    fn release(&self, ids: Vec<u64>, linger: bool) -> PyResult<()> {
        let linger = if linger { LINGER } else { Duration::ZERO };
        let ids: Vec<ValueId> = ids.into_iter().map(ValueId).collect();
        shielded(|| self.redactor.protected().release_all(&ids, linger))
    }

    /// Starts a completion that grows token by token.
    fn open_completion(&self) -> PyResult<u64> {
        shielded(|| self.redactor.protected().open_completion().0)
    }

    /// Adds the text of the next token.
    fn extend_completion(&self, id: u64, segment: &Bound<'_, PyString>) -> PyResult<()> {
        let segment = segment.to_string_lossy();
        shielded(|| self.redactor.protected().extend_completion(ValueId(id), &segment))
    }

    /// Ends a completion.
    fn close_completion(&self, id: u64) -> PyResult<()> {
        shielded(|| self.redactor.protected().close_completion(ValueId(id)))
    }

    /// What a logging hook has to do with a record of this message and thread: see `record.rs`.
    fn check(
        &self,
        msg: Bound<'_, PyAny>,
        args: Bound<'_, PyAny>,
        thread: &Bound<'_, PyAny>,
    ) -> PyResult<u8> {
        let check = || crate::record::check(&self.redactor, msg, args, thread);
        shielded(check)?.map(|verdict| verdict as u8)
    }

    /// The text of a message that `check` found clean in this thread, or None.
    #[staticmethod]
    fn message(msg: &Bound<'_, PyAny>, args: &Bound<'_, PyAny>) -> Option<Py<PyString>> {
        crate::record::message(msg, args)
    }

    /// The message of a record in which `check` found a token among other words, without that.
    #[staticmethod]
    fn taken() -> Option<String> {
        crate::record::taken()
    }

    /// A text that a log writes without the token of a completion that stands in it among other
    /// words; the same object if none does. `log` tells this log from others.
    fn without_piece<'py>(
        &self,
        log: u64,
        text: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyString>> {
        let Ok(utf8) = text.to_str() else { return Ok(text.clone()) };
        let rest = shielded(|| crate::record::without_piece(&self.redactor, log, utf8))?;
        Ok(rest.map_or_else(|| text.clone(), |rest| PyString::new(text.py(), &rest)))
    }

    /// Ends the run of single tokens in the log `log`; gives the summary that stands for it.
    fn end_run(&self, log: u64) -> PyResult<Option<String>> {
        let end = || self.redactor.protected().end_run(log);
        Ok(shielded(end)?.map(|value| tacenda_redact::summary(&value)))
    }

    /// Nothing goes on in the log `log`.
    fn end_log(&self, log: u64) -> PyResult<()> {
        shielded(|| self.redactor.protected().end_log(log))
    }

    /// Whether the policy keeps values of this kind as they are.
    fn keeps(&self, kind: &str) -> PyResult<bool> {
        Ok(self.redactor.policy().action(parse_kind(kind)?) == tacenda_policy::Action::Keep)
    }

    /// Whether the standard output of this command line is a log.
    fn stdout_is_log(&self, command_line: Vec<String>) -> bool {
        self.redactor.policy().stdout_is_log(&command_line)
    }

    /// The permission bits to withhold, or None to leave the umask alone.
    fn umask(&self) -> Option<u32> {
        match self.redactor.policy().umask() {
            Umask::Bits(bits) => Some(bits.into()),
            Umask::Inherit => None,
        }
    }

    /// Whether temporary files go to a private directory.
    fn private_tmpdir(&self) -> bool {
        self.redactor.policy().tmpdir() == Tmpdir::Private
    }

    /// The directories whose files are logs.
    fn log_directories(&self) -> Vec<PathBuf> {
        self.redactor.policy().log_directories().to_vec()
    }

    /// Whether the policy names a slot map.
    #[getter]
    fn has_slot_map(&self) -> bool {
        self.redactor.policy().slot_map_path().is_some()
    }

    /// The directory that the paths of the slot map are relative to, and the files in it that hold
    /// something sensitive, as JSON; None without a slot map.
    fn slot_map(&self) -> Option<(PathBuf, String)> {
        let map = self.slots.as_ref()?;
        let base = self.redactor.policy().slot_map_path()?.parent()?;
        let files: Vec<_> = map.files.iter().filter(|file| is_mapped(map, file)).collect();
        let files = serde_json::to_string(&files).unwrap_or_default();
        Some((base.join(&map.root), files))
    }

    /// What stands in place of a text that is known to be of this kind.
    fn redact_known<'py>(
        &self,
        text: &Bound<'py, PyString>,
        kind: &str,
    ) -> PyResult<Bound<'py, PyString>> {
        let kind = parse_kind(kind)?;
        let known = text.to_string_lossy();
        Ok(match self.redactor.redact_known(&known, kind) {
            std::borrow::Cow::Borrowed(_) => text.clone(),
            std::borrow::Cow::Owned(redacted) => PyString::new(text.py(), &redacted),
        })
    }

    /// What child processes need in their environment to be guarded alike.
    fn handover<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let variables = PyDict::new(py);
        variables.set_item(HANDOVER_VARIABLE, self.redactor.policy().handover())?;
        variables.set_item(HANDOVER_KEYS_VARIABLE, self.redactor.keys().handover().as_str())?;
        // The secrets that ours are derived from are for nobody else. Empty is unset.
        if std::env::var_os(KEYS_VARIABLE).is_some() {
            variables.set_item(KEYS_VARIABLE, "")?;
        }
        Ok(variables)
    }

    /// Numbers for `tacenda.status()`.
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let usage = self.redactor.protected().usage();
        let numbers = PyDict::new(py);
        numbers.set_item("values", usage.values)?;
        numbers.set_item("bytes", usage.bytes)?;
        numbers.set_item("evicted", usage.evicted)?;
        Ok(numbers)
    }

    /// A name for a user, equal for equal ids: `[user #a1b2c3d4e5f6]`.
    fn user(&self, id: &Bound<'_, PyString>) -> PyResult<String> {
        let id = id.to_string_lossy();
        // As it is: an id has no other spellings.
        let canonical = Canonical::new("user", Kind::Credential, id.as_bytes(), None);
        let digits = self.redactor.policy().hash_digits();
        let pseudonym = || self.redactor.keys().pseudonym(&canonical).hex(digits);
        Ok(format!("[user #{}]", shielded(pseudonym)?))
    }

    /// What may be said of a text: `[text 532 chars, #a1b2c3]`.
    fn summarize(&self, text: &Bound<'_, PyString>, name: &str) -> PyResult<String> {
        let text = text.to_string_lossy();
        let fingerprint = || self.redactor.keys().fingerprint(text.as_bytes());
        let fingerprint = tacenda_redact::hex(&shielded(fingerprint)?);
        Ok(format!("[{name} {} chars, #{fingerprint}]", text.chars().count()))
    }

    /// Puts it on record that something is shown: who, when, where and why.
    #[staticmethod]
    fn record_reveal(reason: &str, what: &str, place: &str) -> PyResult<()> {
        #[derive(serde::Serialize)]
        struct Entry<'e> {
            reason: &'e str,
            what: &'e str,
            place: &'e str,
            process: u32,
        }
        let entry = Entry { reason, what, place, process: std::process::id() };
        let file = audit::record("reveals.jsonl")?;
        Ok(audit::put_on_record(&file, "revealed", &entry)?)
    }

    /// The number of the level below which a logger does not go, 0 for none; and the one down to
    /// which it is raised now, 0 for none.
    fn level(&self, logger: &str) -> (u8, u8) {
        let floor = self.redactor.policy().level_floor(logger).map_or(0, Level::number);
        (floor, self.levels().level(logger))
    }

    /// Whether query strings are left out of access logs.
    fn cuts_query_strings(&self) -> bool {
        self.redactor.policy().query_strings() == QueryStrings::Cut
    }

    /// Puts this process where `tacenda debug` finds it. Says whether a level is to be raised now.
    fn listen_for_raises(&self, program: String) -> PyResult<bool> {
        let most = self.redactor.policy().debug_at_most();
        Ok(self.levels().listen(program, most)?)
    }

    /// Takes it away again.
    fn stop_listening(&self) {
        self.levels().stop();
    }

    /// Looks for what is to be raised. Gives a line on each level that was raised or fell back
    /// since the last look, and the seconds for which something is raised, if something is.
    fn look_for_raises(&self) -> PyResult<(Vec<String>, Option<f64>)> {
        Ok(self.levels().look()?)
    }

    /// The environment of the policy in force.
    #[getter]
    fn environment(&self) -> &str {
        self.redactor.policy().environment()
    }
}

impl Core {
    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn levels(&self) -> std::sync::MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lone surrogates (undecodable bytes of a file name, say) have no UTF-8: they pass through
    /// as the bytes that Python would write for them.
    fn redact_surrogates<'py>(
        &self,
        text: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyString>> {
        let encoded: Vec<u8> =
            text.call_method1("encode", ("utf-8", "surrogatepass"))?.extract()?;
        let redacted = self.redact_bytes(&encoded);
        let bytes = PyBytes::new(text.py(), &redacted);
        Ok(bytes.call_method1("decode", ("utf-8", "surrogatepass"))?.cast_into()?)
    }
}

/// Makes the detectors in the background, while the rest of the package is imported.
pub(crate) fn begin() {
    *preparing() = std::thread::Builder::new().spawn(|| _ = Engine::builtin()).ok();
}

/// Waits for what goes on in the background.
#[pyfunction]
pub(crate) fn settle() {
    if let Some(thread) = preparing().take() {
        // After a panic there are no tables, and every text is withheld.
        let _ = thread.join();
    }
}

fn preparing() -> MutexGuard<'static, Option<JoinHandle<()>>> {
    static PREPARING: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);
    PREPARING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A panic becomes an exception that hooks catch: by itself it becomes one that `except Exception`
/// does not.
fn shielded<T>(call: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| PyRuntimeError::new_err("internal error"))
}

fn parse_kind(name: &str) -> PyResult<Kind> {
    name.parse().map_err(|_| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        PyValueError::new_err(format!("unknown kind; the kinds are {}", names.join(", ")))
    })
}

/// The rule files have changed since the parent process read them. A child that is guarded by
/// Tacenda's own detectors is better than one that is not guarded.
fn rules_are_gone(py: Python<'_>) -> &'static Engine {
    let category = py.get_type::<pyo3::exceptions::PyRuntimeWarning>();
    let message =
        c"the rule files of the policy cannot be used: Tacenda looks for its own detectors only";
    // Where warnings are errors there is nobody to tell.
    let _ = PyErr::warn(py, &category, message, 1);
    Engine::builtin()
}

/// The same for the slot map. `tacenda.status()` says so as well.
fn slots_are_gone(py: Python<'_>, error: &tacenda_policy::PolicyError) -> Option<SlotMap> {
    let message = CString::new(format!("{error}: no value is masked by its place")).ok()?;
    let category = py.get_type::<pyo3::exceptions::PyRuntimeWarning>();
    let _ = PyErr::warn(py, &category, &message, 1);
    None
}

/// Whether a file has to do with values that are sensitive: it holds some, or writes those of
/// calls that hand theirs on.
fn is_mapped(map: &SlotMap, file: &MappedFile) -> bool {
    let is_sensitive = |call: &MappedCall| call.slots().any(|slot| slot.kind().is_some());
    file.calls.iter().any(is_sensitive)
        || map.files.iter().flat_map(|other| &other.calls).any(|call| {
            is_sensitive(call) && call.through.iter().any(|through| through.path == file.path)
        })
}

fn load(layers: &Loader) -> PyResult<(Policy, &'static Engine, Option<SlotMap>)> {
    let loaded = layers.load().map_err(|error| fault(&error))?;
    let engine = loaded
        .rule_files()
        .and_then(|files| engine_with(loaded.policy(), &files))
        .map_err(|errors| first(&errors))?;
    let names: Vec<&str> = engine.detectors().map(|detector| detector.id).collect();
    if let Some(error) = loaded.unknown_detectors(&names).first() {
        return Err(fault(error));
    }
    let slots = loaded.slot_map().map_err(|error| fault(&error))?;
    Ok((loaded.into_policy(), engine, slots))
}

fn first(errors: &[tacenda_policy::PolicyError]) -> PyErr {
    fault(errors.first().expect("a policy that is refused has a fault"))
}

/// The same for keys.
fn key_fault(error: &KeyError) -> PyErr {
    complete(error, error.path(), error.hint())
}

/// The same for the vault.
fn vault_fault(error: &VaultError) -> PyErr {
    complete(error, error.path(), error.hint())
}

fn complete(error: &dyn std::fmt::Display, path: Option<&Path>, hint: Option<&str>) -> PyErr {
    let place = path.map(|path| format!("\n  --> {}", path.display())).unwrap_or_default();
    let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    PolicyError::new_err(format!("{error}{place}{hint}"))
}

/// What, where and how to mend it, as the command says it.
fn fault(error: &tacenda_policy::PolicyError) -> PyErr {
    let place = error.place().map(|place| format!("\n  --> {place}")).unwrap_or_default();
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    PolicyError::new_err(format!("{error}{place}{hint}"))
}
