//! `tacenda run` on a terminal: script(1) gives us one and passes on what we type.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A command line on a terminal of 123 × 45.
struct Session {
    child: Child,
    arriving: Receiver<Vec<u8>>,
    screen: String,
}

impl Session {
    fn start(command: &str) -> Self {
        let tacenda = env!("CARGO_BIN_EXE_tacenda");
        // The shell outlives Ctrl-C, to say how the command has ended. The status of script(1) would
        // not do: it is that of whatever came last on its terminal.
        let line = format!(
            "trap : INT; stty cols 123 rows 45; {}; echo \"[status $?]\"",
            command.replace("tacenda", tacenda)
        );
        let mut child = Command::new("script")
            .args(["-q", "-f", "-c", &line, "/dev/null"])
            .env("TERM", "dumb")
            .env("SHELL", "/bin/sh")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (send, arriving) = channel();
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut block) {
                if send.send(block[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, arriving, screen: String::new() }
    }

    /// Waits until the screen shows this after what it showed before.
    #[track_caller]
    fn expect(&mut self, wanted: &str) -> String {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(at) = self.screen.find(wanted) {
                let rest = self.screen.split_off(at + wanted.len());
                return std::mem::replace(&mut self.screen, rest);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.arriving.recv_timeout(left) {
                Ok(block) => self.screen.push_str(&String::from_utf8_lossy(&block)),
                Err(RecvTimeoutError::Timeout) => panic!("no {wanted:?} in {:?}", self.screen),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait().unwrap();
                    panic!("no {wanted:?} in {:?}, {status}", self.screen);
                }
            }
        }
    }

    fn type_in(&mut self, keys: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits for the end, which has to have this status. Our side of the terminal stays open until
    /// then.
    #[track_caller]
    fn exits_with(mut self, code: i32) {
        self.expect("[status ");
        let status = self.expect("]\r\n");
        assert_eq!(status.strip_suffix("]\r\n"), Some(code.to_string().as_str()));
        let stdin = self.child.stdin.take();
        self.child.wait().unwrap();
        drop(stdin);
    }
}

#[test]
fn the_program_has_a_terminal_of_the_right_size() {
    let script = "import os; print([os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size(1), \
                  os.get_terminal_size(2)); print('\\033[31mbob@example.com\\033[0m')";
    let mut session = Session::start(&format!("tacenda run -q -- python3 -c \"{script}\""));
    session.expect("[True, True, True]");
    session.expect("columns=123, lines=45");
    session.expect("columns=123, lines=45");
    // The line end is made by the real terminal, once.
    session.expect("\r\n\x1b[31m[email");
    assert!(session.expect("]\x1b[0m\r\n").starts_with(" #"));
    session.exits_with(0);
}

#[test]
fn only_what_is_a_terminal_becomes_one() {
    let script = "import os, sys; print([os.isatty(fd) for fd in (0, 1, 2)], file=sys.stderr)";
    let mut session = Session::start(&format!("tacenda run -q -- python3 -c \"{script}\" | cat"));
    session.expect("[True, False, True]");
    session.exits_with(0);
}

#[test]
fn a_question_is_asked_and_answered() {
    let script = "print('hello', len(input('name? ')))";
    let mut session = Session::start(&format!("tacenda run -q -- python3 -c \"{script}\""));
    session.expect("name? ");
    session.type_in("alice\r");
    session.expect("hello 5");
    session.exits_with(0);
}

#[test]
fn ctrl_c_interrupts_once() {
    let script = "
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print('ready', flush=True)
while not seen: time.sleep(0.02)
time.sleep(1)
print('seen', len(seen))";
    let mut session = Session::start(&format!("tacenda run -q -- python3 -c \"{script}\""));
    session.expect("ready");
    session.type_in("\x03");
    session.expect("seen 1");
    session.exits_with(0);
}

#[test]
fn ctrl_c_ends_a_program_that_does_not_mind() {
    // Not sh: a key pressed between its fork and exec is lost, with or without us.
    let script = "import time; print('ready', flush=True); time.sleep(60)";
    let mut session = Session::start(&format!("tacenda run -q -- python3 -c \"{script}\""));
    session.expect("ready");
    session.type_in("\x03");
    session.exits_with(130);
}

#[test]
fn job_control_stops_and_resumes() {
    // Not sh: a stop between its vfork and exec hangs it, with or without us.
    let script = "
import os, sys, time
print('ready', flush=True)
while not os.path.exists(sys.argv[1]): time.sleep(0.02)
print('done')";
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("program.py"), script).unwrap();
    let mut session = Session::start("env PS1='ok> ' bash --norc --noprofile -i");
    session.expect("ok> ");
    let (program, go) = (at("program.py"), at("go"));
    let line = format!("run -q -- python3 {} {}\r", program.display(), go.display());
    session.type_in(&format!("{} {line}", env!("CARGO_BIN_EXE_tacenda")));
    session.expect("ready\r\n");
    session.type_in("\x1a");
    session.expect("Stopped");
    session.expect("ok> ");
    session.type_in("echo stat''us\r");
    session.expect("status\r\n");
    std::fs::write(go, "").unwrap();
    session.type_in("fg\r");
    session.expect("done\r\n");
    session.expect("ok> ");
    session.type_in("exit\r");
    session.exits_with(0);
}

#[test]
fn a_new_size_reaches_the_program() {
    let script = "
import os, signal, sys
def show(*_):
    print('now', os.get_terminal_size(1).columns, flush=True)
    if os.get_terminal_size(1).columns == 77: sys.exit()
signal.signal(signal.SIGWINCH, show)
open(sys.argv[1], 'w').close()
while True: signal.pause()";
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(at("program.py"), script).unwrap();
    let (program, ready) = (at("program.py"), at("ready"));
    let mut session = Session::start(&format!(
        "tacenda run -q -- python3 {program} {ready} & \
         until test -e {ready}; do sleep 0.05; done; stty cols 77; wait"
    ));
    session.expect("now 77");
    session.exits_with(0);
}
