//! `tacenda vault`: values behind tokens, from the log that they were taken out of to their end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use command::{tacenda, text};

const POLICY: &str = "keys.file = 'keys'\nvault.path = 'vault'\nactions.personal = 'token'\n";

/// A directory with a policy and keys.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path().join("tacenda.toml"), POLICY).unwrap();
        assert!(place.tacenda(&["keys", "init"]).output().unwrap().status.success());
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn tacenda(&self, arguments: &[&str]) -> Command {
        let mut command = tacenda(self.path());
        command.args(arguments);
        command
    }

    /// What it prints; it has to succeed.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.tacenda(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The tokens of these lines, redacted.
    fn redact(&self, lines: &str) -> Vec<String> {
        fs::write(self.path().join("app.log"), lines).unwrap();
        self.run(&["redact", "--report", "none", "app.log"]).lines().map(token).collect()
    }

    fn reveal(&self, token: &str) -> String {
        self.run(&["vault", "reveal", token, "--reason", "a test"])
    }

    fn stat(&self, name: &str) -> u64 {
        let stat = self.run(&["vault", "stat", "--format", "json"]);
        let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
        stat[name].as_u64().unwrap()
    }
}

fn token(line: &str) -> String {
    line.split_whitespace().find(|word| word.starts_with("tok_")).unwrap().to_owned()
}

#[track_caller]
fn assert_failed(output: &Output, message: &str) {
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(errors.lines().next(), Some(format!("error: {message}").as_str()));
}

#[test]
fn a_value_comes_back_by_its_token_and_who_asked_is_known() {
    let place = Place::new();
    let tokens =
        place.redact("login by Jane.Roe@example.com ok\nlogin by jane.roe@EXAMPLE.com ok\n");
    assert_eq!(tokens[0], tokens[1]);
    assert!(tokens[0].starts_with("tok_email_"));
    assert_eq!(place.reveal(&tokens[0]), "Jane.Roe@example.com\n");
    let reason = "ticket 7 of ines.moreau@example.org";
    place.run(&["vault", "reveal", &tokens[0], "--reason", reason]);
    let log = place.run(&["vault", "log"]);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].contains(&format!("reveal {} done by ", tokens[0])), "{log}");
    assert!(lines[0].ends_with(": a test"), "{log}");
    assert!(lines[1].contains(": ticket 7 of tok_email_") && !log.contains("ines"), "{log}");
    assert!(lines[2].starts_with("2 entries, unchanged; head "), "{log}");
    assert!(!log.to_lowercase().contains("jane"), "{log}");
}

#[test]
fn what_cannot_be_revealed_says_why_and_is_on_record() {
    let place = Place::new();
    let none = "tok_email_0000000000000000";
    let ask =
        |reason| place.tacenda(&["vault", "reveal", none, "--reason", reason]).output().unwrap();
    assert_failed(&ask("a test"), "there is no vault here yet");
    place.redact("login by jane.roe@example.com\n");
    assert_failed(&ask("a test"), "the vault holds no value for this token");
    assert_failed(&ask(" "), "the reason is empty");
    assert!(place.run(&["vault", "log"]).contains(&format!("reveal {none} unknown by ")));
    // Other keys.
    fs::rename(place.path().join("keys"), place.path().join("old")).unwrap();
    place.run(&["keys", "init"]);
    assert_failed(&ask("a test"), "these keys do not open the vault");
    let noise = vec![0x5a; 4096];
    let file = place.path().join("vault/vault.redb");
    let mut bytes = fs::read(&file).unwrap();
    bytes[..4096].copy_from_slice(&noise);
    fs::write(&file, bytes).unwrap();
    let output = ask("a test");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("jane"));
}

#[test]
fn a_subject_is_forgotten_by_token_or_by_value() {
    let place = Place::new();
    let tokens =
        place.redact("a jane.roe@example.com\nb ines.moreau@example.org\nc +49 30 1234567\n");
    assert_eq!(
        place.run(&["vault", "forget", "--subject", &tokens[0]]),
        "forgotten: 1 token of 1 subject\n"
    );
    let mut forget = place
        .tacenda(&["vault", "forget", "--subject", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    forget.stdin.take().unwrap().write_all(b"0049 30 123 4567\n").unwrap();
    assert_eq!(
        text(&forget.wait_with_output().unwrap().stdout),
        "forgotten: 1 token of 1 subject\n"
    );
    for gone in [&tokens[0], &tokens[2]] {
        let output =
            place.tacenda(&["vault", "reveal", gone, "--reason", "a test"]).output().unwrap();
        assert_failed(&output, "the vault holds no value for this token");
    }
    assert_eq!(place.reveal(&tokens[1]), "ines.moreau@example.org\n");
    // Nothing that is logged later brings it back.
    assert_eq!(place.redact("a jane.roe@example.com\n"), tokens[..1]);
    assert_eq!((place.stat("tokens"), place.stat("forgotten")), (1, 2));
}

#[test]
fn rotated_keys_reveal_what_was_written_before() {
    let place = Place::new();
    let old = place.redact("login by jane.roe@example.com\n");
    let rotated = place.run(&["keys", "rotate"]);
    assert!(rotated.ends_with("the vault wraps 1 keys anew\n"), "{rotated}");
    let new = place.redact("login by jane.roe@example.com\n");
    assert_ne!(old, new);
    for token in [&old[0], &new[0]] {
        assert_eq!(place.reveal(token), "jane.roe@example.com\n");
    }
    assert_eq!((place.stat("oldest_epoch"), place.stat("subjects")), (2, 1));
}

#[test]
fn the_guarded_program_puts_values_in_and_holds_no_key_that_takes_them_out() {
    let place = Place::new();
    let script = "echo from jane.roe@example.com; cat keys | grep -o 'secret\": \"[0-9a-f]*' | tail -c 65 > /dev/null; env";
    let output = place.tacenda(&["run", "--quiet", "--", "sh", "-c", script]).output().unwrap();
    let out = text(&output.stdout);
    assert_eq!(place.reveal(&token(&out)), "jane.roe@example.com\n");
    let file: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.path().join("keys")).unwrap()).unwrap();
    let secret = file["epochs"][0]["secret"].as_str().unwrap();
    assert!(!out.contains(secret), "the program's environment holds derived keys only");
    let output = place
        .tacenda(&["run", "--quiet", "--", "sh", "-c", "echo \"<$TACENDA_KEYS>\""])
        .env("TACENDA_KEYS", "anything")
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "<>\n");
}

#[test]
fn a_killed_writer_loses_nothing_that_it_gave_out() {
    let place = Place::new();
    let mut child = place
        .tacenda(&["redact"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // Until nobody reads any more.
        for i in 0.. {
            if writeln!(input, "login by user{i}@example.com").is_err() {
                return;
            }
        }
    });
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(500)
        .map(Result::unwrap)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    writer.join().unwrap();
    assert!(place.stat("tokens") >= 500);
    for i in [0, 1, 250, 498, 499] {
        assert_eq!(place.reveal(&token(&lines[i])), format!("user{i}@example.com\n"));
    }
}

#[test]
fn a_killed_merge_is_made_good_by_the_next() {
    use std::fmt::Write as _;
    let place = Place::new();
    let mut tokens = Vec::new();
    for round in 0..12_u64 {
        let mut lines = String::new();
        for i in 0..40 {
            let _ = writeln!(lines, "login by user{i}.round{round}@example.com");
        }
        tokens.extend(place.redact(&lines));
        let command = ["vault", if round % 3 == 2 { "rotate" } else { "merge" }];
        let mut child = place.tacenda(&command).stdout(Stdio::null()).spawn().unwrap();
        // Somewhere in it, before it or after it: whatever the moment, nothing is lost.
        std::thread::sleep(Duration::from_millis(4 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(place.stat("tokens"), 480);
    for (i, token) in tokens.iter().enumerate().step_by(97) {
        let (round, user) = (i / 40, i % 40);
        assert_eq!(place.reveal(token), format!("user{user}.round{round}@example.com\n"));
    }
}

#[test]
fn at_the_same_time_all_are_served() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let place = &place;
            scope.spawn(move || {
                let name = format!("{worker}.log");
                let address = format!("worker{worker}@example.com");
                fs::write(place.path().join(&name), format!("login by {address}\n")).unwrap();
                let redacted = place.run(&["redact", "--report", "none", &name]);
                assert_eq!(place.reveal(&token(&redacted)), format!("{address}\n"));
            });
        }
    });
    assert_eq!((place.stat("tokens"), place.stat("events")), (4, 4));
}

#[test]
fn a_vault_that_others_can_read_is_refused_before_anything_is_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let vault = place.path().join("vault");
    fs::create_dir(&vault).unwrap();
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(place.path().join("app.log"), "login by jane.roe@example.com\n").unwrap();
    let output = place.tacenda(&["redact", "app.log"]).output().unwrap();
    assert_failed(&output, "others may read the vault (mode 0755)");
    assert_eq!(output.stdout, b"");
}

#[test]
fn without_keys_nothing_is_turned_into_tokens() {
    let place = Place::new();
    fs::remove_file(place.path().join("keys")).unwrap();
    let policy = POLICY.replace("keys.file = 'keys'\n", "");
    fs::write(place.path().join("tacenda.toml"), policy).unwrap();
    for arguments in [&["redact"][..], &["run", "--quiet", "--", "true"]] {
        let output = place.tacenda(arguments).output().unwrap();
        assert_failed(&output, "the vault needs keys, and the policy names none");
    }
}
