//! `tacenda run` with a journal as its sink: what comes in, who is refused, what a crash leaves.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::command::text;
use crate::place::{Place, until};

impl Place {
    /// A script whose log goes into the journal.
    fn script(&self, script: &str) -> Command {
        let mut command = self.tacenda();
        command.args(["run", "-q", "--sink", "journal:sealed", "--", "sh", "-c", script]);
        command
    }

    #[track_caller]
    fn run(&self, script: &str) -> Output {
        self.script(script).output().unwrap()
    }
}

/// All that lies below a directory.
fn bytes_below(directory: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path));
        } else if let Ok(mut file) = fs::File::open(path) {
            file.read_to_end(&mut bytes).unwrap();
        }
    }
    bytes
}

#[test]
fn a_journal_has_the_log_and_nothing_else_has() {
    let place = Place::new();
    let output = place.run("echo ERROR to bob@example.com >&2; sleep 0.2; echo INFO ready");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    place.journal(&["verify", "sealed", "--identity", "reader"]);
    let records = place.records(&[]);
    let head = |record: &Value| {
        ["level", "logger", "stream"].map(|name| record[name].as_str().unwrap().to_owned())
    };
    assert_eq!(head(&records[0]), ["error", "sh", "stderr"]);
    assert_eq!(head(&records[1]), ["info", "sh", "stdout"]);
    assert!(records[0]["message"].as_str().unwrap().starts_with("ERROR to [email #"));
    assert_eq!((&records[1]["message"], records.len()), (&"INFO ready".into(), 2));
    let time: jiff::Timestamp = records[0]["time"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(time).as_secs() < 60);
    let bytes = bytes_below(&place.path("sealed"));
    for clear in [&b"ready"[..], b"bob@", b"[email"] {
        assert!(!bytes.windows(clear.len()).any(|part| part == clear), "in clear text");
    }
}

#[test]
fn the_policy_names_the_journal_and_the_class_of_its_records() {
    let place = Place::new();
    fs::create_dir(place.path("below")).unwrap();
    let policy = "guard.sinks = ['journal:sealed', 'stdio']\nsinks.journal_class = 'restricted'\n";
    fs::write(place.path("tacenda.toml"), policy).unwrap();
    let mut run = place.tacenda();
    run.current_dir(place.path("below")).args(["run", "-q", "--", "echo", "a line"]);
    assert_eq!(text(&run.output().unwrap().stdout), "a line\n");
    assert_eq!(place.messages(&[]), ["a line"]);
    let other = place.journal(&["identity", "officer"]);
    let recipient = format!("restricted={}", other.trim());
    let reader = &place.recipient("reader");
    let recipients = ["--recipient", reader, "--recipient", &recipient, "--reason", "a test"];
    place.journal(&[&["recipients", "sealed"], &recipients[..]].concat());
    run.output().unwrap();
    let records = place.records(&[]);
    assert_eq!((records.len(), records[1].get("message")), (2, None), "only the officer reads it");
}

#[test]
fn without_a_journal_that_can_be_written_to_no_program_starts() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    fs::set_permissions(place.path("empty"), fs::Permissions::from_mode(0o700)).unwrap();
    let recipients = place.tacenda().args(["journal", "init", "nobody"]).output().unwrap();
    assert!(text(&recipients.stderr).contains("nobody is named who may read"), "{recipients:?}");
    let unkeyed = Place::new();
    fs::remove_file(unkeyed.path("sealed/keys/signing")).unwrap();
    let open = Place::new();
    fs::set_permissions(open.path("sealed"), fs::Permissions::from_mode(0o755)).unwrap();
    let absent = |path: &str| place.path(path);
    for (path, says) in [
        (absent("none"), "cannot use the sink"),
        (absent("nobody"), "cannot use the sink"),
        (absent("empty"), "there is no journal here"),
        (unkeyed.path("sealed"), "the journal is damaged"),
        (open.path("sealed"), "others may reach the journal"),
    ] {
        let sink = format!("journal:{}", path.display());
        let mut run = place.tacenda();
        run.args(["run", "-q", "--sink", &sink, "--", "touch", "started"]);
        let output = run.output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{sink}: {error}");
        assert!(error.contains(says) && error.contains("\nhint: "), "{sink}: {error}");
    }
    let mut run = place.script("touch started");
    let output = run.env_remove("TACENDA_JOURNAL_PLACES").output().unwrap();
    let error = text(&output.stderr);
    assert!(
        error.contains("hint: choose another, or set TACENDA_JOURNAL_PLACES=temporary"),
        "{error}"
    );
    assert!(!place.path("started").exists() && !place.path("nobody").exists());
    assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
}

#[test]
fn a_kill_of_the_filter_loses_nothing_that_the_journal_has_taken() {
    let place = Place::new();
    let mut before = 0;
    for round in 0..4 {
        // No more than can be read again in its time.
        let line = format!("echo round {round} line $i; i=$((i+1))");
        let script =
            format!("i=0; while {line}; do case $i in *00) sleep 0.01;; esac; done 2>/dev/null");
        let mut child = place.script(&script).spawn().unwrap();
        let mut seen = Vec::new();
        until(|| {
            seen = place.messages(&[]);
            seen.len() > before + 200 * (round + 1)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let left = place.messages(&[]);
        assert!(left.starts_with(&seen), "what was there is there");
        for (number, line) in left[before..].iter().enumerate() {
            assert_eq!(*line, format!("round {round} line {number}"));
        }
        before = left.len();
        place.journal(&["verify", "sealed", "--identity", "reader"]);
    }
    assert!(place.run("echo and on").status.success());
    assert_eq!(place.messages(&[]).len(), before + 1);
    let list = place.journal(&["list", "sealed"]);
    assert_eq!(list.matches("recovered").count(), 4, "{list}");
    place.journal(&["verify", "sealed", "--identity", "reader"]);
}

#[test]
fn programs_share_a_journal() {
    let place = Place::new();
    // The first ends while the others still write.
    let scripts = [(1, 500, ""), (2, 2000, "sleep 0.5;"), (3, 2000, "sleep 0.5;")];
    let children: Vec<Child> = scripts
        .iter()
        .map(|(name, count, pause)| {
            let script =
                format!("seq -f '{name} %.0f' {count}; {pause} seq -f '{name} %.0f' {count}");
            place.script(&script).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let messages = place.messages(&[]);
    for (name, count, _) in scripts {
        let own: Vec<&String> =
            messages.iter().filter(|line| line.starts_with(&format!("{name} "))).collect();
        let expected: Vec<String> =
            (0..2).flat_map(|_| 1..=count).map(|n| format!("{name} {n}")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
    place.journal(&["verify", "sealed", "--identity", "reader"]);
}

#[test]
fn who_follows_a_journal_sees_each_line_once() {
    let place = Place::new();
    place.run("seq 1 5");
    let mut tail = place.tacenda();
    tail.args(["journal", "tail", "sealed", "-i", "reader", "-n", "2", "-f"]);
    let mut tail = tail.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line["message"].as_str().unwrap().to_owned()
    };
    assert_eq!([next(), next()], ["4", "5"]);
    // Sealed as soon as it ends, and written over a while.
    for (script, expected) in [
        ("seq 6 300", 6..=300),
        ("for i in 301 302 303; do echo $i; sleep 0.3; done", 301..=303),
        ("seq 304 400", 304..=400),
    ] {
        assert!(place.run(script).status.success());
        for number in expected {
            assert_eq!(next(), number.to_string());
        }
    }
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn on_a_full_disk_records_are_lost_counted_and_told_of() {
    let place = Place::new();
    // Room for what is written at once, and not for all.
    let line = "echo $i bob@example.com; i=$((i+1)); case $i in *0) sleep 0.01;; esac";
    let script = &format!("i=0; while [ $i -lt 4000 ]; do {line}; done; exit 3");
    let line = "ulimit -f 400; exec \"$0\" run -q --sink journal:sealed -- sh -c \"$1\"";
    let mut run = Command::new("sh");
    run.args(["-c", line, env!("CARGO_BIN_EXE_tacenda"), script]);
    run.env("TACENDA_JOURNAL_PLACES", "temporary").env("TACENDA_SINKS_WAIT", "1s");
    let output = run.current_dir(place.directory.path()).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "the program goes on: {error}");
    assert!(!error.contains("bob@") && output.stdout.is_empty(), "{output:?}");
    let lost = error.split("` has lost ").nth(1).unwrap().split(' ').next().unwrap();
    let mut messages = place.messages(&[]);
    let note = format!("[tacenda: {lost} records lost: cannot use the journal: file too large]");
    // A word of ours may be short enough.
    messages.pop_if(|last| *last == note);
    assert!(!messages.is_empty());
    assert_eq!(messages.len() + lost.parse::<usize>().unwrap(), 4000, "{error}");
    for (number, message) in messages.iter().enumerate() {
        assert!(message.starts_with(&format!("{number} [email #")), "{message}");
    }
    // What had no room for its last mark is sealed by the next one.
    place.journal(&["rotate", "sealed"]);
    place.journal(&["verify", "sealed", "--identity", "reader"]);
}

#[test]
fn an_owner_that_does_not_answer_holds_the_program_up_for_a_bounded_time() {
    let place = Place::new();
    let mut owner = place.tacenda();
    owner.args(["journal", "append", "sealed", "--acknowledge"]);
    let mut owner = owner.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut block = [0; 2];
    owner.stdout.as_mut().unwrap().read_exact(&mut block).unwrap();
    let signal = |signal: &str| {
        Command::new("kill").args([signal, &owner.id().to_string()]).status().unwrap();
    };
    signal("-STOP");
    let mut run = place.script("seq 1 20000; exit 3");
    run.env("TACENDA_SINKS_QUEUE", "64KiB").env("TACENDA_SINKS_WAIT", "1s");
    let output = run.output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("` has lost 20000 records: "), "{error}");
    signal("-CONT");
    owner.stdin.take().unwrap().write_all(b"a line\n").unwrap();
    assert!(owner.wait().unwrap().success());
    assert!(place.messages(&[]).contains(&"a line".to_owned()));
}
