//! `tacenda journal import`: logs that exist, redacted on their way in.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use rustix::fs::OFlags;
use tacenda_find::{Packing, time_of_line};
use tacenda_guard::StreamFilter;
use tacenda_journal::{Appender, LONGEST_RECORD as LONGEST, Verifier, show_wish, system_clock};
use tacenda_policy::Class;
use tacenda_redact::Redactor;

use super::append::{Classes, class, texts, without_end};
use super::form::Form;
use super::wishes::Wishes;
use super::{Target, journal_around};
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

/// Lines that are written at once: fewer than the journal writes as one.
const TOGETHER: usize = 1024;

pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let redactor = redactor(loaded.policy())?;
    let classes = Classes::new(loaded.policy(), args.class)?;
    // All are looked at before anything is written: what was taken in once would be there twice after
    // another try.
    let logs: Vec<Log> = args.files.iter().map(|path| Log::open(path)).collect::<Result<_, _>>()?;
    for (at, log) in logs.iter().enumerate() {
        let id = |log: &Log| (log.metadata.dev(), log.metadata.ino());
        if logs[..at].iter().any(|other| id(other) == id(log)) {
            return Err(Failure::new("the log is named twice").at(&log.path));
        }
        log.check(args.remove)?;
    }
    let journal = args.target.append_to()?;
    let mut records = 0;
    for (before, log) in logs.iter().enumerate() {
        let mut taken = Taken::default();
        let done = log.import(&journal, &redactor, &classes, &mut taken);
        done.map_err(|failure| log.stopped(failure, &logs[..before], &taken))?;
        records += taken.records;
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

/// How much of a log is in the journal.
#[derive(Default)]
struct Taken {
    lines: u64,
    records: u64,
    /// The last time that a line has named.
    time: Option<Timestamp>,
    /// Whether what comes goes on with a line that is too long for a record.
    inside: bool,
}

impl Log {
    fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_read(path, &error);
        // What is no file may be a pipe that nobody writes to.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(Failure::new("this is no regular file").at(path));
        }
        if let Some(journal) = journal_around(path) {
            return Err(Failure::new("this is a file of a journal, and no log")
                .at(path)
                .hint(format!("name files outside of {}", journal.display())));
        }
        Ok(Self { path: path.to_owned(), file, metadata })
    }

    /// The log, unpacked, from its beginning.
    fn unpack(&self) -> io::Result<(Packing, Box<dyn Read + '_>)> {
        let mut head = Vec::new();
        (&self.file).rewind()?;
        (&self.file).take(16).read_to_end(&mut head)?;
        (&self.file).rewind()?;
        let packing = Packing::of(&head);
        let unpacked = packing.unpack(BufReader::with_capacity(BLOCK, &self.file))?;
        Ok((packing, unpacked))
    }

    /// That a packed log can be unpacked to its end, and that a log is text, as far as that matters: what
    /// is none is not kept as it is, so that the log itself has to stay.
    fn check(&self, is_removed: bool) -> Result<(), Failure> {
        let (packing, mut unpacked) =
            self.unpack().map_err(|error| cannot_read(&self.path, &error))?;
        let mut text = Form::default();
        if packing != Packing::Plain || is_removed {
            io::copy(&mut unpacked, &mut text).map_err(|error| {
                let what = format!("cannot read the log to its end: {}", reason(&error));
                Failure::new(what).at(&self.path).hint(format!(
                    "nothing was taken in; what of it can be read: unpack it ({packing}), and import that"
                ))
            })?;
        } else {
            let head = io::copy(&mut unpacked.take(Form::HEAD), &mut text);
            head.map_err(|error| cannot_read(&self.path, &error))?;
        }
        if let Some(encoding) = text.other_encoding() {
            let what = format!("the log is {encoding}, in which nothing can be found and redacted");
            return Err(Failure::new(what).at(&self.path).hint(format!(
                "nothing was taken in; import a copy: iconv -f {encoding} -t UTF-8"
            )));
        }
        if let Some(form) = text.no_text() {
            let what = format!("the log is {form}, in which nothing can be found and redacted");
            return Err(Failure::new(what).at(&self.path).hint(
                "nothing was taken in; import a copy that is text, or that gzip, zstd or xz has packed",
            ));
        }
        if is_removed && !text.is_utf8() {
            return Err(Failure::new("the log is not UTF-8 text, and would not be kept as it is")
                .at(&self.path)
                .hint("nothing was taken in; leave out --remove, or import a copy that iconv has made"));
        }
        Ok(())
    }

    fn import(
        &self,
        journal: &Appender,
        redactor: &Redactor,
        classes: &Classes,
        taken: &mut Taken,
    ) -> Result<(), Failure> {
        let failed = |error: io::Error| cannot_read(&self.path, &error);
        let (_, mut unpacked) = self.unpack().map_err(failed)?;
        let mut filter = StreamFilter::new(redactor.at_path(Some(&self.path)));
        let mut wishes = Wishes::default();
        let (mut block, mut redacted) = (vec![0; BLOCK], Vec::new());
        loop {
            let read = unpacked.read(&mut block).map_err(failed)?;
            filter.push(&wishes.hide(&block[..read]), &mut redacted);
            if read == 0 {
                filter.finish(&mut redacted);
            }
            let whole = match redacted.iter().rposition(|byte| *byte == b'\n') {
                _ if read == 0 => redacted.len(),
                Some(at) => at + 1,
                // It is no record any more, and nobody knows where it ends.
                None if redacted.len() > LONGEST => redacted.len(),
                None => 0,
            };
            self.append(journal, &redacted[..whole], classes, read == 0, taken)?;
            redacted.drain(..whole);
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn append(
        &self,
        journal: &Appender,
        lines: &[u8],
        classes: &Classes,
        is_end: bool,
        taken: &mut Taken,
    ) -> Result<(), Failure> {
        let lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
        // So many are written together, or none of them.
        for lines in lines.chunks(TOGETHER) {
            let mut all = Vec::new();
            let mut ended = 0;
            for line in lines {
                let has_ended = is_end || line.ends_with(b"\n");
                let is_piece = std::mem::replace(&mut taken.inside, !has_ended) || !has_ended;
                ended += u64::from(has_ended);
                let line = without_end(line);
                if is_piece {
                    all.extend(texts(line, self.time(line, &mut taken.time))?);
                } else if !line.is_empty() {
                    let line = show_wish(line);
                    all.extend(classes.records(&line, self.time(&line, &mut taken.time))?);
                }
            }
            let records = all.len() as u64;
            journal.append_all(all)?;
            taken.records += records;
            taken.lines += ended;
        }
        Ok(())
    }

    /// What has stopped the import of this log, and how to go on.
    fn stopped(&self, failure: Failure, before: &[Self], taken: &Taken) -> Failure {
        if before.is_empty() && taken.lines == 0 {
            return failure;
        }
        let logs = match before {
            [] => String::new(),
            [one] => format!("{} and ", one.path.display()),
            [first, ..] => {
                format!("{} logs, from {} on, and ", before.len(), first.path.display())
            }
        };
        let lines = plural(taken.lines, "line");
        failure.hint(format!(
            "{logs}{lines} of {} are in the journal; to go on without having them twice, import from \
             line {} on (tail -n +{1})",
            self.path.display(),
            taken.lines + 1
        ))
    }

    /// The time that a line names, or the nearest before it that names one (a trace is of the time of its
    /// error), or that the file has.
    fn time(&self, line: &[u8], last: &mut Option<Timestamp>) -> i64 {
        let modified = self.metadata.modified().ok();
        let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
        let modified = modified.unwrap_or_else(Timestamp::now);
        *last = time_of_line(line, modified).or(*last);
        let time = last.unwrap_or(modified);
        i64::try_from(time.as_nanosecond()).unwrap_or_else(|_| system_clock()())
    }

    /// The file, if it is still the one that was imported, under no other name. It is the file that
    /// is looked at, not what its path leads to by now.
    fn unchanged(&self) -> Result<File, String> {
        // O_NONBLOCK: what has taken its place may be a pipe.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let there = fs::symlink_metadata(&self.path).map_err(|error| reason(&error))?;
        if there.is_symlink() {
            return Err("it is a link".to_owned());
        }
        let opened = File::options().write(true).custom_flags(flags).open(&self.path);
        let file = opened.map_err(|error| reason(&error))?;
        let now = file.metadata().map_err(|error| reason(&error))?;
        let facts = |of: &Metadata| (of.dev(), of.ino(), of.len(), of.mtime(), of.mtime_nsec());
        if !now.is_file() || facts(&now) != facts(&self.metadata) {
            return Err("it has changed since".to_owned());
        }
        if now.nlink() > 1 {
            return Err("it has another name (a hard link)".to_owned());
        }
        Ok(file)
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
    let count = logs.len() as u64;
    let mut stay = 0;
    for log in logs {
        let overwrite = |file| match log.remove(file) {
            Ok(true) => Ok(()),
            Ok(false) => Err("another file has taken its place".to_owned()),
            Err(error) => Err(reason(&error)),
        };
        if let Err(why) = log.unchanged().and_then(overwrite) {
            stay += 1;
            warn(&format!("{} stays: {why}", log.path.display()), None);
        }
    }
    if stay > 0 {
        let what = format!("{stay} of {} could not be removed", plural(count, "log"));
        return Err(Failure::new(what)
            .hint("they are sealed: remove them by hand, and do not import them again"));
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
        assert!(swapped.unchanged().is_err());
        fs::remove_file(at("app.log")).unwrap();
        // A link to the log itself: its own name is the one to remove.
        symlink(at("moved"), at("app.log")).unwrap();
        assert!(swapped.unchanged().is_err());
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
