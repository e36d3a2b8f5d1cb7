//! What is let go when nothing more comes for a while.

use super::*;

#[test]
fn idle_lets_a_prompt_go_and_holds_a_growing_word() {
    let mut filter = StreamFilter::new(Words);
    let mut out = Vec::new();
    filter.push(b"Name: ", &mut out);
    assert!(out.is_empty() && filter.is_holding());
    filter.idle(&mut out);
    assert_eq!(text(&out), "Name: ");
    assert!(!filter.is_holding());

    filter.push(b"sk-abcDE", &mut out);
    filter.idle(&mut out);
    assert_eq!(text(&out), "Name: ", "the word may be growing");
    filter.push(b"F12345 ok", &mut out);
    filter.idle(&mut out);
    assert_eq!(text(&out), "Name: [key 14] ");
    for _ in 0..10 {
        filter.idle(&mut out);
    }
    assert_eq!(text(&out), "Name: [key 14] ok", "it has settled");
    filter.push(b"\n", &mut out);
    assert_eq!(text(&out), "Name: [key 14] ok\n");
}

/// What is shown of `parts` before their line ends, all patience lost after each, and at its end.
fn shown_when_idle(redactor: &Redactor, parts: &[&str]) -> (String, String) {
    let mut filter = StreamFilter::new(redactor);
    let mut out = Vec::new();
    for part in parts {
        filter.push(part.as_bytes(), &mut out);
        for _ in 0..20 {
            filter.idle(&mut out);
        }
    }
    let shown = text(&out).into_owned();
    filter.push(b"\n", &mut out);
    (shown, text(&out).into_owned())
}

#[test]
fn no_pause_inside_a_value_shows_its_first_half() {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    for value in [
        "5555 5555 5555 4444",
        "5555-5555-5555-4444",
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "+44 20 7946 0018",
        "AKIAIOSFODNN7EXAMPLE",
        "ines.moreau@example.org",
        "078-05-1120",
    ] {
        let bytes: Vec<&str> = value.split_inclusive(|_| true).collect();
        let (shown, whole) = shown_when_idle(&redactor, &bytes);
        assert!(shown.len() < value.len() / 2, "{value:?} byte by byte: {shown:?}");
        assert!(!whole.contains(&value[..value.len() / 2]), "{value:?} byte by byte: {whole:?}");
        for (before, after) in [("", ""), ("it is ", ""), ("it is \x1b[1m", "\x1b[m")] {
            for at in 0..=value.len() {
                let (a, b) = value.split_at(at);
                let first = format!("{before}{a}");
                let second = format!("{b}{after}");
                let (shown, whole) = shown_when_idle(&redactor, &[&first, &second]);
                let half = &value[..value.len() / 2];
                assert!(!shown.contains(half), "{value:?} split at {at}: {shown:?}");
                assert!(!whole.contains(half), "{value:?} split at {at}: {whole:?}");
            }
        }
    }
}

#[test]
fn prompts_and_progress_are_shown_when_idle() {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    for prompt in [
        "Your name: ",
        "Password: ",
        "Loading model 3/7 ...",
        "Loading",
        "Downloading from huggingface.co...",
        "Continue? (y/n) ",
        "Choose [1-4]> ",
        ">>> ",
        " 45%|████▌     | 45/100 [00:05<00:06,  9.12it/s]",
        "[=====>    ] 100.0%",
        "[======",
        "Training: 99%",
        "\x1b[32mEpoch 3\x1b[0m ",
    ] {
        assert_eq!(shown_when_idle(&redactor, &[prompt]).0, prompt);
    }
}

#[test]
fn an_echo_is_not_held() {
    let mut filter = StreamFilter::new(Words).interactive(true);
    let mut out = Vec::new();
    for (key, shown) in [("l", "l"), ("s", "ls"), (" ", "ls "), ("\r\n", "ls \r\n")] {
        filter.push(key.as_bytes(), &mut out);
        filter.idle(&mut out);
        assert_eq!(text(&out), shown);
    }
}

/// What comes out when `parts` arrive with all patience lost after each.
fn impatient(parts: &[&str]) -> String {
    let mut filter = StreamFilter::new(Words).interactive(true);
    let mut out = Vec::new();
    for part in parts {
        filter.push(part.as_bytes(), &mut out);
        filter.idle(&mut out);
    }
    filter.finish(&mut out);
    text(&out).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever is let go early, a word that came in one piece is never shown.
    #[test]
    fn impatience_shows_no_value(
        parts in prop::collection::vec(
            prop_oneof![
                Just(format!(" {KEY} ")), Just(" 4111111111111111 ".to_owned()), "[a-z \\[\\]]{0,6}",
                Just("\n".to_owned()), Just("\r".to_owned()), Just(" data:AB".to_owned()),
            ],
            0..12,
        ),
    ) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let out = impatient(&parts);
        prop_assert!(!out.contains(KEY) && !out.contains("4111111111111111"), "{out:?}");
    }
}

#[test]
fn a_value_that_grows_after_it_was_let_go_shows_no_more_of_itself() {
    // The label changes with the value: it is named again, and nothing of the value is shown.
    assert_eq!(impatient(&["a sk-abcDEF12", "3456", " b\n"]), "a [key 11][key 15] b\n");
    // The same label: only what is new.
    assert_eq!(impatient(&["a data:AAAA", "BBBB", " b\n"]), "a [data] b\n");
    // Its first part was shown before it could be known.
    assert_eq!(impatient(&["a sk-abc", "DEF123456", " b\n"]), "a sk-abc[key 15] b\n");
    // It has grown into something harmless: what was withheld stays so.
    assert_eq!(impatient(&["4111111111111111", "22 b\n"]), "[card] b\n");
    assert_eq!(
        impatient(&["[x] data:AA 4111111111111111", "22 b data:C c\n"]),
        "[x] [data] [card] b [data] c\n"
    );
}

#[test]
fn an_open_private_key_is_never_let_go_by_idle() {
    let mut filter = StreamFilter::new(Words);
    let mut out = Vec::new();
    filter.push(b"key: -----BEGIN RSA PRIV", &mut out);
    for _ in 0..20 {
        filter.idle(&mut out);
    }
    assert_eq!(text(&out), "key: ");
    filter.finish(&mut out);
    assert_eq!(text(&out), "key: -----BEGIN RSA PRIV");
}

#[test]
fn half_an_escape_is_held() {
    let mut filter = StreamFilter::new(Words).interactive(true);
    let mut out = Vec::new();
    filter.push(b"a \x1b[3", &mut out);
    filter.idle(&mut out);
    assert_eq!(text(&out), "a ");
    filter.push(b"1mb", &mut out);
    filter.idle(&mut out);
    assert_eq!(text(&out), "a \x1b[31mb");
}

/// What is written word by word, each let go of as if nothing came after it, as long as the value
/// grows: its first words are too few to be known.
fn slowly(pieces: &[&str], is_made: impl Fn(usize) -> bool) -> String {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    let values = redactor.protected();
    let id = values.open_completion();
    let mut filter = StreamFilter::new(&redactor);
    let mut out = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        if is_made(place) {
            values.extend_completion(id, piece);
        }
        filter.push(piece.as_bytes(), &mut out);
        for _ in 0..3 {
            filter.idle(&mut out);
        }
    }
    filter.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_first_words_of_a_value_that_is_being_made_wait_for_the_next() {
    let answer = ["Her", " otter", " is", " the", " grey", " one", " and", " it", " sings"];
    let out = slowly(&answer, |_| true);
    assert!(out.starts_with("[completion 38 chars, 9 tokens, #"), "{out}");
    let out =
        slowly(&[&["Answer: "], &answer[..], &["\n"]].concat(), |place| (1..10).contains(&place));
    assert!(out.starts_with("Answer: [completion 38 chars, 9 tokens, #"), "{out}");
    assert_eq!(out.matches('[').count(), 1, "{out}");
}

#[test]
fn what_is_written_while_a_value_is_made_waits_for_a_moment_only() {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    let id = redactor.protected().open_completion();
    let mut filter = StreamFilter::new(&redactor);
    let mut out = Vec::new();
    filter.push(b"Name? ", &mut out);
    filter.idle(&mut out);
    assert_eq!(out, b"Name? ", "nothing is made yet");
    redactor.protected().extend_completion(id, "Her otter");
    filter.push(b"Town? ", &mut out);
    while filter.is_holding() {
        filter.idle(&mut out);
    }
    assert_eq!(out, b"Name? Town? ");
}
