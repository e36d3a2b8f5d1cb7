//! The policy file: TOML in, valid layers out, every fault found with its place.

mod allow;

use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    Action, Class, Kind, Origin, Place, PolicyError, Setting,
    discover::is_pyproject,
    environment::{BUILT_IN, built_in},
    nearest::{is_word, nearest},
    place::Positions,
    setting::{Settings, Unexpected},
    value::{EnvironmentName, Value as _, one_of},
};

pub(crate) use allow::AllowEntry;

/// What one action is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Kind(Kind),
    Class(Class),
}

/// The value of one setting, already checked.
#[derive(Debug)]
pub(crate) struct Assignment<'t> {
    pub(crate) setting: Setting,
    pub(crate) value: Spanned<DeValue<'t>>,
    pub(crate) place: Place,
    /// The places of the items, for a list.
    pub(crate) items: Vec<Place>,
}

/// What the top level of the file, or one environment, says.
#[derive(Debug, Default)]
pub(crate) struct Layer<'t> {
    pub(crate) classes: Vec<(Kind, Class, Place)>,
    pub(crate) actions: Vec<(Subject, Action, Place)>,
    pub(crate) assignments: Vec<Assignment<'t>>,
    pub(crate) allow: Vec<AllowEntry>,
}

#[derive(Debug, Default)]
pub(crate) struct Environment<'t> {
    pub(crate) extends: Option<(String, Place)>,
    pub(crate) layer: Layer<'t>,
}

/// A policy file, valid but for the faults that came with it.
#[derive(Debug, Default)]
pub(crate) struct PolicyFile<'t> {
    pub(crate) root: Layer<'t>,
    pub(crate) environments: BTreeMap<String, Environment<'t>>,
}

impl<'t> PolicyFile<'t> {
    /// Reads the text of a file, which is shown to people under this name. The faults come in the
    /// order of the file; what has none is in the result.
    pub(crate) fn parse(shown: Arc<Path>, text: &'t str) -> (Self, Vec<PolicyError>) {
        let mut reader = Reader {
            positions: Positions::new(shown, text),
            file: Self::default(),
            faults: vec![],
        };
        match DeTable::parse(text) {
            Ok(document) => reader.document(&document),
            Err(error) => {
                let place = reader.positions.place(&error.span().unwrap_or(0..0));
                // Fixed words of the parser; its `Display` would show the line.
                let reason = error.message().to_owned();
                reader.faults.push(PolicyError::Syntax { place, reason });
            }
        }
        reader.faults.sort_by_key(|fault| fault.place().map(|place| (place.line, place.column)));
        (reader.file, reader.faults)
    }

    /// The environments that exist, built-in ones first.
    pub(crate) fn environment_names(&self) -> Vec<String> {
        let own = self.environments.keys().filter(|name| built_in(name).is_none()).cloned();
        BUILT_IN.iter().map(|environment| environment.name.to_owned()).chain(own).collect()
    }

    /// The names of an environment and of those it extends, the outermost base first.
    pub(crate) fn chain(&self, name: &str) -> Vec<&str> {
        let mut chain = Vec::new();
        let mut next = self.environments.get_key_value(name);
        if next.is_none() {
            chain.extend(built_in(name).map(|environment| environment.name));
        }
        while let Some((name, environment)) = next {
            if chain.contains(&name.as_str()) {
                break; // a circle, reported by `check_extends`
            }
            chain.push(name);
            let Some((base, _)) = &environment.extends else { break };
            next = self.environments.get_key_value(base);
            if next.is_none() {
                chain.extend(built_in(base).map(|environment| environment.name));
            }
        }
        chain.reverse();
        chain
    }
}

struct Reader<'t> {
    positions: Positions<'t>,
    file: PolicyFile<'t>,
    faults: Vec<PolicyError>,
}

type Item<'t> = Spanned<DeValue<'t>>;

impl<'t> Reader<'t> {
    fn document(&mut self, document: &Spanned<DeTable<'t>>) {
        let mut table = document.as_ref();
        if is_pyproject(self.positions.file()) {
            for name in ["tool", "tacenda"] {
                let Some((_, value)) = entry(table, name) else {
                    let path = self.positions.file().to_owned();
                    return self.faults.push(PolicyError::NoSection { path });
                };
                let Some(inner) = self.table(name, value) else { return };
                table = inner;
            }
        }
        let mut root = Layer::default();
        for (key, value) in table {
            match key.as_ref().as_ref() {
                "environment" => self.assign(&mut root, Setting::Environment, value),
                "environments" => self.environments(value),
                name if self.section(&mut root, "", name, value) => {}
                _ => {
                    let valid = top_level_keys(&["environment", "environments"]);
                    self.unknown_key(key, self.heading(""), "", valid);
                }
            }
        }
        self.file.root = root;
        self.check_extends();
    }

    fn environments(&mut self, value: &Item<'t>) {
        let Some(table) = self.table("environments", value) else { return };
        for (key, value) in table {
            let Some(EnvironmentName(name)) = EnvironmentName::from_text(key.as_ref()) else {
                let expected = EnvironmentName::expected();
                self.wrong(key.span(), "a key of `[environments]`".to_owned(), expected, None);
                continue;
            };
            let prefix = format!("environments.{name}.");
            let Some(table) = self.table(prefix.trim_end_matches('.'), value) else { continue };
            let mut environment = Environment::default();
            for (key, value) in table {
                match key.as_ref().as_ref() {
                    "extends" => environment.extends = self.extends(&prefix, value),
                    name if self.section(&mut environment.layer, &prefix, name, value) => {}
                    _ => {
                        let section = self.heading(prefix.trim_end_matches('.'));
                        self.unknown_key(key, section, &prefix, top_level_keys(&["extends"]));
                    }
                }
            }
            self.file.environments.insert(name, environment);
        }
    }

    fn extends(&mut self, prefix: &str, value: &Item<'t>) -> Option<(String, Place)> {
        let base = value.as_ref().as_str().and_then(EnvironmentName::from_text);
        if base.is_none() {
            let expected = EnvironmentName::expected();
            self.wrong(value.span(), format!("`{prefix}extends`"), expected, None);
        }
        base.map(|EnvironmentName(base)| (base, self.positions.place(&value.span())))
    }

    fn check_extends(&mut self) {
        let file = &self.file;
        for (name, environment) in &file.environments {
            let Some((base, place)) = &environment.extends else { continue };
            if !file.environments.contains_key(base) && built_in(base).is_none() {
                let known = file.environment_names();
                self.faults.push(PolicyError::UnknownEnvironment {
                    origin: Origin::File(place.clone()),
                    name: format!("`environments.{name}.extends`"),
                    nearest: nearest(base, known.iter().map(String::as_str)).map(str::to_owned),
                    known,
                });
            }
            // Every member of a circle is in its own chain of bases; the first in order speaks for
            // all of them.
            let chain = file.chain(base);
            if chain.contains(&name.as_str()) && chain.iter().all(|&other| *name.as_str() <= *other)
            {
                self.faults
                    .push(PolicyError::Cycle { place: place.clone(), environment: name.clone() });
            }
        }
    }

    /// Reads what may stand both at the top level and in an environment. False if the key is no
    /// section.
    fn section(
        &mut self,
        layer: &mut Layer<'t>,
        prefix: &str,
        name: &str,
        value: &Item<'t>,
    ) -> bool {
        if name == "allow" {
            self.allow(layer, prefix, value);
            return true;
        }
        if !SECTIONS.contains(&name) && !Setting::sections().contains(&name) {
            return false;
        }
        let path = format!("{prefix}{name}");
        let Some(table) = self.table(&path, value) else { return true };
        for (key, value) in table {
            let written = key.as_ref().as_ref();
            let known = match name {
                "classes" => {
                    Kind::from_name(written).map(|kind| self.class(layer, &path, kind, value))
                }
                "actions" => subject(written)
                    .map(|subject| self.action(layer, &path, subject, written, value)),
                _ => Setting::of_section(name)
                    .find(|setting| setting.section_and_key().1 == written)
                    .map(|setting| self.assign(layer, setting, value)),
            };
            if known.is_none() {
                self.unknown_key(key, self.heading(&path), prefix, section_keys(name));
            }
        }
        true
    }

    fn class(&mut self, layer: &mut Layer<'t>, path: &str, kind: Kind, value: &Item<'t>) {
        match value.as_ref().as_str().and_then(Class::from_name) {
            Some(class) => {
                layer.classes.push((kind, class, self.positions.place(&value.span())));
            }
            None => self.wrong_choice(value, format!("`{path}.{kind}`"), Class::NAMES),
        }
    }

    fn action(
        &mut self,
        layer: &mut Layer<'t>,
        path: &str,
        subject: Subject,
        name: &str,
        value: &Item<'t>,
    ) {
        match value.as_ref().as_str().and_then(Action::from_name) {
            Some(action) => {
                layer.actions.push((subject, action, self.positions.place(&value.span())));
            }
            None => self.wrong_choice(value, format!("`{path}.{name}`"), Action::NAMES),
        }
    }

    fn assign(&mut self, layer: &mut Layer<'t>, setting: Setting, value: &Item<'t>) {
        match Settings::default().set_toml(setting, value) {
            Ok(()) => {
                let items = value.as_ref().as_array().into_iter().flat_map(|items| items.iter());
                layer.assignments.push(Assignment {
                    setting,
                    value: value.clone(),
                    place: self.positions.place(&value.span()),
                    items: items.map(|item| self.positions.place(&item.span())).collect(),
                });
            }
            Err(Unexpected { span, expected, nearest }) => {
                let span = span.unwrap_or_else(|| value.span());
                self.wrong(span, format!("`{setting}`"), expected, nearest);
            }
        }
    }

    /// "in `[guard]`", as the section is headed in this file.
    fn heading(&self, path: &str) -> String {
        match (path, is_pyproject(self.positions.file())) {
            ("", false) => "at the top level".to_owned(),
            ("", true) => "in `[tool.tacenda]`".to_owned(),
            (_, false) => format!("in `[{path}]`"),
            (_, true) => format!("in `[tool.tacenda.{path}]`"),
        }
    }

    fn table<'v>(&mut self, name: &str, value: &'v Item<'t>) -> Option<&'v DeTable<'t>> {
        let table = value.as_ref().as_table();
        if table.is_none() {
            self.wrong(value.span(), format!("`{name}`"), "a table".to_owned(), None);
        }
        table
    }

    fn wrong_choice(&mut self, value: &Item<'t>, name: String, choices: &[&'static str]) {
        let near = value.as_ref().as_str().and_then(|v| nearest(v, choices.iter().copied()));
        self.wrong(value.span(), name, one_of(choices), near);
    }

    fn wrong(
        &mut self,
        span: Range<usize>,
        name: String,
        expected: String,
        nearest: Option<&'static str>,
    ) {
        let origin = Origin::File(self.positions.place(&span));
        self.faults.push(PolicyError::WrongValue { origin, name, expected, nearest });
    }

    /// A key that is not valid here. `prefix` leads to the sections that a setting of that name
    /// would have its place in.
    fn unknown_key(
        &mut self,
        key: &Spanned<std::borrow::Cow<'t, str>>,
        section: String,
        prefix: &str,
        valid: Vec<&'static str>,
    ) {
        let written = key.as_ref().as_ref();
        let elsewhere = || {
            let setting = Setting::ALL.iter().find(|s| s.section_and_key().1 == written)?;
            let (section, _) = setting.section_and_key();
            (!section.is_empty()).then(|| format!("{prefix}{setting}"))
        };
        let near = nearest(written, valid.iter().copied()).map(str::to_owned).or_else(elsewhere);
        self.faults.push(PolicyError::UnknownKey {
            place: self.positions.place(&key.span()),
            key: is_word(written).then(|| written.into()),
            section: section.into(),
            nearest: near.map(Into::into),
            valid: valid.into(),
        });
    }
}

/// The sections that are no settings.
const SECTIONS: &[&str] = &["classes", "actions", "allow"];

fn top_level_keys(own: &[&'static str]) -> Vec<&'static str> {
    [own, SECTIONS, &Setting::sections()].concat()
}

fn section_keys(section: &str) -> Vec<&'static str> {
    match section {
        "classes" => Kind::NAMES.to_vec(),
        "actions" => [Class::NAMES, Kind::NAMES].concat(),
        _ => Setting::of_section(section).map(|setting| setting.section_and_key().1).collect(),
    }
}

fn subject(name: &str) -> Option<Subject> {
    let kind = Kind::from_name(name).map(Subject::Kind);
    kind.or_else(|| Class::from_name(name).map(Subject::Class))
}

fn entry<'v, 't>(
    table: &'v DeTable<'t>,
    name: &str,
) -> Option<(&'v Spanned<std::borrow::Cow<'t, str>>, &'v Item<'t>)> {
    table.iter().find(|(key, _)| key.as_ref() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_has_the_name_of_a_class() {
        assert!(Kind::NAMES.iter().all(|name| Class::from_name(name).is_none()));
    }

    #[test]
    fn a_chain_ends_at_its_outermost_base() {
        let text = "[environments.a]\nextends = 'b'\n[environments.b]\nextends = 'production'";
        let (file, faults) = PolicyFile::parse(Path::new("tacenda.toml").into(), text);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(file.chain("a"), ["production", "b", "a"]);
        assert_eq!(file.chain("development"), ["development"]);
        assert!(file.chain("c").is_empty());
    }
}
