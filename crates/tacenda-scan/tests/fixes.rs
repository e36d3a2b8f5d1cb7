//! What fixes leave: Python that parses, without the findings that were fixed, and with every byte
//! outside of the edits as it was. `UPDATE_SNAPSHOTS=1` writes the fixed fixtures anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use ruff_python_ast::PySourceType;
use ruff_python_parser::parse_unchecked_source;
use tacenda_scan::rules::RULES;
use tacenda_scan::{Applicability, Fix, Report, Source, accept, apply, scan, suggest};

fn suggested(text: &str) -> Report {
    let sources = [Source::text("app.py", text.to_owned())];
    let mut report = scan(&sources, 1);
    suggest(&mut report, &sources);
    report
}

fn fixes(report: &Report, least: Applicability) -> Vec<&Fix> {
    let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    fixes.filter(|fix| fix.applicability >= least).collect()
}

/// The text after rounds of fixes, and what is found in it then.
fn fixed(text: &str, least: Applicability) -> (String, Report) {
    let mut text = text.to_owned();
    for _ in 0..10 {
        let report = suggested(&text);
        match apply(&text, &fixes(&report, least)) {
            Some(fixed) => text = fixed.text,
            None => return (text, report),
        }
    }
    panic!("fixes do not come to an end:\n{text}");
}

fn parses(text: &str) -> bool {
    parse_unchecked_source(text, PySourceType::Python).has_valid_syntax()
}

#[test]
fn every_fixture_is_fixed_as_far_as_its_rule_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    for rule in RULES {
        let text = fs::read_to_string(folder.join(format!("{}.py", rule.code))).unwrap();
        let before = suggested(&text);
        let own = |report: &Report| {
            report.findings.iter().filter(|finding| finding.rule.code == rule.code).count()
        };
        let fixable = before
            .findings
            .iter()
            .filter(|finding| finding.rule.code == rule.code && finding.fix.is_some())
            .count();
        assert_eq!(fixable > 0, rule.is_fixable(), "{}", rule.code);
        assert_eq!(rule.page().contains("## Fix"), rule.is_fixable(), "{}", rule.code);
        let (after, report) = fixed(&text, Applicability::Unsafe);
        assert!(parses(&after), "{}:\n{after}", rule.code);
        assert!(own(&report) <= own(&before) - fixable, "{}:\n{after}", rule.code);
        assert!(fixes(&report, Applicability::Unsafe).is_empty(), "{}", rule.code);
        let path = folder.join(format!("{}.fixed", rule.code));
        if !rule.is_fixable() {
            assert!(!path.exists() && after == text || own(&before) == own(&report));
            continue;
        }
        if update {
            fs::write(&path, &after).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), after, "{}", rule.code);
    }
}

/// The line with the only fix, after all fixes that are allowed; nothing if none was.
fn line(code: &str, least: Applicability) -> Option<String> {
    let text = format!(
        "import logging\nimport tacenda\nlog = logging.getLogger(__name__)\ndef f(password, prompt, n, request, url, args):\n    {code}\n"
    );
    let (after, _) = fixed(&text, least);
    let changed = after != text;
    assert!(parses(&after), "{after}");
    assert_eq!(after.lines().count(), text.lines().count(), "{after}");
    changed.then(|| after.lines().next_back().unwrap().trim().to_owned())
}

#[test]
fn values_are_summarized_where_they_stand() {
    for (code, after) in [
        ("log.info('%s', password)", "log.info('%s', tacenda.summary(password))"),
        ("log.info(  '%s %d',password , n )", "log.info(  '%s %d',tacenda.summary(password) , n )"),
        ("log.info(f'{n} of {password}')", "log.info(f'{n} of {tacenda.summary(password)}')"),
        ("log.info(f'{password!r:>20}')", "log.info(f'{tacenda.summary(password)!r:>20}')"),
        ("log.info('a ' + password)", "log.info('a ' + str(tacenda.summary(password)))"),
        ("log.info('a %s' % password)", "log.info('a %s' % tacenda.summary(password))"),
        ("log.info('%d %s' % (n, password))", "log.info('%d %s' % (n, tacenda.summary(password)))"),
        (
            "log.info('{} {}'.format(n, password))",
            "log.info('{} {}'.format(n, tacenda.summary(password)))",
        ),
        ("log.log(n, '%s', password)", "log.log(n, '%s', tacenda.summary(password))"),
        (
            "log.info('%(p)s', {'p': password})",
            "log.info('%(p)s', {'p': tacenda.summary(password)})",
        ),
        ("log.info('%s', {'p': password})", "log.info('%s', {'p': tacenda.summary(password)})"),
        (
            "log.info('a', extra={'password': password})",
            "log.info('a', extra={'password': str(tacenda.summary(password))})",
        ),
        ("log.info('%s', (password))", "log.info('%s', (tacenda.summary(password)))"),
        ("log.info('%s', str(password))", "log.info('%s', str(tacenda.summary(password)))"),
        ("log.info('%s', password or n)", "log.info('%s', tacenda.summary(password or n))"),
    ] {
        assert_eq!(line(code, Applicability::Safe).as_deref(), Some(after), "{code}");
    }
}

#[test]
fn credentials_of_a_model_are_hidden_by_their_type() {
    let code = |imports: &str, fields: &str, rest: &str| {
        format!(
            "import logging\n{imports}\n\nclass Login(BaseModel):\n    user: str\n    {fields}\n\n\n\
             def go(login: Login):\n    logging.info('%s', login)\n{rest}"
        )
    };
    let model = "from pydantic import BaseModel";
    let secret = "from pydantic import BaseModel, SecretStr";
    let begun = "from pydantic import BaseModel\nimport pydantic";
    let plain = "password: str\n    api_key: str";
    for (before, after) in [
        (code(secret, plain, ""), code(secret, "password: SecretStr\n    api_key: SecretStr", "")),
        (code(model, "password: str", ""), code(begun, "password: pydantic.SecretStr", "")),
    ] {
        let report = suggested(&before);
        let fix = report.findings[0].fix.as_ref().unwrap();
        assert!(fix.message.contains("get_secret_value"), "{before}");
        assert_eq!(fixes(&report, Applicability::Safe), [] as [&Fix; 0]);
        let (fixed, report) = fixed(&before, Applicability::Unsafe);
        assert_eq!(fixed, after);
        assert!(parses(&fixed) && report.findings.is_empty());
    }
    // Something would break, or would not be hidden: the value is summarized where it stands.
    let imported = "from pydantic import BaseModel, SecretStr\nimport tacenda";
    for before in [
        code(secret, "password: str = ''", ""),
        code(secret, "password: str | None", ""),
        code(secret, "password: str\n    api_key: bytes", ""),
        code(secret, "password: str", "    return login.password\n"),
        code(imported, "password: str", ""),
        code("from dataclasses import dataclass", "password: str", "")
            .replace("class Login(BaseModel)", "@dataclass\nclass Login"),
    ] {
        let (fixed, _) = fixed(&before, Applicability::Unsafe);
        assert!(fixed.contains("tacenda.summary(login)"), "{fixed}");
        assert_eq!(fixed.matches("SecretStr").count(), before.matches("SecretStr").count());
    }
}

#[test]
fn what_could_break_is_unsafe_or_left() {
    for (code, after) in [
        // The message itself: its words are lost.
        ("log.info(password)", Some("log.info(tacenda.summary(password))")),
        // What a program prints may be what it is there for.
        ("print('key', password)", Some("print('key', tacenda.summary(password))")),
        (
            "raise ValueError(f'no {password}')",
            Some("raise ValueError(f'no {tacenda.summary(password)}')"),
        ),
        // Other objects have no such formats, and no such parts: the text around goes, too.
        ("log.info(f'{password:{n}}')", Some("log.info(tacenda.summary(f'{password:{n}}'))")),
        ("log.info(f'{password=}')", Some("log.info(tacenda.summary(f'{password=}'))")),
        ("log.info('%d', password)", None),
        ("log.info(n, password)", None),
        ("log.info(password, n)", None),
        ("log.info('%s', *password)", None),
        // Who catches an exception may read its arguments.
        ("raise ValueError(password)", None),
        ("raise ValueError('no', password=password)", None),
    ] {
        assert_eq!(line(code, Applicability::Safe), None, "{code}");
        assert_eq!(line(code, Applicability::Unsafe).as_deref(), after, "{code}");
    }
}

#[test]
fn other_fixes_stand_where_they_should() {
    for (code, after) in [
        // Cut at its `?`, a URL keeps a token behind `#`, and a password that holds a `?`.
        ("log.info('%s', request.url)", "log.info('%s', tacenda.summary(request.url))"),
        ("log.info(f\"{request.url}\")", "log.info(f\"{tacenda.summary(request.url)}\")"),
        (
            "password; url = 'https://h/?t=' + password; log.info('%s', url)",
            "password; url = 'https://h/?t=' + password; log.info('%s', tacenda.summary(url))",
        ),
    ] {
        assert_eq!(line(code, Applicability::Safe).as_deref(), Some(after), "{code}");
    }
}

/// Whether a text is left as it is by safe fixes, and changed by the others.
fn is_for_a_look(text: &str) -> bool {
    safely(text) == text && fixed(text, Applicability::Unsafe).0 != text
}

#[test]
fn what_only_has_the_name_of_a_logger_s_method_takes_a_look() {
    for code in [
        // The class above may be anything.
        "self._log('password %s' % password)",
        "return self._log('password ' + password)",
        "app.debug('password %s' % password)",
        "ctx.trace('password %s' % password)",
        // Somebody looks at what comes back.
        "return log.info('%s', password)",
        "x = log.info('%s', password)",
        "log.info('%s', password) or n",
    ] {
        let text = format!(
            "import logging\nimport tacenda\nlog = logging.getLogger(__name__)\ndef f(self, password, n, app, ctx):\n    {code}\n"
        );
        assert!(is_for_a_look(&text), "{}", fixed(&text, Applicability::Unsafe).0);
    }
    let text =
        "import warnings\nimport tacenda\ndef f(password):\n    warnings.warn(f'no {password}')\n";
    assert!(safely(text).contains("{tacenda.summary(password)}"));
}

#[test]
fn arguments_of_a_package_are_set_safely_where_it_is_the_package() {
    let engine = "create_engine(url, echo=True)\n";
    let install = "install(show_locals=True)\n";
    for (text, safe) in [
        (format!("from sqlalchemy import create_engine\n{engine}"), true),
        (format!("from sqlmodel import create_engine\n{engine}"), true),
        (format!("import sqlalchemy as sa\nsa.{engine}"), true),
        (format!("from mydb import create_engine\n{engine}"), false),
        (format!("from sqlalchemyx import create_engine\n{engine}"), false),
        (format!("from .sqlalchemy import create_engine\n{engine}"), false),
        (format!("def create_engine(url, echo=False):\n    pass\n{engine}"), false),
        (
            format!(
                "from sqlalchemy import create_engine\nfrom mydb import create_engine\n{engine}"
            ),
            false,
        ),
        (
            format!(
                "try:\n    from sqlalchemy import create_engine\nexcept ImportError:\n    from mydb import create_engine\n{engine}"
            ),
            false,
        ),
        (format!("from rich.traceback import install\n{install}"), true),
        ("import typer\ntyper.Typer(pretty_exceptions_show_locals=True)\n".to_owned(), true),
        (format!("def install(show_locals=False):\n    pass\n{install}"), false),
        (format!("from app.setup import install\n{install}"), false),
    ] {
        assert_eq!(safely(&text) != text, safe, "{text}");
        assert!(safe || is_for_a_look(&text), "{text}");
    }
}

#[test]
fn a_url_is_found_until_its_query_is_cut() {
    for (cut, found) in [
        ("", 1),
        (".partition('#')[0]", 1),
        (".split('?', 1)[1]", 1),
        (".partition('?')[0]", 0),
        (".partition('?')[0].partition('#')[0]", 0),
        (".split('#', 1)[0].split('?', 1)[0]", 0),
    ] {
        let text =
            format!("import logging\ndef f(request):\n    logging.info('%s', request.url{cut})\n");
        assert_eq!(suggested(&text).findings.len(), found, "{cut}");
    }
}

#[test]
fn of_an_exception_its_class_is_written() {
    let head = "import logging\ndef f(tool_text):\n    try:\n        return parse_tool_call(tool_text)\n    except ValueError as error:\n        ";
    for (code, after) in [
        ("logging.info('%s', error)", "logging.info('%s', type(error).__name__)"),
        ("logging.info(error)", "logging.info(type(error).__name__)"),
        ("logging.info('a ' + str(error))", "logging.info('a ' + str(type(error).__name__))"),
        (
            "logging.info(f'{type(error).__name__}: {error}')",
            "logging.info(f'{type(error).__name__}: {type(error).__name__}')",
        ),
    ] {
        let text = format!("import mlx_lm\n{head}{code}\n");
        assert_eq!(safely(&text), text.replace(code, after), "{code}");
        let shadowed = text.replace("f(tool_text)", "f(tool_text, type)");
        let after = after.replace("type(error).__name__)", "error.__class__.__name__)");
        if !code.contains("type(") {
            assert!(safely(&shadowed).contains(&after), "{code}");
        }
    }
}

fn safely(text: &str) -> String {
    fixed(text, Applicability::Safe).0
}

#[test]
fn a_package_that_is_new_to_the_program_is_not_safe() {
    let text = "import logging\n\n\ndef f(password):\n    logging.info('%s', password)\n";
    assert_eq!(fixed(text, Applicability::Safe).0, text);
    assert_ne!(fixed(text, Applicability::Unsafe).0, text);
}

#[test]
fn imports_go_where_imports_are() {
    let body = "def f(password):\n    logging.info('%s', password)\n";
    for (head, after) in [
        ("import logging\n\n\n", "import logging\nimport tacenda\n\n\n"),
        (
            "\"\"\"A docstring.\"\"\"\nfrom __future__ import annotations\n\nimport logging\n",
            "\"\"\"A docstring.\"\"\"\nfrom __future__ import annotations\n\nimport logging\nimport tacenda\n",
        ),
        ("import (logging)\n", ""),
        (
            "import logging as logging  # the log\n",
            "import logging as logging  # the log\nimport tacenda\n",
        ),
        ("import logging; x = 1\n", ""),
        ("import logging\r\n", "import logging\r\nimport tacenda\r\n"),
        ("import logging, \\\n  os\n", "import logging, \\\n  os\nimport tacenda\n"),
        ("import logging\nimport tacenda as guard\n", "import logging\nimport tacenda as guard\n"),
        ("import logging\ntacenda = 1\n", ""),
        ("import logging\ntry:\n    import tacenda\nexcept ImportError:\n    pass\n", ""),
        (
            "#!/usr/bin/env python\n# words\nlogging = __import__('logging')\n",
            "#!/usr/bin/env python\n# words\nimport tacenda\n\nlogging = __import__('logging')\n",
        ),
        (
            "'''A docstring.'''\nlogging = __import__('logging')\n",
            "'''A docstring.'''\n\nimport tacenda\nlogging = __import__('logging')\n",
        ),
    ] {
        let text = format!("{head}{body}");
        let (fixed, _) = fixed(&text, Applicability::Unsafe);
        if after.is_empty() {
            assert_eq!(fixed, text, "{head}");
            continue;
        }
        let call = if head.contains("guard") { "guard" } else { "tacenda" };
        let body = body.replace(", password)\n", &format!(", {call}.summary(password))\n"));
        assert_eq!(fixed, format!("{after}{body}"), "{head}");
        assert!(parses(&fixed));
    }
}

#[test]
fn a_comment_that_accepts_changes_nothing_of_the_program() {
    let head = "import logging\ndef f(password, n):\n";
    for (body, after) in [
        (
            "    logging.info('%s', password)\n",
            Some("    # tacenda: ignore[TAC101] \n    logging.info('%s', password)\n"),
        ),
        (
            "    x = (\n        logging.info('%s', password)\n    )\n",
            Some(
                "    x = (\n        # tacenda: ignore[TAC101] \n        logging.info('%s', password)\n    )\n",
            ),
        ),
        // Behind a backslash no comment can be, and the statement would end there.
        (
            "    x = n + \\\n        logging.info('%s', password)\n",
            Some(
                "    x = n + \\\n        logging.info('%s', password)  # tacenda: ignore[TAC101] \n",
            ),
        ),
        (
            "    return \\\n        logging.info('%s', password)\n",
            Some(
                "    return \\\n        logging.info('%s', password)  # tacenda: ignore[TAC101] \n",
            ),
        ),
        ("    x = \\\n        logging.info('%s', password) + \\\n        n\n", None),
    ] {
        for newline in ["\n", "\r\n"] {
            let text = format!("{head}{body}").replace('\n', newline);
            let report = suggested(&text);
            let Some(edit) = accept(&text, &report.findings[0]) else {
                assert_eq!(after, None, "{text}");
                continue;
            };
            let mut accepted = text.clone();
            accepted.replace_range(edit.bytes, &edit.text);
            let after = after.map(|after| format!("{head}{after}").replace('\n', newline));
            assert_eq!(Some(&accepted), after.as_ref());
            let reasoned = accepted.replace("TAC101] ", "TAC101] a test account");
            let report = suggested(&reasoned);
            assert_eq!((report.findings.len(), report.unused.len()), (0, 0), "{reasoned}");
        }
    }
    // A finding of another text has no place in this one.
    let report = suggested(&format!("{head}    logging.info('%s', password)\n"));
    assert_eq!(accept("é", &report.findings[0]), None);
    assert_eq!(accept(&"é".repeat(99), &report.findings[0]), None);
}

#[test]
fn bytes_outside_of_the_edits_stay() {
    let text = "# -*- coding: utf-8 -*-\r\nimport logging,tacenda\r\n\r\ndef  f( password ):   # héron\r\n\tlogging.info( '%s é' ,password )  ;  x = {  }\r\n\r\n\r\nx = '''\r\n\t'''  ";
    let (after, _) = fixed(text, Applicability::Safe);
    assert_eq!(after, text.replace(",password )", ",tacenda.summary(password) )"));
}

#[test]
fn what_is_no_python_gets_no_fix() {
    let text = "import logging, tacenda\ndef f(password):\n    logging.info('%s', password)\nprint 'old'\n";
    let report = suggested(text);
    assert!(!report.findings.is_empty() && fixes(&report, Applicability::Unsafe).is_empty());
}

#[test]
fn two_values_of_one_call_take_their_turns() {
    let text = "import logging, tacenda\ndef f(password, api_key, card_number):\n    logging.info(f'{password} {api_key}')\n    logging.info('%s %s', password, card_number)\n";
    let (after, report) = fixed(text, Applicability::Safe);
    assert!(report.findings.is_empty(), "{after}");
    assert_eq!(after.matches("tacenda.summary(").count(), 4);
}

/// Calls that write, in pieces put together at random.
fn calls() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "password",
        "self.api_key",
        "request.url",
        "d['token']",
        "f(password)",
        "(password)",
        "n",
        "*password",
        "**password",
        "password if n else prompt",
        "await password",
        "password[1:]",
        "f'{password} {n}'",
        "f\"{f'{prompt}'}\"",
        "'a' + password",
        "'%s' % password",
        "lambda: password",
        "{'password': password}",
        "[password]",
        "(yield password)",
        "x := password",
        "'é' f'{prompt}'",
        "extra={'a': prompt}",
        "exc_info=True",
        "error",
        "str(error)",
        "'''%s\n%d'''",
        "'%s %s'",
        "'{}'",
        "x for x in password",
        "",
    ]);
    let callee = prop::sample::select(vec![
        "log.info",
        "logging.log",
        "print",
        "self.log",
        "write",
        "wandb.log",
        "span.set_attribute",
        "raise ValueError",
        "logger.exception",
        "sys.stderr.write",
        "warnings.warn",
        "log.bind(a=1).info",
    ]);
    let line = (callee, prop::collection::vec(value, 0..4), any::<bool>()).prop_map(
        |(callee, values, comma)| {
            let comma = if comma && !values.is_empty() { ", " } else { "" };
            format!("{callee}({}{comma})", values.join(", "))
        },
    );
    prop::collection::vec(line, 1..6).prop_map(|lines| {
        let mut text = String::from("import logging, tacenda\nfrom flask import request\nlog = logging.getLogger()\nasync def g(self, password, prompt, n, d):\n    try:\n");
        for line in lines {
            text.push_str("        ");
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str("    except ValueError as error:\n        log.error('%s', error)\n");
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fixes_end_and_leave_python(text in calls()) {
        let good = parses(&text);
        let (after, report) = fixed(&text, Applicability::Unsafe);
        prop_assert_eq!(parses(&after), good);
        prop_assert!(fixes(&report, Applicability::Unsafe).is_empty());
    }

    #[test]
    fn any_edit_is_put_in_or_refused(text in "[a-zé\n =()]{0,20}", start in 0_usize..25, length in 0_usize..5) {
        let region = tacenda_scan::Region { line: 1, column: 1, end_line: 1, end_column: 1 };
        let edit = tacenda_scan::Edit { bytes: start..start + length, region, text: "x".to_owned() };
        let fix = Fix { message: String::new(), applicability: Applicability::Safe, edits: vec![edit] };
        if let Some(fixed) = apply(&text, &[&fix]) {
            prop_assert!(parses(&fixed.text));
        }
    }
}
