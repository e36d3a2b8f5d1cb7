//! The settings: one line each here gives the key of the file, the variable, the default, the
//! check, the JSON Schema and the reference.

use std::ops::Range;

use toml::{Spanned, de::DeValue};

use crate::kind::Class;
use crate::levels::{Floor, LoggerFloors, QueryStrings};
use crate::sink::{Facility, SinkTarget, Sinks, SyslogFormat};
use crate::value::{
    Bytes, Chars, Count, CountryCode, Digits, EnvironmentName, Files, Luhn, Names, OptionalPath,
    Paths, Phrases, Seconds, Stdout, Tmpdir, Umask, Value,
};

/// A value that no layer of configuration may have: what was expected instead.
#[derive(Debug)]
pub(crate) struct Unexpected {
    /// The part of the file's value that is wrong.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) expected: String,
    /// The choice that was most likely meant.
    pub(crate) nearest: Option<&'static str>,
}

impl Unexpected {
    fn new<V: Value>(written: Option<&str>, span: Option<Range<usize>>) -> Self {
        let nearest =
            written.and_then(|w| crate::nearest::nearest(w, V::choices().iter().copied()));
        Self { span, expected: V::expected(), nearest }
    }
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident $field:ident: $type:ty = $default:expr, $path:literal, $variable:literal;
    )+) => {
        /// A setting with one value: everything in the policy file but the tables of classes,
        /// actions and environments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Setting { $($(#[doc = $doc])+ $variant),+ }

        impl Setting {
            /// Every setting, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its key in the policy file, with the section: `guard.stdout`.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path),+ }
            }

            /// The environment variable that sets it.
            pub const fn variable(self) -> &'static str {
                match self { $(Self::$variant => $variable),+ }
            }

            /// What it means, for people.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii()),+ }
            }

            /// What a right value looks like, to follow the word "expected".
            pub fn expected(self) -> String {
                match self { $(Self::$variant => <$type as Value>::expected()),+ }
            }

            pub(crate) fn schema(self) -> serde_json::Value {
                match self { $(Self::$variant => <$type as Value>::schema()),+ }
            }
        }

        /// The value of every setting.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct Settings { $(pub(crate) $field: $type),+ }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl Settings {
            /// The value as it would be written in a variable.
            pub(crate) fn text(&self, setting: Setting) -> String {
                match setting { $(Setting::$variant => self.$field.text()),+ }
            }

            /// The value for programs.
            pub(crate) fn json(&self, setting: Setting) -> serde_json::Value {
                match setting { $(Setting::$variant => self.$field.json()),+ }
            }

            /// Sets a value from the text of a variable or a flag.
            pub(crate) fn set_text(&mut self, setting: Setting, text: &str) -> Result<(), Unexpected> {
                match setting {
                    $(Setting::$variant => {
                        self.$field = <$type as Value>::from_text(text)
                            .ok_or_else(|| Unexpected::new::<$type>(Some(text), None))?;
                    })+
                }
                Ok(())
            }

            /// Sets a value from the file.
            pub(crate) fn set_toml(
                &mut self,
                setting: Setting,
                value: &Spanned<DeValue<'_>>,
            ) -> Result<(), Unexpected> {
                match setting {
                    $(Setting::$variant => {
                        self.$field = <$type as Value>::from_toml(value).map_err(|span| {
                            Unexpected::new::<$type>(value.as_ref().as_str(), Some(span))
                        })?;
                    })+
                }
                Ok(())
            }
        }
    };
}

settings! {
    /// The environment in force: `production`, `development` or one with a section of its own.
    Environment environment: EnvironmentName = EnvironmentName("production".to_owned()),
        "environment", "TACENDA_ENVIRONMENT";
    /// Whether the guarded program's standard output is what the user asked for (`output`, left
    /// alone) or a log (`log`, redacted). `auto`: what the user asked for when the program is one
    /// of `guard.output_commands`, else a log.
    Stdout stdout: Stdout = Stdout::Auto, "guard.stdout", "TACENDA_STDOUT";
    /// The commands whose standard output is what the user asked for, by the name of the program,
    /// module or script; a subcommand follows a dot.
    OutputCommands output_commands: Names = default_output_commands(),
        "guard.output_commands", "TACENDA_OUTPUT_COMMANDS";
    /// Where the guarded program keeps temporary files: `private`, in a directory that only its
    /// user can read and that is removed at the end, or `inherit`.
    Tmpdir tmpdir: Tmpdir = Tmpdir::Private, "guard.tmpdir", "TACENDA_TMPDIR";
    /// The permission bits withheld from the files that the guarded program makes (octal), or
    /// `inherit`.
    Umask umask: Umask = Umask::Bits(0o077), "guard.umask", "TACENDA_UMASK";
    /// Directories whose files are logs, with the directories below them: what the guarded program
    /// itself writes there from Python, or saves there with MLX, is redacted. Relative to the policy
    /// file.
    LogDirectories log_directories: Paths = Paths(Vec::new()),
        "guard.log_directories", "TACENDA_LOG_DIRECTORIES";
    /// The slot map, as `tacenda scan --slot-map` writes it: values in logging calls that the scan
    /// knows to be sensitive are masked by their place. Relative to the policy file.
    SlotMap slot_map: OptionalPath = OptionalPath(None), "guard.slot_map", "TACENDA_SLOT_MAP";
    /// Where the log of the guarded program goes: where its outputs lead anyhow (`stdio`), a private
    /// file (`file:PATH`; relative to the policy file), a syslog server, an OTLP/HTTP receiver, a sealed
    /// journal (`journal:DIRECTORY`, made before with `tacenda journal init`).
    Sinks sinks: Sinks = Sinks(vec![SinkTarget::Stdio]), "guard.sinks", "TACENDA_SINKS";
    /// The size at which the file of a sink is rotated.
    SinksFileSize sinks_file_size: Bytes = Bytes(64 << 20),
        "sinks.file_size", "TACENDA_SINKS_FILE_SIZE";
    /// The age at which the file of a sink is rotated.
    SinksFileAge sinks_file_age: Seconds = Seconds(24 * 60 * 60),
        "sinks.file_age", "TACENDA_SINKS_FILE_AGE";
    /// How many rotated files of a sink are kept.
    SinksFileKeep sinks_file_keep: Files = Count(8), "sinks.file_keep", "TACENDA_SINKS_FILE_KEEP";
    /// What may wait for a syslog server, an OTLP receiver or a journal, each.
    SinksQueue sinks_queue: Bytes = Bytes(4 << 20), "sinks.queue", "TACENDA_SINKS_QUEUE";
    /// How long the program waits for a sink whose queue is full and that takes nothing. After that,
    /// what comes is dropped and counted until half of the queue is sent. Also how long what waits
    /// is sent at the end.
    SinksWait sinks_wait: Seconds = Seconds(5), "sinks.wait", "TACENDA_SINKS_WAIT";
    /// The facility of syslog messages.
    SinksSyslogFacility sinks_syslog_facility: Facility = Facility::User,
        "sinks.syslog_facility", "TACENDA_SINKS_SYSLOG_FACILITY";
    /// How syslog messages are written: `rfc5424`, or `rfc3164`, which systemd's journal and older
    /// daemons understand on the local socket.
    SinksSyslogFormat sinks_syslog_format: SyslogFormat = SyslogFormat::Rfc5424,
        "sinks.syslog_format", "TACENDA_SINKS_SYSLOG_FORMAT";
    /// The certificate that this client shows a syslog server over TLS, PEM, with those that it is
    /// signed by behind it. Relative to the policy file.
    SinksSyslogCertificate sinks_syslog_certificate: OptionalPath = OptionalPath(None),
        "sinks.syslog_certificate", "TACENDA_SINKS_SYSLOG_CERTIFICATE";
    /// The private key of that certificate, PEM: a file that others may not read.
    SinksSyslogKey sinks_syslog_key: OptionalPath = OptionalPath(None),
        "sinks.syslog_key", "TACENDA_SINKS_SYSLOG_KEY";
    /// The class of the records in a journal: which of its recipients may read them.
    SinksJournalClass sinks_journal_class: Class = Class::Confidential,
        "sinks.journal_class", "TACENDA_SINKS_JOURNAL_CLASS";
    /// The level below which no logger goes: records under it are never made. `inherit`: as the
    /// program says.
    LevelsFloor levels_floor: Floor = Floor(None), "levels.floor", "TACENDA_LEVELS_FLOOR";
    /// The same for these loggers and those below them; `*` stands for any letters, and the longest
    /// pattern that fits holds. The defaults are clients that log URLs and headers. In a variable:
    /// `httpx=warning,app.db=info`.
    LevelsLoggers levels_loggers: LoggerFloors = LoggerFloors::third_party(),
        "levels.loggers", "TACENDA_LEVELS_LOGGERS";
    /// What happens to the query strings in uvicorn's access log: `cut`, or `keep` to redact them
    /// as any other text.
    LevelsQueryStrings levels_query_strings: QueryStrings = QueryStrings::Cut,
        "levels.query_strings", "TACENDA_LEVELS_QUERY_STRINGS";
    /// How long `tacenda debug` may raise the level of a logger at most.
    LevelsDebugAtMost levels_debug_at_most: Seconds = Seconds(60 * 60),
        "levels.debug_at_most", "TACENDA_LEVELS_DEBUG_AT_MOST";
    /// The length in characters of the shortest value that is protected automatically, and of the
    /// shortest fragment of one that is found.
    ProtectMinChars protect_min_chars: Chars = Count(16),
        "protect.min_chars", "TACENDA_PROTECT_MIN_CHARS";
    /// The memory that protected values may take; the oldest go first.
    ProtectMaxBytes protect_max_bytes: Bytes = Bytes(64 << 20),
        "protect.max_bytes", "TACENDA_PROTECT_MAX_BYTES";
    /// How long a protected value is kept when its request does not end it before.
    ProtectExpire protect_expire: Seconds = Seconds(15 * 60),
        "protect.expire", "TACENDA_PROTECT_EXPIRE";
    /// Phrases that are no secret, besides those that everybody writes: a log is not known to repeat a
    /// protected value by these words alone.
    ProtectPhrases protect_phrases: Phrases = Phrases(Vec::new()),
        "protect.phrases", "TACENDA_PROTECT_PHRASES";
    /// The key file, as `tacenda keys init` makes it; relative to the policy file. Without keys each
    /// run has random ones.
    KeysFile keys_file: OptionalPath = OptionalPath(None), "keys.file", "TACENDA_KEYS_FILE";
    /// A command that prints the key file, in place of `keys.file`: the program and its arguments.
    KeysCommand keys_command: Names = Names(Vec::new()),
        "keys.command", "TACENDA_KEYS_COMMAND";
    /// The length of a pseudonym, the keyed hash in the label of a value that a detector found, in
    /// hexadecimal digits of four bits.
    HashDigits hash_digits: Digits = Count(12), "hash.digits", "TACENDA_HASH_DIGITS";
    /// The country code (ITU-T E.164) of telephone numbers that are written without one, so that
    /// both spellings of a number have one pseudonym. Without it they have two.
    HashCountryCode hash_country_code: CountryCode = CountryCode(None),
        "hash.country_code", "TACENDA_HASH_COUNTRY_CODE";
    /// Whether a card number made by `fpe` has a wrong check digit (`invalid`), so that nobody takes
    /// it for a card, or a right one (`valid`), for systems that check it.
    FpeLuhn fpe_luhn: Luhn = Luhn::Invalid, "fpe.luhn", "TACENDA_FPE_LUHN";
    /// The directory of the vault, which the action `token` needs; relative to the policy file.
    VaultPath vault_path: OptionalPath = OptionalPath(None), "vault.path", "TACENDA_VAULT_PATH";
    /// The detectors that are turned off, by name.
    DetectorsDisable detectors_disable: Names = Names(Vec::new()),
        "detectors.disable", "TACENDA_DETECTORS_DISABLE";
    /// Files with rules of one's own; relative to the policy file. `*` and `?` in the name of a file
    /// stand for any letters and for one.
    DetectorsRules detectors_rules: Paths = Paths(Vec::new()),
        "detectors.rules", "TACENDA_DETECTORS_RULES";
    /// Files with models of one's own code, for `tacenda scan` and `tacenda lsp`: what brings
    /// something sensitive in, what writes, what makes a value fit to be written. Relative to the
    /// policy file. `*` and `?` in the name of a file stand for any letters and for one.
    ScanModels scan_models: Paths = Paths(Vec::new()), "scan.models", "TACENDA_SCAN_MODELS";
}

/// Interactive commands of the MLX ecosystem: their standard output is the text that the user asked
/// for. A server or a trainer is not among them, whatever it prints.
fn default_output_commands() -> Names {
    let commands = [
        "mlx_lm.chat",
        "mlx_lm.generate",
        "mlx_vlm.chat",
        "mlx_vlm.generate",
        "mlx_vlm.video_generate",
        "mlx_whisper",
    ];
    Names(commands.map(str::to_owned).to_vec())
}

impl Setting {
    /// Its section in the file (empty at the top level) and its key there.
    pub(crate) fn section_and_key(self) -> (&'static str, &'static str) {
        self.path().split_once('.').unwrap_or(("", self.path()))
    }

    /// The settings of a section.
    pub(crate) fn of_section(section: &str) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |setting| setting.section_and_key().0 == section)
    }

    /// The sections that hold settings, in order.
    pub(crate) fn sections() -> Vec<&'static str> {
        let mut sections: Vec<_> = Self::ALL.iter().map(|s| s.section_and_key().0).collect();
        sections.retain(|section| !section.is_empty());
        sections.dedup();
        sections
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_can_be_written_down() {
        let defaults = Settings::default();
        for &setting in Setting::ALL {
            let mut read = Settings::default();
            read.set_text(setting, &defaults.text(setting)).unwrap();
            assert_eq!(read, defaults, "{setting}");
        }
    }

    #[test]
    fn paths_and_variables_are_distinct() {
        for (i, a) in Setting::ALL.iter().enumerate() {
            for b in &Setting::ALL[..i] {
                assert_ne!(a.path(), b.path());
                assert_ne!(a.variable(), b.variable());
            }
        }
    }
}
