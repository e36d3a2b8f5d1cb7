//! What a person reads when the configuration is wrong.

use std::{fs, path::Path};

use proptest::prelude::*;
use tacenda_policy::{Loader, PolicyError, Setting};

/// Each fault as `message`, `place` and `hint`, one line each, as the command prints them.
fn rendered(loader: &Loader) -> String {
    let faults = loader.check().map_or_else(|faults| faults, |_| Vec::new());
    faults.iter().map(render).collect()
}

fn render(fault: &PolicyError) -> String {
    let place = fault.place().map(|place| format!("  --> {place}\n")).unwrap_or_default();
    let hint = fault.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    format!("error: {fault}\n{place}{hint}")
}

fn of(text: &str) -> String {
    rendered(&Loader::isolated().text("tacenda.toml", text))
}

#[track_caller]
fn expect(actual: &str, expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let actual: Vec<&str> = actual.trim().lines().map(str::trim).collect();
    assert_eq!(actual, expected, "\n{}", actual.join("\n"));
}

#[test]
fn unknown_keys() {
    expect(
        &of("environmnt = 'production'\n[classes]\n  promt = 'public'\n[guard]\nstduot = 'log'\n"),
        "error: unknown key `environmnt` at the top level
           --> tacenda.toml:1:1
         hint: did you mean `environment`?
         error: unknown key `promt` in `[classes]`
           --> tacenda.toml:3:3
         hint: did you mean `prompt`?
         error: unknown key `stduot` in `[guard]`
           --> tacenda.toml:5:1
         hint: did you mean `stdout`?",
    );
}

#[test]
fn a_key_in_the_wrong_section_is_led_home() {
    expect(
        &of(
            "stdout = 'log'\n[environments.development]\nstdout = 'auto'\n[protect]\numask = '077'",
        ),
        "error: unknown key `stdout` at the top level
           --> tacenda.toml:1:1
         hint: did you mean `guard.stdout`?
         error: unknown key `stdout` in `[environments.development]`
           --> tacenda.toml:3:1
         hint: did you mean `environments.development.guard.stdout`?
         error: unknown key `umask` in `[protect]`
           --> tacenda.toml:5:1
         hint: did you mean `guard.umask`?",
    );
}

#[test]
fn a_key_like_nothing_gets_the_list() {
    expect(
        &of("[protect]\nretention = '1d'\n[environments.staging.detectors]\nlevel = 1"),
        "error: unknown key `retention` in `[protect]`
           --> tacenda.toml:2:1
         hint: valid here: `min_chars`, `max_bytes`, `expire`, `phrases`
         error: unknown key `level` in `[environments.staging.detectors]`
           --> tacenda.toml:4:1
         hint: valid here: `disable`, `rules`",
    );
}

#[test]
fn a_key_that_may_be_a_secret_is_not_shown() {
    expect(
        &of("[detectors]\n'ghp_9aB3xYz0Q1w2E3r4T5y6' = 1"),
        "error: unknown key in `[detectors]`
           --> tacenda.toml:2:1
         hint: valid here: `disable`, `rules`",
    );
}

#[test]
fn wrong_values() {
    expect(
        &of("environment = 5
[classes]
network = 'intern'
[actions]
restricted = 'maskk'
personal = 7
[guard]
stdout = 'outptu'
umask = 77
output_commands = ['mlx_lm.chat', 3]
[protect]
min_chars = 4
max_bytes = '64 parsecs'
expire = 15
[detectors]
disable = 'ipv4'
[keys]
file = true
"),
        "error: invalid value of `environment`: expected a name of at most 32 lower-case letters, digits, `_` and `-`, a letter first
           --> tacenda.toml:1:15
         error: invalid value of `classes.network`: expected one of `public`, `internal`, `confidential` or `restricted`
           --> tacenda.toml:3:11
         hint: did you mean `internal`?
         error: invalid value of `actions.restricted`: expected one of `keep`, `mask`, `partial`, `hash`, `token`, `fpe`, `summarize` or `drop`
           --> tacenda.toml:5:14
         hint: did you mean `mask`?
         error: invalid value of `actions.personal`: expected one of `keep`, `mask`, `partial`, `hash`, `token`, `fpe`, `summarize` or `drop`
           --> tacenda.toml:6:12
         error: invalid value of `guard.stdout`: expected one of `auto`, `output` or `log`
           --> tacenda.toml:8:10
         hint: did you mean `output`?
         error: invalid value of `guard.umask`: expected three octal digits as text, such as `\"077\"`, or `inherit`
           --> tacenda.toml:9:9
         error: invalid value of `guard.output_commands`: expected a list of names
           --> tacenda.toml:10:35
         error: invalid value of `protect.min_chars`: expected a whole number from 8 to 256
           --> tacenda.toml:12:13
         error: invalid value of `protect.max_bytes`: expected a size from 64 KiB to 64 GiB, such as `\"64MiB\"` (units B, kB, MB, GB, KiB, MiB, GiB)
           --> tacenda.toml:13:13
         error: invalid value of `protect.expire`: expected a time from 1 second to 30 days, such as `\"15m\"` (units s, m, h, d)
           --> tacenda.toml:14:10
         error: invalid value of `detectors.disable`: expected a list of names
           --> tacenda.toml:16:11
         error: invalid value of `keys.file`: expected a path, or empty for none
           --> tacenda.toml:18:8",
    );
}

#[test]
fn tables_and_values_mixed_up() {
    expect(
        &of("guard = 1\nenvironments = []\n[environment]\nname = 'x'"),
        "error: invalid value of `guard`: expected a table
           --> tacenda.toml:1:9
         error: invalid value of `environments`: expected a table
           --> tacenda.toml:2:16
         error: invalid value of `environment`: expected a name of at most 32 lower-case letters, digits, `_` and `-`, a letter first
           --> tacenda.toml:3:1",
    );
}

#[test]
fn environments() {
    expect(
        &of("environment = 'prodution'
[environments.'Staging Area']
[environments.staging]
extends = 'developmnt'
environment = 'x'
[environments.a]
extends = 'b'
[environments.b]
extends = 'c'
[environments.c]
extends = 'b'
[environments.self]
extends = 'self'
"),
        "error: `environment` names an environment that does not exist
           --> tacenda.toml:1:15
         hint: did you mean `production`?
         error: invalid value of a key of `[environments]`: expected a name of at most 32 lower-case letters, digits, `_` and `-`, a letter first
           --> tacenda.toml:2:15
         error: `environments.staging.extends` names an environment that does not exist
           --> tacenda.toml:4:11
         hint: did you mean `development`?
         error: unknown key `environment` in `[environments.staging]`
           --> tacenda.toml:5:1
         hint: valid here: `extends`, `classes`, `actions`, `allow`, `guard`, `sinks`, `levels`, `protect`, `keys`, `hash`, `fpe`, `vault`, `detectors`, `scan`
         error: the environment `b` extends itself
           --> tacenda.toml:9:11
         hint: take one `extends` of the circle out
         error: the environment `self` extends itself
           --> tacenda.toml:13:11
         hint: take one `extends` of the circle out",
    );
    expect(
        &rendered(&Loader::isolated().variable("TACENDA_ENVIRONMENT", "qa")),
        "error: `TACENDA_ENVIRONMENT` names an environment that does not exist
         hint: there are `production`, `development`; another needs a section `[environments.NAME]`",
    );
}

#[test]
fn syntax() {
    expect(
        &of("[guard]\nstdout = 'hunter2hunter2\n"),
        "error: invalid TOML: invalid literal string, expected `'`
           --> tacenda.toml:2:25",
    );
    expect(
        &of("[guard]\npassword hunter2\n"),
        "error: invalid TOML: key with no value, expected `=`
           --> tacenda.toml:2:10",
    );
    expect(
        &of("[guard]\n[guard]\n"),
        "error: invalid TOML: duplicate key
           --> tacenda.toml:2:2",
    );
    let latin1 = Loader::isolated().text("tacenda.toml", &b"[guard]\n# gr\xfcn\n"[..]);
    expect(
        &rendered(&latin1),
        "error: the policy file is not UTF-8 text
           --> tacenda.toml:2:5
         hint: save it as UTF-8",
    );
}

#[test]
fn in_pyproject_the_places_are_those_of_the_file() {
    let text = "[project]\nname = 'x'\n\n[tool.tacenda.guard]\n    stdot = 'log'\n";
    expect(
        &rendered(&Loader::isolated().text("pyproject.toml", text)),
        "error: unknown key `stdot` in `[tool.tacenda.guard]`
           --> pyproject.toml:5:5
         hint: did you mean `stdout`?",
    );
    expect(
        &rendered(&Loader::isolated().text("a/pyproject.toml", "[project]\nname = 'x'")),
        "error: a/pyproject.toml has no section `[tool.tacenda]`
         hint: add the section, or put the policy in a file `tacenda.toml`",
    );
}

#[test]
fn variables_and_arguments() {
    let loader = Loader::isolated()
        .variable("TACENDA_STDOUT", "outputt")
        .variable("TACENDA_PROTECT_EXPIRE", "soon")
        .variable("TACENDA_TMPDIR", "")
        .variable("TACENDA_SOMETHING_ELSE", "whatever")
        .argument(Setting::Tmpdir, "--tmpdir", "/tmp");
    expect(
        &rendered(&loader),
        "error: invalid value of `TACENDA_STDOUT`: expected one of `auto`, `output` or `log`
         hint: did you mean `output`?
         error: invalid value of `TACENDA_PROTECT_EXPIRE`: expected a time from 1 second to 30 days, such as `\"15m\"` (units s, m, h, d)
         error: invalid value of `--tmpdir`: expected one of `private` or `inherit`",
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = std::ffi::OsString::from_vec(vec![b'k', 0xff]);
    for &setting in Setting::ALL {
        let loader = Loader::isolated().variable(setting.variable(), bytes.clone());
        let variable = setting.variable();
        assert!(rendered(&loader).contains(&format!("`{variable}`")), "{setting}");
    }
}

#[test]
fn files() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let at = |path: &Path| {
        rendered(&Loader::isolated().file(path)).replace(root.path().to_str().unwrap(), "…")
    };
    expect(
        &at(&path("none.toml")),
        "error: cannot read the policy file …/none.toml: No such file or directory (os error 2)",
    );
    expect(
        &at(root.path()),
        "error: the policy file … is not a regular file
         hint: name a file, not a directory or a pipe",
    );
    fs::write(path("big.toml"), vec![b'\n'; (1 << 20) + 1]).unwrap();
    expect(
        &at(&path("big.toml")),
        "error: the policy file …/big.toml is larger than 1024 KiB
         hint: is this the right file?",
    );
}

#[test]
fn detectors_are_checked_by_the_caller_who_knows_them() {
    let text = "[detectors]\ndisable = [\n  'ipv4',\n  'ipv66',\n]";
    let known = ["ipv4", "ipv6", "email"];
    let faults = |loader: Loader| {
        loader.load().unwrap().unknown_detectors(&known).iter().map(render).collect::<String>()
    };
    let file = Loader::isolated().text("tacenda.toml", text);
    expect(
        &faults(file.clone()),
        "error: unknown detector in `detectors.disable`
           --> tacenda.toml:4:3
         hint: did you mean `ipv6`?",
    );
    let text = "[[allow]]\nkey = 'host'\ndetectors = ['ipv4', 'ipv5']\nreason = 'ours'";
    expect(
        &faults(Loader::isolated().text("tacenda.toml", text)),
        "error: unknown detector in `allow.detectors`
           --> tacenda.toml:3:22
         hint: did you mean `ipv4`?",
    );
    expect(
        &faults(file.variable("TACENDA_DETECTORS_DISABLE", "emial,ipv6")),
        "error: unknown detector in `detectors.disable`
         hint: did you mean `email`?",
    );
}

#[test]
fn entries_of_the_allow_list() {
    expect(
        &of(
            "[[allow]]\nkye = 'host'\nreason = 'ours'\n[[allow]]\nregex = '10\\.(0'\nreason = 'ours'\n",
        ),
        "error: unknown key `kye` in `[[allow]]`
           --> tacenda.toml:2:1
         hint: did you mean `key`?
         error: invalid value of `allow.regex`: expected a regular expression (unclosed group)
           --> tacenda.toml:5:9",
    );
    expect(
        &of("[[allow]]\nkey = 'host'\n[[allow]]\nreason = 'ours'\n[allow]\n"),
        "error: invalid TOML: duplicate key
           --> tacenda.toml:5:2",
    );
    expect(
        &of("[[allow]]\nkey = 'host'\n[[allow]]\nreason = 'ours'\n"),
        "error: invalid value of `allow.reason`: expected a text that says why it is allowed
           --> tacenda.toml:1:1
         error: invalid value of `allow`: expected one of `value`, `regex`, `key` or `path`
           --> tacenda.toml:3:1",
    );
    expect(
        &of(
            "[[environments.staging.allow]]\nkey = 1\nkinds = ['persnal']\nprotected = 'no'\nreason = 'ours'\n",
        ),
        "error: invalid value of `environments.staging.allow.key`: expected text
           --> tacenda.toml:2:7
         error: invalid value of `environments.staging.allow.kinds`: expected one of `prompt`, \
         `completion`, `token-ids`, `tensor`, `model-parameter`, `training-sample`, `media`, \
         `credential`, `personal`, `financial`, `health`, `location`, `network` or `device`
           --> tacenda.toml:3:10
         hint: did you mean `personal`?
         error: invalid value of `environments.staging.allow.protected`: expected true or false
           --> tacenda.toml:4:13",
    );
    expect(
        &of("allow = 'everything'\n"),
        "error: invalid value of `allow`: expected tables `[[allow]]`
           --> tacenda.toml:1:9",
    );
}

/// Stands for a secret that went into the file by mistake: no setting has it for a name, and no
/// message of ours contains it by chance.
const SECRET: &str = "zq7Kw1Xv9";

fn fragment() -> impl Strategy<Value = String> {
    let words = [
        "[guard]",
        "[classes]",
        "[environments.a]",
        "[tool.tacenda]",
        "stdout",
        "umask",
        "extends",
        "environment",
        "min_chars",
        "prompt",
        "=",
        "=",
        "=",
        "'",
        "\"",
        "\"\"\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "#",
        "\n",
        "\n",
        " ",
        "0o77",
        "1979-05-27",
        "true",
        "\\u00",
        "\u{feff}",
        "é",
    ];
    prop_oneof![
        6 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        2 => Just(format!("'{SECRET}'")),
        1 => Just(SECRET.to_owned()),
        1 => Just(format!("\"{SECRET}\\x\"")),
    ]
}

fn tells_nothing(loader: &Loader) -> Result<(), TestCaseError> {
    if let Err(faults) = loader.check() {
        prop_assert!(!faults.is_empty());
        for fault in &faults {
            let told = format!("{}{fault:?}", render(fault));
            prop_assert!(!told.contains(SECRET) && !told.contains("zq7K"), "{told}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Loader::isolated().text("tacenda.toml", bytes).check();
    }

    #[test]
    fn no_text_tells_a_secret(text in prop::collection::vec(fragment(), 0..30)) {
        let text = text.concat();
        tells_nothing(&Loader::isolated().text("tacenda.toml", text.clone()))?;
        tells_nothing(&Loader::isolated().text("pyproject.toml", text))?;
    }

    #[test]
    fn no_value_tells_a_secret(
        (setting, quoted) in (prop::sample::select(Setting::ALL), any::<bool>()),
    ) {
        let value = if quoted { format!("'{SECRET}'") } else { format!("['ok', 1, '{SECRET}']") };
        let text = format!("{setting} = {value}\nclasses.prompt = {value}\nactions.health = {value}");
        tells_nothing(&Loader::isolated().text("tacenda.toml", text))?;
        let outside = Loader::isolated().variable(setting.variable(), format!("{SECRET} \0"));
        tells_nothing(&outside)?;
        tells_nothing(&Loader::isolated().argument(setting, "--flag", format!("{SECRET} \0")))?;
    }
}

#[test]
fn a_token_needs_a_vault() {
    expect(
        &of("[actions]\npersonal = 'token'"),
        "error: the action `token` for `personal` needs a vault
           --> tacenda.toml:2:12
         hint: set `vault.path`, or choose `hash`, which nobody turns back into the value",
    );
    assert_eq!(of("vault.path = 'vault'\nactions.personal = 'token'"), "");
}

#[test]
fn a_certificate_needs_its_key() {
    expect(
        &of("[sinks]\nsyslog_certificate = 'a.pem'"),
        "error: `sinks.syslog_certificate` needs `sinks.syslog_key`
           --> tacenda.toml:2:22
         hint: set both, for servers that ask for a certificate, or neither",
    );
    assert_eq!(of("[sinks]\nsyslog_certificate = 'a.pem'\nsyslog_key = 'a.key'"), "");
}

#[test]
fn a_command_runs_from_a_named_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tacenda.toml");
    fs::write(&file, "keys.command = ['pass', 'show', 'tacenda']").unwrap();
    let found = Loader::isolated().directory(folder.path());
    expect(
        &rendered(&found),
        "error: `keys.command` stands in a policy file that was found, not named
           --> tacenda.toml:1:16
         hint: a command runs only from a file that is named, by --config or TACENDA_CONFIG, or from TACENDA_KEYS_COMMAND",
    );
    assert_eq!(rendered(&found.clone().file(&file)), "");
    assert_eq!(rendered(&found.variable("TACENDA_KEYS_COMMAND", "pass,show,tacenda")), "");
}
