//! Rules and allowed values from the command line to the log.

mod command;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use command::text;

const RULE: &str = include_str!("../../../tests/rules/ticket.toml");

fn tacenda(directory: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = command::tacenda(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command was built");
    // A command that ends before it reads is seen by its status.
    let _ = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

#[test]
fn an_entry_for_a_value_lets_it_through_and_does_not_hold_it() {
    let root = tempfile::tempdir().unwrap();
    let allow = ["rules", "allow", "--reason", "our \"desk\"", "--detector", "email"];
    let printed = tacenda(root.path(), &allow, "desk@example.org\r\n");
    let entry = text(&printed.stdout);
    assert!(printed.status.success() && printed.stderr.is_empty(), "{printed:?}");
    assert!(entry.starts_with("[[allow]]\nvalue = \"sha256:") && !entry.contains("desk@"));
    assert_ne!(entry, text(&tacenda(root.path(), &allow, "desk@example.org").stdout), "salted");

    let log = "desk@example.org, ines@example.org\n";
    fs::write(root.path().join("tacenda.toml"), format!("actions.personal = 'mask'\n{entry}"))
        .unwrap();
    let redacted = tacenda(root.path(), &["redact"], log);
    assert_eq!(text(&redacted.stdout), "desk@example.org, [email]\n");
}

#[test]
fn a_value_of_which_a_part_is_found_is_warned_of() {
    let root = tempfile::tempdir().unwrap();
    let allow = ["rules", "allow", "--reason", "ours"];
    let printed = tacenda(root.path(), &allow, "Desk <desk@example.org>");
    assert!(printed.status.success());
    assert!(text(&printed.stderr).starts_with("warning: detectors find a part of this value"));
}

#[test]
fn a_guarded_program_and_what_it_starts_are_held_to_the_users_rules() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("rules")).unwrap();
    fs::write(root.path().join("rules/own.toml"), RULE).unwrap();
    let policy =
        "actions.personal = 'mask'\ndetectors.rules = ['rules/*.toml']\nguard.stdout = 'log'\n";
    fs::write(root.path().join("tacenda.toml"), policy).unwrap();
    // The policy that is handed over names the rule file by its whole path.
    let script = "cd /; echo TKT-482913; printf %s \"$TACENDA_POLICY\" | grep -c /rules/";
    let ran = tacenda(root.path(), &["run", "--quiet", "--", "sh", "-c", script], "");
    assert_eq!(text(&ran.stdout), "[ticket]\n1\n", "{}", text(&ran.stderr));
}

#[test]
fn nothing_runs_under_a_broken_rule() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("own.txt"), RULE.replace("keywords", "keyword")).unwrap();
    fs::write(root.path().join("tacenda.toml"), "detectors.rules = ['own.txt']\n").unwrap();
    for arguments in
        [&["run", "--", "echo", "TKT-482913"][..], &["redact"], &["config"], &["rules"]]
    {
        let ended = tacenda(root.path(), arguments, "");
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&ended.stdout), "", "{arguments:?}");
        let said = text(&ended.stderr);
        let wanted = "error: unknown key `keyword` in `[[detector]]`\n  --> own.txt:8:1\nhint: did you \
                      mean `keywords`?\n";
        assert_eq!(said, wanted, "{arguments:?}");
    }
}

#[test]
fn who_mistakes_the_name_of_a_detector_can_list_them() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("tacenda.toml"), "detectors.disable = ['weather']\n").unwrap();
    let ended = tacenda(root.path(), &["redact"], "");
    let wanted = "error: unknown detector in `detectors.disable`\n  --> tacenda.toml:1:22\nhint: \
                  `tacenda rules` lists them\n";
    assert_eq!((ended.status.code(), text(&ended.stderr).as_str()), (Some(2), wanted));
    let listed = tacenda(root.path(), &["rules"], "");
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    assert!(text(&listed.stdout).contains("\n  email "));
}
