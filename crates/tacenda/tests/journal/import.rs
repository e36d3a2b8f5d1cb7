//! What `journal import` takes in, and what it leaves.

use std::fs;
use std::process::Command;

use crate::command::text;
use crate::place::Place;

#[test]
fn levels_are_read_as_a_sink_reads_them() {
    let place = Place::new();
    let lines = concat!(
        "2026-03-01 10:00:00 ERROR no\n",
        "{\"severity\": \"error\", \"message\": \"one\"}\n",
        "{\"levelname\": \"CRITICAL\", \"message\": \"two\"}\n",
        "{\"level\": \"info\", \"severity\": \"error\", \"message\": \"three\"}\n",
        "no word of it\n",
    );
    fs::write(place.path("app.log"), lines).unwrap();
    place.journal(&["import", "sealed", "app.log"]);
    let found = ["2026-03-01 10:00:00 ERROR no", "one", "two"];
    assert_eq!(place.messages(&["--level", "error"]), found);
    assert!(place.append(lines.as_bytes(), &[]).status.success());
    assert_eq!(place.messages(&["--level", "error", "--from", "5"]), found);
    assert_eq!(place.records(&["--from", "3", "--to", "3"])[0]["level"], "info");
    assert_eq!(place.records(&["--from", "1", "--to", "1"])[0]["severity"], "error");
}

#[test]
fn a_packed_log_that_is_cut_is_not_taken_in_by_half() {
    let place = Place::new();
    // Nothing that packs well.
    let line = |n: u64| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let lines: String = (0..60_000).map(line).collect();
    fs::write(place.path("whole.log"), "a line\n").unwrap();
    fs::write(place.path("app.log"), lines).unwrap();
    assert!(
        Command::new("gzip")
            .arg("app.log")
            .current_dir(place.directory.path())
            .status()
            .unwrap()
            .success()
    );
    let packed = fs::read(place.path("app.log.gz")).unwrap();
    fs::write(place.path("app.log.gz"), &packed[..packed.len() / 2]).unwrap();
    let error = place.refused(&["import", "sealed", "whole.log", "app.log.gz"]);
    assert!(error.contains("cannot read the log to its end"), "{error}");
    assert!(error.contains("--> app.log.gz") && error.contains("nothing was taken in"), "{error}");
    assert!(place.records(&[]).is_empty());
    fs::write(place.path("app.log.gz"), &packed).unwrap();
    let said = place.journal(&["import", "sealed", "whole.log", "app.log.gz"]);
    assert_eq!(said, "sealed: 60001 records of 2 logs\n");
}

#[test]
fn an_import_that_is_stopped_says_how_to_go_on() {
    let place = Place::new();
    let lines: Vec<_> = (0..20_000).map(|n| format!("line {n} {}\n", "x".repeat(20))).collect();
    let lines = lines.concat();
    fs::write(place.path("first.log"), "a line\n").unwrap();
    fs::write(place.path("app.log"), &lines).unwrap();
    // Room for some of it.
    let script = "ulimit -f 200; trap '' XFSZ; exec \"$0\" journal import sealed first.log app.log";
    let mut import = Command::new("sh");
    import.args(["-c", script, env!("CARGO_BIN_EXE_tacenda")]);
    import.env("TACENDA_JOURNAL_PLACES", "temporary").env("NO_COLOR", "1");
    let output = import.current_dir(place.directory.path()).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    let rest = error.split("tail -n +").nth(1).unwrap().split(')').next().unwrap();
    let taken = rest.parse::<usize>().unwrap() - 1;
    assert!(
        taken > 0 && error.contains(&format!("first.log and {taken} lines of app.log")),
        "{error}"
    );
    let rest: Vec<&str> = lines.lines().skip(taken).collect();
    fs::write(place.path("rest.log"), rest.join("\n")).unwrap();
    place.journal(&["import", "sealed", "rest.log"]);
    let messages = place.messages(&[]);
    assert_eq!(messages[0], "a line");
    assert_eq!(messages[1..], lines.lines().collect::<Vec<_>>());
}

#[test]
fn a_log_that_could_not_be_removed_is_an_error() {
    for (name, why) in [("hard", "it has another name (a hard link)"), ("soft", "it is a link")] {
        let place = Place::new();
        fs::write(place.path("other.log"), "a line\n").unwrap();
        let log = place.path("app.log");
        match name {
            "hard" => fs::hard_link(place.path("other.log"), &log).unwrap(),
            _ => std::os::unix::fs::symlink("other.log", &log).unwrap(),
        }
        let error = place.refused(&["import", "sealed", "app.log", "--remove"]);
        assert!(error.contains(&format!("app.log stays: {why}")), "{error}");
        assert!(error.contains("error: 1 of 1 log could not be removed"), "{error}");
        assert_eq!(fs::read_to_string(log).unwrap(), "a line\n");
        assert_eq!(place.messages(&[]), ["a line"]);
    }
}

#[test]
fn a_log_that_is_no_text_is_not_removed() {
    let place = Place::new();
    fs::write(place.path("whole.log"), "caf\u{e9}\n").unwrap();
    let packed = |name: &str, bytes: &[u8]| {
        fs::write(place.path(name), bytes).unwrap();
        let mut gzip = Command::new("gzip");
        assert!(gzip.arg(place.path(name)).status().unwrap().success());
    };
    fs::write(place.path("latin.log"), b"caf\xe9\n").unwrap();
    fs::write(place.path("cut.log"), b"caf\xc3").unwrap();
    packed("packed.log", b"caf\xe9\n");
    for log in ["latin.log", "cut.log", "packed.log.gz"] {
        let before = fs::read(place.path(log)).unwrap();
        let error = place.refused(&["import", "sealed", "whole.log", log, "--remove"]);
        assert!(error.contains("is not UTF-8 text") && error.contains("--remove"), "{error}");
        assert_eq!(fs::read(place.path(log)).unwrap(), before);
    }
    fs::write(place.path("wide.log"), b"\xff\xfea\0\n\0").unwrap();
    let error = place.refused(&["import", "sealed", "whole.log", "wide.log"]);
    assert!(error.contains("the log is UTF-16") && error.contains("iconv -f UTF-16"), "{error}");
    let error = place.refused(&["import", "sealed", "whole.log", "./whole.log"]);
    assert!(error.contains("the log is named twice"), "{error}");
    assert!(place.records(&[]).is_empty() && place.path("whole.log").exists());
    place.journal(&["import", "sealed", "latin.log"]);
    place.journal(&["import", "sealed", "whole.log", "--remove"]);
    assert_eq!(place.messages(&[]), ["caf\u{fffd}", "caf\u{e9}"]);
}

#[test]
fn logs_of_other_programs_keep_their_fields() {
    let place = Place::new();
    let lines = concat!(
        r#"{"level":50,"time":1772359200123,"pid":1,"msg":"failed"}"#,
        "\n",
        r#"{"time":"2026-03-01 10:00:00,123","level":"WARNING","message":"slow"}"#,
        "\n",
        r#"{"level":35,"time":"soon","message":"own"}"#,
        "\n",
    );
    place.append(lines.as_bytes(), &[]);
    let records = place.records(&[]);
    for record in &records[..2] {
        assert_eq!(record["time"], "2026-03-01T10:00:00.123Z");
    }
    assert_eq!((&records[0]["level"], &records[0]["msg"]), (&"error".into(), &"failed".into()));
    assert_eq!((&records[2]["_level"], &records[2]["_time"]), (&35.into(), &"soon".into()));
    assert_eq!(place.records(&["--level", "error"]).len(), 1);
}

#[test]
fn a_field_that_is_redacted_goes_to_the_class_that_was_wished_for_it() {
    let place = Place::of_two();
    let lines = concat!(
        r#"{"message": "a", "password": "hunter2hunter2", "classes": {"password": "internal"}}"#,
        "\n",
        r#"{"message": "b", "bob@example.com": 1, "classes": {"bob@example.com": "restricted"}}"#,
        "\n",
        r#"{"message": "c", "api_key": "0123456789abcdef", "classes": {"api_key": "hunter2hunter2"}}"#,
        "\n",
    );
    fs::write(place.path("app.log"), lines).unwrap();
    place.journal(&["import", "sealed", "app.log"]);
    let records = place.records(&[]);
    assert_eq!(records[0]["password"], "[password]");
    assert_eq!(records[0].get("_classes"), None);
    // The name of the field is redacted, and that in the wish likewise.
    assert_eq!(records[1]["message"], "b");
    assert_eq!(records[1].as_object().unwrap().len(), 3, "{records:?}");
    // A wish for no class is none: the line may be anything.
    assert_eq!(records[2].get("message"), None);
    let all = place.journal(&["cat", "sealed", "-i", "reader", "-i", "officer"]);
    assert!(!all.contains("hunter2") && !all.contains("bob@"), "{all}");
    assert!(all.lines().nth(1).unwrap().contains(":1"), "{all}");
}

#[test]
fn a_line_without_a_time_is_of_the_time_of_the_one_before() {
    let place = Place::new();
    let lines = concat!(
        "a banner\n",
        "2026-03-01 10:00:00,125 ERROR it failed\n",
        "Traceback (most recent call last):\n",
        "  File \"app.py\", line 1\n",
        "2026-03-01 10:00:01 INFO and on\n",
    );
    fs::write(place.path("app.log"), lines).unwrap();
    let modified =
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
    fs::File::options()
        .write(true)
        .open(place.path("app.log"))
        .unwrap()
        .set_modified(modified)
        .unwrap();
    place.journal(&["import", "sealed", "app.log"]);
    let records = place.records(&[]);
    let times: Vec<&str> = records.iter().map(|record| record["time"].as_str().unwrap()).collect();
    let error = "2026-03-01T10:00:00.125Z";
    assert_eq!(times, ["2027-01-15T08:00:00Z", error, error, error, "2026-03-01T10:00:01Z"]);
}

#[test]
fn a_line_that_is_too_long_for_a_record_is_several_restricted_ones() {
    let place = Place::of_two();
    let long = "x".repeat((17 << 20) + 5);
    fs::write(place.path("app.log"), format!("one\n{{\"a\": \"{long}\"}}\ntwo\n{long}")).unwrap();
    place.journal(&["import", "sealed", "app.log"]);
    let records = place.records(&[]);
    let read: Vec<&str> = records.iter().filter_map(|record| record["message"].as_str()).collect();
    assert_eq!(read, ["one", "two"]);
    let all = place.journal(&["cat", "sealed", "-i", "reader", "-i", "officer"]);
    assert_eq!(all.matches('x').count(), 2 * long.len());
}

#[test]
fn what_is_packed_in_a_way_that_is_not_known_is_not_taken_for_text() {
    let place = Place::new();
    let bzip2 = b"BZh91AY&SY\x59\x80\x1c\xff\0\x02\xdd\x80\x10\x40\x03\x79\x10\x41";
    fs::write(place.path("app.log.bz2"), bzip2).unwrap();
    let wide: Vec<u8> = "card 5555 5555 5555 4444\n".bytes().flat_map(|byte| [byte, 0]).collect();
    fs::write(place.path("wide.log"), wide).unwrap();
    for (name, form) in [("app.log.bz2", "packed with bzip2"), ("wide.log", "binary")] {
        let error = place.refused(&["import", "sealed", name]);
        assert!(error.contains(&format!("the log is {form}")), "{error}");
    }
    assert!(place.records(&[]).is_empty());
}

#[test]
fn a_file_of_a_journal_is_no_log() {
    let place = Place::new();
    place.append(b"a line\n", &[]);
    let checkpoint = "sealed/log/checkpoints/1";
    let error = place.refused(&["import", "sealed", checkpoint, "--remove"]);
    assert!(error.contains("this is a file of a journal, and no log"), "{error}");
    assert!(place.path(checkpoint).exists());
    let recipient = place.journal(&["identity", "other.txt"]);
    let error = place.refused(&["init", "sealed/other", "--recipient", recipient.trim()]);
    assert!(error.contains("the journal would lie in another one"), "{error}");
    assert!(!place.path("sealed/other").exists());
}

#[test]
fn a_pipe_is_no_log() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo").arg(place.path("pipe")).status();
    assert!(made.unwrap().success());
    let error = place.refused(&["import", "sealed", "pipe"]);
    assert!(error.contains("this is no regular file"), "{error}");
}
