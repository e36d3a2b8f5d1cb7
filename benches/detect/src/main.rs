//! What finding and redacting cost, beside other tools, in one run:
//!
//! ```text
//! cargo run --release -p tacenda-bench-detect -- [--megabytes N] [--python PROGRAM] [--worst N]
//! ```
//!
//! One thread, all detectors. Each figure is the best of several rounds, in which the contestants
//! take turns: other work on the machine only ever adds time. What is counted is the time that the
//! thread was at work. MB are millions of bytes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod logs;
mod memory;
mod peers;
mod rules;
mod table;
mod tables;
mod worst;

use std::path::PathBuf;
use std::process::ExitCode;

struct Options {
    megabytes: usize,
    worst: usize,
    python: Option<PathBuf>,
    out: PathBuf,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options).map_err(|error| error.to_string())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        megabytes: 16,
        worst: 4,
        python: None,
        out: PathBuf::from("target/bench/detect"),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<usize>().map_err(|_| format!("{name} takes a number"));
        match name.as_str() {
            "--megabytes" => options.megabytes = number()?,
            "--worst" => options.worst = number()?,
            "--python" => options.python = Some(value.into()),
            "--out" => options.out = value.into(),
            _ => return Err(format!("there is no option {name}")),
        }
    }
    Ok(options)
}

/// Whether every bar was held.
fn run(options: &Options) -> std::io::Result<bool> {
    let rules = rules::all()?;
    let detectors = tacenda_detect::Engine::builtin().detectors().count();
    println!("{detectors} detectors, {} MB of each log, one thread\n", options.megabytes);
    let mut held = tables::logs(options, &rules)?;
    held &= tables::sorts(options.megabytes);
    held &= tables::count(options.megabytes, &rules);
    held &= tables::worst(options.worst, &rules);
    Ok(held)
}
