//! The policy in force: everything resolved, nothing optional.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Action, Allow, Class, Facility, Kind, Level, Loader, Luhn, PolicyError, QueryStrings, Setting,
    SinkTarget, Stdout, SyslogFormat, Tmpdir, Umask, command, setting::Settings,
};

/// The policy in force for one environment.
///
/// The default is that of `production` without a policy file: everything confidential or
/// restricted is protected. It needs no I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) settings: Settings,
    pub(crate) classes: [Class; Kind::ALL.len()],
    pub(crate) actions: [Action; Kind::ALL.len()],
    pub(crate) allow: Vec<Allow>,
}

impl Policy {
    /// The policy that a text in the format of `tacenda.toml` describes, with no other layer: no
    /// variables, no discovery.
    ///
    /// ```
    /// use tacenda_policy::{Action, Kind, Policy};
    ///
    /// let policy = Policy::from_toml("[actions]\npersonal = 'partial'")?;
    /// assert_eq!(policy.action(Kind::Personal), Action::Partial);
    /// # Ok::<(), tacenda_policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// The first fault in the text.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let loaded = Loader::isolated().text("tacenda.toml", text).load()?;
        Ok(loaded.into_policy())
    }

    /// The name of the environment in force.
    pub fn environment(&self) -> &str {
        &self.settings.environment.0
    }

    /// The class of a kind.
    pub fn class(&self, kind: Kind) -> Class {
        self.classes[kind as usize]
    }

    /// What happens to a value of this kind.
    pub fn action(&self, kind: Kind) -> Action {
        self.actions[kind as usize]
    }

    /// What the standard output of the guarded program is, as configured. To decide for a given
    /// program, ask [`Policy::stdout_is_log`].
    pub fn stdout(&self) -> Stdout {
        self.settings.stdout
    }

    /// Whether the standard output of the program with this command line is a log, to be redacted,
    /// and not what the user asked for.
    ///
    /// Programs, `python -m module`, scripts and their subcommands are recognised; a command line
    /// that is not understood is a log.
    pub fn stdout_is_log<S: AsRef<OsStr>>(&self, command_line: &[S]) -> bool {
        match self.settings.stdout {
            Stdout::Log => true,
            Stdout::Output => false,
            Stdout::Auto => !command::is_one_of(command_line, self.output_commands()),
        }
    }

    /// The commands whose standard output is what the user asked for: `mlx_lm.generate`.
    pub fn output_commands(&self) -> &[String] {
        &self.settings.output_commands.0
    }

    /// Where the guarded program keeps its temporary files.
    pub fn tmpdir(&self) -> Tmpdir {
        self.settings.tmpdir
    }

    /// The permission bits withheld from files that the guarded program makes.
    pub fn umask(&self) -> Umask {
        self.settings.umask
    }

    /// Where the log of the guarded program goes. The path of a file is absolute unless the working
    /// directory is unknown.
    pub fn sinks(&self) -> &[SinkTarget] {
        &self.settings.sinks.0
    }

    /// The size in bytes at which the file of a sink is rotated.
    pub fn sink_file_size(&self) -> u64 {
        self.settings.sinks_file_size.0
    }

    /// The age at which the file of a sink is rotated.
    pub fn sink_file_age(&self) -> Duration {
        self.settings.sinks_file_age.duration()
    }

    /// How many rotated files of a sink are kept.
    pub fn sink_file_keep(&self) -> usize {
        self.settings.sinks_file_keep.0 as usize
    }

    /// What may wait for a sink at most, in bytes.
    pub fn sink_queue(&self) -> usize {
        usize::try_from(self.settings.sinks_queue.0).unwrap_or(usize::MAX)
    }

    /// How long a sink is waited for that takes nothing.
    pub fn sink_wait(&self) -> Duration {
        self.settings.sinks_wait.duration()
    }

    /// The facility of syslog messages.
    pub fn syslog_facility(&self) -> Facility {
        self.settings.sinks_syslog_facility
    }

    /// How syslog messages are written.
    pub fn syslog_format(&self) -> SyslogFormat {
        self.settings.sinks_syslog_format
    }

    /// The certificate that a syslog server is shown over TLS, and its key: both, or neither.
    pub fn syslog_identity(&self) -> Option<(&Path, &Path)> {
        let certificate = self.settings.sinks_syslog_certificate.0.as_deref()?;
        Some((certificate, self.settings.sinks_syslog_key.0.as_deref()?))
    }

    /// The class of the records in a journal.
    pub fn sink_journal_class(&self) -> Class {
        self.settings.sinks_journal_class
    }

    /// The level below which this logger does not go; none if the program decides.
    pub fn level_floor(&self, logger: &str) -> Option<Level> {
        let own = self.settings.levels_loggers.floor(logger);
        own.unwrap_or(self.settings.levels_floor).0
    }

    /// What happens to query strings in access logs.
    pub fn query_strings(&self) -> QueryStrings {
        self.settings.levels_query_strings
    }

    /// How long the level of a logger may be raised at most.
    pub fn debug_at_most(&self) -> Duration {
        self.settings.levels_debug_at_most.duration()
    }

    /// The length of the shortest automatically protected value and of the shortest fragment of one
    /// that is found, in characters.
    pub fn protect_min_chars(&self) -> usize {
        self.settings.protect_min_chars.0 as usize
    }

    /// The memory that protected values may take, in bytes.
    pub fn protect_max_bytes(&self) -> usize {
        usize::try_from(self.settings.protect_max_bytes.0).unwrap_or(usize::MAX)
    }

    /// How long a protected value is kept at most.
    pub fn protect_expire(&self) -> Duration {
        self.settings.protect_expire.duration()
    }

    /// Phrases by which no protected value is known.
    pub fn protect_phrases(&self) -> &[String] {
        &self.settings.protect_phrases.0
    }

    /// The key file, absolute unless the working directory is unknown.
    pub fn keys_file(&self) -> Option<&Path> {
        self.settings.keys_file.0.as_deref()
    }

    /// The command that prints the key file: its program and arguments, or nothing.
    pub fn keys_command(&self) -> &[String] {
        &self.settings.keys_command.0
    }

    /// The length of a pseudonym in hexadecimal digits.
    pub fn hash_digits(&self) -> usize {
        self.settings.hash_digits.0 as usize
    }

    /// The country code of telephone numbers that are written without one.
    pub fn hash_country_code(&self) -> Option<&str> {
        self.settings.hash_country_code.0.as_deref()
    }

    /// The check digit of card numbers made by format-preserving encryption.
    pub fn fpe_luhn(&self) -> Luhn {
        self.settings.fpe_luhn
    }

    /// The directory of the vault, absolute unless the working directory is unknown.
    pub fn vault_path(&self) -> Option<&Path> {
        self.settings.vault_path.0.as_deref()
    }

    /// The detectors that are turned off, by name.
    pub fn disabled_detectors(&self) -> &[String] {
        &self.settings.detectors_disable.0
    }

    /// The files with rules of the user's own, absolute unless the working directory is unknown;
    /// the name of a file may hold `*` and `?`.
    pub fn rule_paths(&self) -> &[PathBuf] {
        &self.settings.detectors_rules.0
    }

    /// The files with models of the user's own code, absolute unless the working directory is
    /// unknown; the name of a file may hold `*` and `?`.
    pub fn model_paths(&self) -> &[PathBuf] {
        &self.settings.scan_models.0
    }

    /// The directories whose files are logs, absolute unless the working directory is unknown.
    pub fn log_directories(&self) -> &[PathBuf] {
        &self.settings.log_directories.0
    }

    /// The slot map, absolute unless the working directory is unknown.
    pub fn slot_map_path(&self) -> Option<&Path> {
        self.settings.slot_map.0.as_deref()
    }

    /// The values that are written as they are although a detector finds them.
    pub fn allow(&self) -> &[Allow] {
        &self.allow
    }

    /// A setting as text, as it would be written in its variable.
    pub fn text(&self, setting: Setting) -> String {
        self.settings.text(setting)
    }

    /// A setting as JSON: lists are arrays, numbers are numbers, no path is `null`.
    pub fn json(&self, setting: Setting) -> serde_json::Value {
        self.settings.json(setting)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            classes: std::array::from_fn(|i| Kind::ALL[i].default_class()),
            actions: std::array::from_fn(|i| {
                Action::default_for(Kind::ALL[i], Kind::ALL[i].default_class())
            }),
            allow: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_by_default() {
        let policy = Policy::default();
        assert_eq!(policy.environment(), "production");
        for &kind in Kind::ALL {
            let public = policy.class(kind) <= Class::Internal;
            assert_eq!(policy.action(kind) == Action::Keep, public, "{kind}");
        }
        assert_eq!(policy.umask(), Umask::Bits(0o077));
        assert_eq!(policy.tmpdir(), Tmpdir::Private);
        assert!(policy.disabled_detectors().is_empty());
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Policy::from_toml("").unwrap(), Policy::default());
    }

    #[test]
    fn stdout_follows_the_setting_then_the_command() {
        let of =
            |text: &str, command: &[&str]| Policy::from_toml(text).unwrap().stdout_is_log(command);
        let (generate, server) = (["mlx_lm.generate"], ["mlx_lm.server"]);
        assert!(!of("", &generate));
        assert!(of("", &server));
        assert!(of("guard.stdout = 'log'", &generate));
        assert!(!of("guard.stdout = 'output'", &server));
        assert!(!of("guard.output_commands = ['mlx_lm.server']", &server));
        assert!(of("guard.output_commands = ['mlx_lm.server']", &generate));
    }
}
