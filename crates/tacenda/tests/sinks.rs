//! `tacenda run` with sinks: files, a syslog server, an OTLP receiver, and what goes wrong with them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use command::text;
use tempfile::TempDir;

/// A directory with a place for a log, and the command in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn tacenda(&self, arguments: &[&str]) -> Command {
        let mut command = command::tacenda(self.directory.path());
        command.args(["run", "-q"]).args(arguments);
        command
    }

    /// A script with these sinks.
    fn run(&self, sinks: &[&str], script: &str) -> Output {
        let sinks = sinks.iter().flat_map(|sink| ["--sink", sink]);
        self.tacenda(&[]).args(sinks).args(["--", "sh", "-c", script]).output().unwrap()
    }

    #[track_caller]
    fn log(&self) -> String {
        fs::read_to_string(self.path("log/app.log")).unwrap()
    }
}

const LOG: &str = "file:log/app.log";

#[track_caller]
fn assert_clean(text: &str) {
    assert!(!text.contains("bob@"), "{text}");
}

/// Waits until it holds: another process is at work.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(60), "it does not come to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_file_has_the_log_and_nothing_else_has() {
    let place = Place::new();
    let output = place.run(&[LOG], "echo to bob@example.com; echo INFO ready >&2; printf half");
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let log = place.log();
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert!(lines[0] == "INFO ready" && lines[1] == "half", "{log}");
    assert!(lines[2].starts_with("to [email #") && lines.len() == 3, "{log}");
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("log"), mode("log/app.log")), (0o700, 0o600));
}

#[test]
fn several_sinks_have_the_same_log() {
    let place = Place::new();
    let output = place.run(&["stdio", LOG, "file:log/b,c.log"], "echo to bob@example.com");
    let log = place.log();
    assert!(log.starts_with("to [email #"), "{log}");
    assert_eq!(text(&output.stdout), log);
    assert_eq!(fs::read_to_string(place.path("log/b,c.log")).unwrap(), log);
}

#[test]
fn what_the_user_asked_for_is_no_log() {
    let place = Place::new();
    let output = place
        .tacenda(&["--sink", LOG, "--stdout", "output", "--"])
        .args(["sh", "-c", "echo for bob@example.com; echo a line >&2"])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "for bob@example.com\n");
    assert_eq!(place.log(), "a line\n");
}

#[test]
fn control_characters_and_escapes_stay_out_of_a_log() {
    let place = Place::new();
    place.run(&[LOG], r"printf '\033[31mred\033[0m\a\rnext\n\n'");
    assert_eq!(place.log(), "red\\u{7}\nnext\n");
}

#[test]
fn a_sink_that_cannot_be_is_refused_before_the_program_starts() {
    let place = Place::new();
    fs::create_dir(place.path("open")).unwrap();
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o755)).unwrap();
    for (sink, says) in [
        ("file:open/app.log", "its directory is open to others"),
        ("file:/proc/none/app.log", "no such file or directory"),
        ("syslog:/no/such/socket", "no such file or directory"),
        ("nowhere", "`--sink`"),
        ("otlp:https://ines:word@collector.example.com", "`--sink`"),
    ] {
        let output = place.run(&[sink], "touch started");
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{sink}: {error}");
        assert!(error.starts_with("error: ") && error.contains(says), "{sink}: {error}");
        assert!(!error.contains("ines:word"), "{error}");
    }
    assert!(!place.path("started").exists());
}

#[test]
fn a_private_key_that_others_may_read_is_refused_before_the_program_starts() {
    let place = Place::new();
    let policy = "guard.sinks = ['syslog:tls://127.0.0.1:1']\n\
                  sinks = { syslog_certificate = 'own.pem', syslog_key = 'own.key' }\n";
    fs::write(place.path("tacenda.toml"), policy).unwrap();
    let pem = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
    fs::write(place.path("own.pem"), pem("CERTIFICATE")).unwrap();
    fs::write(place.path("own.key"), pem("PRIVATE KEY")).unwrap();
    fs::set_permissions(place.path("own.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.run(&[], "touch started");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("own.key: others may read the private key"), "{error}");
    assert!(error.contains("chmod 600"), "{error}");
    assert!(!place.path("started").exists());
}

#[test]
fn the_policy_names_the_sinks_and_where_a_file_is_relative_to() {
    let place = Place::new();
    fs::create_dir(place.path("below")).unwrap();
    fs::write(place.path("tacenda.toml"), "guard.sinks = ['file:log/app.log']").unwrap();
    let below = place.path("below");
    let output = place.tacenda(&["--", "echo", "a line"]).current_dir(below).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert_eq!(place.log(), "a line\n");
    fs::write(place.path("tacenda.toml"), "[guard]\nsinks = ['stdio', 'file:']").unwrap();
    let output = place.tacenda(&["--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("tacenda.toml:2:19"), "{output:?}");
}

/// No more than so many blocks go into a file: as a disk that is full.
fn with_little_room(place: &Place, script: &str) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$0\" run -q --sink \"$1\" -- sh -c \"$2\""])
        .args([env!("CARGO_BIN_EXE_tacenda"), LOG, script])
        .current_dir(place.directory.path())
        .output()
        .unwrap()
}

#[test]
fn on_a_full_disk_records_are_lost_counted_and_told_of() {
    let place = Place::new();
    let script = "i=0; while [ $i -lt 200 ]; do echo $i bob@example.com; i=$((i+1)); done;
        sleep 0.3; mv log/app.log log/first; echo last; sleep 0.3; exit 3";
    let output = with_little_room(&place, script);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "the program goes on: {error}");
    assert!(
        error.contains("warning: the sink `file:") && error.contains("app.log` has lost "),
        "{error}"
    );
    let first = fs::read_to_string(place.path("log/first")).unwrap();
    let log = place.log();
    assert_clean(&(first.clone() + &log + &error));
    let note = log.lines().next().unwrap();
    let lost = note.strip_prefix("[tacenda: ").and_then(|rest| rest.split_once(' ')).unwrap().0;
    let whole = first.lines().filter(|line| line.ends_with(']')).count();
    assert_eq!(whole + lost.parse::<usize>().unwrap(), 200, "{note}");
    assert_eq!(log.lines().nth(1), Some("last"), "{log}");
}

#[test]
fn a_standard_output_that_fails_does_not_keep_the_file_from_its_records() {
    let place = Place::new();
    let script = "seq 1 3000; sleep 0.2; echo end bob@example.com";
    for redirection in [">/dev/full", ">&-", "| true"] {
        let _ = fs::remove_dir_all(place.path("log"));
        let line = format!(
            "\"$0\" run -q --sink stdio --sink {LOG} -- sh -c '{script}' {redirection}; exit 0"
        );
        let output = Command::new("sh")
            .args(["-c", &line, env!("CARGO_BIN_EXE_tacenda")])
            .current_dir(place.directory.path())
            .output()
            .unwrap();
        assert_clean(&text(&output.stderr));
        let log = place.log();
        assert_eq!(log.lines().count(), 3001, "{redirection}");
        assert!(log.lines().last().unwrap().starts_with("end [email"), "{redirection}");
    }
}

#[test]
fn what_was_written_before_a_kill_is_in_the_file() {
    let place = Place::new();
    let output = place.run(&[LOG], "seq 1 20000; printf 'half a line'; kill -9 $$");
    assert!(output.status.code().is_none());
    let expected: Vec<String> = (1..=20000).map(|n| n.to_string()).collect();
    assert_eq!(place.log(), expected.join("\n") + "\nhalf a line\n");
}

#[test]
fn a_kill_of_the_filter_tears_no_line() {
    let place = Place::new();
    let mut child = place
        .tacenda(&["--sink", LOG, "--", "sh", "-c", "while :; do echo 123456789; done"])
        .env("TACENDA_SINKS_FILE_SIZE", "64KiB")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let entries = || fs::read_dir(place.path("log")).map_or(0, Iterator::count);
    until(|| entries() > 2);
    child.kill().unwrap();
    child.wait().unwrap();
    for entry in fs::read_dir(place.path("log")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(text.len() <= 64 << 10 && text.lines().all(|line| line == "123456789"));
        assert!(text.is_empty() || text.ends_with('\n'));
    }
}

#[test]
fn what_descendants_write_later_is_in_the_file_too() {
    let place = Place::new();
    let output = place.run(&[LOG], "(sleep 1; echo later bob@example.com) & echo now");
    assert!(output.status.success());
    assert_eq!(place.log(), "now\n");
    until(|| place.log().lines().count() == 2);
    assert!(place.log().contains("\nlater [email"), "{}", place.log());
}

#[test]
fn inside_another_guard_that_one_keeps_the_log() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_tacenda");
    let script = format!(
        "exec {program} run -q --sink file:log/inner.log -- sh -c 'echo a line; echo $TACENDA_SHARE >&2'"
    );
    let output = place.run(&["stdio", LOG], &script);
    assert_eq!(text(&output.stdout), "a line\n");
    let log = place.log();
    assert_eq!(log.lines().filter(|line| *line == "a line").count(), 1, "{log}");
    assert_eq!(fs::read_to_string(place.path("log/inner.log")).unwrap(), "");
    let errors = text(&output.stderr);
    let (warning, share) = errors.trim().rsplit_once('\n').unwrap();
    assert!(
        warning.contains("nothing of standard output and standard error goes to the sinks here"),
        "{errors}"
    );
    // The program tells both filters of protected values.
    assert_eq!(share.split(':').count(), 2, "{errors}");
}

#[test]
fn descendants_keep_their_output_when_the_sinks_cannot_be_opened_for_them() {
    let place = Place::new();
    let script = "chmod 755 log; (sleep 1; echo later bob@example.com) & echo now";
    let output = place.run(&["stdio", LOG], script);
    assert!(output.status.success());
    assert_eq!(place.log(), "now\n");
    let shown = text(&output.stdout);
    assert!(shown.starts_with("now\nlater [email #"), "{shown}");
    let warning = "in the background still write does not go to the sinks";
    let errors = text(&output.stderr);
    assert!(errors.contains(warning) && errors.contains("open to others"), "{errors}");
}

#[test]
fn a_file_is_named_once() {
    let place = Place::new();
    let output = place.run(&[LOG, "file:./log/../log/app.log"], "touch started");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("the sinks name the same file twice"), "{error}");
    assert!(!place.path("started").exists());
}

#[test]
fn a_syslog_server_has_the_records() {
    let place = Place::new();
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let sink = format!("syslog:udp://{}", server.local_addr().unwrap());
    let output = place.run(&[&sink], "echo ERROR to bob@example.com >&2");
    assert!(output.status.success(), "{output:?}");
    let mut block = [0; 4096];
    let count = server.recv(&mut block).unwrap();
    let message = text(&block[..count]);
    let fields: Vec<&str> = message.splitn(8, ' ').collect();
    assert_eq!((fields[0], fields[3], fields[5]), ("<11>1", "sh", "stderr"), "{message}");
    assert!(fields[7].starts_with("ERROR to [email #"), "{message}");
}

/// Serves one OTLP request after another, each with this answer; gives their bodies.
fn receiver(answer: Option<&'static str>) -> (String, std::sync::mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("otlp:http://{}", listener.local_addr().unwrap());
    let (send, bodies) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(answer) = answer else {
                silent.push(stream);
                continue;
            };
            let (mut bytes, mut block) = (Vec::new(), vec![0; 65536]);
            let body = loop {
                let count = stream.read(&mut block).unwrap();
                bytes.extend_from_slice(&block[..count]);
                let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
                let Some((head, _)) = head.split_once("\r\n\r\n") else { continue };
                let length = head.split("content-length:").nth(1).unwrap();
                let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
                if bytes.len() >= head.len() + 4 + length {
                    break bytes.split_off(head.len() + 4);
                }
            };
            let _ = stream.write_all(answer.as_bytes());
            let _ = send.send(body);
        }
    });
    (url, bodies)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[test]
fn an_otlp_receiver_has_the_records() {
    let place = Place::new();
    let (url, bodies) = receiver(Some(OK));
    let output = place.run(&[&url], "echo one; echo to bob@example.com");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let body = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("one") && body.contains("to [email #"), "{body}");
    assert_clean(&body);
}

#[test]
fn a_receiver_that_takes_nothing_holds_the_program_up_for_a_bounded_time() {
    let place = Place::new();
    let (url, _bodies) = receiver(None);
    let script =
        "i=0; while [ $i -lt 20000 ]; do echo $i bob@example.com; i=$((i+1)); done; exit 3";
    let output = place
        .tacenda(&["--sink", &url, "--sink", LOG, "--", "sh", "-c", script])
        .env("TACENDA_SINKS_QUEUE", "64KiB")
        .env("TACENDA_SINKS_WAIT", "1s")
        .output()
        .unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{error}");
    let lost = error.split("` has lost ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(lost, "20000", "{error}");
    assert_clean(&error);
    assert_eq!(place.log().lines().count(), 20000, "the other sink has all");
}

#[test]
fn a_signal_cuts_the_wait_at_the_end_short() {
    let place = Place::new();
    let (url, _bodies) = receiver(None);
    let mut child = place
        .tacenda(&["--sink", &url, "--", "sh", "-c", "echo a line; echo $$ > pid; exit 3"])
        .env("TACENDA_SINKS_WAIT", "10m")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let kill = |signal: &str, pid: &str| {
        let mut kill = Command::new("kill");
        kill.args([signal, pid]).stderr(Stdio::null()).status().unwrap().success()
    };
    let pid = || fs::read_to_string(place.path("pid")).unwrap_or_default();
    until(|| pid().ends_with('\n') && !kill("-0", pid().trim()));
    let ours = child.id().to_string();
    // What comes before it waits for the sinks is for the program, which is no more.
    let mut status = None;
    for _ in 0..600 {
        kill("-TERM", &ours);
        status = child.try_wait().unwrap();
        if status.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = child.kill();
    let error = text(&child.wait_with_output().unwrap().stderr);
    assert_eq!(status.and_then(|status| status.code()), Some(3), "{error}");
    assert!(error.contains("has lost 1 record: "), "{error}");
}
