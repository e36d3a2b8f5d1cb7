//! One page for people: no script, nothing from elsewhere, readable on paper and without colour.

use std::fmt::Write as _;

use base64::Engine as _;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tacenda_detect::DetectorId;
use tacenda_policy::Severity;

use super::json::severities;
use crate::{Group, LogReport, Report, Searcher, advice};

const STYLE: &str = "
:root { color-scheme: light; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: #fff; color: #1b1b1b;
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #b5b5b5; }
thead th { border-bottom: 2px solid #1b1b1b; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.critical, .high { font-weight: 700; } .critical { color: #8b0000; } .high { color: #7a3300; }
.note { color: #4a4a4a; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } h2, caption { break-after: avoid; } }
";

/// The report as a page. `made` is the time that stands on it.
pub fn html(report: &Report, searcher: &Searcher<'_>, made: Timestamp) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    let mut page = Page(String::new());
    page.raw(&format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Sensitive data in logs</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Sensitive data in logs</h1>\n"
    ));
    summary(&mut page, report, searcher, made);
    if report.findings() > 0 {
        page.raw("<h2>By detector</h2>\n");
        page.groups("Findings of all logs, worst first", &report.ranked(searcher), searcher);
        page.raw("<h2>By log</h2>\n");
        for log in report.worst_logs(searcher) {
            of_log(&mut page, log, searcher);
        }
        page.raw("<h2>What to do</h2>\n<dl>\n");
        for kind in report.kinds(searcher) {
            page.raw("<dt><strong>");
            page.text(kind.name());
            page.raw("</strong></dt>\n<dd>");
            page.text(advice(kind));
            page.raw("</dd>\n");
        }
        page.raw(
            "</dl>\n<p>To remove the values from a log, keeping all else: \
             <code>tacenda redact --in-place FILE</code>. To keep them out of the next one: \
             <code>tacenda run -- COMMAND</code>.</p>\n",
        );
    }
    not_read(&mut page, report);
    page.raw("</main>\n</body>\n</html>\n");
    page.0
}

fn summary(page: &mut Page, report: &Report, searcher: &Searcher<'_>, made: Timestamp) {
    let made = Timestamp::from_second(made.as_second()).unwrap_or(made);
    page.raw("<table>\n<caption>Summary</caption>\n<tbody>\n");
    let mut row = |name: &str, value: &str| {
        page.raw("<tr><th scope=\"row\">");
        page.text(name);
        page.raw("</th><td>");
        page.text(value);
        page.raw("</td></tr>\n");
    };
    row("Made", &made.to_string());
    row("Files", &report.searched().count().to_string());
    row("Lines", &report.lines().to_string());
    row("Bytes", &report.bytes().to_string());
    row("Findings", &report.findings().to_string());
    for (severity, count) in severities(&report.detectors, searcher) {
        if count != 0 {
            row(&format!("of severity {severity}"), &count.to_string());
        }
    }
    if report.people.count() > 0 {
        row("People", &format!("about {} (different personal values)", report.people.count()));
    }
    page.raw("</tbody>\n</table>\n");
}

fn of_log(page: &mut Page, log: &LogReport, searcher: &Searcher<'_>) {
    page.raw("<h3><code>");
    page.text(&log.name.to_string_lossy());
    page.raw("</code></h3>\n");
    let mut caption = format!("{} findings", log.findings());
    if let Some((first, last)) = log.seen() {
        let _ = write!(caption, " in records from {} to {}", short(first), short(last));
    }
    page.groups(&caption, &log.ranked(searcher), searcher);
    if log.files.len() > 1 {
        page.raw(
            "<table>\n<caption>Files of this log, oldest first</caption>\n<thead><tr>\
                  <th scope=\"col\">File</th><th scope=\"col\" class=\"number\">Lines</th>\
                  <th scope=\"col\" class=\"number\">Findings</th></tr></thead>\n<tbody>\n",
        );
        for file in &log.files {
            page.raw("<tr><th scope=\"row\"><code>");
            page.text(&file.path.to_string_lossy());
            page.raw(&format!(
                "</code></th><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                file.lines, file.findings
            ));
        }
        page.raw("</tbody>\n</table>\n");
    }
}

fn not_read(page: &mut Page, report: &Report) {
    if !report.problems.is_empty() {
        page.raw("<h2>Not read, or not to the end</h2>\n<ul>\n");
        for problem in &report.problems {
            page.raw("<li><code>");
            page.text(&problem.path.to_string_lossy());
            page.raw("</code>: ");
            page.text(&problem.reason.to_string());
            page.raw("</li>\n");
        }
        page.raw("</ul>\n");
    }
    if !report.binary.is_empty() {
        page.raw(&format!(
            "<p class=\"note\">{} files are no text and were not searched.</p>\n",
            report.binary.len()
        ));
    }
}

fn short(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

struct Page(String);

impl Page {
    /// Markup of our own.
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Text from anywhere.
    fn text(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                char if char.is_control() => self.0.push(char::REPLACEMENT_CHARACTER),
                char => self.0.push(char),
            }
        }
    }

    fn groups(&mut self, caption: &str, groups: &[(DetectorId, &Group)], searcher: &Searcher<'_>) {
        self.raw("<table>\n<caption>");
        self.text(caption);
        self.raw(
            "</caption>\n<thead><tr><th scope=\"col\">Severity</th><th scope=\"col\">Kind</th>\
                  <th scope=\"col\">Detector</th><th scope=\"col\" class=\"number\">Findings</th>\
                  <th scope=\"col\" class=\"number\">Values</th><th scope=\"col\">First place</th>\
                  <th scope=\"col\">Times of records</th></tr></thead>\n<tbody>\n",
        );
        for (id, group) in groups {
            let (detector, severity) = (searcher.detector(*id), searcher.severity(*id));
            let class = if severity >= Severity::High { severity.name() } else { "" };
            self.raw(&format!("<tr><td class=\"{class}\">{severity}</td><td>"));
            self.text(detector.kind.name());
            self.raw("</td><th scope=\"row\">");
            self.text(detector.id);
            self.raw(&format!(
                "</th><td class=\"number\">{}</td><td class=\"number\">{}</td><td><code>",
                group.findings, group.values
            ));
            if let Some((path, line)) = &group.first {
                self.text(&format!("{}:{line}", path.display()));
            }
            self.raw("</code></td><td>");
            match group.seen {
                Some((first, last)) if first == last => self.text(&short(first)),
                Some((first, last)) => self.text(&format!("{} to {}", short(first), short(last))),
                None => {}
            }
            self.raw("</td></tr>\n");
        }
        self.raw("</tbody>\n</table>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let mut page = Page(String::new());
        page.text("<b a='1' c=\"2\">&\u{1b}[31m");
        assert_eq!(page.0, "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\u{fffd}[31m");
    }
}
