//! The comment that accepts a finding, where it changes nothing of the program.

use ruff_python_ast::PySourceType;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::Ranged;

use super::Edit;
use super::apply::put;
use crate::finding::Finding;
use crate::ir::Span;
use crate::lines::Lines;
use crate::lower::is_too_deep;
use crate::notebook::is_notebook;
use crate::scan::STACK;
use crate::suppress::MARK;

/// A comment that suppresses a finding once somebody has written a reason behind it: above its line,
/// or behind its last one where a line is continued and takes no comment. Nothing where neither
/// leaves the program as it is.
pub fn accept(text: &str, finding: &Finding) -> Option<Edit> {
    if is_notebook(&finding.path) {
        return None;
    }
    // Checking goes as deep as the code does.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, || accepted(text, finding)).ok()?.join().ok()?
    })
}

fn accepted(text: &str, finding: &Finding) -> Option<Edit> {
    let before = tokens(text)?;
    let (above, behind) = (text.get(..finding.bytes.start)?, text.get(finding.bytes.end..)?);
    let ends = ['\n', '\r'];
    let newline = match (text.contains("\r\n"), text.contains('\n')) {
        (true, _) => "\r\n",
        (false, false) if text.contains('\r') => "\r",
        _ => "\n",
    };
    let start = above.rfind(ends).map_or(0, |at| at + 1);
    let end = finding.bytes.end + behind.find(ends).unwrap_or(behind.len());
    let line = &text[start..];
    let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let comment = format!("# {MARK}[{}] ", finding.rule.code);
    let choices = [(start, format!("{indent}{comment}{newline}")), (end, format!("  {comment}"))];
    choices.into_iter().find_map(|(at, said)| {
        let place = u32::try_from(at).ok()?;
        let region = Lines::new(text).region(text, Span { start: place, end: place });
        let edit = Edit { bytes: at..at, region, text: said };
        let after = tokens(&put(text, &[&edit])?)?;
        (after == before).then_some(edit)
    })
}

/// What Python sees of a text: no comments, no blank lines. Nothing if it is no Python.
fn tokens(text: &str) -> Option<Vec<(TokenKind, String)>> {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    if is_too_deep(parsed.suite()) {
        std::mem::forget(parsed);
        return None;
    }
    parsed.has_valid_syntax().then_some(())?;
    let seen = parsed.tokens().iter().filter(|token| !token.kind().is_trivia());
    let seen = seen.map(|token| {
        let range = token.range();
        (token.kind(), text[range.start().to_usize()..range.end().to_usize()].to_owned())
    });
    Some(seen.collect())
}
