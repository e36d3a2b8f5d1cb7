//! `tacenda run` with real programs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod terminal;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use command::text;

/// The command before a program, where no policy file is.
fn tacenda() -> Command {
    command::tacenda(&std::env::temp_dir())
}

fn run(program: &[&str]) -> Output {
    tacenda().args(["run", "-q", "--"]).args(program).output().unwrap()
}

fn sh(script: &str) -> Output {
    run(&["sh", "-c", script])
}

#[track_caller]
fn assert_redacted(text: &str) {
    assert!(text.contains("[email") && !text.contains("bob@"), "{text}");
}

#[test]
fn both_outputs_are_redacted() {
    let output = sh("echo to bob@example.com; echo from bob@example.com >&2");
    assert!(text(&output.stdout).starts_with("to [email"), "{output:?}");
    assert!(text(&output.stderr).starts_with("from [email"), "{output:?}");
    let fingerprint = |line: &[u8]| text(line).rsplit('#').next().map(str::to_owned);
    assert_eq!(fingerprint(&output.stdout), fingerprint(&output.stderr), "one key for both");
}

#[test]
fn an_address_that_a_width_or_a_program_broke_is_redacted_as_one() {
    let width = format!("{}bob@exam", "to ".repeat(24));
    for (first, end) in [(&*width, ""), ("to bob@exam", "="), ("to bob@exam", "\\")] {
        let output = run(&["printf", "%s\n%s\n", &format!("{first}{end}"), "ple.com and more"]);
        assert_redacted(&text(&output.stdout));
        assert!(text(&output.stdout).ends_with("] and more\n"), "{output:?}");
    }
}

#[test]
fn the_exit_status_is_the_programs() {
    for status in [0, 1, 7, 127, 255] {
        assert_eq!(sh(&format!("exit {status}")).status.code(), Some(status));
    }
}

#[test]
fn a_signal_that_ends_the_program_ends_us() {
    let directory = tempfile::tempdir().unwrap();
    for signal in ["TERM", "KILL", "INT", "HUP", "QUIT", "SEGV", "PIPE", "USR1"] {
        // A core may be dumped, but the program forgoes its own.
        let script = format!("ulimit -c 0; echo last words of bob@example.com; kill -{signal} $$");
        let output = Command::new("sh")
            .args(["-c", "ulimit -c unlimited; exec \"$0\" run -q --no-tmpdir -- sh -c \"$1\""])
            .args([env!("CARGO_BIN_EXE_tacenda"), &script])
            .current_dir(&directory)
            .output()
            .unwrap();
        let number = Signal::from_named_raw(output.status.signal().unwrap()).unwrap();
        assert!(format!("{number:?}").to_uppercase().contains(signal), "{signal}: {number:?}");
        assert!(!output.status.core_dumped(), "our core would hold text");
        assert_redacted(&text(&output.stdout));
    }
}

#[test]
fn nothing_is_lost_when_the_program_is_killed() {
    let output = sh("seq 1 20000; printf 'half a line'; kill -9 $$");
    let expected: Vec<String> = (1..=20000).map(|n| n.to_string()).collect();
    assert_eq!(text(&output.stdout), expected.join("\n") + "\nhalf a line");
}

#[test]
fn what_cannot_be_run_has_its_status_and_is_not_named() {
    let missing = run(&["bob@example.com", "secret"]);
    let directory = run(&["/"]);
    assert_eq!((missing.status.code(), directory.status.code()), (Some(127), Some(126)));
    for output in [missing, directory] {
        let error = text(&output.stderr);
        assert!(error.starts_with("error: ") && error.contains("\nhint: "), "{error}");
        assert!(!error.contains("bob@") && !error.contains("secret"), "{error}");
    }
}

#[test]
fn the_order_of_two_outputs_into_one_file_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let file = fs::File::create(&log).unwrap();
    let status = tacenda()
        .args(["run", "-q", "--", "sh", "-c"])
        .arg("i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done")
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    assert!(status.success());
    let expected: Vec<String> = (0..500).map(|n| format!("out {n}\nerr {n}\n")).collect();
    assert_eq!(fs::read_to_string(log).unwrap(), expected.concat());
}

/// 100 MB in a release build.
#[test]
fn much_output_arrives_whole() {
    let size: usize = if cfg!(debug_assertions) { 4_000_000 } else { 100_000_000 };
    let script = format!("yes 'a line of a log, nothing special 12 34' | head -c {size}");
    let mut child = tacenda()
        .args(["run", "-q", "--", "sh", "-c", &script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut received = 0;
    let mut block = vec![0; 1 << 20];
    let mut stdout = child.stdout.take().unwrap();
    let line = b"a line of a log, nothing special 12 34\n";
    loop {
        let count = stdout.read(&mut block).unwrap();
        if count == 0 {
            break;
        }
        for (index, byte) in block[..count].iter().enumerate() {
            assert_eq!(*byte, line[(received + index) % line.len()], "at {}", received + index);
        }
        received += count;
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(received, size);
}

#[test]
fn files_are_private_and_the_temporary_directory_goes() {
    let directory = tempfile::tempdir().unwrap();
    let made = directory.path().join("made");
    for end in ["exit 0", "kill -9 $$", "kill -TERM $PPID; exec sleep 10"] {
        let output = tacenda()
            .args(["run", "-q", "--", "sh", "-c"])
            .arg(format!(
                "echo $TMPDIR; stat -c %a $TMPDIR; touch $TMPDIR/inside {}; {end}",
                made.display()
            ))
            .env("TMPDIR", directory.path())
            .output()
            .unwrap();
        let stdout = text(&output.stdout);
        let mut lines = stdout.lines();
        let tmpdir = Path::new(lines.next().unwrap());
        assert!(tmpdir.starts_with(directory.path()) && tmpdir != directory.path());
        assert_eq!(lines.next(), Some("700"));
        assert!(!tmpdir.exists(), "{end}");
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&made).unwrap();
    }
}

#[test]
fn a_directory_for_temporary_files_that_is_none_is_passed_over() {
    for option in ["--quiet", "--no-tmpdir"] {
        let script = "echo to bob@example.com; echo $TMPDIR";
        let output = tacenda()
            .args(["run", option, "--", "sh", "-c", script])
            .env("TMPDIR", "/nonexistent")
            .output()
            .unwrap();
        let printed = text(&output.stdout);
        assert_redacted(&printed);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(printed.contains("/nonexistent"), option == "--no-tmpdir", "{printed}");
    }
}

#[test]
fn the_policy_may_leave_files_alone() {
    let output = tacenda()
        .args(["run", "-q", "--no-tmpdir", "--no-umask", "--", "sh", "-c", "echo $TMPDIR; umask"])
        .env("TMPDIR", "/somewhere")
        .output()
        .unwrap();
    let umask = Command::new("sh").args(["-c", "umask"]).output().unwrap();
    assert_eq!(text(&output.stdout), format!("/somewhere\n{}", text(&umask.stdout)));
}

#[test]
fn stdout_that_is_output_is_not_touched() {
    let script = "import os; s = os.fstat(1); print(s.st_ino, os.environ['TACENDA_RUN'])";
    let file = tempfile::NamedTempFile::new().unwrap();
    let status = tacenda()
        .args(["run", "-q", "--stdout", "output", "--", "python3", "-c", script])
        .stdout(file.reopen().unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let out = fs::read_to_string(file.path()).unwrap();
    let (inode, filtered) = out.split_once(' ').unwrap();
    assert_eq!(inode, file.as_file().metadata().unwrap().ino().to_string());
    assert!(filtered.starts_with("2:") && !filtered.contains(','), "{filtered}");
}

#[test]
fn the_program_is_told_which_descriptors_are_filtered() {
    let script = "import os
for fd in (1, 2):
    s = os.fstat(fd)
    print(f'{fd}:{s.st_dev}:{s.st_ino}' in os.environ['TACENDA_RUN'].split(','))
print(len(os.environ['TACENDA_DERIVED_KEYS'].split(':')[2]), os.environ['TACENDA_POLICY'][:1])";
    let output = run(&["python3", "-c", script]);
    assert_eq!(text(&output.stdout), "True\nTrue\n64 {\n");
}

#[test]
fn python_children_find_the_guard_first() {
    let directory = tempfile::tempdir().unwrap();
    let guard = "import os, sys\nprint('guard in', os.getpid() != os.getppid(), file=sys.stderr)\n";
    fs::write(directory.path().join("sitecustomize.py"), guard).unwrap();
    let output = tacenda()
        .args(["run", "--", "sh", "-c"])
        .arg("echo $PYTHONPATH; python3 -c 'pass'; python3 -c 'pass'")
        .env("TACENDA_BOOTSTRAP", directory.path())
        .env("PYTHONPATH", "/elsewhere")
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), format!("{}:/elsewhere\n", directory.path().display()));
    assert_eq!(text(&output.stderr), "guard in True\nguard in True\n");
}

#[test]
fn without_the_guard_there_is_one_warning() {
    let output = tacenda()
        .args(["run", "--", "sh", "-c", "echo x"])
        .env("TACENDA_BOOTSTRAP", "/nowhere")
        .output()
        .unwrap();
    let warning = text(&output.stderr);
    assert!(warning.starts_with("warning: only the output streams are redacted"), "{warning}");
    assert_eq!(text(&output.stdout), "x\n");
}

#[test]
fn a_broken_pipe_ends_the_program_as_without_us() {
    let started = Instant::now();
    let mut child = tacenda()
        .args(["run", "-q", "--", "sh", "-c", "yes; echo $? >&2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "y\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "141\n", "yes ended by SIGPIPE");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_prompt_without_a_line_end_is_shown() {
    let mut child = tacenda()
        .args(["run", "-q", "--", "sh", "-c", "printf 'name? '; read name; echo hello"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut prompt = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"name? ");
    drop(child.stdin.take());
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), "hello\n");
}

// Descendants.

#[test]
fn what_a_descendant_writes_after_the_end_is_redacted_too_and_nobody_waits() {
    // The descendant goes on until it is told, or gives up so that a fault does not hang the test.
    let script = "echo $TMPDIR
        (n=0; until test -e $1; do sleep 0.1; n=$((n+1)); test $n -lt 300 || exit; done
        ls -d $TMPDIR; echo late bob@example.com) & exit 5";
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let mut child = tacenda()
        .args(["run", "-q", "--", "sh", "-c", script, "sh"])
        .arg(&go)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    fs::write(go, "").unwrap();
    let mut out = String::new();
    stdout.read_to_string(&mut out).unwrap();
    assert_redacted(&out);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "it does not wait for them");
    assert_eq!(lines[0], lines[1], "the directory stays as long as they use it");
    let gone = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !Path::new(lines[0]).exists()
    });
    assert!(gone);
}

#[test]
fn a_descendant_that_ends_soon_is_waited_for() {
    // On a busy machine a tenth of a second may become more than anyone waits.
    let waited = (0..5).any(|_| {
        let log = tempfile::NamedTempFile::new().unwrap();
        let status = tacenda()
            .args(["run", "-q", "--", "sh", "-c", "(sleep 0.1; echo last) & echo first"])
            .stdout(log.reopen().unwrap())
            .status()
            .unwrap();
        assert!(status.success());
        fs::read_to_string(log.path()).unwrap() == "first\nlast\n"
    });
    assert!(waited);
}

// Signals.

/// A program that counts signals: from the first on, one second long.
const COUNTER: &str = "
import collections, signal, time
seen = collections.Counter()
for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT):
    signal.signal(s, lambda s, _: seen.update([signal.Signals(s).name]))
print('ready', flush=True)
while not seen: time.sleep(0.02)
time.sleep(1)
print(dict(seen), 'bob@example.com')
";

fn counter() -> (Child, BufReader<std::process::ChildStdout>) {
    counter_in(&std::env::temp_dir())
}

fn counter_in(tmpdir: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = tacenda()
        .env("TMPDIR", tmpdir)
        .args(["run", "-q", "--", "python3", "-c", COUNTER])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    (child, stdout)
}

fn counted(mut child: Child, mut stdout: impl Read) -> String {
    let mut out = String::new();
    stdout.read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success());
    assert_redacted(&out);
    out.split_inclusive('}').next().unwrap().to_owned()
}

#[test]
fn a_signal_to_us_alone_reaches_the_program_once() {
    for (signal, name) in [
        (Signal::INT, "SIGINT"),
        (Signal::TERM, "SIGTERM"),
        (Signal::HUP, "SIGHUP"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::QUIT, "SIGQUIT"),
    ] {
        let (child, stdout) = counter();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(counted(child, stdout), format!("{{'{name}': 1}}"));
    }
}

#[test]
fn a_signal_to_the_group_reaches_the_program_once() {
    for (signal, name) in
        [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM"), (Signal::USR1, "SIGUSR1")]
    {
        let (child, stdout) = counter();
        kill_process_group(Pid::from_child(&child), signal).unwrap();
        assert_eq!(counted(child, stdout), format!("{{'{name}': 1}}"));
    }
}

#[test]
fn killing_the_group_leaves_nobody() {
    // Nobody is left to remove the temporary directory either.
    let directory = tempfile::tempdir().unwrap();
    let (mut child, mut stdout) = counter_in(directory.path());
    kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "the end of the pipe: nobody holds it");
}

#[test]
fn ignored_signals_stay_ignored() {
    let output = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" run -q -- sh -c 'kill -HUP $$; echo survived'"])
        .arg(env!("CARGO_BIN_EXE_tacenda"))
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "survived\n");
}

#[test]
fn a_stopped_program_stops_nobody_without_a_terminal() {
    let output = Command::new("setsid")
        .args(["--wait", env!("CARGO_BIN_EXE_tacenda"), "run", "-q", "--", "sh", "-c"])
        .arg("(sleep 0.3; kill -CONT $$) & kill -STOP $$; echo on; sleep 0.2")
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "on\n");
}

#[cfg(target_os = "linux")]
#[test]
fn the_filter_may_have_more_descriptors_than_the_program() {
    let script = "i=0; until grep -q 'Max open files *1024 ' /proc/$PPID/limits; do
        i=$((i+1)); [ $i -lt 1000 ] || exit 1; sleep 0.02; done; ulimit -Sn";
    let output = Command::new("sh")
        .args(["-c", "ulimit -Sn 64; exec \"$0\" run -q -- sh -c \"$1\""])
        .args([env!("CARGO_BIN_EXE_tacenda"), script])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "64\n", "{output:?}");
}

/// In a process namespace of its own, as a container has one.
#[cfg(target_os = "linux")]
fn as_first_process(script: &str) -> Option<Output> {
    let unshare = |program: &[&str]| {
        Command::new("unshare").args(["-r", "-p", "-f"]).args(program).output().ok()
    };
    unshare(&["true"]).filter(|output| output.status.success())?;
    unshare(&[env!("CARGO_BIN_EXE_tacenda"), "run", "-q", "--", "sh", "-c", script])
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_process_of_a_container_waits_for_orphans_and_ends_as_the_program() {
    // An orphan is the child of a process that has ended before it. One that nobody waits for is
    // still there after its end.
    let script = "cd $(mktemp -d) && (sleep 0.1 & echo $! > orphan); sleep 0.6;
        kill -0 $(cat orphan) 2>/dev/null && echo still there || echo gone; exit 7";
    let Some(output) = as_first_process(script) else { return };
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(text(&output.stdout), "gone\n");
    for (signal, status) in [("TERM", 143), ("KILL", 137), ("SEGV", 139)] {
        let output = as_first_process(&format!("kill -{signal} $$")).unwrap();
        assert_eq!(output.status.code(), Some(status), "{signal}: {output:?}");
    }
}

#[test]
fn what_a_program_left_in_a_directory_of_logs_is_cleaned_when_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("kept");
    fs::create_dir_all(kept.join("deep")).unwrap();
    fs::write(directory.path().join("tacenda.toml"), "guard.log_directories = ['kept']").unwrap();
    fs::write(kept.join("old"), "bob@example.com").unwrap();
    let old = fs::File::options().write(true).open(kept.join("old")).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let far = "x".repeat((1 << 20) - 4);
    let script = r"printf 'to bob@example.com\n' > kept/deep/x; cat > kept/far
        printf 'SQLite format 3\0bob@example.com' > kept/db
        ln -s ../outside kept/link; printf 'bob@example.com' > outside; kill -9 $$";
    let mut program = command::tacenda(directory.path())
        .args(["run", "-q", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    input.write_all(format!("{far}\nbob@example.com\n").as_bytes()).unwrap();
    drop(input);
    assert_eq!(program.wait().unwrap().signal(), Some(9));
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(read("kept/deep/x"), "to ***************\n");
    assert_eq!(read("kept/far"), format!("{far}\n***************\n"));
    for left in ["kept/old", "kept/db", "outside"] {
        assert!(read(left).contains("bob@example.com"), "{left}");
    }
}
