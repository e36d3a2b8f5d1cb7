//! What stands in another spelling is found, and where it stands.

use crate::Engine;

/// The detectors and the bytes that they found, labels of the same bytes joined.
fn found(text: &str) -> Vec<(&'static str, &str)> {
    let engine = Engine::builtin();
    let mut spans = Vec::new();
    engine.scan(text.as_bytes(), &mut spans);
    spans
        .iter()
        .map(|span| (engine.detector(span.detector).id, text.get(span.start..span.end).unwrap()))
        .collect()
}

/// Whether «the marked bytes» are exactly what `id` finds.
fn finds(id: &str, marked: &str) {
    let (before, rest) = marked.split_once('«').unwrap();
    let (value, after) = rest.split_once('»').unwrap();
    let text = format!("{before}{value}{after}");
    let found = found(&text);
    assert!(found.contains(&(id, value)), "{id} in {text:?}: {found:?}");
}

#[test]
fn escapes_of_json_and_python() {
    finds("email", r#"{"to": "«jane.roe\u0040example.com»"}"#);
    finds("email", r#"{"to": "«jane.roe\\u0040example.com»"}"#);
    finds("email", r#"{"body": "{\"to\": \"«jane.roe\\u0040example.com»\"}"}"#);
    finds("email", r"b'to=«jane.roe\x40example.com»'");
    finds("email", r"to «jane.roe\100example.com» sent");
    finds("email", r"to «jane.roe\u{40}example.com» sent");
    finds("payment-card", r#"{"card": "«4111\u00a01111\u00a01111\u00a01111»"}"#);
    finds("url-password", r#"{"dsn": "postgres:\/\/app:«C4naryPassw0rd»@db\/prod"}"#);
    finds("password", r"{\u0022password\u0022: \u0022«hunter2hunter2»\u0022}");
    finds("password", r"password\u003d«hunter2hunter2» \u0026");
}

#[test]
fn percent_encoding() {
    finds("email", "GET /u?to=«jane.roe%2540example.com» HTTP/1.1");
    finds("payment-card", "GET /pay?card=«4111%201111%201111%201111»&x=1");
    finds("payment-card", "GET /pay?card=«4111%2D1111%2D1111%2D1111»&x=1");
    finds("phone", "GET /call?to=«%2B1%20415%2D555%2D0132»&x=1");
    finds("url-password", "next=postgres%3A%2F%2Fapp%3A«C4naryPassw0rd»%40db%2Fprod");
    finds(
        "query-secret",
        "GET /login?next=https%3A%2F%2Fapi.example.com%2Fv1%3Ftoken%3D«Zf3D0LXCM3EIMbgJpUNn»%26n%3D1",
    );
}

#[test]
fn character_references() {
    finds("email", "<a href='x'>«jane.roe&#64;example.com»</a>");
    finds("email", "<a href='x'>«jane.roe&#x40;example.com»</a>");
    finds("email", "mail «jane.roe&commat;example&period;com» now");
    finds("password", "<td>{&quot;password&quot;: &quot;«hunter2hunter2»&quot;}</td>");
    finds("payment-card", "<td>«4111&nbsp;1111&nbsp;1111&nbsp;1111»</td>");
}

#[test]
fn typographic_signs() {
    finds("payment-card", "card «4111\u{a0}1111\u{a0}1111\u{a0}1111»");
    finds("payment-card", "card «4111–1111–1111–1111»");
    finds("payment-card", "card «４１１１１１１１１１１１１１１１»");
    finds("payment-card", "卡号«４１１１ １１１１ １１１１ １１１１»，谢谢");
    finds("us-ssn", "ssn «078–05–1120» on file");
    finds("us-ssn", "ssn «078\u{2011}05\u{2011}1120» on file");
    finds("phone", "call «+1\u{202f}415\u{202f}555\u{202f}0132» now");
    finds("email", "to «jane.roe\u{200b}@example.com» sent");
    finds("email", "to «jane\u{ad}.roe@exam\u{ad}ple.com» sent");
    finds("email", "to «jane.roe＠example.com» sent");
}

#[test]
fn colours_inside_a_value_and_between_key_and_value() {
    finds("email", "to «jane.roe\x1b[1m@\x1b[0mexample.com» sent");
    finds("payment-card", "card «4111 1111 \x1b[31m1111\x1b[0m 1111» sent");
    let rich =
        "card «4111\x1b[0m \x1b[1;36m1111\x1b[0m \x1b[1;36m1111\x1b[0m \x1b[1;36m1111»\x1b[0m";
    finds("payment-card", rich);
    finds("password", "\x1b[36mpassword\x1b[0m=\x1b[35m«hunter2hunter2»\x1b[0m \x1b[36mn\x1b[0m=1");
    finds(
        "password",
        r"\x1b[36mpassword\x1b[0m=\x1b[35m«hunter2hunter2»\x1b[0m \x1b[36mn\x1b[0m=1",
    );
    finds("password", "\x1b]8;;http://a\x07password\x1b]8;;\x07=«hunter2hunter2»");
}

#[test]
fn base64_and_hexadecimal() {
    finds("email", "sent «ORXTUIDKMFXGKLTSN5SUAZLYMFWXA3DFFZRW63I=»");
    // password=hunter2hunter2
    finds("password", "blob «cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI=» end");
    finds("password", "POST /v1/secrets/«cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI=» 200");
    finds("password", "«70617373776f72643d68756e7465723268756e74657232»");
    // {"to": "jane.roe@example.com"}, percent-encoded padding, twice
    finds("email", "cursor=«eyJ0byI6ICJqYW5lLnJvZUBleGFtcGxlLmNvbSJ9»&n=1");
    finds("email", "«ZXlKMGJ5STZJQ0pxWVc1bExuSnZaVUJsZUdGdGNHeGxMbU52YlNKOQ==»");
    finds("email", r#"{\"cursor\":\"«eyJ0byI6ICJqYW5lLnJvZUBleGFtcGxlLmNvbSJ9»\"}"#);
}

#[test]
fn quoted_printable() {
    finds("email", "Bitte an «jane.roe@exam=\nple.com» schreiben");
    finds("email", "Bitte an «jane.roe@exam=\r\nple.com» schreiben");
    finds("email", r#"{"body": "Bitte an «jane.roe@exam=\r\nple.com» schreiben"}"#);
    finds("email", r#""{\"body\": \"an «jane.roe@exam=\\nple.com» schreiben\"}""#);
    finds("payment-card", "Ihre Karte f=C3=BCr alles: «4111=C2=A01111=C2=A01111=C2=A01111»");
    finds("person-titled", "Guten Tag «Frau J=C3=BCrgens», =\nalles Gute");
    finds(
        "query-secret",
        "<a href=3D\"https://api.example.com/v1?token=3D«Zf3D0LXCM3EI=\nMbgJpUNnkRtO»&n=3D1\">",
    );
}

#[test]
fn words_that_go_on_behind_a_backslash() {
    finds("email", "mail to «jane.roe@exam\\\nple.com» from a shell");
    finds(
        "openai-key",
        "curl -H \"x: «sk-proj-Ab12Cd34Ef56Gh78\\\nIj90Kl12Mn34Op56Qr78St90Uv12»\"",
    );
    // A directory at the end of a line, and a command that goes on with its next word.
    for text in ["to C:\\jane@exam\\\n ple.com", "echo jane@exam \\\nple.com"] {
        assert_eq!(found(text), [], "{text:?}");
    }
}

#[test]
fn words_that_a_terminal_broke() {
    let before = "2026-11-21 02:37:40,123 - INFO - app.mail - the welcome mail went out to ";
    assert_eq!(before.len(), 73);
    finds("email", &format!("{before}«jane.ro\ne@example.com» today"));
    finds("email", &format!("{before}«jane.ro\n    e@example.com» today"));
    // No terminal is so wide, but each line is as long as the one before it.
    let same = &before[1..];
    let line = "a".repeat(78);
    finds("email", &format!("{line}\n{same}«jane.r\noe@example.com» today"));
    for (text, left) in [
        // A line that is not full, and records that each begin with their time or level.
        (format!("{}jane.ro\ne@example.com today", &before[3..]), "e@example.com"),
        (format!("{before}a@b.com\n2026-11-21 02:37:40,124 - INFO"), "a@b.com"),
        (format!("{before}a@b.com\nINFO ready"), "a@b.com"),
    ] {
        let found = found(&text);
        assert!(found.iter().all(|(_, value)| *value == left), "{text:?}: {found:?}");
    }
}

#[test]
fn base64_in_lines() {
    let text = "The quick brown fox jumps over a dog: jane.roe@example.com has sent the \
        mail of it, as everybody knows by now. Über alles: café, and what goes on.";
    let blob = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    for (width, end) in [(76, "\n"), (76, "\r\n"), (64, "\n"), (76, r"\n"), (76, r"\r\n")] {
        let lines: Vec<&str> =
            blob.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
        let blob = lines.join(end);
        for (before, after) in [("", ""), ("Base64:\n\n", "\n\nBest regards\n"), ("\"", "\"")] {
            finds("email", &format!("{before}«{blob}»{after}"));
        }
        finds("email", &format!("«{}»{end}Best regards", lines[..2].join(end)));
    }
}

#[test]
fn what_decodes_to_nothing_of_interest_is_left() {
    for text in [
        "GET /a%20b%2Fc?q=caf%C3%A9&n=100%25 HTTP/1.1",
        r#"{"path": "C:\\tools\\x64\\u12", "re": "\\d{3}\\x41"}"#,
        "sha256:3b5d5c3712955042212316173ccf37be800b38e43b5d5c3712955042212316ab",
        "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZw==",
        "pages 2010–2015, 12\u{a0}345\u{a0}678 rows, 5\u{202f}%",
        "\x1b[32mINFO\x1b[0m \x1b[1mapp\x1b[0m: ready",
        "AT&amp;T &lt;b&gt; &#8230; &unknown; & so on",
        "x =\n  12345\ny =\n67890 # and =\nso on; a=3D=C3=BC, z=12=\n",
        r"\u4f60\u597d\uff0c\u4e16\u754c \ud83d\ude00 \u00e9",
    ] {
        assert_eq!(found(text), [], "{text:?}");
    }
}

#[test]
fn a_value_in_a_stretch_is_where_it_was() {
    // Far from each other, at the edges of parts, and in one stretch longer than a part.
    for filler in ["word ", "%41%42 ", "x"] {
        for at in [0, 60, 500, 5_000, 16_300, 16_384, 40_000] {
            let before: String = filler.chars().cycle().take(at).collect();
            let text = format!("{before} to jane.roe%2540example.com {}", filler.repeat(300));
            let found = found(&text);
            assert!(
                found.contains(&("email", "jane.roe%2540example.com")),
                "{filler} {at} {found:?}"
            );
        }
    }
}
