//! The entries of `[[allow]]`.

use std::borrow::Cow;

use toml::Spanned;

use super::{Item, Layer, Reader, entry};
use crate::{
    Allow, Kind, Place,
    allow::{FIELDS, Written, WrongField},
    value::{Names, Value as _},
};

/// An entry of `[[allow]]`.
#[derive(Clone, Debug)]
pub(crate) struct AllowEntry {
    pub(crate) allow: Allow,
    pub(crate) place: Place,
    /// The places of its detectors.
    pub(crate) detectors: Vec<Place>,
}

impl<'t> Reader<'t> {
    pub(super) fn allow(&mut self, layer: &mut Layer<'t>, prefix: &str, value: &Item<'t>) {
        let path = format!("{prefix}allow");
        match value.as_ref().as_array() {
            Some(items) => {
                layer.allow.extend(items.iter().filter_map(|item| self.allow_entry(&path, item)));
            }
            None => {
                self.wrong(
                    value.span(),
                    format!("`{path}`"),
                    "tables `[[allow]]`".to_owned(),
                    None,
                );
            }
        }
    }

    fn allow_entry(&mut self, path: &str, item: &Item<'t>) -> Option<AllowEntry> {
        let table = self.table(path, item)?;
        let mut written = Written::default();
        let faults = self.faults.len();
        for (key, value) in table {
            self.allow_field(path, key, value, &mut written);
        }
        if self.faults.len() > faults {
            return None;
        }
        let place = |span: std::ops::Range<usize>| self.positions.place(&span);
        let detectors = entry(table, "detectors").and_then(|(_, list)| list.as_ref().as_array());
        let detectors = detectors.into_iter().flat_map(|list| list.iter());
        let detectors = detectors.map(|item| place(item.span())).collect();
        let here = place(item.span());
        match Allow::new(written) {
            Ok(allow) => Some(AllowEntry { allow, place: here, detectors }),
            Err(WrongField { field, expected }) => {
                let span = entry(table, field).map_or_else(|| item.span(), |(_, v)| v.span());
                let name = if field.is_empty() { path } else { &format!("{path}.{field}") };
                self.wrong(span, format!("`{name}`"), expected, None);
                None
            }
        }
    }

    fn allow_field(
        &mut self,
        path: &str,
        key: &Spanned<Cow<'t, str>>,
        value: &Item<'t>,
        written: &mut Written,
    ) {
        let name: &str = key.as_ref();
        let text = value.as_ref().as_str().map(str::to_owned);
        let expected = match name {
            "value" | "regex" | "key" | "path" | "reason" if text.is_none() => "text",
            "value" => return written.value = text,
            "regex" => return written.regex = text,
            "key" => return written.key = text,
            "path" => return written.path = text,
            "reason" => return written.reason = text.unwrap_or_default(),
            "protected" => match value.as_ref().as_bool() {
                Some(yes) => return written.protected = yes,
                None => "true or false",
            },
            "detectors" => match Names::from_toml(value) {
                Ok(Names(names)) => return written.detectors = names,
                Err(_) => "a list of names",
            },
            "kinds" => match self.kinds(path, value) {
                Some(kinds) => return written.kinds = kinds,
                None => "a list of kinds",
            },
            _ => {
                let valid = FIELDS.iter().map(|(name, ..)| *name).collect();
                let section = self.heading(path).replace("`[", "`[[").replace("]`", "]]`");
                return self.unknown_key(key, section, "", valid);
            }
        };
        self.wrong(value.span(), format!("`{path}.{name}`"), expected.to_owned(), None);
    }

    /// A list of kinds. What is no kind is reported, and left out.
    fn kinds(&mut self, path: &str, value: &Item<'t>) -> Option<Vec<Kind>> {
        let mut kinds = Vec::new();
        for item in value.as_ref().as_array()? {
            match item.as_ref().as_str().and_then(Kind::from_name) {
                Some(kind) => kinds.push(kind),
                None => self.wrong_choice(item, format!("`{path}.kinds`"), Kind::NAMES),
            }
        }
        Some(kinds)
    }
}
