//! Any text can stand in a policy file or in the variable that hands a policy over.

use tacenda_policy::Policy;

/// The property.
pub fn run(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    if let Ok(policy) = Policy::from_toml(text) {
        let again = Policy::from_handover(&policy.handover()).expect("a policy can be handed over");
        assert_eq!(policy, again);
    }
    let _ = Policy::from_handover(text);
}
