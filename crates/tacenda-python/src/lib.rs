//! `tacenda._core`: what the Python hooks call once per record, write or value.
//!
//! Nothing here decides what is hooked; `python/tacenda/` does.

mod body;
mod core;
mod levels;
mod record;
mod stream;

/// The native part of Tacenda.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::core::{Core, PolicyError};
    #[pymodule_export]
    use crate::stream::StreamFilter;
    use pyo3::prelude::*;
    use pyo3::types::IntoPyDict;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        tacenda_redact::quiet_panics();
        // In a child by fork nobody would go on with what has begun in the background.
        let before = [("before", wrap_pyfunction!(crate::core::settle, module)?)]
            .into_py_dict(module.py())?;
        module.py().import("os")?.call_method("register_at_fork", (), Some(&before))?;
        crate::core::begin();
        let kinds: Vec<&str> = tacenda_policy::Kind::ALL.iter().map(|kind| kind.name()).collect();
        module.add("KINDS", pyo3::types::PyTuple::new(module.py(), kinds)?)?;
        module.add("MARKER", tacenda_redact::MARKER)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
