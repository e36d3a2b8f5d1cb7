//! The slot map of a fixture is a snapshot. `UPDATE_SNAPSHOTS=1` writes it anew.

use std::fs;
use std::path::{Path, PathBuf};

use tacenda_policy::{Kind, MappedCall, Piece, Slot, SlotLabel, SlotMap};
use tacenda_scan::{Confidence, Models, Setup, Source, scan, scan_mapped};

fn setup() -> Setup<'static> {
    Setup { models: Models::builtin(), threads: 1 }
}

fn mapped(sources: &[Source], least: Confidence) -> SlotMap {
    let mut map = SlotMap::new(PathBuf::from("."));
    map.files = scan_mapped(sources, setup(), least, &|| ()).1;
    map
}

/// The calls of a program of one file.
fn calls(code: &str) -> Vec<MappedCall> {
    let sources = [Source::text("./app/main.py", code.to_owned())];
    let map = mapped(&sources, Confidence::Medium);
    map.files.into_iter().flat_map(|file| file.calls).collect()
}

fn fixture() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slots");
    let source = |name: &str| {
        Source::text(name, fs::read_to_string(folder.join(name)).expect("the fixture is there"))
    };
    ["app.py", "say.py"].map(source).to_vec()
}

#[test]
fn the_map_of_the_fixture_is_fresh() {
    let text = mapped(&fixture(), Confidence::Medium).to_text();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slots/map.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text);
    assert!(!text.contains("ines.moreau"), "a map shows no value that stands in the code");
    SlotMap::parse(&path, &text).unwrap();
}

#[test]
fn mapping_finds_what_a_scan_finds() {
    let plain = scan(&fixture(), 1);
    let (report, _) = scan_mapped(&fixture(), setup(), Confidence::Medium, &|| ());
    let shown = |report: &tacenda_scan::Report| {
        let each = report.findings.iter();
        each.map(|one| (one.rule.code, one.region, one.confidence)).collect::<Vec<_>>()
    };
    assert!(!plain.findings.is_empty());
    assert_eq!(shown(&report), shown(&plain));
}

#[test]
fn only_what_is_sure_enough_is_labelled() {
    let sensitive = |least| {
        let map = mapped(&fixture(), least);
        let calls = map.files.iter().flat_map(|file| &file.calls);
        calls.flat_map(MappedCall::slots).filter(|slot| slot.kind().is_some()).count()
    };
    let (low, high) = (sensitive(Confidence::Low), sensitive(Confidence::High));
    assert!(low > high && high > 0, "{low} {high}");
}

#[test]
fn a_parameter_is_what_callers_hand_over() {
    let code = "import logging\nlog = logging.getLogger()\n\ndef keep(one, two):\n    \
                log.info(f'{one} and {two}')\n\ndef serve(password):\n    keep(1, password)\n";
    let [call] = &calls(code)[..] else { panic!("one call") };
    let labels: Vec<SlotLabel> = call.slots().map(|slot| slot.label).collect();
    assert_eq!(labels, [SlotLabel::Unknown, SlotLabel::Kind(Kind::Credential)]);
    assert_eq!((call.line, call.end_line, &*call.function), (5, 5, "keep"));
}

#[test]
fn what_was_made_fit_is_safe_and_a_strangers_value_is_not_hidden() {
    let code = "import logging\nfrom flask import request\nlog = logging.getLogger()\n\
                def serve(password):\n    log.info('%s %s %s', len(password), 'a', 7)\n    \
                log.info('%s', request.args['page'])\n";
    let calls = calls(code);
    let safe = Slot::plain(SlotLabel::Safe);
    assert_eq!(calls[0].arguments, [safe, safe, safe]);
    assert_eq!(calls[1].arguments, [Slot::plain(SlotLabel::Unknown)]);
}

#[test]
fn what_the_message_says_of_a_value_labels_it_alone() {
    let code = "import logging\nlog = logging.getLogger()\ndef f(answer, other):\n    \
                log.info(f'{other}, password: {answer}')\n";
    let [call] = &calls(code)[..] else { panic!("one call") };
    let credential = |slot: &Slot| slot.kind() == Some(Kind::Credential);
    assert!(matches!(&call.template[..], [Piece::Slot(other), Piece::Text(_), Piece::Slot(answer)]
        if !credential(other) && credential(answer)));
}

#[test]
fn a_call_that_is_awaited_is_mapped() {
    let code = "import structlog\nlog = structlog.get_logger()\nasync def f(password):\n    \
                await log.ainfo(f'login {password}')\n";
    let [call] = &calls(code)[..] else { panic!("one call") };
    assert_eq!(call.slots().filter_map(Slot::kind).collect::<Vec<_>>(), [Kind::Credential]);
}

#[test]
fn of_a_warning_the_text_is_mapped() {
    let code = "import warnings\ndef f(password):\n    \
                warnings.warn(f'no {password}', UserWarning, stacklevel=2)\n";
    let [call] = &calls(code)[..] else { panic!("one call") };
    assert_eq!(call.slots().count(), 1);
    assert_eq!(call.slots().filter_map(Slot::kind).collect::<Vec<_>>(), [Kind::Credential]);
}

#[test]
fn what_makes_no_record_is_not_mapped() {
    let code = "import logging, warnings\nlog = logging.getLogger()\ndef f(password):\n    \
                warnings.simplefilter(password)\n    print(password)\n    \
                log.bind(password=password)\n";
    assert!(calls(code).is_empty());
    let notebook = r#"{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["import logging\n", "logging.info('a')"]}]}"#;
    let sources = [
        Source::text("a.ipynb", notebook.to_owned()),
        Source::text("a.pyi", "import logging\nlogging.info('a')\n".to_owned()),
    ];
    assert!(mapped(&sources, Confidence::Medium).files.is_empty());
}

#[cfg(unix)]
#[test]
fn a_name_that_no_text_can_hold_is_told() {
    use std::os::unix::ffi::OsStrExt as _;

    let code = "import logging\ndef say(password):\n    logging.info('a %s', password)\n";
    let names = [&b"a.py"[..], &b"b\xff.py"[..]].map(std::ffi::OsStr::from_bytes);
    let sources = names.map(|name| Source::text(name, code.to_owned()));
    let mut map = SlotMap::new(PathBuf::from("."));
    let (report, files) = scan_mapped(&sources, setup(), Confidence::Medium, &|| ());
    map.files = files;
    assert_eq!(SlotMap::parse(Path::new("map.json"), &map.to_text()).unwrap().files.len(), 1);
    let [problem] = &report.problems[..] else { panic!("one problem") };
    assert!(problem.reason.to_string().contains("not UTF-8"));
}

#[test]
fn a_carriage_return_ends_a_line_as_in_python() {
    let code = "import logging\rdef f(password):\r\n    logging.info('a %s',\r password)\n";
    let [call] = &calls(code)[..] else { panic!("one call") };
    assert_eq!((call.line, call.end_line), (3, 4));
}

#[test]
fn the_hash_of_a_file_is_that_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.py");
    let mut code = b"# coding: latin-1\nimport logging\n# caf\xe9\n".to_vec();
    code.extend(b"def f(password):\n    logging.info('a %s', password)\n");
    fs::write(&path, &code).unwrap();
    let map = mapped(&[Source::file(&path)], Confidence::Medium);
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&code);
    let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(map.files[0].sha256, digits.concat());
}

#[test]
fn any_nesting_is_mapped_or_left_out() {
    for code in [
        format!("import logging\nlogging.info({}'a'{})\n", "(".repeat(3000), ")".repeat(3000)),
        format!("import logging\nlogging.info('a'{})\n", " + 'b'".repeat(20_000)),
        format!("import logging\nlogging.info(f\"{}\")\n", "{a}".repeat(5_000)),
    ] {
        calls(&code);
    }
}

#[test]
fn a_function_that_makes_its_message_of_what_it_is_handed_keeps_the_label() {
    for body in [
        "log.debug(fmt % args)",
        "log.debug(' '.join(map(str, args)))",
        "fmt = fmt % args\n    log.debug(fmt)",
    ] {
        let code = format!(
            "import logging\nlog = logging.getLogger()\ndef log_debug(fmt, *args):\n    {body}\n\
             def serve(password):\n    log_debug('login %s', password)\n"
        );
        let calls = calls(&code);
        let written = calls.iter().find(|call| call.function == "log_debug").unwrap();
        let labels: Vec<_> = written.slots().map(|slot| slot.label).collect();
        assert_eq!(labels, [SlotLabel::Kind(Kind::Credential)], "{body}");
    }
}

#[test]
fn the_message_of_a_logger_is_where_loggers_expect_it() {
    for call in [
        "log.info(FORMAT, 'chat', password)",
        "log.log(20, FORMAT, 'chat', password)",
        "log.log('INFO', '%s by %s', 'chat', password)",
        "log.log(20, msg=f'{FORMAT}', password=password)",
    ] {
        let code = format!(
            "import logging\nlog = logging.getLogger()\nFORMAT = input()\n\
             def serve(password):\n    {call}\n"
        );
        let [call] = &calls(&code)[..] else { panic!("one call") };
        let secret = Some(Kind::Credential);
        let kinds: Vec<_> = call.arguments.iter().map(|slot| slot.kind()).collect();
        if call.fields.is_empty() {
            assert_eq!(kinds, [None, secret], "{code}");
        } else {
            assert_eq!(call.fields["password"].kind(), secret);
        }
    }
}
