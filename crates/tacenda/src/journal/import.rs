//! `tacenda journal import`: logs that exist, redacted on their way in.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::OFlags;
use tacenda_find::{Packing, time_of_line};
use tacenda_guard::StreamFilter;
use tacenda_journal::{Appender, Verifier, system_clock};
use tacenda_policy::Class;
use tacenda_redact::Redactor;

use super::Target;
use super::append::{Classes, class};
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
    let classes = Classes::new(loaded.policy(), args.class)?;
    // All are looked at before anything is written.
    let logs: Vec<Log> = args.files.iter().map(|path| Log::open(path)).collect::<Result<_, _>>()?;
    let journal = args.target.append_to()?;
    let mut records = 0;
    for log in &logs {
        records += log.import(&journal, &redactor, &classes)?;
    }
    // Another process may own it, and go on with the segment.
    journal.rotate()?;
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

    fn import(
        &self,
        journal: &Appender,
        redactor: &Redactor,
        classes: &Classes,
    ) -> Result<u64, Failure> {
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
            count += self.append(journal, &redacted[..whole], classes)?;
            redacted.drain(..whole);
            if read == 0 {
                return Ok(count);
            }
        }
    }

    fn append(&self, journal: &Appender, lines: &[u8], classes: &Classes) -> Result<u64, Failure> {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut all = Vec::new();
        for line in lines {
            all.extend(classes.records(line, self.time(line))?);
        }
        let count = all.len() as u64;
        journal.append_all(all)?;
        Ok(count)
    }

    /// The time that a line names, or that the file has.
    fn time(&self, line: &[u8]) -> i64 {
        let modified = self.metadata.modified().ok();
        let modified = modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
        let modified = modified.unwrap_or_else(jiff::Timestamp::now);
        let time = time_of_line(line, modified).unwrap_or(modified);
        i64::try_from(time.as_nanosecond()).unwrap_or_else(|_| system_clock()())
    }

    /// The file, if it is still the one that was imported, under no other name. It is the file that
    /// is looked at, not what its path leads to by now.
    fn unchanged(&self) -> Option<File> {
        // O_NONBLOCK: what has taken its place may be a pipe.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = File::options().write(true).custom_flags(flags).open(&self.path).ok()?;
        let now = file.metadata().ok()?;
        let facts = |of: &Metadata| (of.dev(), of.ino(), of.len(), of.mtime(), of.mtime_nsec());
        let same = now.is_file() && facts(&now) == facts(&self.metadata) && now.nlink() == 1;
        same.then_some(file)
    }

    /// Overwrites the file, as far as the file system does so in place, and removes it: not another
    /// one that has taken its path meanwhile, which is left where it is.
    fn remove(&self, mut file: File) -> io::Result<bool> {
        io::copy(&mut io::repeat(0).take(self.metadata.len()), &mut file)?;
        file.sync_all()?;
        let there = fs::symlink_metadata(&self.path);
        let same = |there: Metadata| {
            (there.dev(), there.ino()) == (self.metadata.dev(), self.metadata.ino())
        };
        let same = there.is_ok_and(same);
        if same {
            fs::remove_file(&self.path)?;
        }
        Ok(same)
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
        let failed = |error: io::Error| {
            Failure::new(format!("cannot remove the log: {}", reason(&error))).at(&log.path)
        };
        let removed = match log.unchanged() {
            Some(file) => log.remove(file).map_err(failed)?,
            None => false,
        };
        if !removed {
            let path = log.path.display();
            warn(&format!("{path} has changed since, or has another name: it stays"), None);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_has_taken_the_place_of_a_log_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let log = |text: &str| {
            fs::write(at("app.log"), text).unwrap();
            Log::open(&at("app.log")).unwrap()
        };
        let precious = || fs::read_to_string(at("precious")).unwrap();
        fs::write(at("precious"), "one line").unwrap();

        // A link, before it is opened again.
        let swapped = log("one line");
        fs::rename(at("app.log"), at("moved")).unwrap();
        symlink(at("precious"), at("app.log")).unwrap();
        assert!(swapped.unchanged().is_none());
        fs::remove_file(at("app.log")).unwrap();
        // A link to the log itself: its own name is the one to remove.
        symlink(at("moved"), at("app.log")).unwrap();
        assert!(swapped.unchanged().is_none());
        fs::remove_file(at("app.log")).unwrap();

        // Another file, after it.
        let swapped = log("one line");
        let file = swapped.unchanged().unwrap();
        fs::rename(at("app.log"), at("moved")).unwrap();
        fs::rename(at("precious"), at("app.log")).unwrap();
        assert!(!swapped.remove(file).unwrap());
        fs::rename(at("app.log"), at("precious")).unwrap();
        assert_eq!(precious(), "one line");
        assert_eq!(fs::read(at("moved")).unwrap(), [0; 8]);

        let whole = log("one line");
        assert!(whole.remove(whole.unchanged().unwrap()).unwrap());
        assert!(!at("app.log").exists());
    }
}
