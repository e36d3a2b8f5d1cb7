//! What the server says of findings: diagnostics, the page of a rule, fixes.

use std::collections::HashMap;
use std::path::Path;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, Diagnostic, DiagnosticRelatedInformation,
    DiagnosticSeverity, DiagnosticTag, Hover, HoverContents, Location, MarkupContent, MarkupKind,
    NumberOrString, Position, Range, TextEdit, Uri, WorkspaceEdit,
};
use tacenda_policy::{Severity, sarif};
use tacenda_scan::{Applicability, Finding, Fix, accept, apply};

use super::document::{Document, Encoding};

/// The kind of the action that applies every safe fix of a file.
pub(super) const FIX_ALL: &str = "source.fixAll.tacenda";

/// The findings of a document as diagnostics, and the comments in it that suppress nothing.
pub(super) fn diagnostics(document: &Document, encoding: Encoding) -> Vec<Diagnostic> {
    let Some(report) = &document.report else { return Vec::new() };
    let found = report.findings.iter().map(|finding| diagnostic(document, finding, encoding));
    let unused = report.unused.iter().map(|unused| {
        let line = unused.line.saturating_sub(1);
        let end = Position { line: line.saturating_add(1), character: 0 };
        let end = encoding.offset(&document.text, end);
        let start = encoding.offset(&document.text, Position { line, character: 0 });
        let shown = document.text[start..end].trim_end();
        Diagnostic {
            range: encoding.range(&document.text, &(start..start + shown.len())),
            severity: Some(DiagnosticSeverity::WARNING),
            source: Some("tacenda".to_owned()),
            message: unused.why.to_string(),
            tags: Some(vec![DiagnosticTag::UNNECESSARY]),
            ..Diagnostic::default()
        }
    });
    found.chain(unused).collect()
}

fn diagnostic(document: &Document, finding: &Finding, encoding: Encoding) -> Diagnostic {
    let related = finding.way.iter().map(|stop| {
        let here = stop.path == document.path;
        let uri = if here { Some(document.uri.clone()) } else { uri_of(&stop.path) };
        // Of other files only lines and characters are known.
        let other = |line: u32, column: u32| Position {
            line: line.saturating_sub(1),
            character: column.saturating_sub(1),
        };
        let region = stop.region;
        let range = if here {
            encoding.range(&document.text, &stop.bytes)
        } else {
            Range {
                start: other(region.line, region.column),
                end: other(region.end_line, region.end_column),
            }
        };
        Some(DiagnosticRelatedInformation {
            location: Location { uri: uri?, range },
            message: stop.what.to_string(),
        })
    });
    Diagnostic {
        range: encoding.range(&document.text, &finding.argument),
        severity: Some(match finding.severity {
            Severity::Critical | Severity::High => DiagnosticSeverity::ERROR,
            Severity::Medium | Severity::Low => DiagnosticSeverity::WARNING,
            Severity::Info => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(finding.rule.code.to_owned())),
        source: Some("tacenda".to_owned()),
        message: format!("{} ({} confidence)", finding.message, finding.confidence.name()),
        related_information: Some(related.flatten().collect()),
        ..Diagnostic::default()
    }
}

fn uri_of(path: &Path) -> Option<Uri> {
    sarif::uri(path).parse().ok()
}

/// The pages of the rules whose findings are at a place.
pub(super) fn hover(document: &Document, place: Position, encoding: Encoding) -> Option<Hover> {
    let report = document.report.as_ref()?;
    let at = encoding.offset(&document.text, place);
    let here = |finding: &&Finding| finding.bytes.contains(&at) || finding.argument.contains(&at);
    let mut rules: Vec<_> = report.findings.iter().filter(here).map(|one| one.rule).collect();
    rules.dedup_by_key(|rule| rule.code);
    let page = |rule: &&tacenda_scan::rules::Rule| {
        format!("# {} ({})\n\n{}", rule.code, rule.name, rule.page())
    };
    let pages: Vec<String> = rules.iter().map(page).collect();
    (!pages.is_empty()).then(|| Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: pages.join("\n---\n\n"),
        }),
        range: None,
    })
}

/// What can be done about the findings in a stretch: the fix of each, a comment that suppresses it,
/// and all safe fixes of the file.
pub(super) fn actions(
    document: &Document,
    params: &CodeActionParams,
    encoding: Encoding,
) -> Vec<CodeAction> {
    let Some(report) = &document.report else { return Vec::new() };
    let only = params.context.only.as_deref();
    let asked = |kind: &str| {
        only.is_none_or(|only| {
            only.iter().any(|one| {
                let one = one.as_str();
                one.is_empty()
                    || kind == one
                    || kind.strip_prefix(one).is_some_and(|rest| rest.starts_with('.'))
            })
        })
    };
    let start = encoding.offset(&document.text, params.range.start);
    let end = encoding.offset(&document.text, params.range.end);
    let here = |finding: &&Finding| finding.bytes.start <= end && start <= finding.bytes.end;
    let mut actions = Vec::new();
    for finding in report.findings.iter().filter(here) {
        if !asked("quickfix") {
            break;
        }
        let about = vec![diagnostic(document, finding, encoding)];
        if let Some(fix) = &finding.fix {
            let unsafe_too = match fix.applicability {
                Applicability::Safe => "",
                Applicability::Unsafe => " (unsafe)",
            };
            actions.push(CodeAction {
                title: format!("{}: {}{unsafe_too}", finding.rule.code, fix.message),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(about.clone()),
                edit: Some(edit(document, fixes_to_edits(document, fix, encoding))),
                is_preferred: Some(fix.applicability == Applicability::Safe),
                ..CodeAction::default()
            });
        }
        let code = finding.rule.code;
        if let Some(accepting) = accept(&document.text, finding) {
            let accepting = vec![text_edit(document, &accepting, encoding)];
            actions.push(CodeAction {
                title: format!("{code}: accept here (say why)"),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(about),
                edit: Some(edit(document, accepting)),
                ..CodeAction::default()
            });
        }
    }
    if asked(FIX_ALL) && only.is_some() {
        let safe: Vec<&Fix> = report
            .findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .filter(|fix| fix.applicability == Applicability::Safe)
            .collect();
        if let Some(fixed) = apply(&document.text, &safe) {
            let whole = encoding.range(&document.text, &(0..document.text.len()));
            actions.push(CodeAction {
                title: "Tacenda: apply every safe fix".to_owned(),
                kind: Some(CodeActionKind::from(FIX_ALL.to_owned())),
                edit: Some(edit(document, vec![TextEdit { range: whole, new_text: fixed.text }])),
                ..CodeAction::default()
            });
        }
    }
    actions
}

fn fixes_to_edits(document: &Document, fix: &Fix, encoding: Encoding) -> Vec<TextEdit> {
    fix.edits.iter().map(|edit| text_edit(document, edit, encoding)).collect()
}

fn text_edit(document: &Document, edit: &tacenda_scan::Edit, encoding: Encoding) -> TextEdit {
    TextEdit { range: encoding.range(&document.text, &edit.bytes), new_text: edit.text.clone() }
}

fn edit(document: &Document, edits: Vec<TextEdit>) -> WorkspaceEdit {
    WorkspaceEdit {
        changes: Some(HashMap::from([(document.uri.clone(), edits)])),
        ..WorkspaceEdit::default()
    }
}
