//! The cache changes no result, whatever becomes of it and of the files.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tacenda_scan::{BadCache, Cache, Models, Report, Selection, Setup, Source, formats, scan};
use tempfile::TempDir;

const LEAK: &str = "import logging\ndef login(password):\n    logging.info(password)\n";

struct Place {
    directory: TempDir,
    cache: Cache,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("code")).unwrap();
        let cache = Cache::open(&directory.path().join("cache")).unwrap();
        Self { directory, cache }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.directory.path().join("code").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sources(&self) -> Vec<Source> {
        let paths = vec![self.directory.path().join("code")];
        Selection { paths, ..Selection::default() }.select().unwrap().0
    }

    /// What the cache says, which has to be what a scan says.
    #[track_caller]
    fn checked(&self) -> Report {
        let sources = self.sources();
        let report = self.cache.scan(&sources, setup(), &|| {});
        assert_eq!(told(&report), told(&scan(&sources, 1)));
        report
    }

    /// The files of the cache.
    fn entries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory.path().join("cache")).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

fn setup() -> Setup<'static> {
    Setup { models: Models::builtin(), threads: 1 }
}

/// All that a report says.
fn told(report: &Report) -> String {
    let bytes = report.findings.iter().map(|one| {
        let way = one.way.iter().map(|stop| stop.bytes.clone());
        format!("{:?} {:?}", one.bytes, way.collect::<Vec<_>>())
    });
    format!("{:#}\n{:#?}", formats::json(report), bytes.collect::<Vec<_>>())
}

/// Makes a file look as if nobody had wanted it for long.
fn age(path: &Path) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
}

fn is_old(path: &Path) -> bool {
    let age = fs::metadata(path).unwrap().modified().unwrap().elapsed();
    age.is_ok_and(|age| age > Duration::from_secs(3600))
}

#[test]
fn what_is_known_is_told_again() {
    let place = Place::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|one| one == "py") {
            let name = path.file_name().unwrap().to_str().unwrap();
            place.write(name, fs::read(&path).unwrap());
        }
    }
    place.write("binary.py", "x = 1\0");
    place.write("large.py", "x".repeat(8 * 1024 * 1024 + 1));
    place
        .write("unused.py", "x = 1  # tacenda: ignore[TAC101] nothing\ny = 2  # tacenda: ignore\n");
    let report = place.checked();
    assert!(report.findings.len() > 40);
    assert_eq!((report.problems.len(), report.unused.len()), (2, 2));
    let [entry] = &place.entries()[..] else { panic!("one scan, one entry") };
    age(entry);
    place.checked();
    assert!(!is_old(entry), "it was found and wanted");
}

#[test]
fn any_change_is_seen() {
    let place = Place::new();
    place.write("app.py", LEAK);
    let sources = place.sources();
    let path = place.directory.path().join("code/app.py");
    let times = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(place.checked().findings.len(), 1);
    // The same size and the same time.
    place.write("app.py", LEAK.replace("password", "pass_word"));
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(times).unwrap();
    place.checked();
    place.write("app.py", "from other import send\ndef f(password):\n    send(password)\n");
    assert_eq!(place.checked().findings.len(), 0);
    place.write("other.py", "import logging\ndef send(x):\n    logging.info(x)\n");
    assert_eq!(place.checked().findings.len(), 1);
    // As a part of a package it is another module.
    place.write("__init__.py", "");
    place.checked();
    fs::remove_file(place.directory.path().join("code/other.py")).unwrap();
    assert_eq!(place.checked().findings.len(), 0);
    fs::rename(&path, path.with_file_name("mlx_app.py")).unwrap();
    place.checked();
    assert_eq!(place.cache.scan(&sources, setup(), &|| {}).problems.len(), 1, "it is gone");
    // The scan of a file that could not be read is not kept.
    place.write("app.py", LEAK);
    assert_eq!(place.cache.scan(&sources, setup(), &|| {}).findings.len(), 1);
}

#[test]
fn damage_changes_nothing() {
    let place = Place::new();
    place.write("app.py", LEAK);
    place.checked();
    let [entry] = &place.entries()[..] else { panic!("one scan, one entry") };
    let whole = fs::read(entry).unwrap();
    let step = if std::env::var_os("TACENDA_TEST_LONG").is_some() { 1 } else { 5 };
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(entry, &bytes).unwrap();
        assert_eq!(place.checked().findings.len(), 1, "bit {at}");
        assert_eq!(fs::read(entry).unwrap(), whole, "made anew, bit {at}");
        fs::write(entry, &whole[..at]).unwrap();
        assert_eq!(place.checked().findings.len(), 1, "cut off at {at}");
    }
    fs::write(entry, [&whole[..], b" "].concat()).unwrap();
    place.checked();
    // What came of other files, under this name.
    place.write("app.py", "x = 1\n");
    place.checked();
    let other = place.entries().into_iter().find(|path| path != entry).unwrap();
    fs::copy(&other, entry).unwrap();
    place.write("app.py", LEAK);
    assert_eq!(place.checked().findings.len(), 1);
    // A directory, and a link to a file of the right form.
    fs::remove_file(entry).unwrap();
    fs::create_dir(entry).unwrap();
    place.checked();
    fs::remove_dir(entry).unwrap();
    fs::write(place.directory.path().join("elsewhere"), &whole).unwrap();
    std::os::unix::fs::symlink(place.directory.path().join("elsewhere"), entry).unwrap();
    place.checked();
    assert!(fs::symlink_metadata(entry).unwrap().is_file(), "the link was not followed");
}

#[test]
fn it_is_private_and_holds_no_source() {
    let place = Place::new();
    let secret = "violet-heron-9";
    place.write(
        "app.py",
        format!(
            "import logging\ntoken = '{secret}'\ndef f(canary_password='{secret}'):\n    logging.info('{secret} %s', canary_password)\nx = 1  # tacenda: ignore[TAC102] {secret}\n"
        ),
    );
    assert!(!place.checked().findings.is_empty());
    let directory = place.directory.path().join("cache");
    assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    let [entry] = &place.entries()[..] else { panic!("one scan, one entry") };
    assert_eq!(fs::metadata(entry).unwrap().mode() & 0o777, 0o600);
    let bytes = fs::read(entry).unwrap();
    for text in [secret, "canary_password", "token", "app.py"] {
        assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
    }
    // A code that is none is whatever somebody wrote there: not kept.
    place.write("app.py", format!("x = 1  # tacenda: ignore[{secret}] reason\n"));
    place.checked();
    assert_eq!(place.entries().len(), 1);
}

#[test]
fn it_does_not_grow_without_end() {
    let place = Place::new();
    let directory = place.directory.path().join("cache");
    fs::write(directory.join("notes.txt"), "not ours").unwrap();
    fs::write(directory.join(".unfinished-old"), "left by a run that was killed").unwrap();
    fs::write(directory.join(".unfinished-new"), "of a run that is at work").unwrap();
    age(&directory.join(".unfinished-old"));
    for number in 0..80 {
        place.write("app.py", format!("x = {number}\n"));
        place.cache.scan(&place.sources(), setup(), &|| {});
    }
    let names: Vec<String> = place
        .entries()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.iter().filter_map(|name| name.strip_suffix(".scan")).count(), 64);
    assert!(names.iter().any(|name| name == "notes.txt"));
    assert!(names.iter().any(|name| name == ".unfinished-new"));
    assert!(!names.iter().any(|name| name == ".unfinished-old"));
}

#[test]
fn a_directory_that_others_write_to_is_not_used() {
    let place = Place::new();
    let directory = place.directory.path().join("cache");
    for mode in [0o777, 0o720, 0o702] {
        fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Cache::open(&directory), Err(BadCache::NotOurs)), "{mode:o}");
    }
    fs::write(place.directory.path().join("file"), "").unwrap();
    let file = place.directory.path().join("file");
    assert!(matches!(Cache::open(&file), Err(BadCache::Unusable(_))));
}

#[test]
fn a_directory_that_cannot_be_written_costs_nothing_but_time() {
    let place = Place::new();
    place.write("app.py", LEAK);
    fs::remove_dir_all(place.directory.path().join("cache")).unwrap();
    assert_eq!(place.checked().findings.len(), 1);
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let cache = &place.cache;
            scope.spawn(move || {
                for round in 0..12 {
                    let text = format!("{LEAK}x = {}\n", round % 3);
                    let name = if worker % 2 == 0 { "a.py" } else { "b.py" };
                    let report = cache.scan(&[Source::text(name, text)], setup(), &|| {});
                    assert_eq!(report.findings.len(), 1);
                    assert_eq!(report.findings[0].path, Path::new(name));
                }
            });
        }
    });
    assert_eq!(place.entries().len(), 6);
}

#[test]
fn what_changes_while_it_is_scanned_is_not_kept() {
    let place = Place::new();
    place.write("app.py", LEAK);
    let path = place.directory.path().join("code/app.py");
    // Changed behind the back of the scan: after it was hashed and read, before its findings are
    // told, for which it is read again.
    let changed = || fs::write(&path, format!("# moved\n{LEAK}")).unwrap();
    place.cache.scan(&place.sources(), setup(), &changed);
    assert!(place.entries().is_empty());
    place.write("app.py", LEAK);
    place.checked();
    assert_eq!(place.entries().len(), 1);
}

#[test]
fn what_a_file_is_part_of_counts() {
    let place = Place::new();
    place.write("app.py", "from other import send\ndef f(password):\n    send(password)\n");
    place.write("other.py", "import logging\ndef send(x):\n    logging.info(x)\n");
    let sources = place.sources();
    assert_eq!(place.cache.scan(&sources, setup(), &|| {}).findings.len(), 1);
    // A package now, of which the same two files are looked at: `other` is none of it.
    place.write("__init__.py", "");
    assert_eq!(place.cache.scan(&sources, setup(), &|| {}).findings.len(), 0);
}

#[test]
fn another_model_is_another_scan() {
    let place = Place::new();
    place.write("a.py", "import logging\ndef f(garden_gate):\n    logging.info(garden_gate)\n");
    let found = |text: &str| {
        let models = Models::read([(Path::new("models.toml"), text)]).unwrap();
        let setup = Setup { models: &models, threads: 1 };
        place.cache.scan(&place.sources(), setup, &|| {}).findings.len()
    };
    assert_eq!(place.checked().findings.len(), 0);
    assert_eq!(found("[[names]]\nkind = 'credential'\nphrases = ['garden gate']"), 1);
    assert_eq!(found("[[harmless]]\nphrases = ['garden gate']"), 0);
    assert_eq!(found("[[names]]\nkind = 'credential'\nphrases = ['garden gate']"), 1);
    assert_eq!(place.entries().len(), 3);
}
