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
    use crate::core::{Core, PolicyError, settle};
    #[pymodule_export]
    use crate::stream::StreamFilter;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        tacenda_redact::quiet_panics();
        let kinds: Vec<&str> = tacenda_policy::Kind::ALL.iter().map(|kind| kind.name()).collect();
        module.add("KINDS", pyo3::types::PyTuple::new(module.py(), kinds)?)?;
        module.add("MARKER", tacenda_redact::MARKER)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
