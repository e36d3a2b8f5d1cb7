//! The tables, each with its bars.

use std::io;
use std::path::PathBuf;

use tacenda_detect::Engine;
use tacenda_guard::StreamFilter;

use crate::logs::{self, Sort};
use crate::peers::{self, Contestant, float};
use crate::rules::Rule;
use crate::table::Table;
use crate::{Options, memory, worst};

const MB: f64 = 1e6;
const ROUNDS: usize = 7;
/// Bytes of the log that slow contestants get.
const SLOW: usize = 1 << 20;
const SLOWEST: usize = 192 << 10;

/// Logs of which no, one and ten lines of 100 carry a value, and what the engine has to reach.
const LOGS: [(&str, u64, f64); 3] =
    [("clean", 0, 1000.0), ("1 % of lines", 1, 700.0), ("10 % of lines", 10, 400.0)];

/// Tacenda and its peers over realistic logs.
pub(crate) fn logs(options: &Options, rules: &[Rule]) -> io::Result<bool> {
    let redactor = peers::redactor();
    let texts = LOGS.map(|(_, percent, _)| logs::mixed(options.megabytes * 1_000_000, percent));
    let (patterns, set) = peers::regex_set(rules);
    let mut columns = Vec::new();
    for text in &texts {
        let mut contestants: Vec<(&str, usize, Box<dyn Contestant + '_>)> = vec![
            ("memcpy", usize::MAX, Box::new(peers::memcpy())),
            ("memchr", usize::MAX, Box::new(peers::memchr())),
            ("Tacenda: find (Engine::scan)", usize::MAX, Box::new(peers::scan())),
            (
                "Tacenda: find and redact (StreamFilter)",
                usize::MAX,
                Box::new(peers::filter(&redactor)),
            ),
            ("Tacenda: redact line by line", usize::MAX, Box::new(peers::lines(&redactor))),
            ("RegexSet: which match", SLOWEST, Box::new(peers::set_matches(&set))),
            ("RegexSet: is there a match", SLOW, Box::new(peers::set_is_match(&set))),
        ];
        columns.push(peers::race(text, ROUNDS, &mut contestants));
    }
    let names = [
        "memcpy",
        "memchr",
        "Tacenda: find (`Engine::scan`)",
        "Tacenda: find and redact (`StreamFilter`)",
        "Tacenda: redact line by line (`Redactor`)",
        "`RegexSet`: which patterns match, line by line",
        "`RegexSet`: whether one does, line by line",
    ];
    let state = [0, 0, 0, state_of_filter(), 0, state_of_set(rules), 0];
    let mut table =
        Table::new(["MB/s", LOGS[0].0, LOGS[1].0, LOGS[2].0, "find and redact is", "memory"]);
    let filter = columns[0][3];
    for (row, name) in names.iter().enumerate() {
        let mut cells: Vec<String> = columns.iter().map(|column| mb(column[row])).collect();
        cells.push(times(filter / columns[0][row]));
        cells.extend(match row {
            3 => Some(format!("{} a stream", bytes(state[row]))),
            5 => Some(format!("{} for {patterns} patterns", bytes(state[row]))),
            _ => None,
        });
        table.row(name, cells);
    }
    if let Some(python) = &options.python {
        python_rows(options, python, &texts, filter, &mut table)?;
    }
    print!("{table}");
    let mut held = true;
    println!();
    for ((name, _, bar), column) in LOGS.iter().zip(&columns) {
        let dirty =
            share_of_dirty_lines(&texts[LOGS.iter().position(|log| log.0 == *name).unwrap_or(0)]);
        held &= verdict(
            &format!("{name} ({:.1} % of lines with a value), find", dirty * 100.0),
            column[2] / MB,
            *bar,
        );
        held &= verdict(&format!("{name}, find and redact"), column[3] / MB, *bar);
    }
    held &= state[3] <= 64 << 10;
    println!("  {} state of a stream: {} B, at most 65536", mark(state[3] <= 64 << 10), state[3]);
    Ok(held)
}

fn python_rows(
    options: &Options,
    python: &std::path::Path,
    texts: &[Vec<u8>],
    filter: f64,
    table: &mut Table,
) -> io::Result<()> {
    std::fs::create_dir_all(&options.out)?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for ((_, percent, _), text) in LOGS.iter().zip(texts) {
        let path = options.out.join(format!("dirty-{percent}.log"));
        let end = memchr::memrchr(b'\n', &text[..text.len().min(SLOWEST)]).map_or(0, |end| end + 1);
        std::fs::write(&path, &text[..end])?;
        paths.push(path);
    }
    let found = peers::python(python, &paths)?;
    for (tool, figures) in found.as_object().into_iter().flatten() {
        if let Some(module) = figures["missing"].as_str() {
            table.row(tool, [format!("no module {module}")]);
            continue;
        }
        let speed = |percent: u64| {
            figures["logs"][format!("dirty-{percent}")]["bytes_per_second"].as_f64().unwrap_or(0.0)
        };
        let mut cells: Vec<String> =
            LOGS.iter().map(|(_, percent, _)| format!("{:.3}", speed(*percent) / MB)).collect();
        cells.push(times(filter / speed(0)));
        let memory = figures["memory"].as_u64().and_then(|memory| usize::try_from(memory).ok());
        cells.extend(memory.map(bytes));
        table.row(&format!("{tool}, line by line"), cells);
    }
    Ok(())
}

/// Each sort of log by itself: no bar of its own, but the mixture hides nothing.
pub(crate) fn sorts(megabytes: usize) -> bool {
    let redactor = peers::redactor();
    let mut table = Table::new([
        "sort of log, MB/s",
        "find",
        "find and redact",
        "value by value (`--format jsonl`)",
        "lines with a value",
    ]);
    for sort in Sort::CLEAN.into_iter().chain([Sort::Nginx]) {
        let text = logs::of(sort, megabytes.min(4) * 1_000_000);
        let mut contestants: Vec<(&str, usize, Box<dyn Contestant + '_>)> = vec![
            ("scan", usize::MAX, Box::new(peers::scan())),
            ("filter", usize::MAX, Box::new(peers::filter(&redactor))),
            ("values", usize::MAX, Box::new(peers::json_lines(&redactor))),
        ];
        let speeds = peers::race(&text, ROUNDS, &mut contestants);
        let dirty = format!("{:.1} %", share_of_dirty_lines(&text) * 100.0);
        let values = if sort == Sort::Json { mb(speeds[2]) } else { String::new() };
        table.row(sort.name(), [mb(speeds[0]), mb(speeds[1]), values, dirty]);
    }
    print!("\n{table}");
    true
}

/// All detectors against the first fifty of them.
pub(crate) fn count(megabytes: usize, rules: &[Rule]) -> bool {
    let text = logs::mixed(megabytes * 1_000_000, 1);
    let first: std::collections::HashSet<&str> =
        rules.iter().take(50).map(|rule| rule.id.as_str()).collect();
    let fifty = Engine::with_disabled(|detector| !first.contains(detector.id));
    let mut spans = Vec::new();
    let mut contestants: Vec<(&str, usize, Box<dyn Contestant + '_>)> = vec![
        ("all", usize::MAX, Box::new(peers::scan())),
        (
            "fifty",
            usize::MAX,
            Box::new(|text: &[u8]| {
                spans.clear();
                fifty.scan(text, &mut spans);
                spans.len()
            }),
        ),
    ];
    let speeds = peers::race(&text, ROUNDS, &mut contestants);
    let slower = speeds[1] / speeds[0] - 1.0;
    println!(
        "\n  {} {} detectors instead of 50 take {:.0} % longer, at most 20",
        mark(slower <= 0.2),
        rules.len(),
        slower * 100.0
    );
    slower <= 0.2
}

/// The slowest of the texts made to be slow.
pub(crate) fn worst(megabytes: usize, rules: &[Rule]) -> bool {
    const BAR: f64 = 20.0;
    let bytes = megabytes * 1_000_000;
    let keywords: Vec<String> = rules.iter().flat_map(|rule| rule.keywords.clone()).collect();
    let keys: Vec<String> = rules
        .iter()
        .flat_map(|rule| &rule.keys)
        .map(|key| key.trim_start_matches('^').to_owned())
        .collect();
    let mut texts = worst::texts(bytes);
    let all: Vec<String> = keywords.iter().chain(&keys).cloned().collect();
    texts.push(("beginnings of every keyword and key".into(), worst::prefixes(&all, bytes)));
    texts.push(("every keyword and key with a tail".into(), worst::tails(&keywords, &keys, bytes)));
    let redactor = peers::redactor();
    let mut rows: Vec<(String, f64, f64)> = texts
        .into_iter()
        .map(|(name, text)| {
            let mut contestants: Vec<(&str, usize, Box<dyn Contestant + '_>)> = vec![
                ("scan", usize::MAX, Box::new(peers::scan())),
                ("filter", usize::MAX, Box::new(peers::filter(&redactor))),
            ];
            let speeds = peers::race(&text, 3, &mut contestants);
            (name, speeds[0], speeds[1])
        })
        .collect();
    rows.sort_by(|a, b| a.1.min(a.2).total_cmp(&b.1.min(b.2)));
    let mut table = Table::new(["made to be slow, MB/s", "find", "find and redact"]);
    for (name, scan, filter) in &rows {
        table.row(name, [mb(*scan), mb(*filter)]);
    }
    println!("\n{table}");
    let find = rows.iter().map(|row| row.1).fold(f64::INFINITY, f64::min);
    let filter = rows.iter().map(|row| row.2).fold(f64::INFINITY, f64::min);
    let held = verdict("slowest text, find", find / MB, BAR);
    verdict("slowest text, find and redact", filter / MB, BAR) && held
}

fn share_of_dirty_lines(text: &[u8]) -> f64 {
    let mut spans = Vec::new();
    let (mut lines, mut dirty) = (0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        spans.clear();
        Engine::builtin().scan(line, &mut spans);
        lines += 1;
        dirty += usize::from(!spans.is_empty());
    }
    float(dirty) / float(lines.max(1))
}

/// Memory of one of many filters that have each seen a part of a log.
fn state_of_filter() -> usize {
    let redactor = peers::redactor();
    let text = logs::mixed(20_000, 1);
    let out = std::cell::RefCell::new(Vec::with_capacity(1 << 20));
    memory::each(4096, |_| {
        let mut filter = StreamFilter::new(&redactor);
        let mut out = out.borrow_mut();
        out.clear();
        for chunk in text.chunks(1500) {
            filter.push(chunk, &mut out);
        }
        filter
    })
}

/// Memory of a `RegexSet` of the same patterns that has seen a log.
fn state_of_set(rules: &[Rule]) -> usize {
    let text = logs::mixed(500_000, 1);
    memory::each(1, |_| {
        let (_, set) = peers::regex_set(rules);
        peers::set_is_match(&set).go(&text);
        set
    })
}

fn mb(bytes_per_second: f64) -> String {
    format!("{:.0}", bytes_per_second / MB)
}

/// How many times as fast as another.
fn times(factor: f64) -> String {
    if factor < 10.0 { format!("{factor:.2} ×") } else { format!("{factor:.0} ×") }
}

fn bytes(count: usize) -> String {
    if count < 10_000 { format!("{count} B") } else { format!("{} kB", count / 1000) }
}

fn mark(held: bool) -> &'static str {
    if held { "held  " } else { "MISSED" }
}

fn verdict(what: &str, speed: f64, bar: f64) -> bool {
    println!("  {} {what}: {speed:.0} MB/s, at least {bar:.0}", mark(speed >= bar));
    speed >= bar
}
