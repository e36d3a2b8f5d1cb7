//! The policy in force, handed by a parent process to its children.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Action, Allow, Class, Kind, Policy, Setting, allow::Written};

/// The environment variable in which a parent process hands its policy to its children, so that
/// they need not find and read the file again from another working directory.
pub const HANDOVER_VARIABLE: &str = "TACENDA_POLICY";

/// Raised whenever the meaning of what is handed over changes.
const VERSION: u32 = 3;

/// Written by another release, truncated, or not a policy at all. It does not carry the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy handed over in TACENDA_POLICY is not one of this release")]
pub struct UnreadableHandover;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Handover {
    version: u32,
    settings: BTreeMap<String, String>,
    kinds: BTreeMap<Kind, (Class, Action)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow: Vec<Written>,
}

impl Policy {
    /// The policy as one line of JSON for [`HANDOVER_VARIABLE`]. It holds no secret: of the
    /// keys and the vault only their places.
    pub fn handover(&self) -> String {
        let handover = Handover {
            version: VERSION,
            settings: Setting::ALL.iter().map(|s| (s.path().to_owned(), self.text(*s))).collect(),
            kinds: Kind::ALL.iter().map(|&k| (k, (self.class(k), self.action(k)))).collect(),
            allow: self.allow.iter().map(|allow| allow.written().clone()).collect(),
        };
        serde_json::to_string(&handover).expect("maps with text keys are JSON")
    }

    /// The policy that a parent process handed over.
    ///
    /// A caller that gets the error must go on with [`Policy::default`], the closed choice, and not
    /// without a policy.
    ///
    /// # Errors
    /// When it is not complete and of this release.
    pub fn from_handover(text: &str) -> Result<Self, UnreadableHandover> {
        let Handover { version, settings, kinds, allow } =
            serde_json::from_str(text).map_err(|_| UnreadableHandover)?;
        let complete = settings.len() == Setting::ALL.len() && kinds.len() == Kind::ALL.len();
        if version != VERSION || !complete {
            return Err(UnreadableHandover);
        }
        let mut policy = Self::default();
        for &setting in Setting::ALL {
            let text = settings.get(setting.path()).ok_or(UnreadableHandover)?;
            policy.settings.set_text(setting, text).map_err(|_| UnreadableHandover)?;
        }
        for (kind, (class, action)) in kinds {
            policy.classes[kind as usize] = class;
            policy.actions[kind as usize] = action;
        }
        let allow = allow.into_iter().map(|written| Allow::new(written).ok());
        policy.allow = allow.collect::<Option<_>>().ok_or(UnreadableHandover)?;
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL: &str = "
        environment = 'staging'
        classes.network = 'public'
        actions.personal = 'drop'
        levels = { floor = 'info', loggers = { 'a.*' = 'error', b = 'inherit' }, query_strings = 'keep', debug_at_most = '5m' }
        guard = { stdout = 'log', output_commands = ['a b'], tmpdir = 'inherit', umask = '027', log_directories = ['/var/log/a'], slot_map = '/srv/map.json', sinks = ['stdio', 'file:/var/log/app/a,b.log'] }
        sinks = { file_size = '1MiB', file_age = '1h', file_keep = 3, queue = '1MiB', wait = '1s', syslog_facility = 'local3', syslog_format = 'rfc3164', syslog_certificate = '/etc/ssl/a.pem', syslog_key = '/etc/ssl/a.key' }
        protect = { min_chars = 20, max_bytes = '1MiB', expire = '2h' }
        keys = { file = '/etc/tacenda/keys', command = ['pass', 'show', 'tacenda'] }
        hash = { digits = 16, country_code = '49' }
        fpe.luhn = 'valid'
        vault.path = '/var/lib/tacenda'
        detectors = { disable = ['ipv4', 'ipv6'], rules = ['/etc/tacenda/a,b.toml'] }
        scan.models = ['/etc/tacenda/models.toml']
        environments.staging = {}
        [[allow]]
        regex = 'ES[0-9]{4}'
        key = 'shelf'
        path = '/var/log/*.log'
        detectors = ['iban']
        kinds = ['financial']
        protected = true
        reason = 'shelves'
    ";

    #[test]
    fn it_comes_back_as_it_went() {
        for policy in [Policy::default(), Policy::from_toml(FULL).unwrap()] {
            let text = policy.handover();
            assert!(!text.contains('\n') && text.len() < 2624, "{} bytes", text.len());
            assert_eq!(Policy::from_handover(&text), Ok(policy));
        }
    }

    #[test]
    fn another_version_or_half_of_it_is_refused() {
        let text = Policy::default().handover();
        let other = text.replace("\"version\":3", "\"version\":2");
        assert_ne!(other, text);
        for wrong in [other.as_str(), "", "{}", &text[..text.len() - 1]] {
            assert_eq!(Policy::from_handover(wrong), Err(UnreadableHandover));
        }
        let without = text.replacen("\"prompt\":[\"confidential\",\"summarize\"],", "", 1);
        let without = without.replacen(",\"prompt\":[\"confidential\",\"summarize\"]", "", 1);
        assert_ne!(without, text);
        assert_eq!(Policy::from_handover(&without), Err(UnreadableHandover));
    }

    proptest! {
        #[test]
        fn a_damaged_one_is_refused_or_a_policy(at in 0_usize..1200, with in any::<u8>()) {
            let mut bytes = Policy::default().handover().into_bytes();
            let at = at % bytes.len();
            bytes[at] = with;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _: Result<Policy, UnreadableHandover> = Policy::from_handover(text);
            }
        }

        #[test]
        fn any_actions_come_back(actions in prop::collection::vec(0..Action::ALL.len(), Kind::ALL.len())) {
            let line = |(kind, action): (&Kind, usize)| format!("{kind} = '{}'\n", Action::ALL[action]);
            let lines: String = Kind::ALL.iter().zip(actions).map(line).collect();
            let policy = Policy::from_toml(&format!("vault.path = 'v'\n[actions]\n{lines}")).unwrap();
            prop_assert_eq!(Policy::from_handover(&policy.handover()), Ok(policy));
        }
    }
}
