//! `tacenda scan --diff-base`, in real repositories.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use command::text;
use tempfile::TempDir;

const LEAK: &str = "import logging\n\n\ndef login(password):\n    logging.info(password)\n";

/// A directory with repositories in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A repository on a branch `main`.
    fn repository(&self, name: &str) -> PathBuf {
        let root = self.0.path().join(name);
        fs::create_dir_all(&root).unwrap();
        git(&root, &["init", "-q", "-b", "main"]);
        root
    }
}

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=Ines Moreau", "-c", "user.email=ines.moreau@example.org"])
        // Submodules of tests are directories beside them.
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

fn commit(root: &Path) -> String {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "a change"]);
    git(root, &["rev-parse", "HEAD"])
}

fn write(root: &Path, name: &str, code: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, code).unwrap();
}

fn scan(root: &Path, arguments: &[&str]) -> Output {
    command::tacenda(root).arg("scan").args(arguments).output().unwrap()
}

/// The places of what is found beyond a revision: `file:line`.
#[track_caller]
fn added(root: &Path, revision: &str) -> Vec<String> {
    let output = scan(root, &["--diff-base", revision, "--format", "jsonl", "--quiet"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let place = |line: &str| {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{}:{}", finding["path"].as_str().unwrap(), finding["line"])
    };
    let places: Vec<String> = printed.lines().map(place).collect();
    assert_eq!(output.status.code(), Some(i32::from(!places.is_empty())));
    places
}

#[test]
fn only_what_a_change_adds_is_told() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    let before = commit(&root);
    assert!(added(&root, "HEAD").is_empty());
    let all = scan(&root, &["--diff-base", "HEAD"]);
    assert_eq!(all.status.code(), Some(0));
    assert!(text(&all.stderr).contains("0 findings, 1 more from before in 1 file"));

    // Lines that move are no change; the new one is, whether it is committed or not.
    let grown = format!("# moved\n\n{LEAK}    logging.warning(password)\n");
    write(&root, "app.py", &grown);
    assert_eq!(added(&root, "HEAD"), ["app.py:8"]);
    git(&root, &["add", "-A"]);
    assert_eq!(added(&root, "HEAD"), ["app.py:8"]);
    commit(&root);
    assert!(added(&root, "HEAD").is_empty());
    assert_eq!(added(&root, &before), ["app.py:8"]);
}

#[test]
fn a_line_on_the_way_of_a_value_counts() {
    let place = Place::new();
    let root = place.repository("app");
    write(
        &root,
        "send.py",
        "import logging\n\n\ndef send(payload):\n    logging.debug('%s', payload)\n    return 1\n",
    );
    write(
        &root,
        "go.py",
        "from send import send\n\n\ndef go(password):\n    send(len(password))\n",
    );
    commit(&root);
    write(&root, "go.py", "from send import send\n\n\ndef go(password):\n    send(password)\n");
    assert_eq!(added(&root, "HEAD"), ["send.py:5"]);
}

#[test]
fn what_was_taken_out_counts() {
    let place = Place::new();
    let root = place.repository("app");
    let safe = "import logging\n\n\ndef login(password):\n    password = mask(password)\n    logging.info(password)\n";
    write(&root, "app.py", safe);
    commit(&root);
    write(&root, "app.py", LEAK);
    assert_eq!(added(&root, "HEAD"), ["app.py:5"]);
}

#[test]
fn a_file_that_was_moved_is_what_it_was() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "old/__init__.py", "");
    write(&root, "old/login.py", LEAK);
    write(
        &root,
        "main.py",
        "from old.login import login\n\n\ndef main(password):\n    login(password)\n",
    );
    commit(&root);
    git(&root, &["mv", "old", "new"]);
    write(
        &root,
        "main.py",
        "from new.login import login\n\n\ndef main(password):\n    login(password)\n",
    );
    assert!(!scan(&root, &["--quiet"]).stdout.is_empty());
    // What `main` hands over goes another way than before: that line was changed.
    write(&root, "main.py", "");
    assert!(added(&root, "HEAD").is_empty());
    write(&root, "new/login.py", &format!("{LEAK}    logging.error(password)\n"));
    assert_eq!(added(&root, "HEAD"), ["new/login.py:6"]);
}

#[test]
fn a_file_that_git_does_not_know_is_new() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    commit(&root);
    write(&root, "other.py", LEAK);
    assert_eq!(added(&root, "HEAD"), ["other.py:5"]);
    // One that it only tracks no more is compared with what it was.
    git(&root, &["rm", "-q", "--cached", "app.py"]);
    assert_eq!(added(&root, "HEAD"), ["other.py:5"]);
}

#[test]
fn what_others_did_since_is_no_part_of_the_change() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    write(&root, "other.py", LEAK);
    commit(&root);
    git(&root, &["checkout", "-q", "-b", "work"]);
    write(&root, "app.py", &format!("{LEAK}    logging.error(password)\n"));
    commit(&root);
    git(&root, &["checkout", "-q", "main"]);
    // The main branch puts its own file in order meanwhile.
    write(&root, "other.py", "x = 1\n");
    commit(&root);
    git(&root, &["checkout", "-q", "work"]);
    assert_eq!(added(&root, "main"), ["app.py:6"]);
}

#[test]
fn ends_of_lines_are_no_change() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    commit(&root);
    write(&root, "app.py", &LEAK.replace('\n', "\r\n"));
    assert!(added(&root, "HEAD").is_empty());
}

#[test]
fn submodules_are_compared_with_the_commits_they_were_at() {
    let place = Place::new();
    let library = place.repository("library");
    write(&library, "library.py", LEAK);
    commit(&library);
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    git(&root, &["submodule", "--quiet", "add", "../library", "vendor/library"]);
    commit(&root);
    assert!(added(&root, "HEAD").is_empty());

    let inside = root.join("vendor/library");
    write(&inside, "library.py", &format!("{LEAK}    logging.error(password)\n"));
    write(&inside, "more.py", LEAK);
    let expected = ["vendor/library/library.py:6", "vendor/library/more.py:5"];
    assert_eq!(added(&root, "HEAD"), expected);
    commit(&inside);
    assert_eq!(added(&root, "HEAD"), expected);
    commit(&root);
    assert!(added(&root, "HEAD").is_empty());
    assert_eq!(added(&root, "HEAD~1"), expected);

    // A submodule that was not there before is new as a whole.
    git(&root, &["submodule", "--quiet", "add", "../library", "vendor/second"]);
    assert_eq!(added(&root, "HEAD"), ["vendor/second/library.py:5"]);
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    let before = commit(&root);
    write(&root, "app.py", &format!("{LEAK}    logging.error(password)\n"));
    commit(&root);
    let url = format!("file://{}", root.display());
    git(place.0.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = place.0.path().join("shallow");
    let output = scan(&shallow, &["--diff-base", &before]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("there is no revision") && said.contains("fetch-depth: 0"), "{said}");
    // What it has can be named, though the histories have no known fork.
    git(&shallow, &["fetch", "-q", "--depth", "1", "origin", &before]);
    assert_eq!(added(&shallow, &before), ["app.py:6"]);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let place = Place::new();
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    commit(&root);
    let refused = |root: &Path, arguments: &[&str], why: &str| {
        let output = scan(root, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty() && said.contains(why), "{said}");
    };
    refused(&root, &["--diff-base", "no-such-branch"], "there is no revision \"no-such-branch\"");
    refused(&root, &["--diff-base", ""], "there is no revision \"\"");
    refused(&root, &["--diff-base=--output=leak", "."], "there is no revision");
    refused(&root, &["--diff-base", "HEAD", "-"], "standard input");
    assert!(!root.join("leak").exists());
    let outside = place.0.path().join("outside");
    write(&outside, "b.py", LEAK);
    refused(&outside, &["--diff-base", "HEAD"], "is in no git repository");
    refused(&root, &["--diff-base", "HEAD", ".", "../outside"], "is not in the repository");
}

#[test]
fn the_repository_of_a_hook_is_not_taken_for_that_of_the_files() {
    let place = Place::new();
    let other = place.repository("other");
    write(&other, "b.py", "x = 1\n");
    commit(&other);
    let root = place.repository("app");
    write(&root, "app.py", LEAK);
    commit(&root);
    let output = command::tacenda(&root)
        .args(["scan", "--diff-base", "HEAD"])
        .env("GIT_DIR", other.join(".git"))
        .env("GIT_INDEX_FILE", other.join(".git/index"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
