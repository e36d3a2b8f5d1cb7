//! What holds for every input.

use proptest::collection::vec;
use proptest::prelude::*;
use tacenda_detect::{Engine, Span};

fn scan(text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    Engine::builtin().scan(text, &mut spans);
    spans
}

/// Pieces that reach every matcher, whole or cut, in any order.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "jane.roe@example.com",
        "jane%40example.com",
        "+1 415-555-0132",
        "(415) 555-0132",
        "4111 1111 1111 1111",
        "078-05-1120",
        "DE89370400440532013000",
        "203.0.113.7",
        "2001:db8::8a2e:370:7334",
        "3c:22:fb:0a:9d:1e",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln",
        "Bearer mF_9.B5f-4.1JqM",
        "Basic dXNlcjpwYXNz",
        "password=",
        "\"api_key\": \"",
        "('x-api-key', '",
        "--token ",
        "?sig=",
        "Zf3D0LXCM3EIMbgJpUNn",
        "postgres://app:C4naryPassw0rd@db/prod",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "data:image/png;base64,",
        "iVBORw0KGgo",
        "array([[1, 2], [3, 4]], dtype=uint8)",
        "[1, 2, 3, 9, 8, 7, 6, 5]",
        "[",
        "]",
        "(",
        ")",
        "\\n",
        "\\\"",
        "\"",
        "'",
        "%3D",
        "\u{1b}[31m",
        "\\x1b[0m",
        "\\u001b[0m",
        ":",
        "=",
        "::",
        "://",
        "@",
        "~",
        "Q~",
        "-",
        ".",
        " ",
        "\n",
        "=\n",
        "=\\r\\n",
        "=C3=BC",
        "a line of 79 columns, which ends in the middle of a word or of a value: jane.ro\n",
        "…",
        "[credential]",
        "123456789:AA",
        "Set-Cookie: a=",
        "Cookie: a=",
        "Authorization: ",
        "curl -u a:",
        "Ines Moreau",
        "Dr. Krisztián ",
        "told Éva",
        "Jean-Pierre van der ",
        "O'",
        "Ł",
        "J.",
        "’",
        "x",
        "0",
        "1.2.3.4",
        "2026-11-21 02:37:40,123",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![
        4 => known.clone(),
        2 => (known, any::<prop::sample::Index>()).prop_map(|(text, cut)| text[..cut.index(text.len() + 1)].to_vec()),
        1 => vec(any::<u8>(), 0..12),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

fn check(text: &[u8]) {
    let spans = scan(text);
    for span in &spans {
        assert!(span.start < span.end && span.end <= text.len());
    }
    assert!(spans.is_sorted_by_key(|span| span.start));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn spans_are_sorted_and_in_bounds(text in text()) {
        check(&text);
    }

    #[test]
    fn a_range_is_scanned_as_if_it_stood_alone(
        text in text(),
        start in any::<prop::sample::Index>(),
        end in any::<prop::sample::Index>(),
    ) {
        let start = start.index(text.len() + 1);
        let end = start + end.index(text.len() - start + 1);
        let mut spans = Vec::new();
        Engine::builtin().scan_range(&text, start..end, &mut spans);
        prop_assert_eq!(spans, scan(&text[start..end]));
    }

    #[test]
    fn any_bytes_can_be_scanned(text in vec(any::<u8>(), 0..400)) {
        check(&text);
    }

    #[test]
    fn clean_text_around_a_value_does_not_hide_it(
        before in "[a-z ]{0,90} at ",
        after in " [a-z ]{0,90}",
        value in prop::sample::select(vec![
            "jane.roe@example.com", "+1 415-555-0132", "4111 1111 1111 1111", "078-05-1120", "203.0.113.7",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl", "AKIAIOSFODNN7EXAMPLE",
            "[151644, 872, 198, 3838, 374, 279, 6722, 315, 9625]",
        ]),
    ) {
        let text = format!("{before}{value}{after}");
        let spans = scan(text.as_bytes());
        let range = before.len()..before.len() + value.len();
        prop_assert!(spans.iter().any(|span| span.start <= range.start && span.end >= range.end), "{}", text);
    }
}

#[test]
fn a_text_of_one_sign_takes_no_time_to_speak_of() {
    // Each of these made an early matcher read on from every position to the end.
    for unit in [
        "[",
        "[1,",
        "@",
        "a@",
        "-----BEGIN PRIVATE KEY-----\n",
        "password=",
        "eyJ",
        ":",
        "1 ",
        "1.",
        "data:a;base64,",
        "://a:",
        "\\",
        "(",
        "%",
        "~",
        "Bearer ",
        "Maria ",
        "Maria-",
        "van der ",
        "J. ",
        "É",
        "Dr. ",
    ] {
        check(unit.repeat(200_000 / unit.len()).as_bytes());
    }
}
