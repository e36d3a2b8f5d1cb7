//! The bitmaps leave out nothing: the pass and one that looks at every place find the same.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::work;
use crate::masks::BLOCK;
use crate::rule_file::unmark;
use crate::{Engine, RuleSource, Span};

static EXHAUSTIVE: LazyLock<Engine> = LazyLock::new(Engine::exhaustive);

/// What the rules' authors wrote, and pieces that reach the edges of keys, numbers and addresses.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut pieces: Vec<String> = Vec::new();
    for file in RuleSource::builtin() {
        for rule in &file.rules().detectors {
            let examples = rule.examples.iter().filter_map(|text| Some(unmark(text.as_ref())?.0));
            pieces.extend(examples);
            pieces.extend(rule.counter_examples.iter().map(ToString::to_string));
            pieces.extend(rule.keywords.iter().map(ToString::to_string));
            for key in &rule.keys {
                let key = key.as_ref().trim_start_matches('^');
                pieces.extend(
                    ["=", ": ", "\" : \"", " = '", "_1=", "2:", "\\\": \\\"", "', '"]
                        .map(|sign| format!("{key}{sign}")),
                );
                let (head, tail) = key.split_at(key.len() / 2);
                pieces
                    .extend(["_", "-", ".", " ", "_$"].map(|sign| format!("{head}{sign}{tail}=")));
            }
        }
    }
    let more = [
        " ",
        "\n",
        ":",
        "=",
        "::",
        ":=",
        "://",
        "-",
        "--",
        ",",
        "\"",
        "'",
        "(",
        "['",
        "\\n",
        "%3D",
        "%40",
        "@",
        "~",
        "[",
        "\u{1b}[31m",
        "Zf3D0LXCM3EIMbgJpUNn",
        "hunter2x9",
        "2026-11-21 02:37:40,123",
        "1",
        "12",
        "123",
        "1234",
        "12345678",
        "+",
        ".",
        "/",
        "2001:db8::8a2e:370:7334",
        "1:2:3:4:5:6:7:8",
        "fe80::1",
        "3c:22:fb",
        ":0a:9d:1e",
        "3c-22-fb-0a-9d-1e",
        "x",
        "é",
        "\t",
        "  ",
        "        ",
        "123456789:AA",
        "127.0.0.1",
        "415-555-0132",
        "4111 1111 1111 1111",
        "_",
        "12://",
    ];
    pieces.extend(more.map(str::to_owned));
    pieces
});

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let whole = (0..PIECES.len()).prop_map(|piece| PIECES[piece].clone().into_bytes());
    let cut = (0..PIECES.len(), any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(piece, at, front)| {
            let (head, tail) = PIECES[piece].as_bytes().split_at(at.index(PIECES[piece].len() + 1));
            if front { head.to_vec() } else { tail.to_vec() }
        },
    );
    let filling = "[a-z0-9 ,:=_-]{0,70}".prop_map(String::into_bytes);
    prop_oneof![6 => whole, 3 => cut, 1 => filling, 1 => prop::collection::vec(any::<u8>(), 0..9)]
}

fn scan(engine: &Engine, text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    engine.scan(text, &mut spans);
    spans
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_every_place_has_is_found(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let (found, there) = (scan(Engine::builtin(), &text), scan(&EXHAUSTIVE, &text));
        prop_assert_eq!(found, there, "{}", text.escape_ascii());
    }
}

#[test]
fn a_long_word_is_noted_where_it_becomes_long() {
    const LONG: u32 = 22;
    for length in LONG - 2..=30 {
        for start in 0..=u128::BITS - length {
            let word = ((1_u128 << length) - 1) << start;
            let [before, now] = [word & u128::from(u64::MAX), word >> u64::BITS]
                .map(|block| u64::try_from(block).expect("half of the bits"));
            let last = (start + LONG - 1).checked_sub(u64::BITS).filter(|_| length >= LONG);
            let noted = last.map_or(0, |last| 1 << last);
            assert_eq!(super::long_words(before, now), noted, "{length} letters from {start} on");
        }
    }
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    // Several times what a value may have, so that reading from each place to such an end shows.
    const SIZE: usize = 20_000;
    const MOST: usize = 40;
    let units = [
        "key=",
        "token=secret=apikey=",
        "password: ",
        "\"api_key\": \"",
        "cookie: a=",
        "[1,",
        "[[((",
        "array([1, ",
        "1 ",
        "1.",
        "415-555-01-",
        "4111 1111 1111 1112 ",
        "(415) 555-013 ",
        "1,2,3,",
        "a@b.c@",
        "a%40b%40",
        "eyJ",
        "eyJhbGciOi.eyJzdWIi.",
        "Bearer ",
        "-----BEGIN PRIVATE KEY-----\n",
        "data:image/png;base64,",
        "https://a:",
        "::1:2::3",
        "\u{1b}[31m",
        "\\\\n",
        "--token ",
        "('token', ",
        "<token>",
    ];
    for unit in units {
        let text: Vec<u8> = unit.bytes().cycle().take(SIZE).collect();
        work::taken();
        scan(Engine::builtin(), &text);
        let steps = work::taken();
        assert!(steps <= MOST * SIZE, "{unit:?}: {steps} steps for {SIZE} bytes");
    }
}

/// A block is visited kind by kind: what is found at its end hides no value in front of it.
#[test]
fn what_is_read_out_of_turn_hides_nothing_before_it() {
    const CARD: &str = "5555 5555 5555 4444";
    let list = format!("[{}0.5]", "0.125, ".repeat(60));
    for behind in ["nino AB123456C", "NINO AB 12 34 56 C", "\\n4111 1111 1111 1111", &list] {
        for shift in 0..BLOCK {
            let before = "and so on ".chars().cycle().take(shift).collect::<String>();
            let text = format!("{before} card {CARD}, {behind}");
            let at = text.find(CARD).unwrap();
            let mut spans = Vec::new();
            Engine::builtin().scan(text.as_bytes(), &mut spans);
            let found = spans.iter().any(|span| span.start == at && span.end == at + CARD.len());
            assert!(found, "{text}");
        }
    }
}

#[test]
fn the_status_of_an_answer_is_no_house_number() {
    let found = |text: &str| {
        scan(Engine::builtin(), text.as_bytes())
            .iter()
            .any(|span| Engine::builtin().detector(span.detector).id == "street-address")
    };
    assert!(found("sent to 404 Canary Street"));
    assert!(!found("\"GET / HTTP/1.1\" 404 Canary Street"));
}
