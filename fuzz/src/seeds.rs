//! Inputs to begin with: every example and counter-example of every detector.

use std::path::Path;
use std::time::Duration;

use tacenda_detect::{SharedKey, SharedValue, Value, ValueId};
use tacenda_guard::share::Frame;
use tacenda_policy::Kind;

/// Texts that reach every detector and every decoder.
pub fn texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = [
        "\u{1b}[31m",
        "\u{1b}[0m",
        "\\u0040",
        "\\x40",
        "%40",
        "%25",
        "&#64;",
        "&amp;",
        "\\\\",
        "\\\"",
        "\\/",
        "\u{a0}",
        "\u{200b}",
        "–",
        "＠",
        "４１１１",
        "\r\n",
        "\n",
        "=\n",
        "=C3=BC",
        "\u{1b}]0;",
        "\u{7}",
        "[",
        "]",
        "[credential]",
        "[email #a1b2c3]",
        "<password>",
        "</password>",
        "{\"name\": \"password\", \"value\": \"",
        "eyJ0byI6ICJqYW5lLnJvZUBleGFtcGxlLmNvbSJ9",
        "-----BEGIN PRIVATE KEY-----",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    for rule in rules() {
        for list in ["examples", "counter_examples"] {
            let examples = rule.get(list).and_then(toml::Value::as_array);
            let examples = examples.into_iter().flatten().filter_map(toml::Value::as_str);
            texts.extend(examples.map(|example| example.replace(['«', '»'], "").into_bytes()));
        }
    }
    texts
}

/// Python: the fixtures of every rule of the scanner.
pub fn code() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tacenda-scan/fixtures");
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let python = files.filter(|file| file.path().extension().is_some_and(|one| one == "py"));
    python.filter_map(|file| std::fs::read(file.path()).ok()).collect()
}

/// What guarded processes tell the filter of protected values.
pub fn frames() -> Vec<Vec<u8>> {
    let (kind, fingerprint) = (Kind::Prompt, [1, 2, 3]);
    let value = Value { kind, name_chars: 0, chars: 40, tokens: Some(9), fingerprint };
    let (id, expires) = (ValueId(7), Duration::from_secs(900));
    let shared = |short, holds| SharedValue { id, value: value.clone(), short, holds, expires };
    let frames = [
        Frame::Key(SharedKey([7; 16])),
        Frame::Value(shared(None, 1)),
        Frame::Value(shared(Some(6), 0)),
        Frame::Fingerprints(id, 0, vec![1, 2, 3]),
        Frame::Fingerprints(id, 2, vec![4, 5]),
        Frame::Begin,
    ];
    let alone = frames.iter().map(std::slice::from_ref);
    alone
        .chain([&frames[..]])
        .map(|frames| {
            // The first byte says how the rest is cut.
            let mut bytes = vec![5];
            for frame in frames {
                frame.encode(&mut bytes);
            }
            bytes
        })
        .collect()
}

/// Policy files.
pub fn policies() -> Vec<Vec<u8>> {
    [
        "[actions]\npersonal = 'hash'\n",
        "detectors.disable = ['email', 'ipv4']\n",
        "environment = 'production'\n[classes]\nprompt = 'public'\n",
        "[environments.development.actions]\ncredential = 'mask'\n",
        "[limits]\n",
        "[[allow]]\nregex = '[0-9]{4}'\nkinds = ['personal']\nreason = 'ours'\n",
        "[[allow]]\nkey = 'host'\npath = 'a/**'\nprotected = true\nreason = 'ours'\n",
        "{\"version\":1}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// Rule files of one rule each, as a user may write them: without the native matchers.
pub fn rule_files() -> Vec<Vec<u8>> {
    let rules = rules().into_iter().filter(|rule| rule.contains_key("pattern"));
    let file = |rule: toml::Table| {
        let id = rule.get("id").and_then(toml::Value::as_str).unwrap_or_default();
        let id = format!("own-{id}");
        let mut rule = rule;
        rule.insert("id".to_owned(), id.into());
        let rule = toml::Value::Array(vec![rule.into()]);
        let mut file = toml::Table::new();
        file.insert("family".to_owned(), "Own".into());
        file.insert("detector".to_owned(), rule);
        file.to_string().into_bytes()
    };
    rules.map(file).collect()
}

/// Files of a journal: of each kind that is read before anything vouches for it.
pub fn journal_files() -> Vec<Vec<u8>> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tacenda-journal/testdata/seeds");
    let files = std::fs::read_dir(folder).expect("the samples are in the repository");
    let mut seeds: Vec<Vec<u8>> =
        files.filter_map(|file| std::fs::read(file.ok()?.path()).ok()).collect();
    let entries = seeds.iter().filter_map(|seed| tacenda_journal::untrusted::bundle(seed));
    let entries: Vec<Vec<u8>> = entries.flatten().map(<[u8]>::to_vec).collect();
    seeds.extend(entries);
    seeds
}

fn rules() -> Vec<toml::Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let files = std::fs::read_dir(folder).expect("the rules are in the repository");
    files
        .filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok())
        .filter_map(|text| toml::from_str::<toml::Table>(&text).ok())
        .filter_map(|mut file| file.remove("detector"))
        .filter_map(|detectors| detectors.try_into::<Vec<toml::Table>>().ok())
        .flatten()
        .collect()
}
