//! `tacenda config`: the policy in force, where each of its values came from, and what is wrong.

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};
use tacenda_policy::{
    Allow, Kind, Loaded, Loader, Origin, Place, PolicyError, Setting, Warning, json_schema,
};
use tacenda_redact::engine_with;

use crate::failure::{Failure, print, reason};
use crate::scan::models_of;

/// The flags of every command that needs a policy.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PolicyArgs {
    /// Policy file, in place of the nearest tacenda.toml or pyproject.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Environment of the policy: production, development or one of the policy file
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

impl PolicyArgs {
    /// The layers of configuration that surround this call, with these flags on top. The caller
    /// adds its own flags by [`Loader::argument`].
    pub(crate) fn loader(&self) -> Loader {
        self.on(Loader::new())
    }

    /// The same in another working directory.
    #[cfg(feature = "lsp")]
    pub(crate) fn loader_in(&self, directory: &std::path::Path) -> Loader {
        self.on(Loader::new().directory(directory))
    }

    fn on(&self, mut layers: Loader) -> Loader {
        if let Some(path) = &self.config {
            layers = layers.file(path);
        }
        if let Some(name) = &self.environment {
            layers = layers.argument(Setting::Environment, "--environment", name);
        }
        layers
    }
}

/// The policy in force, with its rule files and the names of its detectors checked too.
///
/// # Errors
/// Every fault, at least one; [`report_faults`] prints them.
pub(crate) fn load(layers: &Loader) -> Result<Loaded, Vec<PolicyError>> {
    let loaded = layers.check()?;
    let engine = engine_with(loaded.policy(), &loaded.rule_files()?)?;
    let known: Vec<&str> = engine.detectors().map(|detector| detector.id).collect();
    let unknown = loaded.unknown_detectors(&known);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    Ok(loaded)
}

/// The same, with its warnings on standard error: for what works under the policy.
pub(crate) fn load_and_warn(layers: &Loader) -> Result<Loaded, Failure> {
    let loaded = load(layers)?;
    report_warnings(&mut anstream::stderr().lock(), loaded.warnings())?;
    Ok(loaded)
}

/// Show the policy in force and where each value came from, or check the policy file
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigArgs {
    /// Show the policy in force and the origin of each value (the default)
    #[arg(long, conflicts_with_all = ["check", "schema"])]
    show: bool,

    /// Report every fault of the policy, or of FILE, and show nothing else
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["schema", "format"])]
    #[expect(clippy::option_option, reason = "absent, without a file, with a file")]
    check: Option<Option<PathBuf>>,

    /// Print the JSON Schema of the policy file
    #[arg(long, conflicts_with_all = ["format", "config", "environment"])]
    schema: bool,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned tables for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// Exit status 0, or 2 if the policy is wrong; the faults are then on standard error.
///
/// # Errors
/// When standard output or standard error cannot be written.
pub(crate) fn run(args: &ConfigArgs) -> io::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    if args.schema {
        writeln!(out, "{:#}", json_schema())?;
        return Ok(ExitCode::SUCCESS);
    }
    // clap would refuse `--check --config FILE` too, which is plain.
    if matches!(args.check, Some(Some(_))) && args.policy.config.is_some() {
        let style = AnsiColor::Red.on_default().bold();
        let message = "`--check FILE` and `--config FILE` both name the policy file";
        print(&mut err, ("error", style), message, None, Some("name it once"))?;
        return Ok(ExitCode::from(2));
    }
    let mut layers = args.policy.loader();
    if let Some(Some(path)) = &args.check {
        layers = layers.file(path);
    }
    let whole = |loaded: Loaded| {
        loaded.slot_map().map_err(|fault| vec![fault])?;
        models_of(&loaded)?;
        Ok(loaded)
    };
    let loaded = match load(&layers).and_then(whole) {
        Ok(loaded) => loaded,
        Err(faults) => {
            report_faults(&mut err, &faults)?;
            return Ok(ExitCode::from(2));
        }
    };
    match (&args.check, args.format) {
        (Some(_), _) => match loaded.file() {
            Some(file) => writeln!(out, "{}: valid", file.display())?,
            None => writeln!(out, "no policy file: the defaults hold")?,
        },
        (None, Format::Text) => show_text(&mut out, &loaded)?,
        (None, Format::Json) => writeln!(out, "{:#}", show_json(&loaded))?,
    }
    if args.format == Format::Text {
        report_warnings(&mut err, loaded.warnings())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is wrong, where, and the way out.
pub(crate) fn report_faults(out: &mut impl Write, faults: &[PolicyError]) -> io::Result<()> {
    let style = AnsiColor::Red.on_default().bold();
    faults.iter().try_for_each(|fault| match fault {
        PolicyError::Unreadable { path, source } => {
            let message = format!("cannot read the policy file: {}", reason(source));
            // A file that was looked for exists: this one was named.
            let missing = source.kind() == io::ErrorKind::NotFound;
            let hint = missing.then_some("check the file that --config or TACENDA_CONFIG names");
            print(out, ("error", style), &message, Some(&path.display()), hint)
        }
        fault => {
            let place = fault.place().map(|place| place as &dyn Display);
            print(out, ("error", style), &fault.to_string(), place, fault.hint().as_deref())
        }
    })
}

/// Prints what looks unwise.
fn report_warnings(out: &mut impl Write, warnings: &[Warning]) -> io::Result<()> {
    let style = AnsiColor::Yellow.on_default().bold();
    warnings.iter().try_for_each(|warning| {
        let (message, hint) = (warning.to_string(), warning.hint());
        let place = warning.place().map(|place| place as &dyn Display);
        print(out, ("warning", style), &message, place, Some(&hint))
    })
}

fn show_text(out: &mut impl Write, loaded: &Loaded) -> io::Result<()> {
    match loaded.file() {
        Some(file) => writeln!(out, "Policy file: {}\n", file.display())?,
        None => writeln!(out, "Policy file: none, the defaults hold\n")?,
    }
    let policy = loaded.policy();
    let mut settings = Vec::new();
    for &setting in Setting::ALL {
        let values = match policy.json(setting) {
            Json::Array(items) if !items.is_empty() => items.iter().map(plain).collect(),
            Json::Object(members) if !members.is_empty() => {
                members.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect()
            }
            value => vec![plain(&value)],
        };
        // The items of a list stand below each other.
        for (i, value) in values.into_iter().enumerate() {
            let first = |text: String| if i == 0 { text } else { String::new() };
            let origin = first(loaded.origin(setting).to_string());
            settings.push([first(setting.to_string()), value, origin]);
        }
    }
    table(out, ["setting", "value", "origin"], &settings)?;
    writeln!(out)?;
    let allowed = policy.allow().iter().enumerate().map(|(i, allow)| {
        let origin = loaded.allow_place(i).map(ToString::to_string).unwrap_or_default();
        [allow.summary(), allow.reason().to_owned(), origin]
    });
    let allowed: Vec<_> = allowed.collect();
    if !allowed.is_empty() {
        table(out, ["allowed", "reason", "origin"], &allowed)?;
        writeln!(out)?;
    }
    let kind = |&kind: &Kind| {
        [
            kind.to_string(),
            policy.class(kind).to_string(),
            loaded.class_origin(kind).to_string(),
            policy.action(kind).to_string(),
            loaded.action_origin(kind).to_string(),
        ]
    };
    let kinds: Vec<_> = Kind::ALL.iter().map(kind).collect();
    table(out, ["kind", "class", "origin", "action", "origin"], &kinds)
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => "none".to_owned(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut line = |cells: [&str; N], style: Style| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = padded.collect::<Vec<_>>().join("  ");
        writeln!(out, "{style}{}{style:#}", line.trim_end())
    };
    line(head, Style::new().bold())?;
    rows.iter().try_for_each(|row| line(std::array::from_fn(|i| row[i].as_str()), Style::new()))
}

fn show_json(loaded: &Loaded) -> Json {
    let policy = loaded.policy();
    let setting = |&setting: &Setting| {
        let (value, origin) = (policy.json(setting), origin(loaded.origin(setting)));
        (setting.to_string(), json!({ "value": value, "origin": origin }))
    };
    let kind = |&kind: &Kind| {
        let class_origin = origin(loaded.class_origin(kind));
        let action_origin = origin(loaded.action_origin(kind));
        let (class, action) = (policy.class(kind).name(), policy.action(kind).name());
        let class = json!({ "value": class, "origin": class_origin });
        let action = json!({ "value": action, "origin": action_origin });
        (kind.to_string(), json!({ "class": class, "action": action }))
    };
    let allow = |(i, allow): (usize, &Allow)| {
        let place = loaded.allow_place(i).map(|at| origin(&Origin::File(at.clone())));
        json!({ "about": allow.summary(), "reason": allow.reason(), "origin": place })
    };
    let warning = |warning: &Warning| {
        let place = warning.place().map(|at| origin(&Origin::File(at.clone())));
        json!({ "message": warning.to_string(), "hint": warning.hint(), "place": place })
    };
    json!({
        "file": loaded.file().map(|file| file.to_string_lossy()),
        "settings": Setting::ALL.iter().map(setting).collect::<serde_json::Map<_, _>>(),
        "kinds": Kind::ALL.iter().map(kind).collect::<serde_json::Map<_, _>>(),
        "allow": policy.allow().iter().enumerate().map(allow).collect::<Vec<_>>(),
        "warnings": loaded.warnings().iter().map(warning).collect::<Vec<_>>(),
    })
}

fn origin(origin: &Origin) -> Json {
    match origin {
        Origin::Default => json!({ "layer": "default" }),
        Origin::File(Place { file, line, column }) => json!({
            "layer": "file",
            "file": file.to_string_lossy(),
            "line": line,
            "column": column,
        }),
        Origin::Variable(name) => json!({ "layer": "variable", "name": name }),
        Origin::Argument(name) => json!({ "layer": "argument", "name": name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "environment = 'development'\n[classes]\npersonal = 'restricted'\n\
                          [actions]\nhealth = 'drop'\n[detectors]\ndisable = ['email']\n[[allow]]\nkey = 'desk'\nreason = 'ours'\n";

    fn loaded() -> Loaded {
        let layers = Loader::isolated()
            .text("tacenda.toml", POLICY)
            .variable("TACENDA_UMASK", "027")
            .argument(Setting::Stdout, "--stdout", "log");
        layers.load().expect("the policy is valid")
    }

    #[test]
    fn each_value_with_its_origin() {
        let mut out = Vec::new();
        show_text(&mut out, &loaded()).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for line in [
            "Policy file: tacenda.toml",
            "environment               development             tacenda.toml:1:15",
            "guard.stdout              log                     --stdout",
            "guard.output_commands     mlx_lm.chat             default",
            "                          mlx_lm.generate",
            "guard.umask               027                     TACENDA_UMASK",
            "levels.loggers            httpcore=info           default",
            "                          httpx=warning",
            "keys.file                 none                    default",
            "detectors.disable         email                   tacenda.toml:7:11",
            "key desk  ours    tacenda.toml:8:1",
            "personal         restricted    tacenda.toml:3:12  hash       default",
            "health           restricted    default            drop       tacenda.toml:5:10",
            "network          internal      default            keep       default",
        ] {
            assert!(lines.contains(&line), "{line}\n\n{text}");
        }
    }

    #[test]
    fn the_same_for_programs() {
        let json = show_json(&loaded());
        assert_eq!(json["settings"]["guard.umask"]["origin"]["name"], "TACENDA_UMASK");
        assert_eq!(json["settings"]["detectors.disable"]["value"][0], "email");
        let file = json!({ "layer": "file", "file": "tacenda.toml", "line": 5, "column": 10 });
        assert_eq!(json["kinds"]["health"]["action"], json!({ "value": "drop", "origin": file }));
    }

    #[test]
    fn a_fault_has_its_place_and_the_way_out() {
        let wrong = Loader::isolated().text("tacenda.toml", "[guard]\nstduot = 'log'");
        let mut out = Vec::new();
        report_faults(&mut out, &load(&wrong).unwrap_err()).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let expected = "error: unknown key `stduot` in `[guard]`\n  --> tacenda.toml:2:1\n\
                        hint: did you mean `stdout`?\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_detector_that_does_not_exist_is_a_fault() {
        let wrong = Loader::isolated().text("tacenda.toml", "detectors.disable = ['no-such-one']");
        assert!(matches!(load(&wrong).unwrap_err()[..], [PolicyError::UnknownDetector { .. }]));
    }
}
