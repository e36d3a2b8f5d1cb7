//! The command `tacenda`: arguments, colours, messages. What it does is in the libraries.

mod bootstrap;
mod config;
mod debug;
mod detectors;
mod doctor;
mod failure;
mod find;
#[cfg(feature = "journal")]
mod journal;
mod kept;
mod keys;
#[cfg(feature = "lsp")]
mod lsp;
mod output;
mod redact;
mod redactor;
mod report;
mod rules;
mod run;
mod scan;
mod sinks;
mod vault;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use tacenda_guard::run::{Outcome, end_as};

use crate::failure::Failure;

/// Keeps prompts, answers and secrets out of the logs of MLX applications.
#[derive(Debug, Parser)]
#[command(name = "tacenda", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// When to use colours: auto, always or never; `NO_COLOR` is respected
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = true,
        hide_default_value = true
    )]
    color: Color,

    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Scan(scan::ScanArgs),
    Rule(scan::RuleArgs),
    #[cfg(feature = "lsp")]
    Lsp(lsp::LspArgs),
    Find(find::FindArgs),
    Redact(redact::RedactArgs),
    Rules(rules::RulesArgs),
    Debug(debug::DebugArgs),
    Doctor(doctor::DoctorArgs),
    Config(config::ConfigArgs),
    Keys(keys::KeysArgs),
    Vault(vault::VaultArgs),
    #[cfg(feature = "journal")]
    Journal(journal::JournalArgs),
}

fn main() -> ExitCode {
    tacenda_redact::quiet_panics();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(status) = run::as_helper(&arguments) {
        return status;
    }
    let color = color(&arguments);
    let matches = Cli::command()
        .styles(styles())
        .color(match color {
            Color::Auto => clap::ColorChoice::Auto,
            Color::Always => clap::ColorChoice::Always,
            Color::Never => clap::ColorChoice::Never,
        })
        .try_get_matches_from(&arguments);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match cli.color {
        // anstream respects NO_COLOR, CLICOLOR and what the terminal can do.
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let done = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Scan(args) => scan::run(&args),
        Command::Rule(args) => scan::explain(&args),
        #[cfg(feature = "lsp")]
        Command::Lsp(args) => lsp::run(&args),
        Command::Find(args) => find::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Debug(args) => debug::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Config(args) => config::run(&args).map_err(Failure::from),
        Command::Keys(args) => keys::run(&args),
        Command::Vault(args) => vault::run(&args),
        #[cfg(feature = "journal")]
        Command::Journal(args) => journal::run(&args),
    };
    match done {
        Ok(status) => status,
        Err(Failure::BrokenPipe) => {
            // As any other filter ends: Rust ignores SIGPIPE, who waits for us expects it.
            ExitCode::from(end_as(Outcome::Signalled(signal_hook::consts::SIGPIPE)))
        }
        Err(failure) => {
            let _ = failure.print();
            ExitCode::from(failure.code())
        }
    }
}

/// The choice of `--color`, for what is printed before the arguments are understood: their errors
/// and the help.
fn color(arguments: &[OsString]) -> Color {
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    let mut choice = Color::default();
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--color") => arguments.next().and_then(|value| value.to_str()),
            Some(argument) => argument.strip_prefix("--color="),
            None => None,
        };
        if let Some(named) = value.and_then(|value| Color::from_str(value, false).ok()) {
            choice = named;
        }
    }
    choice
}

fn styles() -> Styles {
    Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
        .error(AnsiColor::Red.on_default().bold())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_choice_of_colour_is_known_early() {
        let choice = |line: &str| color(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(choice("tacenda --color never"), Color::Never);
        assert_eq!(choice("tacenda run --color=always -- ls --color=never"), Color::Always);
        assert_eq!(choice("tacenda --color sometimes"), Color::Auto);
    }
}
