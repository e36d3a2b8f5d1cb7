//! `tacenda redact --in-place`: files rewritten where they are, or left as they were.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tacenda_find::Packing;
use tacenda_guard::Tally;
use tacenda_redact::{Redactor, hex};

use super::original::{Original, Writers};
use super::{BLOCK, Filter, Format, ReportFormat};
use crate::failure::{Failure, reason};
use crate::report;

/// Bytes that are told apart for the packing.
const MAGIC: u64 = 8;

/// How files are rewritten.
pub(super) struct InPlace<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) format: Format,
    pub(super) report: ReportFormat,
    pub(super) backup: Option<&'a OsString>,
    pub(super) manifest: Option<&'a Path>,
}

/// What became of one file.
struct Rewritten {
    tally: Tally,
    packing: Packing,
    before: Sum,
    after: Sum,
    is_changed: bool,
}

/// The size and the SHA-256 of a file.
struct Sum {
    bytes: u64,
    sha256: String,
}

impl InPlace<'_> {
    /// One file after the other. What goes wrong with one is no reason to leave out the others.
    pub(super) fn run(&self, files: &[PathBuf]) -> Result<ExitCode, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(|error| {
                Failure::new(format!("cannot watch for signals: {}", reason(&error)))
            })?;
        }
        let mut manifest = self.manifest.map(Manifest::open).transpose()?;
        let writers = Writers::now();
        let mut failed = false;
        for path in files {
            match self.rewrite(path, &writers, &stop) {
                Ok(rewritten) => {
                    self.tell(path, &rewritten)?;
                    if let Some(manifest) = &mut manifest {
                        manifest.add(path, &rewritten, self.redactor)?;
                    }
                }
                Err(failure) => {
                    failed = true;
                    failure.print()?;
                }
            }
            if stop.load(Ordering::Relaxed) {
                return Err(
                    Failure::new("stopped: the files that follow are as they were").at(path)
                );
            }
        }
        Ok(if failed { ExitCode::from(2) } else { ExitCode::SUCCESS })
    }

    fn rewrite(
        &self,
        path: &Path,
        writers: &Writers,
        stop: &AtomicBool,
    ) -> Result<Rewritten, Failure> {
        let original = Original::open(path, writers, self.backup)?;
        let cannot_read = |error: &io::Error| {
            Failure::new(format!("cannot read the file: {}", reason(error))).at(path)
        };
        let mut source = BufReader::with_capacity(BLOCK, Summing::new(original.file()));
        let mut head = Vec::new();
        source.by_ref().take(MAGIC).read_to_end(&mut head).map_err(|error| cannot_read(&error))?;
        let packing = Packing::of(&head);

        let temporary = original.temporary()?;
        let cannot_write = |error: &io::Error| {
            Failure::new(format!("cannot write beside the file: {}", reason(error)))
                .at(path)
                .hint("the file is as it was")
        };
        let out = BufWriter::with_capacity(BLOCK, Summing::new(temporary.as_file()));
        let mut packer = packing.pack(out).map_err(|error| cannot_write(&error))?;
        let mut filter = Filter::new(self.format, self.redactor.at_path(Some(path)));
        {
            let whole = (&head[..]).chain(&mut source);
            let unpacked = packing.unpack(BufReader::with_capacity(BLOCK, whole));
            let mut unpacked = unpacked.map_err(|error| cannot_read(&error))?;
            let mut block = vec![0; BLOCK];
            let mut redacted = Vec::with_capacity(BLOCK);
            loop {
                if stop.load(Ordering::Relaxed) {
                    return Err(Failure::new("stopped: the file is as it was").at(path));
                }
                let count = match unpacked.read(&mut block) {
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) if packing == Packing::Plain => return Err(cannot_read(&error)),
                    Err(_) => {
                        let what = format!("the {packing} file is damaged or cut off");
                        return Err(Failure::new(what).at(path).hint("the file is as it was"));
                    }
                };
                filter.block(&block[..count], &mut redacted);
                packer.write_all(&redacted).map_err(|error| cannot_write(&error))?;
                redacted.clear();
                if count == 0 {
                    break;
                }
            }
        }
        // A decoder may stop before the end of the file: the sum is of all of it.
        io::copy(&mut source, &mut io::sink()).map_err(|error| cannot_read(&error))?;
        let before = source.into_inner().finish();
        let out = packer.finish().map_err(|error| cannot_write(&error))?;
        let after = out.into_inner().map_err(|error| cannot_write(error.error()))?.finish();

        let tally = filter.tally();
        if tally.report.withheld > 0 {
            // A marker in place of a record is for a log that goes on, not for the only copy.
            let failure = Failure::new("an internal error: a record could not be redacted");
            return Err(failure.at(path).hint("the file is as it was"));
        }
        let is_changed = tally.report.redacted.values().any(|values| *values > 0);
        if !is_changed {
            let after = Sum { bytes: before.bytes, sha256: before.sha256.clone() };
            return Ok(Rewritten { tally, packing, before, after, is_changed });
        }
        original.replace(temporary, self.backup)?;
        Ok(Rewritten { tally, packing, before, after, is_changed })
    }

    fn tell(&self, path: &Path, rewritten: &Rewritten) -> io::Result<()> {
        let mut err = anstream::stderr().lock();
        match self.report {
            ReportFormat::None => Ok(()),
            ReportFormat::Text => {
                write!(err, "{}: ", path.display())?;
                report::text(&mut err, &rewritten.tally, self.redactor.engine())
            }
            ReportFormat::Json => writeln!(err, "{}", entry(path, rewritten, self.redactor)),
        }
    }
}

/// What became of a file, for programs.
fn entry(path: &Path, rewritten: &Rewritten, redactor: &Redactor) -> serde_json::Value {
    let Rewritten { tally, packing, before, after, is_changed } = rewritten;
    json!({
        "path": path.to_string_lossy(),
        "time": jiff::Timestamp::now().to_string(),
        "changed": is_changed,
        "packing": packing.name(),
        "records": tally.records,
        "bytes_before": before.bytes,
        "bytes_after": after.bytes,
        "sha256_before": before.sha256,
        "sha256_after": after.sha256,
        "redacted": report::redacted(tally, redactor.engine()),
        "withheld": tally.report.withheld,
    })
}

/// A file to which a line is added for each file that was gone through, when that is done.
struct Manifest {
    path: PathBuf,
    file: File,
}

impl Manifest {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::options().append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(|error| Self::failure(path, &error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn add(
        &mut self,
        path: &Path,
        rewritten: &Rewritten,
        redactor: &Redactor,
    ) -> Result<(), Failure> {
        let line = format!("{}\n", entry(path, rewritten, redactor));
        let done = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        done.map_err(|error| Self::failure(&self.path, &error))
    }

    fn failure(path: &Path, error: &io::Error) -> Failure {
        Failure::new(format!("cannot write the manifest: {}", reason(error))).at(path)
    }
}

/// Sums up what is read or written.
struct Summing<T> {
    inner: T,
    digest: Sha256,
    bytes: u64,
}

impl<T> Summing<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn finish(self) -> Sum {
        Sum { bytes: self.bytes, sha256: hex(&self.digest.finalize()) }
    }
}

impl<T: Read> Read for Summing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.add(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Summing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.add(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
