//! `tacenda journal export`: records in the clear, in formats of other programs.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tacenda_journal::{Filter, Parquet, Reader, Seen, journald, otlp};

use super::outside;
use super::read::{CatArgs, closed_head, line, warn_of_closed};
use crate::failure::Failure;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The file (0600), in the clear
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Its format
    #[arg(long, value_enum, default_value_t)]
    format: ExportFormat,

    // Last: what comes after it stands under its heading.
    #[command(flatten)]
    cat: CatArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ExportFormat {
    /// A JSON object a line
    #[default]
    Json,
    /// Parquet, with the columns of a segment
    Parquet,
    /// The export format of systemd's journal, for systemd-journal-remote
    Journald,
    /// An OTLP file: JSON lines, for OpenTelemetry collectors
    Otlp,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let filter = args.cat.filter(None)?;
    outside(&args.output)?;
    let reader = args.cat.reader()?;
    let out = BufWriter::with_capacity(1 << 18, Output::file(&args.output)?);
    let out = match args.format {
        ExportFormat::Json => text(&reader, &filter, out, |seen, bytes| {
            bytes.extend_from_slice(line(seen).as_bytes());
            bytes.push(b'\n');
        })?,
        ExportFormat::Journald => text(&reader, &filter, out, journald)?,
        ExportFormat::Otlp => text(&reader, &filter, out, otlp)?,
        ExportFormat::Parquet => {
            let mut file = Parquet::new(out)?;
            each(&reader, &filter, |seen| file.push(seen))?;
            file.finish()?
        }
    };
    out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
    warn_of_closed(&reader, &filter)
}

type Out = BufWriter<Output>;

fn text(
    reader: &Reader,
    filter: &Filter,
    mut out: Out,
    write: impl Fn(&Seen, &mut Vec<u8>),
) -> Result<Out, Failure> {
    let mut bytes = Vec::new();
    each(reader, filter, |seen| {
        bytes.clear();
        write(seen, &mut bytes);
        out.write_all(&bytes)
    })?;
    Ok(out)
}

/// Takes the records that pass, until one cannot be written.
fn each(
    reader: &Reader,
    filter: &Filter,
    mut take: impl FnMut(&Seen) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut done = Ok(());
    let read = reader.each(filter, &mut |seen| {
        done = take(seen);
        done.is_ok()
    });
    read.map_err(|error| closed_head(reader, error))?;
    Ok(done?)
}
