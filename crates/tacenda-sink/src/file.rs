//! A private file that is rotated.
//!
//! Everything in the directory is reached through its descriptor (openat), after it was found to be
//! this user's alone; links are not followed. A record is a line, and lines are written whole, at
//! the end of the file. A rotation is one rename, made under a lock of the directory: several
//! processes may write to the same file.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::{Record, Refusal, Retry, Sink, words};

/// When a file is rotated, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes that a file holds at most. A longer record has a file for itself.
    pub size: u64,
    /// How long a file is written to.
    pub age: Duration,
    /// How many rotated files are kept.
    pub keep: usize,
}

/// Why a file cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system says no.
    #[error("{}", words(.0))]
    System(#[from] io::Error),
    /// Others can read or change what is in it.
    #[error("its directory is open to others")]
    OpenDirectory,
    /// It leads to another place.
    #[error("its directory is a link")]
    LinkedDirectory,
    /// Somebody else owns it, it is open to others, or it is no file, a link or has two names.
    #[error("it is not a file of this user alone, with one name")]
    NotPrivate,
}

impl From<Errno> for FileError {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

/// Writes each record as a line of a file.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    name: OsString,
    rotation: Rotation,
    /// None after an error: it is tried again with the next record.
    open: Option<Open>,
    trouble: Trouble,
}

/// What is wrong with rotations. The log says so once, until one succeeds.
#[derive(Debug, Default)]
struct Trouble {
    /// The line that is still to be written.
    line: Option<String>,
    is_known: bool,
}

#[derive(Debug)]
struct Open {
    directory: Arc<OwnedFd>,
    file: File,
    /// Which file that is, to tell when its name leads to another one.
    identity: (u64, u64),
    begun: SystemTime,
    /// Half a line stands at its end, of a write that failed.
    torn: bool,
}

impl FileSink {
    /// Opens the file, and makes it and its directory if they are not there.
    ///
    /// # Errors
    /// When it cannot be written to, or others could read or change it.
    pub fn open(path: &Path, rotation: Rotation) -> Result<Self, FileError> {
        let path = std::path::absolute(path)?;
        let name = path.file_name().ok_or(FileError::NotPrivate)?.to_owned();
        let mut sink = Self { path, name, rotation, open: None, trouble: Trouble::default() };
        sink.open = Some(sink.reopen()?);
        Ok(sink)
    }

    fn reopen(&self) -> Result<Open, FileError> {
        let directory = private_directory(self.path.parent().unwrap_or(Path::new("/")))?;
        open_in(Arc::new(directory), &self.name)
    }

    /// Which file it is: that of another name, if the two are the same.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.open.as_ref().map(|open| open.identity)
    }

    /// The file that the name leads to, with room for `more` bytes, or as new as can be. One that
    /// cannot be rotated now is written to as it is: better a long file than a record lost.
    fn ready(&mut self, more: u64) -> Result<(), FileError> {
        let mut open = match self.open.take() {
            Some(open) if open.size(&self.name).is_some() => open,
            // Somebody has moved it away (logrotate does), or it could not be opened before.
            _ => self.reopen()?,
        };
        // Another process may have rotated it first, and filled the next one too.
        for _ in 0..2 {
            let size = open.size(&self.name);
            if !size.is_some_and(|size| self.is_due(&open, size, more)) || !self.rotate(&open) {
                break;
            }
            open = open_in(Arc::clone(&open.directory), &self.name)?;
        }
        self.open = Some(open);
        Ok(())
    }

    fn is_due(&self, open: &Open, size: u64, more: u64) -> bool {
        // A clock that was set back makes nothing old.
        let age = SystemTime::now().duration_since(open.begun).unwrap_or_default();
        size > 0 && (size + more > self.rotation.size || age >= self.rotation.age)
    }

    /// Gives the file another name, unless somebody else just has, and removes what is too much.
    /// Tells whether the name is free for a new one.
    fn rotate(&mut self, open: &Open) -> bool {
        let lock = FlockOperation::NonBlockingLockExclusive;
        // Where there are no locks, one process is still right.
        if rustix::fs::flock(&*open.directory, lock) == Err(Errno::WOULDBLOCK) {
            // Somebody else rotates it, or keeps us from it: that is not waited for.
            return false;
        }
        let done = match open.size(&self.name) {
            Some(_) => self.rename(open).map(|surplus| remove(open, &surplus)),
            None => Ok(Ok(())),
        };
        let _ = rustix::fs::flock(&*open.directory, FlockOperation::Unlock);
        let (is_free, trouble) = match done {
            Ok(Ok(())) => (true, None),
            Ok(Err(error)) => (true, Some(("an old file cannot be removed", error.into()))),
            Err(error) => (false, Some(("the file cannot be rotated", error))),
        };
        self.trouble.now(trouble.as_ref());
        is_free
    }

    /// The name tells the time, and is behind those of all that were rotated before: also within the
    /// same second, and when the clock was set back. Gives the names that are too many.
    fn rename(&self, open: &Open) -> Result<Vec<OsString>, FileError> {
        let mut rotated = self.rotated(open)?;
        let now = jiff::Timestamp::now().strftime("%Y-%m-%d_%H-%M-%S").to_string();
        let newest = rotated.last().map(|((stamp, number), _)| (stamp.clone(), *number));
        let (stamp, number) = match newest {
            Some((stamp, number)) if stamp >= now => (stamp, number.saturating_add(1)),
            _ => (now, 0),
        };
        let mut name = self.name.clone();
        name.push(format!(".{stamp}"));
        if number > 0 {
            name.push(format!(".{number}"));
        }
        rustix::fs::renameat(&*open.directory, &self.name, &*open.directory, &name)?;
        rotated.push(((stamp, number), name));
        let surplus = rotated.len().saturating_sub(self.rotation.keep);
        Ok(rotated.drain(..surplus).map(|(_, name)| name).collect())
    }

    /// The rotated files, the oldest first.
    fn rotated(&self, open: &Open) -> Result<Vec<(Order, OsString)>, FileError> {
        let mut rotated = Vec::new();
        for entry in Dir::read_from(&*open.directory)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            rotated.extend(order(&self.name, &name).map(|order| (order, name)));
        }
        rotated.sort();
        Ok(rotated)
    }

    /// Writes the first records that belong into one file. Tells how many that are.
    fn write_some(&mut self, records: &[Record]) -> Result<usize, (usize, FileError)> {
        let limit = usize::try_from(self.rotation.size).unwrap_or(usize::MAX);
        let (mut lines, mut ends) = (Vec::new(), Vec::new());
        for record in records {
            let line = line(record);
            if !ends.is_empty() && lines.len() + line.len() > limit {
                break;
            }
            lines.extend_from_slice(line.as_bytes());
            ends.push(lines.len());
        }
        self.ready(lines.len() as u64).map_err(|error| (0, error))?;
        let Self { open: Some(open), trouble, .. } = self else {
            return Err((0, Errno::BADF.into()));
        };
        let mut before = if open.torn { "\n".to_owned() } else { String::new() };
        before.extend(trouble.line.as_deref());
        drop(lines.splice(..0, before.bytes()));
        let (written, failure) = open.append(&lines);
        if let Some(last) = written.checked_sub(1) {
            open.torn = lines[last] != b'\n';
            trouble.line = None;
        }
        let whole = ends.iter().take_while(|end| before.len() + **end <= written).count();
        failure.map_or(Ok(whole), |error| Err((whole, error.into())))
    }
}

impl Sink for FileSink {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        let mut taken = 0;
        while taken < records.len() {
            match self.write_some(&records[taken..]) {
                Ok(more) => taken += more,
                Err((more, error)) => {
                    let (taken, why) = (taken + more, error.to_string());
                    return Err(Refusal { taken, retry: Retry::Never, why });
                }
            }
        }
        Ok(())
    }
}

impl Open {
    /// The size of the file, if it still has its name.
    fn size(&self, name: &OsStr) -> Option<u64> {
        let stat = rustix::fs::statat(&*self.directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        (identity(&stat) == self.identity).then(|| u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// Writes all, or as much as can be. Tells how much that is, and what stopped it.
    fn append(&self, mut bytes: &[u8]) -> (usize, Option<Errno>) {
        let all = bytes.len();
        while !bytes.is_empty() {
            match rustix::io::write(&self.file, bytes) {
                Ok(0) => return (all - bytes.len(), Some(Errno::NOSPC)),
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(error) => return (all - bytes.len(), Some(error)),
            }
        }
        (all, None)
    }
}

impl Trouble {
    /// What came of a rotation.
    fn now(&mut self, trouble: Option<&(&str, FileError)>) {
        if let Some((what, why)) = trouble
            && !self.is_known
        {
            self.line = Some(format!("[tacenda: {what}: {why}]\n"));
        }
        self.is_known = trouble.is_some();
    }
}

/// Removes rotated files, all that can be. Tells what kept another one.
fn remove(open: &Open, names: &[OsString]) -> Result<(), Errno> {
    let mut failure = Ok(());
    for name in names {
        match rustix::fs::unlinkat(&*open.directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => failure = Err(error),
        }
    }
    failure
}

/// Opens the directory, which is made if it is not there, and checks that it is ours alone.
fn private_directory(path: &Path) -> Result<OwnedFd, FileError> {
    if let Err(error) = DirBuilder::new().mode(0o700).recursive(true).create(path)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error.into());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = match rustix::fs::open(path, flags, Mode::empty()) {
        // What O_NOFOLLOW with O_DIRECTORY says of a link differs between systems.
        Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => {
            return Err(FileError::LinkedDirectory);
        }
        other => other?,
    };
    let stat = rustix::fs::fstat(&directory)?;
    if !is_private(&stat) {
        return Err(FileError::OpenDirectory);
    }
    Ok(directory)
}

fn open_in(directory: Arc<OwnedFd>, name: &OsStr) -> Result<Open, FileError> {
    // Not to wait for the reader of a pipe, should it be one.
    let flags = OFlags::RDWR
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NOCTTY
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&*directory, name, flags, Mode::RUSR | Mode::WUSR) {
        Err(Errno::LOOP | Errno::MLINK | Errno::ISDIR | Errno::NXIO) => {
            return Err(FileError::NotPrivate);
        }
        other => File::from(other?),
    };
    let stat = rustix::fs::fstat(&file)?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !is_file || !is_private(&stat) || stat.st_nlink != 1 {
        return Err(FileError::NotPrivate);
    }
    let metadata = file.metadata()?;
    let begun = metadata.created().or_else(|_| metadata.modified())?;
    let mut last = [b'\n'];
    if let Some(end) = metadata.len().checked_sub(1) {
        file.read_exact_at(&mut last, end)?;
    }
    // Of a write that a crash has cut short.
    let torn = last != [b'\n'];
    Ok(Open { directory, file, identity: identity(&stat), begun, torn })
}

/// Whether it is this user's, and nobody else may do anything with it.
fn is_private(stat: &Stat) -> bool {
    let others = Mode::from_raw_mode(stat.st_mode) & (Mode::RWXG | Mode::RWXO);
    stat.st_uid == rustix::process::geteuid().as_raw() && others.is_empty()
}

#[expect(clippy::allow_attributes, reason = "the types differ between systems")]
#[allow(clippy::useless_conversion, clippy::cast_sign_loss, clippy::unnecessary_cast)]
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

/// When a file was rotated: a time as it is written, and a number within it.
type Order = (String, u32);

/// The place of a rotated file among its like, if it is one of this log.
fn order(log: &OsStr, name: &OsStr) -> Option<Order> {
    let rest = name.as_bytes().strip_prefix(log.as_bytes())?.strip_prefix(b".")?;
    let rest = str::from_utf8(rest).ok()?;
    let (stamp, number) = rest.split_once('.').unwrap_or((rest, "0"));
    let like = |(byte, model): (u8, u8)| match model {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    };
    let model = b"0000-00-00_00-00-00";
    let is_stamp = stamp.len() == model.len() && stamp.bytes().zip(*model).all(like);
    Some((stamp.to_owned(), number.parse().ok()?)).filter(|_| is_stamp)
}

/// A record as it stands in the file: what the program wrote, or a word of our own.
fn line(record: &Record) -> String {
    format!("{}\n", record.text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    const ROTATION: Rotation = Rotation { size: 40, age: Duration::from_secs(3600), keep: 2 };

    fn record(text: &str) -> Record {
        Record::new(text.as_bytes(), None)
    }

    fn write(sink: &mut FileSink, text: &str) {
        sink.write(&[record(text)]).unwrap();
    }

    /// A directory, and a log in one below it that is made.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log/app.log");
        (directory, path)
    }

    fn rotated(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path.parent().unwrap()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "app.log");
        names.sort();
        names
    }

    #[test]
    fn what_is_made_is_private() {
        let (_directory, path) = place();
        write(&mut FileSink::open(&path, ROTATION).unwrap(), "one");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
    }

    #[test]
    fn what_is_open_to_others_or_a_link_is_refused() {
        let (directory, path) = place();
        let log = path.parent().unwrap();
        let open = || FileSink::open(&path, ROTATION).map(|_| ());
        fs::create_dir(log).unwrap();
        for mode in [0o750, 0o701, 0o777] {
            fs::set_permissions(log, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(open(), Err(FileError::OpenDirectory)), "{mode:o}");
        }
        fs::set_permissions(log, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(open(), Err(FileError::NotPrivate)));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        open().unwrap();
        fs::hard_link(&path, log.join("second")).unwrap();
        assert!(matches!(open(), Err(FileError::NotPrivate)));
        fs::remove_file(&path).unwrap();
        symlink(log.join("second"), &path).unwrap();
        assert!(matches!(open(), Err(FileError::NotPrivate)));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(open(), Err(FileError::NotPrivate)));
        symlink(log, directory.path().join("link")).unwrap();
        let through = directory.path().join("link/app.log");
        let refused = FileSink::open(&through, ROTATION);
        assert!(matches!(refused, Err(FileError::LinkedDirectory)));
    }

    #[test]
    fn a_file_that_is_full_is_rotated_and_the_oldest_go() {
        let (_directory, path) = place();
        let mut sink = FileSink::open(&path, ROTATION).unwrap();
        let records: Vec<Record> =
            (0..10).map(|n| record(&format!("{n} 345678901234567"))).collect();
        sink.write(&records).unwrap();
        let names = rotated(&path);
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "8 345678901234567\n9 345678901234567\n");
        let oldest = fs::read_to_string(path.with_file_name(&names[0])).unwrap();
        assert_eq!(oldest, "4 345678901234567\n5 345678901234567\n");
        // Other files of the directory stay, also those that are named alike.
        for other in ["app.log.1", "app.log.2026-03-01", "other.log.2026-03-01_10-00-00"] {
            fs::write(path.with_file_name(other), "").unwrap();
        }
        sink.write(&records).unwrap();
        assert_eq!(rotated(&path).len(), 5);
    }

    #[test]
    fn a_long_record_has_a_file_for_itself() {
        let (_directory, path) = place();
        let mut sink = FileSink::open(&path, ROTATION).unwrap();
        sink.write(&[record("a"), record(&"x".repeat(100)), record("b")]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b\n");
        assert_eq!(rotated(&path).len(), 2);
    }

    #[test]
    fn an_old_file_is_rotated() {
        let (_directory, path) = place();
        let rotation = Rotation { age: Duration::ZERO, ..ROTATION };
        let mut sink = FileSink::open(&path, rotation).unwrap();
        write(&mut sink, "one");
        write(&mut sink, "two");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(rotated(&path).len(), 1);
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_again() {
        let (_directory, path) = place();
        let mut sink = FileSink::open(&path, ROTATION).unwrap();
        write(&mut sink, "one");
        fs::rename(&path, path.with_file_name("app.log.1")).unwrap();
        write(&mut sink, "two");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        write(&mut sink, "three");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        // In its place stands something that is not ours: nothing is written there.
        fs::remove_file(&path).unwrap();
        let elsewhere = path.with_file_name("elsewhere");
        symlink(&elsewhere, &path).unwrap();
        let refusal = sink.write(&[record("four")]).unwrap_err();
        assert!((refusal.taken, refusal.retry) == (0, Retry::Never) && !elsewhere.exists());
        fs::remove_file(&path).unwrap();
        write(&mut sink, "five");
        assert_eq!(fs::read_to_string(&path).unwrap(), "five\n");
    }

    #[test]
    fn two_may_write_to_one_file() {
        let (_directory, path) = place();
        let rotation = Rotation { keep: 1000, ..ROTATION };
        let threads = [0, 1].map(|thread| {
            let mut sink = FileSink::open(&path, rotation).unwrap();
            std::thread::spawn(move || {
                (0..100).for_each(|n| write(&mut sink, &format!("{thread}-{n}")));
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let files = rotated(&path).into_iter().chain(["app.log".to_owned()]);
        let text: String =
            files.map(|name| fs::read_to_string(path.with_file_name(name)).unwrap()).collect();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 200, "none is lost, torn or twice");
    }

    #[test]
    fn a_directory_that_somebody_holds_locked_is_not_waited_for() {
        let (_directory, path) = place();
        let mut sink = FileSink::open(&path, ROTATION).unwrap();
        let holder = File::open(path.parent().unwrap()).unwrap();
        rustix::fs::flock(&holder, FlockOperation::LockExclusive).unwrap();
        let (send, done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            (0..4).for_each(|n| write(&mut sink, &format!("{n} 345678901234567")));
            let _ = send.send(sink);
        });
        let mut sink = done.recv_timeout(Duration::from_secs(30)).expect("nothing is waited for");
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4);
        drop(holder);
        write(&mut sink, "next");
        assert_eq!(fs::read_to_string(&path).unwrap(), "next\n");
    }

    #[test]
    fn an_old_file_that_stays_costs_no_record_and_is_told_of_once() {
        let (_directory, path) = place();
        let mut sink = FileSink::open(&path, ROTATION).unwrap();
        // A directory cannot be unlinked, whoever asks.
        let stays = path.with_file_name("app.log.2020-01-01_00-00-00");
        fs::create_dir(&stays).unwrap();
        let records: Vec<Record> =
            (0..8).map(|n| record(&format!("{n} 345678901234567"))).collect();
        sink.write(&records).unwrap();
        assert_eq!(rotated(&path).len(), 3, "the others go");
        // What is still there: the last six records, with the words.
        let files = rotated(&path).into_iter().chain(["app.log".to_owned()]);
        let read = |name| fs::read_to_string(path.with_file_name(name)).unwrap_or_default();
        let text: String = files.map(read).collect();
        let is_ours = |line: &&str| line.starts_with("[tacenda: an old file cannot be removed: ");
        assert_eq!(text.lines().filter(is_ours).count(), 1, "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_renamed_is_written_to_as_it_is() {
        let (_directory, path) = place();
        // With the time behind it the name is too long.
        let path = path.with_file_name("x".repeat(250));
        let mut sink = FileSink::open(&path, ROTATION).unwrap();
        (0..4).for_each(|n| write(&mut sink, &format!("{n} 345678901234567")));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.contains("\n[tacenda: the file cannot be rotated: file name too long]\n2 "));
    }

    #[test]
    fn no_record_runs_into_another_after_a_disk_was_full() {
        // No more than so many bytes go into a file, for this process: it is one for this test.
        const NAME: &str = "file::tests::no_record_runs_into_another_after_a_disk_was_full";
        if std::env::var_os("TACENDA_TEST_ALONE").is_none() {
            let done = std::process::Command::new("sh")
                .args(["-c", "trap '' XFSZ; exec \"$0\" --exact \"$1\""])
                .arg(std::env::current_exe().unwrap())
                .arg(NAME)
                .env("TACENDA_TEST_ALONE", "1")
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&done.stdout);
            assert!(done.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
        let room = |bytes| {
            let limit = rustix::process::Rlimit { current: Some(bytes), maximum: None };
            rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
        };
        let (_directory, path) = place();
        let rotation = Rotation { size: 1 << 20, ..ROTATION };
        let mut sink = FileSink::open(&path, rotation).unwrap();
        room(8);
        let refusal = sink.write(&[record("one"), record("second")]).unwrap_err();
        assert_eq!(refusal.taken, 1);
        assert_eq!(sink.write(&[record("third")]).unwrap_err().taken, 0);
        // Room for the end of the half line alone, and for none of the next.
        room(9);
        assert_eq!(sink.write(&[record("fourth")]).unwrap_err().taken, 0);
        room(1000);
        write(&mut sink, "fifth");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nseco\nfifth\n");
    }

    #[test]
    fn half_a_line_of_a_crash_is_ended() {
        let (_directory, path) = place();
        drop(FileSink::open(&path, ROTATION).unwrap());
        fs::write(&path, "cut sho").unwrap();
        write(&mut FileSink::open(&path, ROTATION).unwrap(), "next");
        assert_eq!(fs::read_to_string(&path).unwrap(), "cut sho\nnext\n");
    }
}
