//! Making, keeping and erasing.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::command::text;
use crate::place::Place;

#[test]
fn limits_are_not_removed_by_naming_none() {
    let place = Place::new();
    let kept = |place: &Place| {
        let stat = place.journal(&["stat", "sealed"]);
        stat.lines().find_map(|line| line.strip_prefix("kept        ").map(str::to_owned)).unwrap()
    };
    assert_eq!(kept(&place), "90d");
    let error = place.refused(&["retention", "sealed", "--reason", "a test"]);
    assert!(error.contains("no limit is named") && error.contains("--none"), "{error}");
    let error =
        place.refused(&["retention", "sealed", "--none", "--max-age", "1d", "--reason", "a test"]);
    assert!(error.contains("cannot be used with"), "{error}");
    assert_eq!(kept(&place), "90d");
    let limits = ["--max-age", "restricted=36h", "--max-size", "2GB", "--reason", "a test"];
    place.journal(&[&["retention", "sealed"], &limits[..]].concat());
    assert_eq!(kept(&place), "content of class restricted 36h, 2.0 GB at most");
    place.journal(&["retention", "sealed", "--none", "--reason", "a test"]);
    assert_eq!(kept(&place), "without a limit");
}

#[test]
fn a_level_that_is_none_is_refused() {
    let place = Place::new();
    place.append(b"{\"level\": \"info\", \"message\": \"a\"}\n", &[]);
    let erase = ["erase", "sealed", "-i", "reader", "--reason", "a leak", "--level"];
    let error = place.refused(&[&erase[..], &["criticl"]].concat());
    assert!(error.contains("critical"), "{error}");
    assert!(place.journal(&[&erase[..], &["CRITICAL"]].concat()).contains("0 records"));
}

#[test]
fn nothing_is_selected_by_what_is_empty() {
    let place = Place::new();
    place.append(b"{\"message\": \"a\", \"n\": 1}\nb\n", &[]);
    let erase = ["erase", "sealed", "-i", "reader", "--reason", "a leak"];
    for flag in ["--text", "--logger", "--kind", "--level"] {
        place.refused(&[&erase[..], &[flag, ""]].concat());
        place.refused(&["cat", "sealed", "-i", "reader", flag, ""]);
    }
    let error = place.refused(&[&erase[..], &["--text", ""]].concat());
    assert!(error.contains("'--text <TEXT>': the text is empty"), "{error}");
    for field in ["", "=", "=x", "n="] {
        place.refused(&[&erase[..], &["--field", field]].concat());
    }
    let error = place.refused(&["grep", "", "sealed", "-i", "reader"]);
    assert!(error.contains("the text is empty"), "{error}");
    let error = place.refused(&["cat", "sealed", "-i", "reader", "--from", "5", "--to", "3"]);
    assert!(error.contains("`--from` is after `--to`"), "{error}");
    assert_eq!(place.messages(&[]), ["a", "b"]);
    let only = ["erase", "sealed", "-i", "reader", "--dry-run", "--field", "n=1"];
    assert_eq!(place.journal(&only), "would be erased: 1 record\n");
    assert_eq!(place.messages(&[]), ["a", "b"]);
    place.refused(&[&erase[..4], &["--text", "a"]].concat());
}

#[test]
fn the_log_tells_who_did_what_when_and_why() {
    let place = Place::new();
    place.append(b"one\ntwo\n", &[]);
    let reason = "a leak\u{1b}[2K\u{9b}1A\n7  forged\u{202e}";
    let erase = ["erase", "sealed", "-i", "reader", "--text", "one", "--reason", reason];
    place.journal(&erase);
    place.journal(&["hold", "sealed", "case-7", "--reason", "the court"]);
    place.journal(&["release", "sealed", "case-7", "--reason", "closed"]);
    let log = place.journal(&["log", "sealed"]);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 5, "{log}");
    assert!(lines[0].starts_with("0  2") && lines[0].contains("  begin    "), "{log}");
    assert!(lines[1].ends_with("  seal     segment 0, 2 records from 0"), "{log}");
    assert!(lines[2].contains("  erase    segment 0, 1 record  by "), "{log}");
    assert!(lines[2].ends_with(r": a leak\u{1b}[2K\u{9b}1A\u{a}7  forged\u{202e}"), "{log}");
    assert!(lines[3].contains("  hold     case-7, … to …  by "), "{log}");
    assert!(lines[4].ends_with(": closed"), "{log}");
    let json = place.journal(&["log", "sealed", "--format", "json"]);
    assert!(!json.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{json}");
    let entries: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((&entries[2]["type"], &entries[2]["entry"]), (&"erase".into(), &2.into()));
    assert_eq!((&entries[2]["reason"], &entries[2]["records"][0]), (&reason.into(), &0.into()));
    place.journal(&["retention", "sealed", "--max-age", "1d", "--reason", "policy 12"]);
    let recipient = place.journal(&["identity", "officer"]);
    place.journal(&["recipients", "sealed", "-r", recipient.trim(), "--reason", "new officer"]);
    let log = place.journal(&["log", "sealed"]);
    let set: Vec<&str> = log.lines().filter_map(|line| line.split("  set      ").nth(1)).collect();
    assert!(set[0].starts_with("retention to 1d  by ") && set[0].ends_with(": policy 12"), "{log}");
    assert!(set[1].starts_with("recipients  by "), "{log}");
    let error = place.refused(&["hold", "sealed", "a\nb", "--reason", "the court"]);
    assert!(error.contains("one line"), "{error}");
}

#[test]
fn what_cannot_be_made_is_said_in_its_own_words() {
    let place = Place::new();
    let recipient = &place.recipient("reader");
    let error = place.refused(&["init", "none/sealed", "-r", recipient]);
    assert!(error.contains("is to lie in is not there") && error.contains("mkdir -p"), "{error}");
    let error = place.refused(&["init", "other", "-r", recipient, "--segment-size", "0"]);
    assert!(error.contains("'--segment-size <SIZE>'") && error.contains("4096"), "{error}");
    assert!(place.journal(&["cat", "sealed", "-i", "reader", "--since", "2026-01-01"]).is_empty());
    fs::create_dir(place.path("photos")).unwrap();
    let readable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.path("photos"), readable).unwrap();
    for command in [&["stat"][..], &["append"], &["cat", "-i", "reader"]] {
        let error = place.refused(&[command, &["photos"]].concat());
        assert!(error.contains("there is no journal here") && !error.contains("chmod"), "{error}");
    }
}

#[test]
fn a_key_that_was_replaced_is_refused_and_there_is_a_way_on() {
    for name in ["log", "signing"] {
        let place = Place::new();
        place.append(b"one\n", &[]);
        fs::write(place.path(&format!("sealed/keys/{name}")), [7; 32]).unwrap();
        let error = place.refused(&["rotate", "sealed"]);
        assert!(error.contains(&format!("keys/{name}")), "{error}");
        assert!(error.contains("put it back from a copy"), "{error}");
        assert_eq!(place.messages(&[]), ["one"]);
        place.journal(&["verify", "sealed"]);
    }
}

#[test]
fn a_dry_run_is_refused_what_is_refused() {
    let place = Place::of_two();
    place.append(b"{\"message\": \"heron\", \"class\": \"internal\"}\n", &[]);
    let both = ["-i", "reader", "-i", "officer"];
    let erase = |identities: &[&str], more: &[&str]| {
        let all = [&["erase", "sealed", "--text", "heron"], identities, more].concat();
        let output = place.command(&all).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let why = ["--reason", "a leak"];
    let dry = ["--dry-run"];
    let found = "would be erased: 1 record\n".to_owned();
    assert_eq!(erase(&both, &dry), (Some(0), found.clone(), String::new()));
    let few = &both[..2];
    let refused = erase(few, &why);
    assert_eq!(refused.0, Some(2));
    assert_eq!(erase(few, &dry), (Some(2), found.clone(), refused.2));
    // Of what is sealed, and of what is on its way.
    for live in [false, true] {
        place.journal(&["hold", "sealed", "case", "--since", "1h", "--reason", "the court"]);
        let mut append = place.command(&["append", "sealed", "--acknowledge"]);
        let mut append = append.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        if live {
            append.stdin.as_mut().unwrap().write_all(b"a grey heron\n").unwrap();
            let mut said = BufReader::new(append.stdout.as_mut().unwrap());
            let mut lines = String::new();
            while lines != "0\n1\n" {
                said.read_line(&mut lines).unwrap();
            }
        }
        let text = if live { "grey heron" } else { "heron" };
        let erase = ["erase", "sealed", "--text", text, "-i", "reader", "-i", "officer"];
        let tried = place.command(&[&erase[..], &dry].concat()).output().unwrap();
        let refused = place.refused(&[&erase[..], &why].concat());
        assert!(refused.contains("the hold `case` keeps it"), "{refused}");
        assert_eq!(
            (tried.stdout.as_slice(), tried.stderr),
            (found.as_bytes(), refused.into_bytes())
        );
        assert_eq!(tried.status.code(), Some(2));
        drop(append.stdin.take());
        append.wait().unwrap();
        place.journal(&["release", "sealed", "case", "--reason", "closed"]);
    }
}

#[test]
fn a_day_is_meant_to_its_end() {
    let place = Place::new();
    for time in ["2026-02-28T23:59:59.5Z", "2026-03-01T23:59:59.5Z", "2026-03-02T00:00:00Z"] {
        place
            .append(format!("{{\"time\": \"{time}\", \"message\": \"{time}\"}}\n").as_bytes(), &[]);
    }
    let day = ["--since", "2026-03-01", "--until", "2026-03-01"];
    assert_eq!(place.messages(&day), ["2026-03-01T23:59:59.5Z"]);
    place.journal(&[&["hold", "sealed", "case"], &day[..], &["--reason", "the court"]].concat());
    let log = place.journal(&["log", "sealed", "--format", "json"]);
    assert!(log.contains(r#"["2026-03-01T00:00:00Z","2026-03-01T23:59:59.999999999Z"]"#), "{log}");
}
