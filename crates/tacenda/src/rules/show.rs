//! `tacenda rules show`: one detector in full.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::{Value as Json, json};
use tacenda_detect::{DetectorRule, RuleSource, Spanned};

use super::{Catalogue, Format, origin, path};
use crate::config::PolicyArgs;
use crate::detectors::unknown_detector;
use crate::failure::Failure;

/// Show detectors: what they find, how, and what they leave alone
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Ids of detectors, as `tacenda rules` lists them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(super) fn run(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let catalogue = Catalogue::load(&args.policy)?;
    let found = args.ids.iter().map(|id| find(&catalogue, id)).collect::<Result<Vec<_>, _>>()?;
    let mut out = anstream::stdout().lock();
    match args.format {
        Format::Text => {
            for (i, shown) in found.iter().enumerate() {
                if i > 0 {
                    writeln!(out)?;
                }
                shown.text(&mut out)?;
            }
        }
        Format::Json => {
            let detectors: Vec<Json> = found.iter().map(Shown::json).collect();
            writeln!(out, "{:#}", json!({ "detectors": detectors }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A detector, and where it is from.
struct Shown<'c> {
    rule: &'c DetectorRule,
    file: &'c RuleSource,
    builtin: bool,
    off: bool,
}

fn find<'c>(catalogue: &'c Catalogue, id: &str) -> Result<Shown<'c>, Failure> {
    let all = || {
        catalogue.files().flat_map(|(file, builtin)| {
            file.rules().detectors.iter().map(move |rule| (file, builtin, rule))
        })
    };
    if let Some((file, builtin, rule)) = all().find(|(.., rule)| rule.id.as_ref() == id) {
        return Ok(Shown { rule, file, builtin, off: catalogue.is_off(rule) });
    }
    Err(unknown_detector(id, all().map(|(.., rule)| rule.id.as_ref().as_str())))
}

impl Shown<'_> {
    fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let rule = self.rule;
        let bold = Style::new().bold();
        let (kind, confidence) = (rule.kind.as_ref(), rule.confidence.as_ref());
        let off = if self.off { ", off" } else { "" };
        let origin = origin(self.file, self.builtin);
        writeln!(
            out,
            "{bold}{}{bold:#} ({kind}, confidence {confidence}, {origin}{off})",
            rule.id.as_ref()
        )?;
        writeln!(out, "{}", rule.description.as_ref())?;
        writeln!(out)?;
        for (name, value) in self.conditions() {
            writeln!(out, "  {name:<12}{value}")?;
        }
        let green = AnsiColor::Green.on_default();
        writeln!(out, "\n  finds")?;
        for example in &rule.examples {
            let marked = line(example.as_ref());
            let marked =
                marked.replace('«', &format!("{green}«")).replace('»', &format!("»{green:#}"));
            writeln!(out, "    {marked}")?;
        }
        writeln!(out, "\n  leaves alone")?;
        for example in &rule.counter_examples {
            writeln!(out, "    {}", line(example.as_ref()))?;
        }
        Ok(())
    }

    /// How it is found, where the rule says so.
    fn conditions(&self) -> Vec<(&'static str, String)> {
        let rule = self.rule;
        let mut conditions = vec![("file", path(self.file.name()))];
        conditions.push(("family", self.file.rules().family.clone()));
        for (name, one) in self.texts() {
            conditions.extend(one.map(|text| (name, text.to_owned())));
        }
        for (_, label, many) in self.lists().into_iter().filter(|(.., many)| !many.is_empty()) {
            conditions.push((label, written(many).collect::<Vec<_>>().join(", ")));
        }
        if rule.min_entropy > 0.0 {
            conditions.push(("entropy", format!("at least {} bits a byte", rule.min_entropy)));
        }
        conditions.push(("length", format!("at most {} bytes", rule.max_len())));
        conditions
    }

    fn json(&self) -> Json {
        let rule = self.rule;
        let mut json = json!({
            "id": rule.id.as_ref(),
            "description": rule.description.as_ref(),
            "kind": rule.kind.as_ref(),
            "confidence": rule.confidence.as_ref(),
            "family": self.file.rules().family,
            "origin": origin(self.file, self.builtin),
            "file": path(self.file.name()),
            "enabled": !self.off,
            "min_entropy": f64::from(rule.min_entropy),
            "max_len": rule.max_len(),
            "examples": written(&rule.examples).collect::<Json>(),
            "counter_examples": written(&rule.counter_examples).collect::<Json>(),
        });
        for (key, one) in self.texts() {
            json[key] = one.into();
        }
        for (key, _, many) in self.lists() {
            json[key] = written(many).collect();
        }
        json
    }

    /// The fields of the rule that are one text each.
    fn texts(&self) -> [(&'static str, Option<&str>); 4] {
        let Self { rule, .. } = self;
        [
            ("pattern", &rule.pattern),
            ("matcher", &rule.matcher),
            ("check", &rule.check),
            ("validator", &rule.validator),
        ]
        .map(|(key, text)| (key, text.as_ref().map(|text| text.as_ref().as_str())))
    }

    /// The fields of the rule that are lists, examples aside, and what people call them.
    fn lists(&self) -> [(&'static str, &'static str, &[Spanned<String>]); 8] {
        let Self { rule, .. } = self;
        [
            ("forms", "forms", &rule.forms),
            ("alone", "alone", &rule.alone),
            ("near", "near words", &rule.near),
            ("words", "words", &rule.words),
            ("keywords", "keywords", &rule.keywords),
            ("keys", "keys", &rule.keys),
            ("not_keys", "not keys", &rule.not_keys),
            ("context", "context", &rule.context),
        ]
    }
}

/// Texts of a rule, as they are.
fn written(texts: &[Spanned<String>]) -> impl Iterator<Item = &str> {
    texts.iter().map(|text| text.as_ref().as_str())
}

/// A text on one line of the terminal.
fn line(text: &str) -> String {
    let visible = |letter: char| match letter {
        '\n' => "⏎".to_owned(),
        '\t' => "⇥".to_owned(),
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    text.chars().map(visible).collect()
}
