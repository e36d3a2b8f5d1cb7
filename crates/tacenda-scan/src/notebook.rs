//! Notebooks (`.ipynb`): their cells of Python as one module, and the way back from a place in it to
//! the cell and to the JSON of the file.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::files::Source;
use crate::finding::{Cell, Region};
use crate::ir::Span;
use crate::lines::Lines;
use crate::scan::Report;

/// Magics of a whole cell below which there is Python all the same.
const PYTHON: &[&str] = &["capture", "prun", "python", "python3", "time", "timeit"];

/// A notebook, read.
#[derive(Debug, Default)]
pub(crate) struct Notebook {
    /// Its cells of code, one after the other. What is no Python is left out, its lines are not.
    pub(crate) code: String,
    cells: Vec<Part>,
    /// From the code to the file: stretches of text that one string of the JSON holds.
    pieces: Vec<Piece>,
}

/// A cell in the code.
#[derive(Debug)]
struct Part {
    number: u32,
    bytes: Range<usize>,
}

#[derive(Debug)]
struct Piece {
    /// Where it begins in the code.
    code: usize,
    /// Where its string is in the file, without the quotes.
    file: Range<usize>,
}

/// Why a notebook cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNotebook {
    /// It is not the JSON of a notebook.
    #[error("line {line}, column {column}: the file is not the JSON of a notebook ({what})")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser met.
        what: &'static str,
    },
    /// It is of the time before 2015.
    #[error(
        "the notebook has format {0}, and 4 is read: `jupyter nbconvert --to notebook` converts it"
    )]
    Old(u32),
}

#[derive(Deserialize)]
struct File<'a> {
    nbformat: u32,
    #[serde(default)]
    metadata: Value,
    #[serde(borrow, default)]
    cells: Vec<FileCell<'a>>,
}

#[derive(Deserialize)]
struct FileCell<'a> {
    #[serde(borrow)]
    cell_type: Cow<'a, str>,
    #[serde(borrow)]
    source: Text<'a>,
}

/// A text, whole or by lines.
struct Text<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let wrong = |error: serde_json::Error| serde::de::Error::custom(error);
        let parts = if raw.get().starts_with('[') {
            serde_json::from_str(raw.get()).map_err(wrong)?
        } else {
            vec![raw]
        };
        if parts.iter().all(|part: &&RawValue| part.get().starts_with('"')) {
            return Ok(Self(parts));
        }
        Err(serde::de::Error::custom("the source of a cell is no text"))
    }
}

/// Tells of what was found in notebooks in which cells it is.
pub(crate) fn place(report: &mut Report, sources: &[Source]) {
    for source in sources.iter().filter(|source| is_notebook(&source.path)) {
        let Ok(text) = source.raw() else { continue };
        let Ok(notebook) = Notebook::parse(&text) else { continue };
        let (code, file) = (Lines::new(&notebook.code), Lines::new(&text));
        let place = |bytes, region| notebook.place(bytes, region, &code, (&text, &file));
        for finding in report.findings.iter_mut().chain(&mut report.suppressed) {
            if finding.path == source.path
                && let Some((region, cell)) = place(&finding.bytes, finding.region)
            {
                (finding.region, finding.cell) = (region, Some(cell));
            }
            for stop in finding.way.iter_mut().filter(|stop| stop.path == source.path) {
                if let Some((region, cell)) = place(&stop.bytes, stop.region) {
                    (stop.region, stop.cell) = (region, Some(cell));
                }
            }
        }
        for unused in report.unused.iter_mut().filter(|unused| unused.path == source.path) {
            if let Some((cell, line)) = notebook.line(unused.line, &code) {
                (unused.cell, unused.line) = (Some(cell), line);
            }
        }
    }
}

/// Whether a file is a notebook, by its name.
pub(crate) fn is_notebook(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ipynb")
}

impl Notebook {
    /// Reads a file.
    pub(crate) fn parse(text: &str) -> Result<Self, BadNotebook> {
        let malformed = |error: &serde_json::Error| BadNotebook::Malformed {
            line: error.line(),
            column: error.column(),
            what: match error.classify() {
                serde_json::error::Category::Eof => "it ends too early",
                serde_json::error::Category::Data => "a part is missing or another than expected",
                _ => "this is no JSON",
            },
        };
        let file: File<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        if file.nbformat < 4 {
            return Err(BadNotebook::Old(file.nbformat));
        }
        let mut notebook = Self::default();
        let places = ["/language_info/name", "/kernelspec/language"];
        let language = places.iter().find_map(|place| file.metadata.pointer(place)?.as_str());
        if !language.is_none_or(|language| language.eq_ignore_ascii_case("python")) {
            return Ok(notebook);
        }
        for (at, cell) in file.cells.iter().enumerate() {
            if cell.cell_type == "code" {
                let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
                notebook.add(number, &cell.source, text).map_err(|error| malformed(&error))?;
            }
        }
        Ok(notebook)
    }

    fn add(&mut self, number: u32, source: &Text<'_>, file: &str) -> Result<(), serde_json::Error> {
        let start = self.code.len();
        for raw in &source.0 {
            // Where a part of a text lies is how far it is from the beginning.
            let at = raw.get().as_ptr().addr() - file.as_ptr().addr();
            self.pieces
                .push(Piece { code: self.code.len(), file: at + 1..at + raw.get().len() - 1 });
            self.code.push_str(&serde_json::from_str::<Cow<'_, str>>(raw.get())?);
        }
        let cell = &self.code[start..];
        if let Some(magic) = cell.trim_start().strip_prefix("%%") {
            let name = magic.split(|letter: char| !letter.is_alphanumeric()).next();
            let shown = cell.len() - cell.trim_start().len();
            let first = cell[shown..].find('\n').map_or(cell.len(), |end| shown + end);
            let is_python = name.is_some_and(|name| PYTHON.contains(&name));
            let end = if is_python { first } else { cell.len() };
            let blank = blank(&cell[..end]);
            self.code.replace_range(start..start + end, &blank);
        }
        self.cells.push(Part { number, bytes: start..self.code.len() });
        // Cells are statements of their own, whether their last line ends or not.
        self.code.push('\n');
        Ok(())
    }

    /// The cell of a place in the code, and the place in it: its lines count from that of the cell.
    pub(crate) fn place(
        &self,
        bytes: &Range<usize>,
        region: Region,
        code: &Lines,
        file: (&str, &Lines),
    ) -> Option<(Region, Cell)> {
        let at = self.cells.partition_point(|cell| cell.bytes.start <= bytes.start);
        let cell = self.cells.get(at.checked_sub(1)?)?;
        let before = code.number(cell.bytes.start) - 1;
        let inside =
            Region { line: region.line - before, end_line: region.end_line - before, ..region };
        let (text, lines) = file;
        let place = |at| u32::try_from(self.in_file(at, text)).unwrap_or(u32::MAX);
        let end = bytes.end.min(cell.bytes.end).max(bytes.start);
        let in_file = lines.region(text, Span { start: place(bytes.start), end: place(end) });
        Some((inside, Cell { number: cell.number, bytes: cell.bytes.clone(), file: in_file }))
    }

    /// The cell of a line of the code, and the line in it.
    pub(crate) fn line(&self, line: u32, code: &Lines) -> Option<(u32, u32)> {
        let starts = self.cells.iter().map(|cell| (cell, code.number(cell.bytes.start)));
        let (cell, first) = starts.take_while(|(_, first)| *first <= line).last()?;
        Some((cell.number, line - first + 1))
    }

    /// Where a byte of the code is in the file.
    fn in_file(&self, at: usize, file: &str) -> usize {
        let place = self.pieces.partition_point(|piece| piece.code <= at);
        let Some(piece) = place.checked_sub(1).and_then(|place| self.pieces.get(place)) else {
            return 0;
        };
        let raw = &file[piece.file.clone()];
        let mut left = at - piece.code;
        let mut letters = raw.char_indices();
        while left > 0 {
            let Some((_, letter)) = letters.next() else { break };
            let length = match letter {
                '\\' => match letters.next() {
                    Some((_, 'u')) => escaped(&mut letters),
                    _ => 1,
                },
                letter => letter.len_utf8(),
            };
            left = left.saturating_sub(length);
        }
        piece.file.start + raw.len() - letters.as_str().len()
    }
}

/// Takes `XXXX` of `\uXXXX`, and a second one where two make a character; how many bytes that has.
fn escaped(letters: &mut std::str::CharIndices<'_>) -> usize {
    let mut take = || {
        let digits = letters.as_str().get(..4).and_then(|four| u32::from_str_radix(four, 16).ok());
        letters.by_ref().nth(3);
        digits.unwrap_or(0)
    };
    match take() {
        0xD800..0xDC00 => {
            // The other half, behind its own `\u`.
            letters.by_ref().nth(5);
            4
        }
        code => char::from_u32(code).map_or(3, char::len_utf8),
    }
}

/// A text of which only the ends of lines are left; of the same length.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(source: &str) -> String {
        format!(
            r##"{{"nbformat": 4, "cells": [
 {{"cell_type": "markdown", "source": "# Title"}},
 {{"cell_type": "code", "outputs": [], "source": {source}}}
]}}"##
        )
    }

    #[test]
    fn a_place_in_the_code_is_found_in_the_file() {
        let file = notebook(r#"["é = \"\u00e9\ud83d\ude00\"\n",   "print(é)"]"#);
        let read = Notebook::parse(&file).unwrap();
        assert_eq!(read.code, "é = \"é😀\"\nprint(é)\n");
        for word in ["é = ", "print", "(é)"] {
            let at = read.code.find(word).unwrap();
            assert!(file[read.in_file(at, &file)..].starts_with(word), "{word}");
        }
        let quote = read.code.rfind('"').unwrap();
        assert!(file[read.in_file(quote, &file)..].starts_with(r#"\"\n"#));
        let lines = (Lines::new(&read.code), Lines::new(&file));
        let start = read.code.find("print").unwrap();
        let span =
            Span { start: u32::try_from(start).unwrap(), end: u32::try_from(start + 5).unwrap() };
        let region = lines.0.region(&read.code, span);
        let (inside, cell) =
            read.place(&(start..start + 5), region, &lines.0, (&file, &lines.1)).unwrap();
        assert_eq!((cell.number, inside.line, inside.column, inside.end_column), (2, 2, 1, 6));
        assert_eq!(cell.file.line, 3);
        assert_eq!(read.line(2, &lines.0), Some((2, 2)));
    }

    #[test]
    fn cells_of_other_languages_keep_their_lines_only() {
        let code = |source: &str| Notebook::parse(&notebook(source)).unwrap().code;
        assert_eq!(code(r#""%%bash\necho é\n""#).trim(), "");
        assert_eq!(code(r#""%%bash\necho é\n""#).matches('\n').count(), 3);
        assert_eq!(code(r#""%%time\nx = 1""#).trim(), "x = 1");
        assert_eq!(code(r#""%time x = 1""#), "%time x = 1\n");
        let r = r#"{"nbformat": 4, "metadata": {"kernelspec": {"language": "R"}}, "cells": [{"cell_type": "code", "source": "x <- 1"}]}"#;
        assert_eq!(Notebook::parse(r).unwrap().code, "");
    }

    #[test]
    fn what_is_no_notebook_is_told_with_its_place() {
        let told = |text: &str| Notebook::parse(text).unwrap_err().to_string();
        assert!(told("{\n  \"nbformat\": 4,\n  oops}").starts_with("line 3, column 3"));
        assert!(told("").contains("it ends too early"));
        assert!(told("[]").contains("another than expected"));
        assert!(told(&notebook("7")).contains("another than expected"));
        assert!(told(r#"{"nbformat": 3, "worksheets": []}"#).contains("format 3"));
    }
}
