//! `tacenda journal import`: logs that exist, redacted on their way in.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use tacenda_find::{Packing, time_of_line};
use tacenda_guard::StreamFilter;
use tacenda_journal::{Journal, Record, Verifier, system_clock};
use tacenda_policy::Class;
use tacenda_redact::Redactor;

use super::Target;
use super::append::class;
use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, reason, warn};
use crate::redactor::{redactor, report_lost};
use crate::report::plural;

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    target: Target,

    /// The logs: text or JSON lines, also packed with gzip, zstd or xz
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// The class of fields that do not say theirs: public, internal, confidential or restricted
    #[arg(long, value_name = "CLASS", default_value = "confidential", value_parser = class)]
    class: Class,

    /// Overwrite and remove each log once it is sealed and the journal was verified
    #[arg(long)]
    remove: bool,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

const BLOCK: usize = 1 << 18;

pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let redactor = redactor(loaded.policy())?;
    // All are looked at before anything is written.
    let logs: Vec<Log> = args.files.iter().map(|path| Log::open(path)).collect::<Result<_, _>>()?;
    let journal = args.target.open()?;
    let mut records = 0;
    for log in &logs {
        records += log.import(&journal, &redactor, args.class)?;
    }
    journal.close()?;
    report_lost(&redactor);
    writeln!(
        io::stdout(),
        "sealed: {} of {}",
        plural(records, "record"),
        plural(logs.len() as u64, "log")
    )?;
    if args.remove {
        remove(args, logs)?;
    }
    Ok(())
}

/// A log that is imported, as it was when that began.
struct Log {
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl Log {
    fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_read(path, &error);
        let file = File::options().read(true).open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(Failure::new("this is no regular file").at(path));
        }
        Ok(Self { path: path.to_owned(), file, metadata })
    }

    fn import(&self, journal: &Journal, redactor: &Redactor, class: Class) -> Result<u64, Failure> {
        let failed = |error: io::Error| cannot_read(&self.path, &error);
        let mut head = Vec::new();
        (&self.file).take(16).read_to_end(&mut head).map_err(failed)?;
        (&self.file).rewind().map_err(failed)?;
        let source = BufReader::with_capacity(BLOCK, &self.file);
        let mut unpacked = Packing::of(&head).unpack(source).map_err(failed)?;
        let mut filter = StreamFilter::new(redactor.at_path(Some(&self.path)));
        let (mut block, mut redacted, mut count) = (vec![0; BLOCK], Vec::new(), 0);
        loop {
            let read = unpacked.read(&mut block).map_err(failed)?;
            if read == 0 {
                filter.finish(&mut redacted);
            } else {
                filter.push(&block[..read], &mut redacted);
            }
            let whole = match redacted.iter().rposition(|byte| *byte == b'\n') {
                _ if read == 0 => redacted.len(),
                Some(at) => at + 1,
                None => 0,
            };
            count += self.append(journal, &redacted[..whole], class)?;
            redacted.drain(..whole);
            if read == 0 {
                return Ok(count);
            }
        }
    }

    fn append(&self, journal: &Journal, lines: &[u8], class: Class) -> Result<u64, Failure> {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let records: Vec<Record> =
            lines.map(|line| self.record(line, class)).collect::<Result<_, _>>()?;
        let count = records.len() as u64;
        journal.append_all(records)?;
        Ok(count)
    }

    /// A line with the time that it names, or that the file has.
    fn record(&self, line: &[u8], class: Class) -> Result<Record, Failure> {
        let modified = self.metadata.modified().ok();
        let modified = modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
        let modified = modified.unwrap_or_else(jiff::Timestamp::now);
        let time = time_of_line(line, modified).unwrap_or(modified);
        let time = i64::try_from(time.as_nanosecond()).unwrap_or_else(|_| system_clock()());
        let record = Record::from_line(line, class, time);
        Ok(record.or_else(|_| Record::from_text(line, class, time))?)
    }

    /// Whether the file is still the one that was imported, under no other name.
    fn is_unchanged(&self) -> bool {
        let same = |now: &Metadata| {
            let facts = |of: &Metadata| (of.dev(), of.ino(), of.len(), of.mtime(), of.mtime_nsec());
            now.is_file() && facts(now) == facts(&self.metadata) && now.nlink() == 1
        };
        fs::symlink_metadata(&self.path).is_ok_and(|now| same(&now))
    }

    /// Overwrites the file, as far as the file system does so in place, and removes it.
    fn remove(&self) -> io::Result<()> {
        let mut file = File::options().write(true).open(&self.path)?;
        io::copy(&mut io::repeat(0).take(self.metadata.len()), &mut file)?;
        file.sync_all()?;
        fs::remove_file(&self.path)
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read the log: {}", reason(error))).at(path)
}

fn remove(args: &ImportArgs, logs: Vec<Log>) -> Result<(), Failure> {
    let verifier = Verifier { allowed: args.target.places.allowed(), ..Verifier::default() };
    if !verifier.verify(&args.target.path)?.findings.is_empty() {
        return Err(Failure::new("the journal does not verify: the logs stay")
            .hint("see what is wrong: tacenda journal verify DIR"));
    }
    for log in logs {
        if !log.is_unchanged() {
            let path = log.path.display();
            warn(&format!("{path} has changed since, or has another name: it stays"), None);
            continue;
        }
        log.remove().map_err(|error| {
            Failure::new(format!("cannot remove the log: {}", reason(&error))).at(&log.path)
        })?;
    }
    Ok(())
}
