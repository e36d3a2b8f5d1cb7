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
