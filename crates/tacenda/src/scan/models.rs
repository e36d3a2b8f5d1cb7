//! The models that a policy asks for.

use tacenda_policy::{Loaded, Loader, PolicyError};
use tacenda_scan::Models;

/// What functions and names mean under the policy of these layers.
///
/// # Errors
/// Every fault of the policy, or of its model files.
pub(crate) fn models(layers: &Loader) -> Result<Models, Vec<PolicyError>> {
    models_of(&layers.check()?)
}

/// The same for a policy that was loaded before.
pub(crate) fn models_of(loaded: &Loaded) -> Result<Models, Vec<PolicyError>> {
    let files = loaded.model_files()?;
    Models::read(files.iter().map(|file| (file.shown(), file.text.as_str())))
}
