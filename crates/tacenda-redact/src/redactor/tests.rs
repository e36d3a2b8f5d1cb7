use super::*;

const PROMPT: &str = "My name is Jane Q. Roe and I live at 742 Canary Wharf Lane.";

fn redactor() -> Redactor {
    Redactor::new(Engine::builtin(), Policy::default(), Keys::random())
}

fn redact(redactor: &Redactor, text: &str) -> String {
    String::from_utf8(redactor.redact(text.as_bytes(), &mut Report::default()).into_owned())
        .unwrap()
}

#[test]
fn a_clean_text_is_borrowed() {
    let text = b"Prompt processing progress: 512/1024";
    assert!(matches!(redactor().redact(text, &mut Report::default()), Cow::Borrowed(_)));
}

#[test]
fn each_kind_has_its_action() {
    let redactor = redactor();
    for (text, expected) in [
        ("mail jane.roe@example.com now", "mail [email #"),
        ("card 4111 1111 1111 1111.", "card [payment-card …1111]."),
        ("key AKIAIOSFODNN7EXAMPLE.", "key [aws-access-key-id]."),
    ] {
        let redacted = redact(&redactor, text);
        assert!(redacted.starts_with(expected), "{redacted}");
    }
}

#[test]
fn redacting_twice_changes_nothing_more() {
    let redactor = redactor();
    redactor.protected().protect(PROMPT, Kind::Prompt, Some(17), false).unwrap();
    let text = format!(
        "<{PROMPT}> jane.roe@example.com 4111 1111 1111 1111 AKIAIOSFODNN7EXAMPLE 203.0.113.9"
    );
    let once = redact(&redactor, &text);
    assert!(once.starts_with("<[prompt 59 chars, 17 tokens, #"), "{once}");
    assert_eq!(redact(&redactor, &once), once);
}

#[test]
fn overlapping_spans_become_their_union() {
    let redactor = redactor();
    redactor.protected().protect("send it to jane.roe", Kind::Prompt, None, false).unwrap();
    let redacted = redact(&redactor, "please send it to jane.roe@example.com, thanks");
    assert!(redacted.starts_with("please [prompt 19 chars, #"), "{redacted}");
    assert!(redacted.ends_with("], thanks"), "{redacted}");
}

#[test]
fn blanked_data_keep_their_length() {
    let mut redactor = redactor();
    redactor.protected().protect(PROMPT, Kind::Prompt, None, false).unwrap();
    assert!(matches!(redactor.blank(b"\x93NUMPY\x01\0v\0{'descr': '|u1'}"), Cow::Borrowed(_)));
    let around = |prompt: &str, mail: &str| {
        let mut data = b"\0\xff\x07".to_vec();
        data.extend_from_slice(prompt.as_bytes());
        data.extend_from_slice(b"\xfe ");
        data.extend_from_slice(mail.as_bytes());
        data.extend_from_slice(b"\0\x01");
        data
    };
    let mail = "jane.roe@example.com";
    let data = around(PROMPT, mail);
    let prompt = PROMPT.trim_end_matches('.');
    let expected =
        around(&PROMPT.replace(prompt, &"*".repeat(prompt.len())), &"*".repeat(mail.len()));
    assert_eq!(redactor.blank(&data).into_owned(), expected);

    redactor.fault = Some(Stage::Detect);
    let blank = redactor.blank(mail.as_bytes()).into_owned();
    assert_eq!(blank, vec![b'*'; mail.len()], "an internal error");
}

#[test]
fn a_private_key_written_line_by_line_becomes_one_label() {
    let redactor = redactor();
    let (mut carry, mut report) = (Carry::default(), Report::default());
    let lines = [
        "loaded -----BEGIN RSA PRIVATE KEY-----\n",
        "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n",
        "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n",
        "-----END RSA PRIVATE KEY----- done\n",
        "next\n",
    ];
    let out: Vec<u8> = lines
        .iter()
        .flat_map(|line| {
            redactor.redact_next(&mut carry, line.as_bytes(), &mut report).into_owned()
        })
        .collect();
    assert_eq!(String::from_utf8(out).unwrap(), "loaded [private-key]\n done\nnext\n");
}

#[test]
fn an_error_at_any_stage_gives_the_marker_and_never_the_text() {
    let text = format!("<{PROMPT}> jane.roe@example.com\n");
    for stage in [Stage::Detect, Stage::Protected, Stage::Render] {
        let mut redactor = redactor();
        redactor.protected().protect(PROMPT, Kind::Prompt, None, false).unwrap();
        redactor.fault = Some(stage);
        let mut report = Report::default();
        let redacted = redactor.redact(text.as_bytes(), &mut report).into_owned();
        assert_eq!(String::from_utf8(redacted).unwrap(), format!("{MARKER}\n"), "{stage:?}");
        assert_eq!(report.withheld, 1);
        redactor.fault = None;
        assert!(redact(&redactor, &text).starts_with("<[prompt "), "it goes on after {stage:?}");
    }
}

#[test]
fn a_disabled_detector_finds_nothing() {
    let policy = Policy::from_toml("detectors.disable = ['email']").unwrap();
    let redactor = Redactor::new(Engine::builtin(), policy, Keys::random());
    let text = "mail jane.roe@example.com, card 4111 1111 1111 1111";
    assert_eq!(redact(&redactor, text), "mail jane.roe@example.com, card [payment-card …1111]");
}

fn under(policy: &str) -> Redactor {
    Redactor::new(Engine::builtin(), Policy::from_toml(policy).unwrap(), Keys::random())
}

#[test]
fn what_is_known_has_the_action_of_its_kind_whatever_it_looks_like() {
    let redactor = under("[actions]\npersonal = 'drop'\nnetwork = 'keep'\ncompletion = 'partial'");
    let known = |text, kind| redactor.redact_known(text, kind).into_owned();
    assert!(known("blue heron", Kind::Prompt).starts_with("[prompt 10 chars, #"));
    assert!(known("blue heron", Kind::Completion).starts_with("[completion 10 chars, #"));
    assert_eq!(known("blue heron", Kind::Credential), "[credential]");
    assert_eq!(known("blue heron", Kind::Personal), "");
    assert_eq!(known("blue heron", Kind::Network), "blue heron");
}

#[test]
fn spellings_of_a_value_have_one_pseudonym() {
    let redactor = redactor();
    let label = |text: &str| redact(&redactor, text);
    let one = label("jane.roe@example.com");
    assert_eq!(one.len(), "[email #]".len() + 12);
    assert_eq!(label("Jane.Roe@EXAMPLE.com"), one);
    assert_eq!(label("q=jane.roe%40example.com&n=1"), format!("q={one}&n=1"));
    assert_ne!(label("jane.roe@example.org"), one);
    let longer = redact(&under("hash.digits = 16"), "jane.roe@example.com");
    assert_eq!(longer.len(), "[email #]".len() + 16);
}

#[test]
fn a_number_keeps_its_form() {
    let redactor = under("[actions]\nfinancial = 'fpe'\npersonal = 'fpe'");
    let text = "card 4111 1111 1111 1111, jane.roe@example.com, +49 30 1234567";
    let redacted = redact(&redactor, text);
    assert_eq!(redacted.len(), text.len() - "jane.roe@example.com".len() + "[email]".len());
    assert!(redacted.starts_with("card 4111 11"), "{redacted}");
    assert!(redacted.contains(" 1111, [email], +49 "), "{redacted}");
    assert!(!redacted.contains("1234567"), "{redacted}");
    // What stands for a card is none: it is not encrypted again.
    let card = redact(&redactor, "card 4111 1111 1111 1111.");
    assert_eq!(redact(&redactor, &card), card);
}

#[test]
fn a_token_is_not_redacted_again() {
    let tokens = under(
        "vault.path = 'vault'\n[actions]\npersonal = 'token'\ncredential = 'token'\n\
                        financial = 'token'",
    );
    for text in [
        "login by jane.roe@example.com",
        "password=hunter2-Canary-only, user=jane.roe@example.com",
        "{\"password\": \"hunter2-Canary-only\", \"card\": \"4111 1111 1111 1111\"}",
        "Authorization: Bearer CanaryDoNotUse0123456789abcdef",
        "postgres://app:hunter2-Canary@db.internal/prod",
        "key AKIAIOSFODNN7EXAMPLE and IBAN DE89370400440532013000",
    ] {
        let once = redact(&tokens, text);
        assert!(once.contains("tok_"), "{once}");
        for redactor in [&tokens, &redactor(), &under("actions.confidential = 'drop'")] {
            assert_eq!(redact(redactor, &once), once, "{text}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_token_is_taken_for_a_value(
        tag in proptest::prelude::any::<[u8; 16]>(), which in 0_usize..1000, frame in 0_usize..8
    ) {
        let engine = Engine::builtin();
        let names: Vec<&str> = engine.detectors().map(|detector| detector.id).collect();
        let token = token::spell(names[which % names.len()], &tag);
        let (before, after) = [
            ("", ""),
            ("password=", ""),
            ("\"api_key\": \"", "\", "),
            ("Authorization: Bearer ", "\r"),
            ("https://user:", "@example.com/x"),
            ("phone: ", " call"),
            ("card number ", "."),
            ("secret_token: '", "'"),
        ][frame];
        let text = format!("{before}{token}{after}");
        let redacted = redact(&redactor(), &text);
        proptest::prop_assert!(redacted.contains(&token), "{}", redacted);
    }
}

proptest::proptest! {
    #[test]
    fn of_overlapping_spans_nothing_is_left(
        spans in proptest::collection::vec((0_usize..90, 1_usize..20, 0_usize..4, 0_usize..4), 1..12)
    ) {
        const TEXT: &str = "the quick brown fox jumps over the lazy dog 0123456789 and \
                            nobody in the whole wide world looks at it";
        let redactor = redactor();
        let ids = ["email", "payment-card", "us-ssn", "password"];
        let actions = [Action::Mask, Action::Drop, Action::Hash, Action::Partial];
        let mut hidden = [false; TEXT.len()];
        let replacements = spans
            .iter()
            .map(|&(start, len, id, action)| {
                let end = TEXT.len().min(start + len);
                hidden[start..end].fill(true);
                let id = Engine::builtin().detector_named(ids[id]).unwrap();
                let confidence = Engine::builtin().detector(id).confidence;
                Replacement { start, end, action: actions[action], found: Found::Detected(id, confidence) }
            })
            .collect();
        let out = redactor.replace(TEXT.as_bytes(), 0..TEXT.len(), replacements, &mut Report::default());
        // What is left beside the labels is what no span covers, in its order.
        let (mut left, mut in_label) = (Vec::new(), false);
        for byte in out {
            match byte {
                b'[' => in_label = true,
                b']' => in_label = false,
                _ if !in_label => left.push(byte),
                _ => {}
            }
        }
        let kept: Vec<u8> =
            TEXT.bytes().zip(hidden).filter(|(_, hidden)| !hidden).map(|(byte, _)| byte).collect();
        proptest::prop_assert_eq!(left, kept);
    }
}

#[test]
fn the_end_of_one_value_is_not_shown_as_that_of_another() {
    let redactor = redactor();
    let text = b"4111 1111 1111 1111hunter2hunter2";
    let id = |name| Engine::builtin().detector_named(name).unwrap();
    let card = Found::Detected(id("payment-card"), Confidence::High);
    let password = Found::Detected(id("password"), Confidence::Medium);
    let replacements = vec![
        Replacement { start: 0, end: 19, action: Action::Partial, found: card },
        Replacement { start: 15, end: text.len(), action: Action::Mask, found: password },
    ];
    let out = redactor.replace(text, 0..text.len(), replacements, &mut Report::default());
    assert_eq!(String::from_utf8(out).unwrap(), "[payment-card]");
}

/// What comes out when a text is redacted in parts of about `step` bytes.
fn in_parts(redactor: &Redactor, text: &[u8], step: usize) -> (Vec<u8>, Report) {
    let (mut carry, mut report) = (Carry::default(), Report::default());
    let (mut out, mut from) = (Vec::new(), 0);
    while from < text.len() {
        // As much around a part as a value of this test and what tells it are long.
        let window = from.saturating_sub(200)..text.len().min(from + step + 200);
        let (start, end) = (from - window.start, (from + step).min(window.end) - window.start);
        let wanted = start..if window.end == text.len() { window.len() } else { end };
        let part = redactor.redact_part(&mut carry, &text[window.clone()], wanted, &mut report);
        let part = part.expect("no value is as long as a part");
        out.extend_from_slice(&part.redacted);
        from = window.start + part.end;
    }
    (out, report)
}

#[test]
fn a_text_in_parts_comes_out_as_a_whole() {
    let mut redactor = redactor();
    redactor.allowed = AllowList::new(
        &Policy::from_toml("[[allow]]\nregex = 'ines@example\\.net'\nreason = 'a test'").unwrap(),
        Engine::builtin(),
    );
    redactor.anywhere = redactor.allowed.scope(None);
    redactor.protected().protect(PROMPT, Kind::Prompt, None, false).unwrap();
    let texts = [
        "password = correct-horse-battery-staple",
        "ines@example.net, jane.roe@example.com",
        PROMPT,
        "card 4111 1111 1111 1111",
        "nothing to be seen here, and a good deal of it",
    ];
    let text: String = (0..4000).map(|n| texts[(n * 7 + n / 9) % 5].to_owned() + "; ").collect();
    let mut report = Report::default();
    let whole = redactor.redact(text.as_bytes(), &mut report);
    assert!(report.allowed > 0 && report.protected.len() == 1 && report.redacted.len() > 2);
    for step in (Redactor::PART + 200..).step_by(37).take(20) {
        let (out, parts) = in_parts(&redactor, text.as_bytes(), step);
        assert!(out == *whole, "parts of {step}");
        assert_eq!((&parts.redacted, parts.allowed), (&report.redacted, report.allowed), "{step}");
    }
}

#[test]
fn a_value_that_leaves_no_room_for_a_part_is_told() {
    let list = format!("x = [{}]", "0.123456, ".repeat(2000));
    let part = redactor().redact_part(
        &mut Carry::default(),
        list.as_bytes(),
        0..10_000,
        &mut Report::default(),
    );
    assert_eq!(part, Err(Crossed { start: 4, end: list.len() }));
}
