//! No text stops the scanner, whatever stands in it.

#![expect(clippy::format_push_string, reason = "small texts, made once a test")]

use proptest::prelude::*;
use tacenda_scan::{Models, Report, Source, formats, scan};

fn scanned(text: String) -> Report {
    scan(&[Source::text("a.py", text)], 1)
}

#[test]
fn deep_nesting_is_cut_off() {
    let deep = 3_000;
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("not ", ""),
        ("-", ""),
        ("lambda: ", ""),
        ("await ", ""),
    ] {
        let text = format!("x = {}y{}\n", open.repeat(deep), close.repeat(deep));
        assert_eq!(scanned(text).files, 1, "{open}");
    }
    for link in ["a.", "a + ", "a if b else ", "a and ", "a ** "] {
        assert_eq!(scanned(format!("x = {}a\n", link.repeat(deep))).files, 1, "{link}");
    }
    assert_eq!(scanned(format!("x = {}a\n", "a+".repeat(2_000_000))).files, 1);
    assert_eq!(scanned(format!("x = a{}\n", "[0]".repeat(deep))).files, 1);
    assert_eq!(scanned(format!("x = a{}\n", "()".repeat(deep))).files, 1);
    let mut blocks = String::new();
    for depth in 0..90 {
        blocks.push_str(&format!("{}if x:\n", " ".repeat(depth)));
    }
    blocks.push_str(&format!("{}pass\n", " ".repeat(90)));
    assert_eq!(scanned(blocks).files, 1);
    let chain = format!("if a:\n  pass\n{}", "elif a:\n  pass\n".repeat(deep));
    assert_eq!(scanned(chain).files, 1);
}

#[test]
fn a_finding_behind_much_code_is_found() {
    let lines = "x = 1\n".repeat(100_000);
    let report =
        scanned(format!("import logging\n{lines}def f(password):\n    logging.info(password)\n"));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].region.line, 100_003);
}

#[test]
fn cycles_of_imports_and_calls_end() {
    let source = |name: &str, other: &str| {
        let text =
            format!("from {other} import g as h\ndef g(password):\n    return h(password)\n");
        Source::text(format!("{name}.py"), text)
    };
    assert_eq!(scan(&[source("a", "b"), source("b", "a")], 1).files, 2);
    let own = "class A(A):\n    def f(self):\n        self.f()\nimport a\nfrom a import a\n";
    assert_eq!(scanned(own.to_owned()).files, 1);
}

#[test]
fn bad_syntax_is_scanned_as_far_as_it_is_good() {
    let report = scanned(
        "import logging\nprint 'old'\ndef f(password):\n    logging.info(password)\nclass (\n"
            .to_owned(),
    );
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn no_format_shows_a_literal() {
    let secret = "violet-heron-9";
    let text = format!(
        "import logging\npassword = '{secret}'\ndef f(password='{secret}'):\n    logging.info('{secret}: %s', password)\n"
    );
    let report = scanned(text);
    assert!(!report.findings.is_empty());
    for page in [
        formats::jsonl(&report),
        formats::json(&report).to_string(),
        formats::sarif(&report).to_string(),
        formats::github(&report),
        formats::code_climate(&report).to_string(),
        formats::junit(&report),
        format!("{:?}", report.findings),
    ] {
        assert!(!page.contains(secret));
    }
}

#[test]
fn no_shown_source_holds_a_secret() {
    let secret = "violet-heron-9";
    for place in [
        "password: str = 'S'",
        "password = (\n    'a'\n    'S'\n)",
        "password = '''\nS\n'''",
        "password = b'S' or f'S{x}' or rb'S %s'",
        "def f(user, password: str = 'S'): ...",
        "login('bob', 'S')",
        "d = {'password': ['S', x], 'auth': ('bob', 'S')}",
        "d['password'] = d.get('password', 'S with %s')",
        "url = f'amqp://bob:S@{host}/'",
        "log.info('x')  # S",
        "log.info('x')  # tacenda: ignore[TAC102] S",
        "if password == 'S': pass",
        "class A:\n    '''S'''\n    token = Token('S')",
        "password = 'S",
        "password = '''S",
    ] {
        let text = place.replace('S', secret);
        let shown = Source::text("a.py", text.clone()).masked(Models::builtin()).unwrap();
        assert!(!shown.contains(secret), "{place}: {shown}");
        assert_eq!(shown.len(), text.len());
    }
}

#[test]
fn what_is_no_text_is_a_problem() {
    let utf16: Vec<u8> = "password = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [String::from_utf8_lossy(&utf16).into_owned(), "x = 1\0".to_owned()] {
        let report = scanned(text);
        assert_eq!((report.files, report.problems.len()), (0, 1));
    }
    let report = scanned("x".repeat(8 * 1024 * 1024 + 1));
    assert_eq!((report.files, report.problems.len()), (0, 1));
}

/// Pieces of Python, put together at random: closer to code than random characters are.
fn code() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "password",
        "log.info(",
        "print(",
        ")",
        "(",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "=",
        "==",
        ".",
        "f'{",
        "}'",
        "'%s'",
        " % ",
        "def f(a, *b, **c):",
        "\n",
        "\n    ",
        "\n        ",
        "return ",
        "if ",
        "else:",
        "for x in ",
        "try:",
        "except E as e:",
        "raise ",
        "with ",
        " as ",
        "class A(B):",
        "lambda ",
        "yield ",
        "await ",
        "async ",
        "import a.b",
        "from . import x",
        "self.x",
        "**",
        "*",
        "@d",
        "del ",
        "match x:",
        "case y:",
        "#",
        "tacenda: ignore[TAC101] x",
        "é",
        "\u{feff}",
        "\\",
        "\"\"\"",
        "0",
        "not ",
        ":=",
        "'token'",
        "d['token']",
        "global x",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_code_is_scanned(text in code()) {
        let report = scanned(text);
        let lines = u32::try_from(report.lines).unwrap() + 1;
        for finding in &report.findings {
            prop_assert!(finding.region.line <= finding.region.end_line && finding.region.end_line <= lines);
        }
    }

    #[test]
    fn any_text_is_scanned(text in any::<String>()) {
        let binary = text.contains('\0');
        let report = scanned(text);
        prop_assert_eq!((report.files, report.problems.len()), if binary { (0, 1) } else { (1, 0) });
    }
}
