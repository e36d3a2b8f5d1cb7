//! What the command prints, as golden files: `tests/cmd/*.trycmd` at the root of the repository.
//! `TRYCMD=overwrite cargo test -p tacenda --test cmd` writes them anew.

/// Keys of one epoch, so that pseudonyms are the same in each run.
const KEYS: &str = concat!(
    r#"{"version": 1, "epochs": [{"id": 1, "created": "2026-11-21T00:00:00Z", "secret": ""#,
    "0000000000000000000000000000000000000000000000000000000000000000",
    r#""}]}"#
);

#[test]
fn what_it_prints() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        // Git keeps no mode that a key file would pass with.
        .env("TACENDA_KEYS", KEYS)
        .case("../../tests/cmd/*.trycmd");
}
