//! The redactor that a policy asks for.

use tacenda_policy::Policy;
use tacenda_redact::{Keys, Redactor, engine, vault};

use crate::failure::{Failure, warn};

/// A redactor under this policy, with its detectors and its keys.
pub(crate) fn redactor(policy: &Policy) -> Result<Redactor, Failure> {
    let engine = engine(policy)?;
    let keys = Keys::load(policy)?;
    let spool = vault::spool(policy, &keys)?;
    Ok(Redactor::new(engine, policy.clone(), keys).with_spool(spool))
}

/// The same under a policy that the process around us handed over.
pub(crate) fn handed_over(policy: &Policy) -> Result<Redactor, Failure> {
    let engine = engine(policy)?;
    let keys = Keys::handed_over(policy)?;
    // Whom the program runs as may not be who owns the vault: redacting comes first.
    let spool = vault::spool(policy, &keys).unwrap_or_default();
    Ok(Redactor::new(engine, policy.clone(), keys).with_spool(spool))
}

/// Warns of values that could not be put into the vault.
pub(crate) fn report_lost(redactor: &Redactor) {
    let lost = redactor.lost();
    if lost > 0 {
        let (values, their) =
            if lost == 1 { ("value", "its token") } else { ("values", "their tokens") };
        let message =
            format!("{lost} {values} could not be put into the vault: {their} cannot be revealed");
        warn(&message, Some("is the disk full, or the spool? tacenda vault merge"));
    }
}
