//! `tacenda rules list`: every detector on a line.

use std::io::Write;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use tacenda_policy::Kind;

use super::{Catalogue, Format, origin};
use crate::config::PolicyArgs;
use crate::failure::Failure;

/// List the detectors: id, kind, confidence, family and origin
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only detectors of this kind
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::NAMES),
          hide_possible_values = true)]
    kind: Option<String>,

    /// Only the user's own
    #[arg(long)]
    own: bool,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(super) fn run(args: &ListArgs) -> Result<ExitCode, Failure> {
    let catalogue = Catalogue::load(&args.policy)?;
    let wanted = |kind: &String| args.kind.as_ref().is_none_or(|wanted| wanted == kind);
    let mut out = anstream::stdout().lock();
    let mut total = 0;
    let mut detectors = Vec::new();
    let files: Vec<_> = catalogue.files().filter(|(_, builtin)| !(args.own && *builtin)).collect();
    let rules = || files.iter().flat_map(|(file, _)| &file.rules().detectors);
    let width = |text: fn(&tacenda_detect::DetectorRule) -> &str| {
        rules().map(|rule| text(rule).len()).max().unwrap_or(0)
    };
    let (ids, kinds) = (width(|rule| rule.id.as_ref()), width(|rule| rule.kind.as_ref()));
    for &(file, builtin) in &files {
        let family = file.rules();
        let of_kind = || family.detectors.iter().filter(|rule| wanted(rule.kind.as_ref()));
        let count = of_kind().count();
        if count == 0 {
            continue;
        }
        total += count;
        if args.format == Format::Json {
            detectors.extend(of_kind().map(|rule| {
                json!({
                    "id": rule.id.as_ref(),
                    "description": rule.description.as_ref(),
                    "kind": rule.kind.as_ref(),
                    "confidence": rule.confidence.as_ref(),
                    "family": family.family,
                    "origin": origin(file, builtin),
                    "enabled": !catalogue.is_off(rule),
                })
            }));
            continue;
        }
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#} ({count}, {})", family.family, origin(file, builtin))?;
        for rule in of_kind() {
            let (id, kind) = (rule.id.as_ref(), rule.kind.as_ref());
            let off = if catalogue.is_off(rule) { "  off" } else { "" };
            let confidence = rule.confidence.as_ref();
            writeln!(out, "  {id:<ids$}  {kind:<kinds$}  {confidence}{off}")?;
        }
        writeln!(out)?;
    }
    match args.format {
        Format::Json => writeln!(out, "{:#}", json!({ "detectors": detectors }))?,
        Format::Text => {
            writeln!(out, "{total} detector{}", if total == 1 { "" } else { "s" })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
