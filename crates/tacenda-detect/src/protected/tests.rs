use super::*;
use proptest::prelude::*;
use std::time::Duration;
use tacenda_policy::Kind;

pub(super) const PROMPT: &str =
    "My name is Jane Q. Roe, I live at 742 Canary Wharf Lane.\nZoë said \"50% off\" & left.";

pub(super) fn store() -> ProtectedValues {
    ProtectedValues::new(Limits::default(), Box::new(|_| [1, 2, 3]))
}

pub(super) fn protecting(value: &str) -> ProtectedValues {
    let store = store();
    store.protect(value, Kind::Prompt, None, false).expect("long enough");
    store
}

/// `text` with each span replaced by `#`.
pub(super) fn masked(store: &ProtectedValues, text: &str) -> String {
    let mut spans = Vec::new();
    store.scan(text.as_bytes(), &mut Trail::default(), &mut spans);
    let (mut out, mut at) = (String::new(), 0);
    for span in spans {
        if span.start >= at {
            out.push_str(&text[at..span.start]);
            out.push('#');
        }
        at = at.max(span.end);
    }
    out + &text[at..]
}

fn json(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('ë', "\\u00eb")
}

fn percent(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn base64(text: &str) -> String {
    use ::base64::prelude::*;
    BASE64_STANDARD.encode(text)
}

fn wide(char: char) -> char {
    match u32::from(char) {
        code @ 0x21..0x7f => char::from_u32(code + 0xfee0).unwrap(),
        _ => char,
    }
}

fn numbers(text: &str, between: &str, each: impl Fn(u8) -> String) -> String {
    text.bytes().map(each).collect::<Vec<_>>().join(between)
}

#[test]
fn every_spelling_is_found() {
    let store = protecting(PROMPT);
    for spelled in [
        PROMPT.to_owned(),
        json(PROMPT),
        json(&json(PROMPT)),
        percent(PROMPT),
        base64(PROMPT),
        PROMPT.replace(' ', "\n        "),
        PROMPT.to_uppercase(),
        PROMPT.replace("Zoë", "Zoe\u{308}"),
        PROMPT.chars().map(wide).collect(),
        PROMPT.replace(' ', "', ' "),
        PROMPT.replace(' ', "\", \"\u{120}"),
        PROMPT.replace(' ', " \u{2502}\n\u{2502} "),
        numbers(PROMPT, "", |byte| format!("{byte:02x}")),
        numbers(PROMPT, " ", |byte| format!("{byte:02X}")),
        numbers(PROMPT, ", ", |byte| byte.to_string()),
        numbers(PROMPT, "  ", |byte| byte.to_string()),
    ] {
        let text = format!("ERROR - body: <{spelled}> end");
        let masked = masked(&store, &text);
        // The last characters of base64 stand for bits that belong to no whole byte.
        assert!(masked.starts_with("ERROR - body: <#"), "{masked}");
        assert!(masked.ends_with("> end") && masked.len() < 28, "{masked}");
    }
}

#[test]
fn what_is_not_protected_stays() {
    let store = protecting(PROMPT);
    for text in [
        "Prompt processing progress: 512/1024",
        "127.0.0.1 - - \"POST /v1/chat/completions HTTP/1.1\" 200 -",
        "My name is short",
        "742 Canary",
    ] {
        assert_eq!(masked(&store, text), text);
    }
}

#[test]
fn a_match_goes_on_in_the_next_record() {
    let store = protecting(PROMPT);
    let mut trail = Trail::default();
    let mut ends = Vec::new();
    for line in ["INFO I live at 742 Can", "ary Wha", "rf Lane.", "Next line."] {
        let mut spans = Vec::new();
        store.scan(line.as_bytes(), &mut trail, &mut spans);
        ends.push(spans.first().map(|span| (span.start, span.end)));
    }
    assert_eq!(ends, [Some((5, 22)), Some((0, 7)), Some((0, 7)), None]);
}

#[test]
fn a_short_value_counts_as_a_whole_word_only() {
    let store = store();
    assert!(store.protect("Roe", Kind::Personal, None, false).is_none());
    assert!(store.protect("Jane", Kind::Personal, None, false).is_some());
    assert_eq!(masked(&store, "to Jane, Janet and mary-jane"), "to #, Janet and mary-#");
}

#[test]
fn a_released_value_is_forgotten_and_a_shared_one_is_not() {
    let store = store();
    let id = store.protect(PROMPT, Kind::Prompt, None, true).expect("long enough");
    let shared = format!("{PROMPT} And then some more words.");
    store.protect(&shared, Kind::Prompt, None, true).expect("long enough");
    store.release(id, Duration::ZERO);
    assert_eq!(store.usage().values, 1);
    assert_eq!(masked(&store, PROMPT), "#.");
}

fn advance(store: &ProtectedValues, by: Duration) {
    *store.ahead.lock().unwrap() += by;
}

#[test]
fn what_has_expired_is_no_match_and_goes_without_another() {
    let second = Duration::from_secs(1);
    let store = store();
    let expire = store.limits().expire;
    let kept = "another value, which is held all the time";
    let held = store.protect(kept, Kind::Prompt, None, true).unwrap();
    let before = store.usage().bytes;
    store.protect(&PROMPT.repeat(90), Kind::Prompt, None, false);
    let released = store.protect(PROMPT, Kind::Prompt, None, true).unwrap();
    advance(&store, expire.saturating_sub(second));
    assert_eq!(masked(&store, PROMPT), "#.");
    advance(&store, second);
    assert_eq!(masked(&store, PROMPT), "#.", "it is held");
    store.release(released, second);
    assert_eq!(masked(&store, PROMPT), "#.");
    advance(&store, second);
    assert_eq!(masked(&store, PROMPT), PROMPT);
    assert_eq!(masked(&store, kept), "#");
    let usage = store.usage();
    assert!(usage.values == 1 && usage.bytes <= before + 16_000, "{before} {usage:?}");
    store.release(held, second);
    advance(&store, second);
    assert!(store.usage().values == 0 && store.is_empty());
}

#[test]
fn a_value_that_is_seen_again_lasts_longer() {
    let store = protecting(PROMPT);
    let expire = store.limits().expire;
    advance(&store, expire / 2);
    store.protect(PROMPT, Kind::Prompt, None, false);
    advance(&store, expire / 2);
    assert_eq!(masked(&store, PROMPT), "#.");
    advance(&store, expire / 2);
    assert_eq!(masked(&store, PROMPT), PROMPT);
}

#[test]
fn a_completion_expires_too() {
    let store = store();
    let id = store.open_completion();
    store.extend_completion(id, PROMPT);
    assert_eq!(store.follow(1, "My name is"), Followed::Started);
    advance(&store, store.limits().expire);
    assert_eq!(store.follow(2, "My name is"), Followed::No);
    assert!(store.is_empty());
}

#[test]
fn what_others_let_go_is_looked_for_until_it_is_time() {
    let (process, filter) = (protecting(PROMPT), store());
    filter.adopt(&process.shared_key());
    process.each(|shared, fingerprints| {
        let shared = SharedValue { expires: Duration::ZERO, ..shared.clone() };
        let id = filter.put(None, &shared);
        filter.add(id, 0, fingerprints);
    });
    advance(&filter, Duration::from_secs(2));
    assert_eq!(masked(&filter, PROMPT), "#.");
    assert!(filter.next_expiry().is_some());
    filter.expire();
    assert_eq!(masked(&filter, PROMPT), PROMPT);
    assert!(filter.is_empty() && filter.next_expiry().is_none());
}

#[test]
fn memory_is_bounded_and_the_oldest_go_first() {
    let limits = Limits { max_bytes: 100_000, ..Limits::default() };
    let store = ProtectedValues::new(limits, Box::new(|_| [0; 3]));
    let value = |n: u32| format!("value {n} ").repeat(100);
    for n in 0..50 {
        store.protect(&value(n), Kind::Prompt, None, false).expect("long enough");
    }
    let usage = store.usage();
    assert!(usage.bytes <= 100_000 && usage.evicted > 0, "{usage:?}");
    assert_eq!(masked(&store, &value(49)), "# ");
}

#[test]
fn memory_that_was_needed_once_is_no_bound_for_ever() {
    let limits = Limits { max_bytes: 100_000, ..Limits::default() };
    let store = ProtectedValues::new(limits, Box::new(|_| [0; 3]));
    let value = |n: u32| format!("value {n} ").repeat(100);
    let held: Vec<_> = (0..50)
        .map(|n| store.protect(&value(n), Kind::Prompt, None, true).expect("long enough"))
        .collect();
    assert!(store.usage().bytes > 200_000, "what is held stays");
    for id in held {
        store.release(id, Duration::from_secs(60));
    }
    for n in 50..100 {
        store.protect(&value(n), Kind::Prompt, None, false).expect("long enough");
        store.release(ValueId(u64::MAX), Duration::ZERO);
    }
    let usage = store.usage();
    assert!(usage.bytes <= 100_000, "{usage:?}");
    assert_eq!(masked(&store, &value(99)), "# ");
}

#[test]
fn a_completion_is_followed_token_by_token() {
    let store = store();
    let id = store.open_completion();
    let tokens = ["Cust", "omer", " 17", "", " is", "\n", "Jane"];
    let mut seen = Vec::new();
    for token in tokens {
        store.extend_completion(id, token);
        seen.push(store.follow(7, token));
    }
    assert_eq!(seen[0], Followed::Started);
    assert!(seen[1..].iter().all(|followed| *followed == Followed::Continued), "{seen:?}");
    assert_eq!(store.follow(7, " \r\n"), Followed::Continued, "the log's own line end");
    assert_eq!(store.follow(7, "Outgoing Response"), Followed::Ended);
    let value = store.end_run(7).expect("a run was going on");
    assert_eq!((value.kind, value.chars, value.tokens), (Kind::Completion, 19, Some(7)));
    assert_eq!(store.follow(7, "Outgoing Response"), Followed::No);
}

#[test]
fn a_run_goes_on_after_other_records_and_among_other_completions() {
    let store = store();
    let (one, two) = (store.open_completion(), store.open_completion());
    let words = |text: &'static str| text.split_inclusive(' ');
    for (a, b) in words("the violet heron ships ").zip(words("seven onions and garlic ")) {
        store.extend_completion(one, a);
        store.extend_completion(two, b);
        assert_ne!(store.follow(1, a), Followed::No);
        assert_ne!(store.follow(1, b.trim()), Followed::No, "spaces may be left out");
        assert_eq!(store.follow(1, "request 7 done"), Followed::Ended);
        assert!(store.end_run(1).is_some());
    }
    assert_eq!(store.follow(1, "\n"), Followed::No, "a line end starts no run");
}

#[test]
fn a_completion_is_followed_among_words_of_the_log() {
    let tokens =
        ["The", " her", "on", " ships", " to", " Ber", "gen", "'s", " Kön", "igs", "\n", "."];
    let plain = |token: &str| token.to_owned();
    let json = |token: &str| json(token).replace('ö', "\\u00f6");
    let python = |token: &str| {
        let quote = if token.contains('\'') { '"' } else { '\'' };
        format!("{quote}{}{quote}", token.replace('\n', "\\n"))
    };
    let quoted =
        |token: &str| if token.contains(' ') { format!("'{token}'") } else { token.to_owned() };
    for (log, (frame, spell)) in [
        ("token <>", &plain as &dyn Fn(&str) -> String),
        ("token <>", &quoted),
        ("# of 99: '<>'", &plain),
        ("piece <> of 99", &python),
        ("10:00:0#,## DEBUG {\"id\": 7, \"delta\": \"<>\", \"n\": #}\n", &json),
    ]
    .into_iter()
    .enumerate()
    {
        let store = store();
        let id = store.open_completion();
        let log = log as u64;
        for (place, token) in tokens.iter().enumerate() {
            store.extend_completion(id, token);
            // What else goes on there changes nothing.
            assert_eq!(store.follow_framed(log, "request 7 of 9 done"), None);
            let text = frame.replace("<>", &spell(token)).replace('#', &(place * 7).to_string());
            let found = store.follow_framed(log, &text);
            if token.contains(char::is_alphanumeric) {
                assert!(found.is_some(), "{text}");
            }
        }
        assert_eq!(store.follow_framed(log, "token bucket"), None);
        assert_eq!(store.follow_framed(log, "token ë"), None);
        assert_eq!(store.follow_framed(log, "token "), None);
    }
}

#[test]
fn the_two_ends_of_a_value_are_found_around_an_ellipsis() {
    let store = protecting(PROMPT);
    for text in ["<'My name is J...off\" & left.'>", "<My name is Ja… & left. said>", "<…>"] {
        let expected = if text.contains("ff") { "<'#.'>" } else { text };
        assert_eq!(masked(&store, text), expected);
    }
    let text = "ready to load the model ... and done, my name is ... unknown";
    assert_eq!(masked(&store, text), text);
}

#[test]
fn a_frame_that_one_log_has_shown_is_known_in_another() {
    let store = store();
    let first = store.open_completion();
    for token in ["Her", " otter", " sings"] {
        store.extend_completion(first, token);
        store.follow_framed(2, &format!("<{token}> of the answer"));
    }
    // More than one token has been made before its log writes the first one.
    let second = store.open_completion();
    store.extend_completion(second, "Teal");
    store.extend_completion(second, " herons");
    assert_eq!(store.follow_framed(4, "<Teal> of the answer"), Some(1..5));
    assert_eq!(store.follow_framed(4, "< herons> of the answer"), Some(1..8));
    assert_eq!(store.follow_framed(6, "<herons> of the answer"), None, "no completion begins so");
}

#[test]
fn the_first_token_is_told_only_while_it_is_the_only_one() {
    let store = store();
    let id = store.open_completion();
    store.extend_completion(id, " Done");
    assert_eq!(store.follow_framed(2, "made: \" Done\", 7 ms"), Some(7..12));
    assert_eq!(store.follow_framed(2, "made=Done\n"), Some(5..9));
    assert_eq!(store.follow_framed(2, "Done with it"), None);
    store.extend_completion(id, " and");
    assert_eq!(store.follow_framed(4, "request is: Done"), None);
}

#[test]
fn a_thousand_completions_are_followed_in_one_log_by_turns() {
    let store = store();
    let many: Vec<_> = (0..1000).map(|_| store.open_completion()).collect();
    let words = |k: usize, n: usize| match n {
        0 | 1 => format!("same{n}"),
        _ => format!(" of{k:03}x{n}"),
    };
    for n in 0..12 {
        for (k, id) in many.iter().enumerate() {
            store.extend_completion(*id, &words(k, n));
        }
        // The log lags behind.
        let Some(n) = n.checked_sub(1) else { continue };
        for k in 0..1000 {
            let followed = store.follow(1, &words(k * 7 % 1000, n));
            let is_piece = matches!(followed, Followed::Started | Followed::Continued);
            assert!(is_piece, "{:?} {followed:?}", words(k * 7 % 1000, n));
        }
    }
    assert_eq!(store.follow(1, "request 7 done"), Followed::Ended);
    for id in many {
        store.close_completion(id);
    }
}

#[test]
fn a_completion_is_followed_from_thread_to_thread() {
    let store = store();
    let id = store.open_completion();
    let tokens =
        ["The", " her", "on", " ships", " on", " to", " Ber", "gen", " on", " the", " her"];
    for (place, token) in tokens.iter().enumerate() {
        store.extend_completion(id, token);
        // A pool of three.
        let log = 2 * (place as u64 * 5 % 3 + 1);
        let mut followed = store.follow(log, token);
        if followed == Followed::Ended {
            assert!(store.end_run(log).is_some());
            followed = store.follow(log, token);
        }
        assert!(matches!(followed, Followed::Started | Followed::Continued), "{token}");
        assert_eq!(store.follow(8, "request 7 done"), Followed::No);
    }
    assert_eq!(store.follow(9, " Ber"), Followed::No, "a stream is another kind of log");
}

#[test]
fn counts_are_no_pieces() {
    let store = store();
    let id = store.open_completion();
    store.extend_completion(id, "1, 2, 3 and 4");
    for count in 1..20 {
        assert_eq!(store.follow_framed(1, &format!("step {count}")), None);
        assert_eq!(store.follow_framed(1, &format!("step {count} of é{count}")), None);
    }
}

#[test]
fn many_completions_that_begin_alike_are_each_followed_in_their_own_log() {
    let store = store();
    let texts: Vec<String> =
        (0..300).map(|n| format!("Sure, here is the answer number {n:03} that you want")).collect();
    let ids: Vec<_> = texts.iter().map(|_| store.open_completion()).collect();
    let mut pieces: Vec<_> = texts.iter().map(|text| text.split_inclusive(' ')).collect();
    for _ in 0..10 {
        for (log, (id, pieces)) in (0..).zip(ids.iter().zip(&mut pieces)) {
            let piece = pieces.next().expect("ten words");
            store.extend_completion(*id, piece);
            let followed = store.follow(log, piece);
            assert!(
                matches!(followed, Followed::Started | Followed::Continued),
                "{followed:?} at {piece:?} of {log}"
            );
        }
    }
}

#[test]
fn a_completion_that_begins_with_signs_is_followed_from_its_first_word_on() {
    let store = store();
    let pieces = ["**", "Jane", " Roe", "**", "\n", "- ", "heron", ",", " violet"];
    let id = store.open_completion();
    let mut seen = Vec::new();
    for piece in pieces {
        store.extend_completion(id, piece);
        seen.push(store.follow(1, piece));
    }
    assert_eq!(seen[..2], [Followed::No, Followed::Started]);
    assert!(seen[2..].iter().all(|followed| *followed == Followed::Continued), "{seen:?}");
    // Behind other records it goes on with a sign.
    for piece in [";", " and", " seven", " onions"] {
        store.extend_completion(id, piece);
    }
    assert_eq!(store.follow(1, "request 7 done"), Followed::Ended);
    assert!(store.end_run(1).is_some());
    assert_eq!(store.follow(1, "----"), Followed::No);
    assert_eq!(store.follow(1, ";"), Followed::No);
    assert_eq!(store.follow(1, "and"), Followed::Started);
    store.end_log(1);
    assert_eq!(store.follow(1, "seven"), Followed::No, "the log has ended");
}

#[test]
fn a_value_that_could_not_be_decoded_is_not_found_in_what_cannot_be() {
    let store = store();
    let id = store.open_completion();
    for _ in 0..12 {
        store.extend_completion(id, "\u{fffd}");
    }
    store.extend_completion(id, "the violet heron ships on friday");
    store.protect(&"\u{fffd}".repeat(40), Kind::Prompt, None, true);
    // Decoded from base64, it is no text.
    let digest = "8bcbb4c131df56f7c79066016241cc9f3ab41c2d7e8fa9b0c1d2e3f4a65bd2e2ad";
    for text in
        [digest, "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"]
    {
        assert_eq!(masked(&store, text), text);
    }
    assert_eq!(masked(&store, "The \u{fffd}violet heron ships on Friday"), "#");
}

#[test]
fn completions_that_begin_alike_are_followed_in_one_log_by_turns() {
    let store = store();
    let ends = ["brown fox jumps over it", "red hen sits still"];
    let mut twins: Vec<_> = ends
        .into_iter()
        .map(|end| (store.open_completion(), "The quick ".to_owned() + end))
        .map(|(id, text)| (id, text.split(' ').map(str::to_owned).collect::<Vec<_>>()))
        .collect();
    for n in 0..8 {
        for (id, words) in &mut twins {
            let Some(word) = words.get(n) else { continue };
            store.extend_completion(*id, word);
            let followed = store.follow(1, word);
            assert!(matches!(followed, Followed::Started | Followed::Continued), "{word}");
        }
    }
    let many: Vec<_> = (0..200).map(|_| store.open_completion()).collect();
    for n in 0..6 {
        for (k, id) in many.iter().enumerate() {
            let word = if n < 3 { format!("same{n}") } else { format!("own{k:03}of{n}") };
            store.extend_completion(*id, &word);
            let followed = store.follow(2, &word);
            assert!(matches!(followed, Followed::Started | Followed::Continued), "{word}");
        }
    }
}

#[test]
fn a_log_goes_on_with_the_twin_of_a_completion_that_is_forgotten() {
    let store = store();
    let (one, other) = (store.open_completion(), store.open_completion());
    for id in [one, other] {
        store.extend_completion(id, "The violet ");
    }
    assert_eq!(store.follow(1, "The"), Followed::Started);
    assert_eq!(store.follow(1, "violet"), Followed::Continued);
    store.release(one, Duration::ZERO);
    store.extend_completion(other, "heron");
    assert_eq!(store.follow(1, "heron"), Followed::Continued);
    assert!(store.end_run(1).is_some());
    store.release(other, Duration::ZERO);
    assert_eq!(store.follow(1, "heron"), Followed::No);
}

#[test]
fn a_completion_is_found_by_its_beginning_however_it_came() {
    let store = store();
    let id = store.open_completion();
    for token in ["\n ", "", " über", "mut", "ig und noch einiges mehr, das darauf folgt"] {
        store.extend_completion(id, token);
    }
    assert_eq!(store.follow(1, "übermut"), Followed::Started);
    assert_eq!(store.follow(2, "\n  übermutig und noch einiges mehr"), Followed::Started);
    assert_eq!(store.follow(3, "mut"), Followed::No);
    store.close_completion(id);
    assert_eq!(store.follow(4, "übermut"), Followed::Started, "a log may lag behind");
    store.release(id, Duration::ZERO);
    assert_eq!(store.follow(5, "übermut"), Followed::No);
}

#[test]
fn what_is_held_is_not_dropped_for_others() {
    let limits = Limits { max_bytes: 20_000, ..Limits::default() };
    let store = ProtectedValues::new(limits, Box::new(|_| [0; 3]));
    store.protect(PROMPT, Kind::Prompt, None, true).expect("long enough");
    store.protect(&"other words ".repeat(1000), Kind::Prompt, None, true).expect("long enough");
    assert_eq!(masked(&store, PROMPT), "#.");
}

#[test]
fn a_completion_is_found_while_it_grows() {
    let store = store();
    let id = store.open_completion();
    for token in PROMPT.split_inclusive(' ') {
        store.extend_completion(id, token);
    }
    assert!(!masked(&store, &format!("tool call {}", json(PROMPT))).contains("Jane"));
    store.close_completion(id);
    assert!(!masked(&store, &format!("tool call {}", json(PROMPT))).contains("Jane"));
}

proptest! {
    /// Any fragment of sixteen characters or more is covered whole, in any spelling, anywhere.
    #[test]
    fn every_fragment_is_covered(
        value in "[a-zA-Z0-9é@:/{}.,\"'& -]{16,80}",
        from in 0..64_usize,
        len in 16..80_usize,
        spelling in 0..4_usize,
    ) {
        let chars: Vec<char> = value.chars().collect();
        let from = from.min(chars.len() - 16);
        let fragment: String = chars[from..(from + len).min(chars.len())].iter().collect();
        let store = protecting(&value);
        // A fragment of little but spaces and quotes has nothing to be known by.
        let left_out = [' ', '"', '\'', ',', '-', '.', '/'];
        let ends = [fragment.trim_start_matches(left_out), fragment.trim_end_matches(left_out)];
        prop_assume!(ends.iter().all(|end| end.len() + 1 >= fragment.len()));
        prop_assume!(fragment.chars().filter(|char| !left_out.contains(char)).count() >= 8);
        let spelled = match spelling {
            0 => fragment.clone(),
            1 => json(&fragment),
            2 => percent(&fragment),
            _ => json(&json(&fragment)),
        };
        let text = format!("<{spelled}>");
        let masked = masked(&store, &text);
        let escapes = ["%20", "%22", "%27", "%2C", "%2D", "%2E", "%2F"];
        let left = escapes.iter().fold(masked, |left, escape| left.replace(escape, ""));
        let left: String =
            left.chars().filter(|char| *char != '\\' && !left_out.contains(char)).collect();
        prop_assert_eq!(left, "<#>", "of {}", spelled);
    }

    #[test]
    fn spans_lie_in_the_text(value in ".{16,60}", text: Vec<u8>, whole: bool) {
        let store = store();
        store.protect(&value, Kind::Prompt, None, false);
        let text = if whole { [&text[..], value.as_bytes(), &text].concat() } else { text };
        let mut spans = Vec::new();
        store.scan(&text, &mut Trail::default(), &mut spans);
        for span in spans {
            prop_assert!(span.start < span.end && span.end <= text.len());
        }
    }
}

/// Notes what it is told, together: how many fingerprints of which value.
#[derive(Default)]
struct Ear(std::sync::Mutex<Vec<Vec<(ValueId, usize)>>>);

impl Share for std::sync::Arc<Ear> {
    fn key(&self) -> Option<SharedKey> {
        None
    }

    fn audience(&self) -> u64 {
        1
    }

    fn tell(&self, news: &[News<'_>]) -> bool {
        let heard = news.iter().map(|news| (news.value.id, news.fingerprints.len()));
        self.0.lock().unwrap().push(heard.collect());
        true
    }
}

fn overheard() -> (ProtectedValues, std::sync::Arc<Ear>) {
    let (store, ear) = (store(), std::sync::Arc::new(Ear::default()));
    store.share(Box::new(std::sync::Arc::clone(&ear)));
    (store, ear)
}

#[test]
fn fingerprints_that_are_known_are_not_told_again() {
    let (store, ear) = overheard();
    let id = store.protect(PROMPT, Kind::Prompt, None, false).unwrap();
    store.protect(PROMPT, Kind::Prompt, None, true);
    store.release(id, Duration::from_secs(60));
    let told = ear.0.lock().unwrap().concat();
    assert_eq!(told.len(), 3);
    assert!(told[0].1 > 40 && told[1..] == [(id, 0), (id, 0)], "{told:?}");
}

#[test]
fn what_others_know_is_not_told_again_and_what_comes_together_is_told_together() {
    const OTHER: &str = "and what the tide has left behind on the sand is another one";
    let (store, ear) = overheard();
    let heard = || std::mem::take(&mut *ear.0.lock().unwrap());
    let ids = store.protect_all([PROMPT, "no", OTHER].map(Member::unnamed), Kind::Prompt, true);
    assert_eq!(ids.len(), 2);
    let told = heard();
    assert!(told.len() == 1 && told[0].iter().map(|(id, _)| *id).eq(ids.clone()), "{told:?}");

    // Who holds it besides is of no interest to others, its summary is.
    store.protect(PROMPT, Kind::Prompt, None, true);
    store.release(ids[0], Duration::from_secs(60));
    assert_eq!(heard(), Vec::<Vec<_>>::new());
    store.protect(PROMPT, Kind::Prompt, Some(20), true);
    assert_eq!(heard(), [[(ids[0], 0)]]);
    store.release(ids[0], Duration::from_secs(60));
    store.release_all(&ids, Duration::from_secs(60));
    assert_eq!(heard(), [[(ids[0], 0), (ids[1], 0)]]);

    // Nobody holds them: it is renewed, and nothing has changed but that.
    store.protect(PROMPT, Kind::Prompt, Some(20), false);
    assert_eq!(heard(), [[(ids[0], 0)]]);
    store.protect(PROMPT, Kind::Prompt, Some(20), false);
    assert_eq!(heard(), Vec::<Vec<_>>::new());
    store.release(ids[0], Duration::ZERO);
    assert_eq!(heard(), [[(ids[0], 0)]]);
}

#[test]
fn words_are_found_whatever_joins_them() {
    let store = protecting("tell the crimson walrus about the Utrecht merger");
    for text in [
        "/var/cache/kv/tell_the_crimson_walrus_about_the_Utrecht_merger.safetensors",
        "tell-the-crimson-walrus-about-the-utrecht-merger",
        "tell/the/crimson/walrus/about/the/utrecht/merger",
        "(tell) (the) (crimson) (walrus) (about)",
        "tell;the;crimson;walrus #about *the* ~utrecht~ merger",
    ] {
        assert!(!masked(&store, text).contains("walrus"), "{text}");
    }
}
