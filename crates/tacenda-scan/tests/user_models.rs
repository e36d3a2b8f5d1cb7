//! The user's own models: what a scan finds by them, what it leaves, and what is told of wrong ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use tacenda_policy::PolicyError;
use tacenda_scan::{Confidence, Models, Report, Setup, Source, scan_watched};

const VAULT: &str = "class Vault:\n    def open_box(self, name):\n        return name\n\n\
                     def read_note(name):\n    return name\n";

fn models(text: &str) -> Result<Models, Vec<PolicyError>> {
    Models::read([(Path::new("models.toml"), text)])
}

/// What is found under some models, as places: `app.py:3 TAC101`.
fn found(models: &Models, files: &[(&str, &str)]) -> Vec<String> {
    let place = |one: &tacenda_scan::Finding| {
        format!("{}:{} {}", one.path.display(), one.region.line, one.rule.code)
    };
    report(models, files).findings.iter().map(place).collect()
}

fn report(models: &Models, files: &[(&str, &str)]) -> Report {
    let sources: Vec<Source> =
        files.iter().map(|(name, text)| Source::text(name, (*text).to_owned())).collect();
    let mut report = scan_watched(&sources, Setup { models, threads: 1 }, &|| {});
    report.findings.retain(|finding| finding.confidence >= Confidence::Medium);
    report
}

/// What is found with a model and what without, in a program of one file and the vault's.
#[track_caller]
fn with_and_without(model: &str, code: &str, with: &[&str], without: &[&str]) {
    let models = models(model).unwrap();
    let files = [("app.py", code), ("vault.py", VAULT)];
    assert_eq!(found(&models, &files), with, "with the model");
    assert_eq!(found(Models::builtin(), &files), without, "without it");
    // The library's code is not always there.
    let files = [("app.py", code)];
    assert_eq!(found(&models, &files), with, "with the model, without the library");
}

#[test]
fn a_source_by_its_import_path() {
    let model = "[[source]]\nid = 'vault'\nlabel = 'credential'\n\
                 calls = ['vault.read_note', 'vault.Vault.open_box']\n";
    for code in [
        "import logging\nfrom vault import read_note\nlogging.info(read_note('a'))\n",
        "import logging\nimport vault as v\nnote = v.read_note('a')\nlogging.info('got %s', note)\n",
        "import logging\nfrom vault import Vault\nhere = Vault()\nlogging.info(here.open_box('a'))\n",
        "import logging\nimport vault\nhere = vault.Vault()\nlogging.info(here.open_box('a'))\n",
        "import logging\nfrom vault import Vault\ndef f(box: Vault):\n    logging.info(box.open_box('a'))\n",
        "import logging\nfrom vault import Vault\nclass C:\n    def __init__(self):\n        self.box = Vault()\n    def f(self):\n        logging.info(self.box.open_box('a'))\n",
    ] {
        let line = code.lines().position(|line| line.contains("logging.info")).unwrap() + 1;
        with_and_without(model, code, &[&format!("app.py:{line} TAC101")], &[]);
    }
    let other = "import logging\nfrom notes import read_note\nlogging.info(read_note('a'))\n";
    with_and_without(model, other, &[], &[]);
}

#[test]
fn a_source_by_its_attribute_and_by_the_end_of_its_path() {
    let model = "[[source]]\nid = 'a'\nlabel = 'prompt'\nattributes = ['.ticket.story']\n";
    let code = "import logging\ndef f(self):\n    logging.info(self.ticket.story)\n";
    with_and_without(model, code, &["app.py:3 TAC601"], &[]);
}

#[test]
fn a_sink_with_some_of_its_arguments() {
    let model = "[[sink]]\nid = 'board'\ncalls = ['board.post']\narguments = [1, 'note']\n";
    let code = "import board\ndef f(user, password):\n    board.post('a', password)\n    \
                board.post(password, 'a')\n    board.post('a', 'b', note=password)\n    \
                board.post('a', 'b', key=password)\n";
    with_and_without(model, code, &["app.py:3 TAC101", "app.py:5 TAC101"], &[]);
    // Parameters are known by place and by name where their function is here.
    let files = [("app.py", code), ("board.py", "def post(key, text, note=''):\n    pass\n")];
    let models = models(model).unwrap();
    assert_eq!(found(&models, &files), ["app.py:3 TAC101", "app.py:5 TAC101"]);
    let by_name = "import board\ndef f(password):\n    board.post('a', text=password)\n";
    let files = [("app.py", by_name), files[1]];
    assert_eq!(found(&models, &files), ["app.py:3 TAC101"]);
}

#[test]
fn a_sink_of_the_program_is_one_for_those_who_call_it_and_logs_what_it_logs() {
    let model =
        "[[sink]]\nid = 'audit'\nchannel = 'trace'\ncalls = ['app.audit']\narguments = ['what']\n";
    let models = models(model).unwrap();
    let code = "import logging, queue\nq = queue.Queue()\ndef audit(what, who=None):\n    \
                q.put(what)\n    logging.info(who)\ndef f(api_key):\n    audit(api_key)\n    \
                audit('a', api_key)\ndef g(api_key):\n    tell(api_key)\ndef tell(text):\n    audit(text)\n";
    assert_eq!(
        found(&models, &[("app.py", code)]),
        ["app.py:5 TAC101", "app.py:7 TAC101", "app.py:10 TAC101"]
    );
    assert_eq!(found(Models::builtin(), &[("app.py", code)]), ["app.py:5 TAC101"]);
}

#[test]
fn a_sanitizer_takes_a_finding_away() {
    let model = "[[sanitizer]]\nid = 'shape'\ncalls = ['vault.shape', 'vault.wipe']\n";
    for code in [
        "import logging\nfrom vault import shape\ndef f(password):\n    logging.info(str(shape(password)))\n",
        "import logging\nimport vault\ndef f(password):\n    line = f'{vault.shape(password)}'\n    logging.info(line)\n",
        "import logging, vault\ndef f(headers, api_key):\n    data = {'api_key': api_key}\n    vault.wipe(data)\n    logging.info(data)\n",
    ] {
        let models = models(model).unwrap();
        // Nothing is known of what the function gives back: it is here, and hands its argument on.
        let vault = "def shape(text):\n    return text\ndef wipe(data):\n    pass\n";
        let files = [("app.py", code), ("vault.py", vault)];
        assert_eq!(found(&models, &files), [""; 0], "{code}");
        assert_eq!(found(Models::builtin(), &files).len(), 1, "{code}");
    }
}

#[test]
fn a_propagator_hands_on_what_it_is_handed() {
    let model = "[[propagator]]\nid = 'frame'\ncalls = ['vault.frame']\n";
    let code = "import logging\nfrom vault import frame\ndef f(password):\n    \
                logging.info(frame(password))\n";
    with_and_without(model, code, &["app.py:4 TAC101"], &[]);
}

#[test]
fn names_of_the_project() {
    let model = "[[names]]\nkind = 'credential'\nphrases = ['ledger seed', 'next token']\n\
                 examples = ['ledgerSeed', 'old_ledger_seed', 'ledger_seed_str']\n\
                 counter_examples = ['ledger_seed_count', 'has_ledger_seed']\n\
                 [[harmless]]\nphrases = ['access key', 'password']\n";
    let code = "import logging\ndef f(ledger_seed, next_token, access_key, db_password, secret):\n    \
                logging.info(ledger_seed)\n    logging.info(next_token)\n    \
                logging.info(access_key)\n    logging.info(db_password)\n    logging.info(secret)\n";
    with_and_without(
        model,
        code,
        &["app.py:3 TAC101", "app.py:4 TAC101", "app.py:7 TAC101"],
        &["app.py:5 TAC101", "app.py:6 TAC101", "app.py:7 TAC101"],
    );
}

#[test]
fn values_beside_the_names_of_the_project_are_hidden() {
    let models = models("[[names]]\nkind = 'credential'\nphrases = ['ledger seed']\n").unwrap();
    let source = Source::text("app.py", "ledger_seed = 'heron %s'\n".to_owned());
    assert_eq!(source.masked(Models::builtin()).unwrap(), "ledger_seed = 'heron %s'\n");
    assert_eq!(source.masked(&models).unwrap(), "ledger_seed = '********'\n");
}

#[test]
fn the_way_is_told() {
    let model = "[[source]]\nid = 'a'\nlabel = 'credential'\ncalls = ['vault.read_note']\n\
                 [[sink]]\nid = 'b'\ncalls = ['board.post']\n";
    let code =
        "import board\nfrom vault import read_note\nnote = read_note('a')\nboard.post(note)\n";
    let report = report(&models(model).unwrap(), &[("app.py", code)]);
    let way = &report.findings[0].way;
    assert_eq!(way.iter().map(|stop| stop.region.line).collect::<Vec<_>>(), [3, 3, 4]);
}

/// Its place, what is wrong, and the hint.
fn faults(text: &str) -> Vec<String> {
    let told = |fault: &PolicyError| {
        let place = fault.place().unwrap();
        let hint = fault.hint().unwrap_or_default();
        format!("{}:{} {fault} | {hint}", place.line, place.column)
    };
    models(text).unwrap_err().iter().map(told).collect()
}

#[test]
fn a_fault_has_its_place_and_its_way_out_and_shows_nothing_of_the_file() {
    let (mut said, mut wanted) = (Vec::new(), Vec::new());
    for (text, fault) in [
        ("[[source]\n", "1:10 invalid TOML: unclosed array table, expected `]` | "),
        ("[[sorce]]\nid = 'a'\n", "1:3 unknown key `sorce` | did you mean `source`?"),
        (
            "[[sink]]\nid = 'a'\ncall = ['violet.heron']\n",
            "3:1 unknown key `call` | did you mean `calls`?",
        ),
        (
            "[[sink]]\nid = 'a'\nviolet = 1\n",
            "3:1 unknown key `violet` | valid here: `id`, `channel`, `calls`, `methods`, `receivers`, `arguments`, `text-first`, `examples`, `counter_examples`",
        ),
        (
            "[[sink]]\nid = 'a'\n'violet heron' = 1\n",
            "3:1 unknown key | valid here: `id`, `channel`, `calls`, `methods`, `receivers`, `arguments`, `text-first`, `examples`, `counter_examples`",
        ),
        (
            "[[source]]\nid = 'a'\nlabel = 'credentails'\ncalls = ['a.b']\n",
            "3:9 expected one of `credential`, `personal`, `financial`, `prompt`, `completion`, `token-ids`, `tensor`, `body`, `headers`, `url`, `settings`, `untrusted` | did you mean `credential`?",
        ),
        ("[[source]]\nid = 'a'\ncalls = ['a.b']\n", "1:1 no `label` | "),
        (
            "[[source]]\nid = 'a'\nlabel = 'prompt'\ncalls = 'violet heron'\n",
            "4:9 expected a list | ",
        ),
        (
            "[[sink]]\nid = 'a'\ncalls = ['a.b']\narguments = [-1]\n",
            "4:14 expected the place of an argument, from 0, or its name | ",
        ),
        (
            "[[sink]]\nid = 'a'\ncalls = ['a.b']\narguments = [0, true]\n",
            "4:17 expected the place of an argument, from 0, or its name | ",
        ),
        (
            "[[sanitizer]]\nid = 'a'\ncalls = ['a.b', 'violet heron']\n",
            "3:17 expected the import path of a function | write `package.module.function` or `package.module.Class.method`, or `.function` for whatever ends so",
        ),
        (
            "[[sanitizer]]\nid = 'a'\ncalls = ['violet']\n",
            "3:10 expected the import path of a function | write `package.module.function` or `package.module.Class.method`, or `.function` for whatever ends so",
        ),
        (
            "[[sink]]\nid = 'a'\n",
            "2:6 the model of this id names nothing | name functions by their import paths: `calls = [\"package.module.function\"]`",
        ),
        (
            "[[sink]]\nid = 'a'\nmethods = ['b']\n",
            "2:6 `methods` and `receivers` stand together | `receivers` are the last words of what the methods are called on",
        ),
        (
            "[[names]]\nkind = 'credential'\nphrases = ['violetHeron']\n",
            "3:12 expected the words of a name | write words in small letters with spaces between: `api key` stands for api_key, apiKey and API_KEY",
        ),
        (
            "[[harmless]]\nphrases = ['violet 2']\n",
            "2:12 expected the words of a name | write words in small letters with spaces between: `api key` stands for api_key, apiKey and API_KEY",
        ),
        (
            "[[source]]\nid = 'a'\nlabel = 'prompt'\ncalls = ['a.b']\nexamples = ['violet = heron']\n",
            "5:13 the example is wrong: a scan finds nothing in it | a model has to find its examples and to leave its counter-examples",
        ),
        (
            "[[names]]\nkind = 'credential'\nphrases = ['violet']\ncounter_examples = ['old_violet']\n",
            "4:21 the counter-example is wrong: a scan finds something in it | a model has to find its examples and to leave its counter-examples",
        ),
    ] {
        let found = faults(text);
        assert!(!found.concat().contains("heron"), "{found:?}");
        said.push(found.concat());
        wanted.push(fault);
    }
    assert_eq!(said, wanted);
}

#[test]
fn all_that_is_wrong_is_told_in_the_order_of_the_file() {
    let text = "[[harmless]]\nphrases = ['A']\n[[sink]]\nid = 'a'\ncalls = ['b']\n\
                [[source]]\nid = 'a'\nlabel = 'prompt'\ncalls = ['.c']\n";
    let lines: Vec<String> =
        faults(text).iter().map(|fault| fault.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["2:12", "5:10", "7:6"]);
}

#[test]
fn examples_are_held_against_the_model() {
    let text = "[[source]]\nid = 'a'\nlabel = 'credential'\ncalls = ['vault.read_note']\n\
                examples = [\"import logging, vault\\nlogging.info(vault.read_note('a'))\"]\n\
                counter_examples = [\"import logging, vault\\nlogging.info(vault.read_size('a'))\"]\n";
    assert!(models(text).is_ok());
}

#[test]
fn a_sink_that_others_call() {
    let model = "[[sink]]\nid = 'board'\ncalls = ['board.post']\n";
    for code in [
        "import board\nfrom functools import partial\ndef f(password):\n    say = partial(board.post, 'wall')\n    say(password)\n",
        "from board import post\ndef f(password):\n    say = post\n    say(password)\n",
        "import board\nfrom threading import Thread\ndef f(password):\n    Thread(target=board.post, args=('wall', password)).start()\n",
        "import board\ndef f(loop, password):\n    loop.call_soon(board.post, 'wall', password)\n",
        "import board\ndef each(items, action):\n    for item in items:\n        action(item)\ndef f(passwords):\n    each(passwords, board.post)\n",
    ] {
        let models = models(model).unwrap();
        let line = code.trim_end().lines().count();
        let here = [format!("app.py:{line} TAC101")];
        assert_eq!(found(&models, &[("app.py", code)]), here, "{code}");
        assert!(found(Models::builtin(), &[("app.py", code)]).is_empty(), "{code}");
    }
    let some = "[[sink]]\nid = 'board'\ncalls = ['board.post']\narguments = [1]\n";
    for (code, finds) in [
        (
            "import board\ndef f(loop, password):\n    loop.call_soon(board.post, 'wall', password)\n",
            1,
        ),
        (
            "import board\ndef f(loop, password):\n    loop.call_soon(board.post, password, 'text')\n",
            0,
        ),
    ] {
        let models = models(some).unwrap();
        assert_eq!(found(&models, &[("app.py", code)]).len(), finds, "{code}");
    }
}
