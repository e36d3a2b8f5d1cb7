//! Levels that are raised for a time: who asked for it, of which logger, until when, and why.
//!
//! Guarded processes and `tacenda debug` meet in a directory of the user's own: a process puts its
//! name there, a request is a file, and a signal that does nothing by default (`SIGURG`) tells the
//! process to look. Each process takes the end of a request from its file and goes back by itself.
//!
//! A login shell knows another place for such a directory than a service does. So whoever is in the
//! usual surroundings uses both places, and they have at least one in common.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};
use tacenda_policy::{Level, covers};

use crate::audit::{now, private, private_directory, user};

/// Longest file that is read.
const LONGEST: u64 = 64 * 1024;

/// A level that is raised for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// What it is stopped by.
    pub id: String,
    /// The logger, and those below it; `*` stands for any letters.
    pub logger: String,
    /// The level that it may go down to.
    pub level: Level,
    /// From when, in seconds of Unix time.
    pub since: u64,
    /// Until when.
    pub until: u64,
    /// Who asked for it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// The processes that are meant; none for all, also those that start later.
    pub processes: Vec<u32>,
}

impl Raise {
    /// Whether it is meant for this process.
    pub fn is_for(&self, process: u32) -> bool {
        self.processes.is_empty() || self.processes.contains(&process)
    }

    /// Whether it is meant for this logger.
    pub fn covers(&self, logger: &str) -> bool {
        covers(&self.logger, logger)
    }

    /// How long it still holds; none once it is over. A clock that was set back does not prolong it
    /// beyond its whole length.
    pub fn left(&self) -> Option<Duration> {
        let left = self.until.checked_sub(now()).filter(|left| *left > 0)?;
        Some(Duration::from_secs(left.min(self.until.saturating_sub(self.since))))
    }
}

/// A guarded process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The name of its program, without a path and arguments.
    pub program: String,
}

/// Where guarded processes of a user and requests for them meet.
#[derive(Clone, Debug)]
pub struct Desk {
    /// At least one.
    directories: Vec<PathBuf>,
}

impl Desk {
    /// The desk of this user: in `/run/user/UID`, where that is there, and in `/tmp`; or below
    /// `XDG_RUNTIME_DIR` alone, where that names another place.
    ///
    /// # Errors
    /// When no directory can be made, or they are somebody else's, or open to others.
    pub fn open() -> io::Result<Self> {
        let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let given = given.filter(|given| given.is_absolute() && given.is_dir());
        let usual = PathBuf::from(format!("/run/user/{}", user()));
        if let Some(other) = given.filter(|given| *given != usual) {
            return Self::at(other.join("tacenda"));
        }
        let temporary = PathBuf::from(format!("/tmp/tacenda-{}", user()));
        let usual = usual.is_dir().then(|| usual.join("tacenda"));
        Self::with(usual.into_iter().chain([temporary]))
    }

    /// A desk here.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn at(directory: PathBuf) -> io::Result<Self> {
        Self::with([directory])
    }

    /// A desk in those of the directories that can be ours.
    fn with(directories: impl IntoIterator<Item = PathBuf>) -> io::Result<Self> {
        let (mut ours, mut failure) = (Vec::new(), io::ErrorKind::NotFound.into());
        for directory in directories {
            match private_directory(&directory) {
                Ok(()) => ours.push(directory),
                Err(error) => failure = error,
            }
        }
        if ours.is_empty() { Err(failure) } else { Ok(Self { directories: ours }) }
    }

    /// Puts a process on the desk.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn register(&self, process: &Process) -> io::Result<()> {
        self.write(&format!("{}.process", process.pid), process)
    }

    /// Takes it away again.
    pub fn unregister(&self, pid: u32) {
        self.remove(&format!("{pid}.process"));
    }

    /// The processes that run. Those that have ended without a word are taken away.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn processes(&self) -> io::Result<Vec<Process>> {
        let mut processes: Vec<Process> = self.read(".process")?;
        processes.retain(|process| {
            let runs = pid(process.pid).is_some_and(|pid| test_kill_process(pid).is_ok());
            if !runs {
                self.unregister(process.pid);
            }
            runs
        });
        processes.sort_by_key(|process| process.pid);
        Ok(processes)
    }

    /// Puts a request on the desk, and tells the processes that are meant.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn raise(&self, raise: &Raise) -> io::Result<()> {
        self.write(&format!("{}.raise", raise.id), raise)?;
        self.tell(raise)
    }

    /// Takes a request away, and tells the processes that are meant. False: there was none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn stop(&self, id: &str) -> io::Result<bool> {
        let Some(raise) = self.raises()?.into_iter().find(|raise| raise.id == id) else {
            return Ok(false);
        };
        self.take_away(id)?;
        self.tell(&raise)?;
        Ok(true)
    }

    /// The requests that hold, the oldest first. Those that are over are taken away.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn raises(&self) -> io::Result<Vec<Raise>> {
        let mut raises: Vec<Raise> = self.read(".raise")?;
        for over in raises.extract_if(.., |raise| raise.left().is_none()) {
            self.take_away(&over.id)?;
        }
        raises.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(raises)
    }

    /// Notes that a process has taken up a request.
    pub fn acknowledge(&self, id: &str, pid: u32) {
        let (request, name) = (format!("{id}.raise"), format!("{id}.{pid}.taken"));
        let asked = self.directories.iter().filter(|directory| directory.join(&request).exists());
        for directory in asked {
            let _ = private().create(true).write(true).truncate(true).open(directory.join(&name));
        }
    }

    /// The processes that have taken up a request.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn acknowledged(&self, id: &str) -> io::Result<Vec<u32>> {
        let of = |name: &str| {
            name.strip_prefix(id)?.strip_prefix('.')?.strip_suffix(".taken")?.parse().ok()
        };
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| of(name)).collect())
    }

    fn take_away(&self, id: &str) -> io::Result<()> {
        for name in self.names()? {
            if name.strip_prefix(id).is_some_and(|rest| rest.starts_with('.')) {
                self.remove(&name);
            }
        }
        Ok(())
    }

    /// Tells the processes that are meant to look. One that does not listen does not notice.
    fn tell(&self, raise: &Raise) -> io::Result<()> {
        for process in self.processes()?.into_iter().filter(|it| raise.is_for(it.pid)) {
            if let Some(pid) = pid(process.pid) {
                // It may have ended just now.
                let _ = kill_process(pid, Signal::URG);
            }
        }
        Ok(())
    }

    /// Writes a file in each place; one is enough.
    fn write(&self, name: &str, content: &impl Serialize) -> io::Result<()> {
        let content = serde_json::to_vec(content)?;
        let written = self.directories.iter().map(|directory| {
            // It appears only when it is complete.
            let temporary = directory.join(format!(".{name}.{}", std::process::id()));
            let mut file = private().create(true).write(true).truncate(true).open(&temporary)?;
            file.write_all(&content)?;
            fs::rename(&temporary, directory.join(name))
        });
        written.reduce(io::Result::or).expect("there is a directory")
    }

    /// What the files of this kind hold. One that cannot be read is none: it may have gone.
    fn read<T: for<'de> Deserialize<'de>>(&self, kind: &str) -> io::Result<Vec<T>> {
        let names = self.names()?;
        let files = names.iter().filter(|name| !name.starts_with('.') && name.ends_with(kind));
        let first = |name: &String| self.directories.iter().find_map(|at| content(&at.join(name)));
        Ok(files.filter_map(first).collect())
    }

    /// The names of all files, each once.
    fn names(&self) -> io::Result<BTreeSet<String>> {
        let listed = self.directories.iter().map(|directory| {
            let names = fs::read_dir(directory)?;
            let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            Ok(names.collect::<BTreeSet<_>>())
        });
        // A place may go when its user logs out.
        let both = |all: io::Result<BTreeSet<_>>, more| match (all, more) {
            (Ok(all), Ok(more)) => Ok(&all | &more),
            (all, more) => all.or(more),
        };
        listed.reduce(both).expect("there is a directory")
    }

    fn remove(&self, name: &str) {
        for directory in &self.directories {
            // Whoever else has removed it wanted the same.
            let _ = fs::remove_file(directory.join(name));
        }
    }
}

fn content<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    let file = private().read(true).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let ours = metadata.is_file() && metadata.uid() == user() && metadata.len() <= LONGEST;
    serde_json::from_reader(Some(file).filter(|_| ours)?).ok()
}

fn pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(pid.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> (tempfile::TempDir, Desk) {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::at(directory.path().join("desk")).unwrap();
        (directory, desk)
    }

    fn raise(id: &str, until: u64) -> Raise {
        Raise {
            id: id.to_owned(),
            logger: "app".to_owned(),
            level: Level::Debug,
            since: now(),
            until,
            who: "ines (1000) on atlas".to_owned(),
            reason: "why".to_owned(),
            processes: vec![],
        }
    }

    #[test]
    fn a_request_is_found_until_it_is_stopped_or_over() {
        let (_directory, desk) = desk();
        let holds = raise("a", now() + 60);
        desk.raise(&holds).unwrap();
        desk.raise(&raise("b", now())).unwrap();
        assert_eq!(desk.raises().unwrap(), [holds]);
        desk.acknowledge("a", 7);
        assert_eq!(desk.acknowledged("a").unwrap(), [7]);
        assert!(desk.stop("a").unwrap() && !desk.stop("a").unwrap());
        assert!(desk.raises().unwrap().is_empty());
        assert!(desk.names().unwrap().is_empty(), "nothing is left");
    }

    #[test]
    fn desks_that_have_one_place_in_common_are_one() {
        let directory = tempfile::tempdir().unwrap();
        let [login, shared] = ["login", "shared"].map(|name| directory.path().join(name));
        let shell = Desk::with([login.clone(), shared.clone()]).unwrap();
        let service = Desk::at(shared.clone()).unwrap();
        let ours = Process { pid: std::process::id(), program: "python".to_owned() };
        service.register(&ours).unwrap();
        assert_eq!(shell.processes().unwrap(), std::slice::from_ref(&ours));
        let asked = Raise { processes: vec![1], ..raise("a", now() + 60) };
        shell.raise(&asked).unwrap();
        assert_eq!(service.raises().unwrap(), [asked]);
        service.acknowledge("a", ours.pid);
        assert_eq!(shell.acknowledged("a").unwrap(), [ours.pid]);
        assert!(shell.stop("a").unwrap() && service.raises().unwrap().is_empty());
        shell.unregister(ours.pid);
        assert!(service.processes().unwrap().is_empty());
        assert!(shell.names().unwrap().is_empty(), "nothing is left");
        // One that somebody else has opened to others is not used; the other one is.
        fs::set_permissions(&login, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(Desk::with([login.clone(), shared.clone()]).unwrap().directories, [shared]);
        assert!(Desk::with([login]).is_err());
    }

    #[test]
    fn a_process_that_has_ended_is_not_listed() {
        let (_directory, desk) = desk();
        let program = "python".to_owned();
        let ours = Process { pid: std::process::id(), program: program.clone() };
        desk.register(&ours).unwrap();
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        desk.register(&Process { pid: gone.id(), program }).unwrap();
        assert_eq!(desk.processes().unwrap(), [ours]);
    }

    #[test]
    fn only_the_processes_that_are_meant_are_told() {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};

        // Ends by 3 once it has the signal, by 0 otherwise.
        let listener = || {
            let mut process = Command::new("/bin/sh")
                .args(["-c", "trap 'exit 3' URG; echo ready; read line; exit 0"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut ready = String::new();
            BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
            process
        };
        let status = |mut process: std::process::Child| {
            // It may have ended by the signal.
            let _ = process.stdin.take().unwrap().write_all(b"\n");
            process.wait().unwrap().code()
        };
        let (_directory, desk) = desk();
        let (meant, other) = (listener(), listener());
        for pid in [meant.id(), other.id()] {
            desk.register(&Process { pid, program: "sh".to_owned() }).unwrap();
        }
        desk.raise(&Raise { processes: vec![meant.id()], ..raise("a", now() + 60) }).unwrap();
        assert_eq!(status(meant), Some(3));
        assert!(desk.stop("a").unwrap());
        assert_eq!(status(other), Some(0));
    }

    #[test]
    fn a_clock_that_was_set_back_prolongs_nothing() {
        let long = Raise { since: now() + 1000, until: now() + 1060, ..raise("a", 0) };
        assert_eq!(long.left(), Some(Duration::from_secs(60)));
        assert_eq!(raise("a", now()).left(), None);
    }
}
