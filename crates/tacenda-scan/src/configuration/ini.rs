//! INI files as Python's `configparser` reads them, and `.env` files: sections of names and values,
//! each with its place.

use std::ops::Range;

/// A section.
#[derive(Debug, Default)]
pub(super) struct Section<'t> {
    pub(super) name: &'t str,
    pub(super) entries: Vec<Entry<'t>>,
}

/// A name with its value, which may go on over several lines.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) name: &'t str,
    pub(super) value: String,
    pub(super) place: Range<usize>,
}

impl Section<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Entry<'_>> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

/// The sections of a file; the first has no name.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = vec![Section::default()];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let section = sections.last_mut().expect("never empty");
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = at + line.trim_end().len();
        if indent > 0
            && let Some(entry) = section.entries.last_mut()
        {
            entry.value.push('\n');
            entry.value.push_str(bare);
            entry.place.end = end;
        } else if let Some(name) = bare.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            sections.push(Section { name, entries: Vec::new() });
        } else if let Some((name, value)) = bare.split_once(['=', ':']) {
            // What follows ` #` or ` ;` is a comment where somebody wrote one.
            let value = value.split(" #").next().unwrap_or_default();
            let value = value.split(" ;").next().unwrap_or_default().trim();
            let front = bare.len()
                - bare.split_once(['=', ':']).map_or(0, |(_, rest)| rest.trim_start().len());
            let from = at + indent + front;
            let place = from..(from + value.len()).min(end);
            section.entries.push(Entry { name: name.trim(), value: value.to_owned(), place });
        }
    }
    sections
}

/// The variables of a `.env` file, with the place of the whole line.
pub(super) fn variables(text: &str) -> Vec<Entry<'_>> {
    let mut start = 0;
    let mut entries = Vec::new();
    for line in text.split_inclusive('\n') {
        let at = start + line.len() - line.trim_start().len();
        let end = start + line.trim_end().len();
        start += line.len();
        let bare = line.trim();
        let bare = bare.strip_prefix("export ").unwrap_or(bare);
        if let Some((name, value)) = bare.split_once('=')
            && !bare.starts_with('#')
        {
            let value = value.split(" #").next().unwrap_or_default().trim();
            let place = at.min(end)..end;
            entries.push(Entry { name: name.trim(), value: value.to_owned(), place });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_places() {
        let text = "[a]\n# c\nlevel = DEBUG ; c\nargs: (1,\n   2)\n\n[b]\nx=1\n";
        let sections = sections(text);
        let names: Vec<_> = sections.iter().map(|one| one.name).collect();
        assert_eq!(names, ["", "a", "b"]);
        let level = sections[1].get("LEVEL").unwrap();
        assert_eq!((level.value.as_str(), &text[level.place.clone()]), ("DEBUG", "DEBUG"));
        let args = sections[1].get("args").unwrap();
        assert_eq!((args.value.as_str(), &text[args.place.clone()]), ("(1,\n2)", "(1,\n   2)"));
        let text = "# c\nexport A=1 # c\n B='x'\n";
        let variables = variables(text);
        assert_eq!((variables[0].name, variables[0].value.as_str()), ("A", "1"));
        assert_eq!(&text[variables[1].place.clone()], "B='x'");
    }
}
