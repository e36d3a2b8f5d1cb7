//! From the layers to the policy in force: defaults, file, environment's section, variables,
//! arguments, each over the one before.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    str,
    sync::Arc,
};

use crate::{
    Action, Class, Kind, Origin, Policy, PolicyError, Setting, SlotMap, Warning, discover,
    discover::Found,
    environment::built_in,
    file::{Layer, PolicyFile, Subject},
    named_files::NamedFile,
    nearest::nearest,
    place::{Place, Positions},
    setting::Unexpected,
};

/// Names the policy file; stronger than discovery.
pub const CONFIG_VARIABLE: &str = "TACENDA_CONFIG";

/// Gathers the layers of configuration.
#[derive(Clone, Debug)]
pub struct Loader {
    source: Source,
    directory: Option<PathBuf>,
    variables: BTreeMap<String, OsString>,
    arguments: Vec<(Setting, &'static str, String)>,
}

#[derive(Clone, Debug)]
enum Source {
    /// The variable `TACENDA_CONFIG`, else the nearest file.
    Discover,
    Named(PathBuf),
    Text(PathBuf, Vec<u8>),
    Nothing,
}

impl Loader {
    /// The layers that surround this process: its variables, and the policy file that is nearest to
    /// its working directory.
    pub fn new() -> Self {
        let ours = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            name.starts_with("TACENDA_").then_some((name, value))
        };
        Self {
            source: Source::Discover,
            directory: std::env::current_dir().ok(),
            variables: std::env::vars_os().filter_map(ours).collect(),
            arguments: Vec::new(),
        }
    }

    /// No layers but the defaults.
    pub fn isolated() -> Self {
        Self {
            source: Source::Nothing,
            directory: None,
            variables: BTreeMap::new(),
            arguments: Vec::new(),
        }
    }

    /// Takes this file (`--config`), whatever else there is.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Source::Named(path.into());
        self
    }

    /// Takes this text as the policy file, under this name.
    #[must_use]
    pub fn text(mut self, name: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Text(name.into(), text.into());
        self
    }

    /// Looks for the policy file from this directory up, instead of from the working directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.source = Source::Discover;
        self.directory = Some(directory.into());
        self
    }

    /// Sets an environment variable, for this load only.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets a value by a flag or an argument, the strongest layer. `name` is what the user wrote,
    /// for messages and origins: `--stdout`.
    #[must_use]
    pub fn argument(
        mut self,
        setting: Setting,
        name: &'static str,
        text: impl Into<String>,
    ) -> Self {
        self.arguments.push((setting, name, text.into()));
        self
    }

    /// The policy in force.
    ///
    /// # Errors
    /// The first fault, in the order of the file, the variables, the arguments.
    pub fn load(&self) -> Result<Loaded, PolicyError> {
        self.check().map_err(|mut faults| faults.swap_remove(0))
    }

    /// As [`Loader::load`], with every fault (never none) in place of the first.
    pub fn check(&self) -> Result<Loaded, Vec<PolicyError>> {
        let found = self.find().map_err(|fault| vec![fault])?;
        let Some(found) = found else {
            return self.resolve(None, &PolicyFile::default(), Vec::new());
        };
        let text = str::from_utf8(&found.bytes).map_err(|error| {
            let (right, _) = found.bytes.split_at(error.valid_up_to());
            let right = str::from_utf8(right).expect("`valid_up_to` ends valid UTF-8");
            let place = Positions::new(self.shown(&found.path), right);
            vec![PolicyError::NotUtf8 { place: place.place(&(right.len()..right.len())) }]
        })?;
        let (file, faults) = PolicyFile::parse(self.shown(&found.path), text);
        self.resolve(Some(&found), &file, faults)
    }

    fn find(&self) -> Result<Option<Found>, PolicyError> {
        match &self.source {
            Source::Nothing => Ok(None),
            Source::Text(path, bytes) => {
                let (path, bytes) = (path.clone(), bytes.clone());
                Ok(Some(Found { path, bytes, writable_by_anyone: false, named: true }))
            }
            Source::Named(path) => discover::named(path).map(Some),
            Source::Discover => {
                match self.variables.get(CONFIG_VARIABLE).filter(|path| !path.is_empty()) {
                    Some(path) => discover::named(Path::new(path)).map(Some),
                    None => self.directory.as_deref().map_or(Ok(None), discover::nearest),
                }
            }
        }
    }

    /// The path as people know it: relative to where they are, when the file is below.
    fn shown(&self, path: &Path) -> Arc<Path> {
        let below = self.directory.as_deref().and_then(|start| path.strip_prefix(start).ok());
        below.unwrap_or(path).into()
    }

    fn resolve(
        &self,
        found: Option<&Found>,
        file: &PolicyFile<'_>,
        mut faults: Vec<PolicyError>,
    ) -> Result<Loaded, Vec<PolicyError>> {
        let mut loaded = Loaded::new();
        self.choose_environment(&mut loaded, file, &mut faults);
        let chain = file.chain(loaded.policy.environment());
        let sections = chain.iter().filter_map(|name| file.environments.get(*name));
        let layers: Vec<&Layer<'_>> =
            std::iter::once(&file.root).chain(sections.map(|section| &section.layer)).collect();

        loaded.classes(&chain, &layers);
        loaded.actions(&layers);
        loaded.settings(&layers);
        loaded.allow(&layers);
        self.outer_layers(&mut loaded, &mut faults, |setting| setting != Setting::Environment);
        faults.extend(loaded.command_of_a_stranger(found));
        faults.extend(loaded.token_without_vault());
        faults.extend(loaded.half_an_identity());
        if !faults.is_empty() {
            // In the order of the file; those of variables and arguments follow.
            faults.sort_by_key(|fault| match fault.place() {
                Some(place) => (false, place.line, place.column),
                None => (true, 0, 0),
            });
            return Err(faults);
        }

        let base = |setting: Setting| match &loaded.origins[setting as usize] {
            Origin::File(_) => found.and_then(|found| std::path::absolute(&found.path).ok()),
            _ => self.directory.as_deref().map(|directory| directory.join("argument")),
        };
        let (keys, vault) = (base(Setting::KeysFile), base(Setting::VaultPath));
        let (rules, sinks) = (base(Setting::DetectorsRules), base(Setting::Sinks));
        let (logs, slots) = (base(Setting::LogDirectories), base(Setting::SlotMap));
        let models = base(Setting::ScanModels);
        let (certificate, key) =
            (base(Setting::SinksSyslogCertificate), base(Setting::SinksSyslogKey));
        let settings = &mut loaded.policy.settings;
        settings.keys_file.resolve(keys.as_deref().and_then(Path::parent));
        settings.vault_path.resolve(vault.as_deref().and_then(Path::parent));
        settings.detectors_rules.resolve(rules.as_deref().and_then(Path::parent));
        settings.sinks.resolve(sinks.as_deref().and_then(Path::parent));
        settings.sinks_syslog_certificate.resolve(certificate.as_deref().and_then(Path::parent));
        settings.sinks_syslog_key.resolve(key.as_deref().and_then(Path::parent));
        settings.log_directories.resolve(logs.as_deref().and_then(Path::parent));
        settings.slot_map.resolve(slots.as_deref().and_then(Path::parent));
        settings.scan_models.resolve(models.as_deref().and_then(Path::parent));
        let here = found.and_then(|found| std::path::absolute(&found.path).ok());
        for allow in &mut loaded.policy.allow {
            allow.resolve(here.as_deref().and_then(Path::parent));
        }
        loaded.file = found.map(|found| self.shown(&found.path));
        loaded.warn(found, self.variables.keys());
        Ok(loaded)
    }

    /// The environment comes first: which section of the file holds depends on it.
    fn choose_environment(
        &self,
        loaded: &mut Loaded,
        file: &PolicyFile<'_>,
        faults: &mut Vec<PolicyError>,
    ) {
        loaded.settings(&[&file.root]);
        self.outer_layers(loaded, faults, |setting| setting == Setting::Environment);
        let chosen = loaded.policy.environment();
        let known = file.environment_names();
        if !known.iter().any(|name| name == chosen) {
            let origin = loaded.origin(Setting::Environment).clone();
            let name = match &origin {
                Origin::Variable(name) | Origin::Argument(name) => format!("`{name}`"),
                Origin::File(_) | Origin::Default => "`environment`".to_owned(),
            };
            let nearest = nearest(chosen, known.iter().map(String::as_str)).map(str::to_owned);
            faults.push(PolicyError::UnknownEnvironment { origin, name, nearest, known });
        }
    }

    /// Variables, then arguments.
    fn outer_layers(
        &self,
        loaded: &mut Loaded,
        faults: &mut Vec<PolicyError>,
        wanted: impl Fn(Setting) -> bool,
    ) {
        let variables = Setting::ALL.iter().filter_map(|&setting| {
            // Empty is unset, as in most tools: a container file cannot unset a variable.
            let text = self.variables.get(setting.variable()).filter(|text| !text.is_empty())?;
            // No setting takes a NUL: what is not UTF-8 becomes a fault like any other.
            let text = text.to_str().unwrap_or("\0").to_owned();
            Some((setting, Origin::Variable(setting.variable()), text))
        });
        let arguments = self
            .arguments
            .iter()
            .map(|(setting, name, text)| (*setting, Origin::Argument(name), text.clone()));
        for (setting, origin, text) in variables.chain(arguments).filter(|(s, ..)| wanted(*s)) {
            match loaded.policy.settings.set_text(setting, &text) {
                Ok(()) => {
                    loaded.origins[setting as usize] = origin;
                    loaded.items[setting as usize] = [].into();
                }
                Err(Unexpected { expected, nearest, .. }) => {
                    let name = format!("`{origin}`");
                    faults.push(PolicyError::WrongValue { origin, name, expected, nearest });
                }
            }
        }
    }
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

/// The policy in force, and where each of its values came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    policy: Policy,
    file: Option<Arc<Path>>,
    origins: [Origin; Setting::ALL.len()],
    class_origins: [Origin; Kind::ALL.len()],
    action_origins: [Origin; Kind::ALL.len()],
    /// The places of the items of lists.
    items: [Box<[Origin]>; Setting::ALL.len()],
    /// The places of the entries of `[[allow]]`, and those of their detectors.
    allow: Vec<(Place, Vec<Place>)>,
    warnings: Vec<Warning>,
}

impl Loaded {
    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The policy in force, without its origins.
    pub fn into_policy(self) -> Policy {
        self.policy
    }

    /// The policy file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Where the value of a setting came from.
    pub fn origin(&self, setting: Setting) -> &Origin {
        &self.origins[setting as usize]
    }

    /// Where the class of a kind came from.
    pub fn class_origin(&self, kind: Kind) -> &Origin {
        &self.class_origins[kind as usize]
    }

    /// Where the action for a kind came from. It is the default when it follows from the class.
    pub fn action_origin(&self, kind: Kind) -> &Origin {
        &self.action_origins[kind as usize]
    }

    /// What is valid but looks unwise or mistaken.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The place of an entry of `[[allow]]`, by its place in [`Policy::allow`].
    pub fn allow_place(&self, entry: usize) -> Option<&Place> {
        self.allow.get(entry).map(|(place, _)| place)
    }

    /// Checks the names in `detectors.disable` and in `[[allow]]` against the detectors that exist,
    /// which this crate does not know.
    pub fn unknown_detectors<S: AsRef<str>>(&self, known: &[S]) -> Vec<PolicyError> {
        let unknown = |list: &'static str, name: &str, origin: &dyn Fn() -> Origin| {
            let exists = known.iter().any(|known| known.as_ref() == name);
            (!exists).then(|| PolicyError::UnknownDetector {
                origin: origin(),
                list,
                nearest: nearest(name, known.iter().map(AsRef::as_ref)).map(str::to_owned),
            })
        };
        let disabled =
            self.policy.disabled_detectors().iter().enumerate().filter_map(|(i, name)| {
                let origin = || self.item_origin(Setting::DetectorsDisable, i);
                unknown("detectors.disable", name, &origin)
            });
        let allowed =
            self.policy.allow.iter().zip(&self.allow).flat_map(|(allow, (place, items))| {
                allow.detectors().iter().enumerate().filter_map(|(i, name)| {
                    let origin = || Origin::File(items.get(i).unwrap_or(place).clone());
                    unknown("allow.detectors", name, &origin)
                })
            });
        disabled.chain(allowed).collect()
    }

    /// The texts of the rule files, as [`Policy::rule_files`], with the places that name those that
    /// cannot be read.
    ///
    /// # Errors
    /// Every file that cannot be read.
    pub fn rule_files(&self) -> Result<Vec<NamedFile>, Vec<PolicyError>> {
        self.policy.rule_files().map_err(|faults| self.placed(faults, Setting::DetectorsRules))
    }

    /// The texts of the model files, as [`Policy::model_files`], with the places that name those
    /// that cannot be read.
    ///
    /// # Errors
    /// Every file that cannot be read.
    pub fn model_files(&self) -> Result<Vec<NamedFile>, Vec<PolicyError>> {
        self.policy.model_files().map_err(|faults| self.placed(faults, Setting::ScanModels))
    }

    /// Faults of files, with the items of the setting that name them.
    fn placed(&self, mut faults: Vec<PolicyError>, setting: Setting) -> Vec<PolicyError> {
        for fault in &mut faults {
            if let PolicyError::NamedFile { origin, item, .. } = fault {
                *origin = self.item_origin(setting, *item);
            }
        }
        faults
    }

    /// The slot map, as [`Policy::slot_map`], with the place that names one that cannot be read.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn slot_map(&self) -> Result<Option<SlotMap>, PolicyError> {
        self.policy.slot_map().map_err(|mut fault| {
            if let PolicyError::SlotMapFile { origin, .. } = &mut fault {
                *origin = self.origin(Setting::SlotMap).clone();
            }
            fault
        })
    }

    fn item_origin(&self, setting: Setting, item: usize) -> Origin {
        self.items[setting as usize].get(item).unwrap_or_else(|| self.origin(setting)).clone()
    }

    fn new() -> Self {
        Self {
            policy: Policy::default(),
            file: None,
            origins: [const { Origin::Default }; _],
            class_origins: [const { Origin::Default }; _],
            action_origins: [const { Origin::Default }; _],
            items: std::array::from_fn(|_| Box::default()),
            allow: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn classes(&mut self, chain: &[&str], layers: &[&Layer<'_>]) {
        for (kind, class) in chain.iter().filter_map(|name| built_in(name)).flat_map(|b| b.classes)
        {
            self.policy.classes[*kind as usize] = *class;
        }
        for (kind, class, place) in layers.iter().flat_map(|layer| &layer.classes) {
            self.policy.classes[*kind as usize] = *class;
            self.class_origins[*kind as usize] = Origin::File(place.clone());
        }
    }

    /// The highest layer that speaks of a kind or of its class holds; in one layer the kind, being
    /// the more specific, comes before the class.
    fn actions(&mut self, layers: &[&Layer<'_>]) {
        for &kind in Kind::ALL {
            let class = self.policy.class(kind);
            let said = layers.iter().rev().find_map(|layer| {
                let of = |wanted| layer.actions.iter().find(|(subject, ..)| *subject == wanted);
                of(Subject::Kind(kind)).or_else(|| of(Subject::Class(class)))
            });
            let i = kind as usize;
            (self.policy.actions[i], self.action_origins[i]) = match said {
                Some((_, action, place)) => (*action, Origin::File(place.clone())),
                None => (Action::default_for(kind, class), Origin::Default),
            };
        }
    }

    /// The entries of all layers hold together.
    fn allow(&mut self, layers: &[&Layer<'_>]) {
        for entry in layers.iter().flat_map(|layer| &layer.allow) {
            self.policy.allow.push(entry.allow.clone());
            self.allow.push((entry.place.clone(), entry.detectors.clone()));
        }
    }

    fn settings(&mut self, layers: &[&Layer<'_>]) {
        for assignment in layers.iter().flat_map(|layer| &layer.assignments) {
            let setting = assignment.setting;
            if setting == Setting::Environment && self.origin(setting) != &Origin::Default {
                continue; // chosen already
            }
            let set = self.policy.settings.set_toml(setting, &assignment.value);
            set.expect("the file's values were checked when it was read");
            self.origins[setting as usize] = Origin::File(assignment.place.clone());
            self.items[setting as usize] =
                assignment.items.iter().cloned().map(Origin::File).collect();
        }
    }

    /// A file that was found lies in a directory that may be anybody's, such as a repository that
    /// was only cloned to be looked at: what it says must not run.
    fn command_of_a_stranger(&self, found: Option<&Found>) -> Option<PolicyError> {
        let origin = self.origin(Setting::KeysCommand);
        let found = found.is_some_and(|found| !found.named);
        let runs = !self.policy.keys_command().is_empty();
        (found && runs && origin.place().is_some())
            .then(|| PolicyError::CommandOfFoundFile { origin: origin.clone() })
    }

    fn token_without_vault(&self) -> Option<PolicyError> {
        let kind = Kind::ALL.iter().find(|kind| self.policy.action(**kind) == Action::Token)?;
        let origin = || self.action_origin(*kind).clone();
        self.policy
            .vault_path()
            .is_none()
            .then(|| PolicyError::TokenWithoutVault { origin: origin(), kind: *kind })
    }

    /// A certificate needs its key, and a key its certificate.
    fn half_an_identity(&self) -> Option<PolicyError> {
        let settings = &self.policy.settings;
        let has = [&settings.sinks_syslog_certificate, &settings.sinks_syslog_key]
            .map(|path| path.0.is_some());
        let (set, missing) = match has {
            [true, false] => (Setting::SinksSyslogCertificate, Setting::SinksSyslogKey),
            [false, true] => (Setting::SinksSyslogKey, Setting::SinksSyslogCertificate),
            _ => return None,
        };
        let origin = self.origin(set).clone();
        Some(PolicyError::HalfAnIdentity { origin, set: set.path(), missing: missing.path() })
    }

    fn warn<'n>(&mut self, found: Option<&Found>, variables: impl Iterator<Item = &'n String>) {
        if let Some(found) = found.filter(|found| found.writable_by_anyone) {
            self.warnings.push(Warning::WritableByAnyone { path: found.path.clone() });
        }
        let names = || Setting::ALL.iter().map(|setting| setting.variable());
        for name in variables.filter(|name| !names().any(|known| known == *name)) {
            let nearest = nearest(name, names().chain([CONFIG_VARIABLE]));
            if let Some(nearest) = nearest.filter(|nearest| nearest != name) {
                self.warnings.push(Warning::UnknownVariable { name: name.clone(), nearest });
            }
        }
        let disabled = self.policy.disabled_detectors();
        for (allow, (place, _)) in self.policy.allow.iter().zip(&self.allow) {
            let (detectors, kinds) = (allow.detectors(), allow.kinds());
            let off = !detectors.is_empty() && detectors.iter().all(|id| disabled.contains(id));
            let kept = |kind: &Kind| self.policy.action(*kind) == Action::Keep;
            if off || !kinds.is_empty() && kinds.iter().all(kept) {
                self.warnings.push(Warning::AllowedAnyway { place: place.clone(), off });
            }
        }
        let environment = self.policy.environment();
        if environment == "development" {
            return;
        }
        for &kind in Kind::ALL {
            let worst = self.policy.class(kind).max(kind.default_class());
            if worst == Class::Restricted && self.policy.action(kind) == Action::Keep {
                let said = self.action_origin(kind);
                let origin = if *said == Origin::Default { self.class_origin(kind) } else { said };
                let (origin, environment) = (origin.clone(), environment.to_owned());
                self.warnings.push(Warning::RestrictedKept { kind, origin, environment });
            }
        }
    }
}
