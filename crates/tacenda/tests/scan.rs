//! `tacenda scan` on files of a user.

mod command;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use command::{tacenda, text};

const LEAK: &str = "import logging\n\n\ndef login(password):\n    logging.info(password)\n";

#[test]
fn the_cache_lies_where_it_was_asked_for() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("app.py"), LEAK).unwrap();
    let scan = |arguments: &[&str]| {
        let mut command = tacenda(place.path());
        command.env("XDG_CACHE_HOME", place.path().join("caches"));
        command.arg("scan").args(arguments).arg("app.py").output().unwrap()
    };
    let entries =
        |directory: &str| fs::read_dir(place.path().join(directory)).map_or(0, Iterator::count);
    let plain = scan(&["--no-cache"]);
    assert_eq!(entries("caches/tacenda/scan"), 0);
    for _ in 0..2 {
        let again = scan(&[]);
        assert_eq!((&again.stdout, &again.stderr), (&plain.stdout, &plain.stderr));
        assert_eq!(entries("caches/tacenda/scan"), 1);
    }
    assert_eq!(scan(&["--cache-dir", "own"]).stdout, plain.stdout);
    assert_eq!(entries("own"), 1);

    // The user's own directory may be out of order; one that was named may not.
    let shared = fs::Permissions::from_mode(0o777);
    for directory in ["own", "caches/tacenda/scan"] {
        fs::set_permissions(place.path().join(directory), shared.clone()).unwrap();
    }
    let refused = scan(&["--cache-dir", "own"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("others may write to it"));
    let warned = scan(&[]);
    assert_eq!((warned.status.code(), &warned.stdout), (Some(1), &plain.stdout));
    assert!(text(&warned.stderr).contains("and is not used"));
}

#[test]
fn one_file_that_is_no_source_loses_no_finding_of_the_others() {
    let place = tempfile::tempdir().unwrap();
    for name in ["a.py", "c.py"] {
        fs::write(place.path().join(name), LEAK).unwrap();
    }
    fs::write(place.path().join("b.py"), b"x = 1\0\n").unwrap();
    let mut command = tacenda(place.path());
    let done = command.args(["scan", "--no-cache", "--format", "github", "."]).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    for name in ["a.py", "c.py"] {
        assert!(text(&done.stdout).contains(&format!("file={name},line=5")), "{name}");
    }
    let told = text(&done.stderr);
    assert!(told.contains("NUL bytes") && told.contains("b.py"), "{told}");
}

#[test]
fn models_of_the_policy_are_used_and_wrong_ones_stop_the_scan() {
    let place = tempfile::tempdir().unwrap();
    let code = "import logging\nimport vault\n\n\ndef f(password):\n    \
                logging.info(vault.read())\n    logging.info(vault.shape(password))\n";
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    write("app.py", code);
    write(
        "ours.toml",
        "[[source]]\nid = 'a'\nlabel = 'credential'\ncalls = ['vault.read']\n\
         [[sanitizer]]\nid = 'b'\ncalls = ['vault.shape']\n",
    );
    let run = |arguments: &[&str]| {
        let mut command = tacenda(place.path());
        command.env("XDG_CACHE_HOME", place.path().join("caches"));
        command.args(arguments).output().unwrap()
    };
    let lines = || {
        let done = run(&["scan", "--quiet", "--format", "jsonl", "app.py"]);
        let told = text(&done.stdout);
        let line =
            |one: &str| serde_json::from_str::<serde_json::Value>(one).unwrap()["line"].clone();
        (done.status.code(), told.lines().map(line).collect::<Vec<_>>())
    };
    // The cache tells one from the other.
    for _ in 0..2 {
        write("tacenda.toml", "scan.models = ['o*.toml']\n");
        assert_eq!(lines(), (Some(1), vec![6.into()]));
        write("tacenda.toml", "");
        assert_eq!(lines(), (Some(0), vec![]));
    }
    write("other.toml", "scan.models = ['ours.toml']\n");
    let named = run(&["scan", "--quiet", "--config", "other.toml", "app.py"]);
    assert_eq!(named.status.code(), Some(1));

    write("ours.toml", "[[source]]\nid = 'a'\nlabel = 'credential'\ncall = ['violet.heron']\n");
    write("tacenda.toml", "scan.models = ['ours.toml']\n");
    for arguments in [&["scan", "app.py"][..], &["config", "--check"]] {
        let refused = run(arguments);
        assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(2), String::new()));
        assert_eq!(
            text(&refused.stderr),
            "error: unknown key `call`\n  --> ours.toml:4:1\nhint: did you mean `calls`?\n"
        );
    }
    write("tacenda.toml", "[scan]\nmodels = ['ours.toml', 'none.toml']\n");
    let refused = run(&["scan", "app.py"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("tacenda.toml:2:24"), "{}", text(&refused.stderr));
}

#[test]
fn the_slot_map_is_written_beside_the_findings() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir_all(place.path().join("app/maps")).unwrap();
    fs::write(place.path().join("app/main.py"), LEAK).unwrap();
    let scan = |arguments: &[&str]| {
        tacenda(place.path()).arg("scan").args(arguments).arg("./app").output().unwrap()
    };
    let done = scan(&["--format", "github", "--slot-map", "app/maps/map.json"]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(done.stdout, scan(&["--format", "github"]).stdout);
    assert!(text(&done.stderr).contains("1 logging call mapped in 1 file, with 1 sensitive value"));
    let path = place.path().join("app/maps/map.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let map: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(map["root"], "../..");
    assert_eq!(map["files"][0]["path"], "app/main.py");
    assert_eq!(map["files"][0]["calls"][0]["template"][0]["label"], "credential");

    let refused = scan(&["--slot-map", "nowhere/map.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(scan(&["--fix", "--slot-map", "map.json"]).status.code(), Some(2));
}

#[test]
fn a_map_that_is_none_stops_the_program_before_it_starts() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("tacenda.toml"), "guard.slot_map = 'map.json'\n").unwrap();
    for (map, said) in
        [(None, "tacenda.toml:1:18"), (Some("{\n \"version\": \"violet heron\"}"), "map.json:2:")]
    {
        if let Some(map) = map {
            fs::write(place.path().join("map.json"), map).unwrap();
        }
        for command in [&["run", "--", "touch", "started"][..], &["config", "--check"]] {
            let done = tacenda(place.path()).args(command).output().unwrap();
            let err = text(&done.stderr);
            assert_eq!(done.status.code(), Some(2), "{err}");
            assert!(err.contains(said) && err.contains("`tacenda scan --slot-map FILE`"), "{err}");
            assert!(!err.contains("heron"));
        }
    }
    assert!(!place.path().join("started").exists());
}
