//! What other loggers take for the same lines, where they are installed.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tacenda_journal::{Record, Seen, journald};

/// How long a peer is given.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a peer took: time, CPU time, and bytes on the disk.
pub(crate) struct Took {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) bytes: u64,
}

/// A peer by its name, and what it took, or why it was not measured.
pub(crate) type Measured = (&'static str, Result<Took, String>);

pub(crate) fn all(folder: &Path, records: &[Record]) -> [Measured; 2] {
    [
        ("rsyslog, plain file", rsyslog(folder, records)),
        ("systemd-journal-remote", journal_remote(folder, records)),
    ]
}

fn find(name: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/lib/systemd", "/lib/systemd"].map(PathBuf::from);
    let mut all = std::env::split_paths(&path).chain(more).map(|folder| folder.join(name));
    all.find(|file| file.is_file())
        .ok_or_else(|| format!("skipped: there is no {name} (apt install {package})"))
}

fn rsyslog(folder: &Path, records: &[Record]) -> Result<Took, String> {
    let program = find("rsyslogd", "rsyslog")?;
    let failed = |error: io::Error| format!("skipped: {error}");
    let folder = folder.join("rsyslog");
    fs::create_dir_all(&folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    let [socket, out, config] = ["socket", "out.log", "conf"].map(|name| folder.join(name));
    let text = format!(
        "module(load=\"imptcp\")\ninput(type=\"imptcp\" path=\"{}\")\n\
         action(type=\"omfile\" file=\"{}\")\n",
        socket.display(),
        out.display()
    );
    fs::write(&config, text).map_err(failed)?;
    let lines: Vec<u8> = (0..)
        .zip(records)
        .flat_map(|(number, record)| {
            format!("<14>Mar  1 10:00:00 host app: {}\n", record.to_json(number)).into_bytes()
        })
        .collect();
    let before = children();
    let mut child = Command::new(program)
        .args(["-n", "-i", "NONE", "-f"])
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let until = Instant::now() + PATIENCE;
    let mut stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(error) if Instant::now() > until => return Err(end(&mut child, &error)),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let start = Instant::now();
    if let Err(error) = stream.write_all(&lines) {
        return Err(end(&mut child, &error));
    }
    drop(stream);
    // Each line has its time and host in front of it, in another spelling.
    while count(&out) < records.len() {
        if Instant::now() > until {
            return Err(end(&mut child, &io::ErrorKind::TimedOut.into()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let wall = start.elapsed();
    end(&mut child, &io::ErrorKind::Other.into());
    let bytes = fs::metadata(&out).map_err(failed)?.len();
    Ok(Took { wall, cpu: children().saturating_sub(before), bytes })
}

fn count(file: &Path) -> usize {
    let bytes = fs::read(file).unwrap_or_default();
    memchr::memchr_iter(b'\n', &bytes).count()
}

/// Ends a peer that does not end by itself.
fn end(child: &mut Child, error: &io::Error) -> String {
    if let Some(id) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    let _ = child.wait();
    format!("skipped: it does not answer: {error}")
}

fn journal_remote(folder: &Path, records: &[Record]) -> Result<Took, String> {
    let program = find("systemd-journal-remote", "systemd-journal-remote")?;
    let failed = |error: io::Error| format!("skipped: {error}");
    let out = folder.join("remote.journal");
    let mut entries = Vec::new();
    for (sequence, record) in (0..).zip(records) {
        let record = record.clone();
        journald(&Seen { sequence, record, sealed: Vec::new(), erased: None }, &mut entries);
    }
    let (before, start) = (children(), Instant::now());
    let mut child = Command::new(program)
        .arg("--output")
        .arg(&out)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut input = BufWriter::new(child.stdin.take().ok_or("skipped: it has no input")?);
    let sent = input.write_all(&entries).and_then(|()| input.flush());
    drop(input);
    let ended = child.wait().map_err(failed)?;
    if sent.is_err() || !ended.success() {
        return Err(format!("skipped: it ended with {ended}"));
    }
    let bytes = fs::metadata(&out).map_err(failed)?.len();
    Ok(Took { wall: start.elapsed(), cpu: children().saturating_sub(before), bytes })
}

/// CPU time of the processes that were waited for.
fn children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let fields: Vec<&str> = after.split_whitespace().collect();
    // Fields 16 and 17 of proc(5), of which two stand before; in hundredths of a second.
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(13) + ticks(14)))
}
