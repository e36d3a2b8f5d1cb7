//! What a rule's fix works on: a finding, and the parsed file around it.

use ruff_python_ast as ast;
use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{AnyNodeRef, ModModule};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{Applicability, Edit, Fix, Imports};
use crate::finding::Finding;
use crate::ir::Span;
use crate::lines::Lines;
use crate::model::{Channel, Models};

/// A finding, and the parsed file around it.
pub(crate) struct Site<'a> {
    pub(super) text: &'a str,
    lines: &'a Lines,
    pub(super) parsed: &'a Parsed<ModModule>,
    pub(super) imports: &'a Imports,
    pub(super) finding: &'a Finding,
    /// Whether the program uses Tacenda already.
    uses_tacenda: bool,
}

impl<'a> Site<'a> {
    pub(super) fn new(
        text: &'a str,
        lines: &'a Lines,
        parsed: &'a Parsed<ModModule>,
        imports: &'a Imports,
        finding: &'a Finding,
        uses_tacenda: bool,
    ) -> Self {
        Self { text, lines, parsed, imports, finding, uses_tacenda }
    }

    /// The nodes around a place of the file, the innermost first.
    pub(super) fn around(&self, place: &std::ops::Range<usize>) -> Option<Vec<AnyNodeRef<'a>>> {
        let range = range(place)?;
        let root = AnyNodeRef::from(self.parsed.syntax());
        if !root.range().contains_range(range) {
            return None;
        }
        let covering = covering_node(root, range);
        let nodes = covering.ancestors().collect();
        Some(nodes)
    }

    /// The call that the finding is about.
    pub(crate) fn call(&self) -> Option<&'a ast::ExprCall> {
        let whole = range(&self.finding.bytes)?;
        self.around(&self.finding.bytes)?.into_iter().find_map(|node| match node {
            AnyNodeRef::ExprCall(call) if call.range() == whole => Some(call),
            // `raise Error(…)`, `await f(…)`
            AnyNodeRef::StmtRaise(raise) if raise.range() == whole => {
                raise.exc.as_deref().and_then(ast::Expr::as_call_expr)
            }
            AnyNodeRef::ExprAwait(wait) if wait.range() == whole => wait.value.as_call_expr(),
            _ => None,
        })
    }

    /// The keyword argument of this name in the call that the finding is about.
    pub(crate) fn keyword(&self, name: &str) -> Option<&'a ast::Keyword> {
        let named = |keyword: &&ast::Keyword| keyword.arg.as_ref().is_some_and(|arg| arg == name);
        self.call()?.arguments.keywords.iter().find(named)
    }

    /// The source of a node.
    pub(crate) fn source(&self, node: &impl Ranged) -> &'a str {
        &self.text[node.range().start().to_usize()..node.range().end().to_usize()]
    }

    /// What is called, with imported names in full.
    pub(crate) fn path(&self, callee: &ast::Expr) -> Option<String> {
        Some(self.imports.resolve(&dotted(callee)?))
    }

    /// Whether the call of the finding is one of a function that is imported from these packages.
    pub(crate) fn calls_into(&self, packages: &[&str]) -> bool {
        self.call().is_some_and(|call| self.is_of(&call.func, packages))
    }

    /// Whether what is called is imported from one of these packages, and bound in no other way.
    pub(super) fn is_of(&self, callee: &ast::Expr, packages: &[&str]) -> bool {
        let Some(path) = dotted(callee) else { return false };
        let first = path.split('.').next().unwrap_or_default();
        let whole = self.imports.resolve(&path);
        self.imports.is_imported(first)
            && packages.iter().any(|package| {
                whole.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'))
            })
    }

    /// Where a call writes to by itself, whatever the functions of the program do.
    pub(super) fn channel(&self, call: &ast::ExprCall) -> Option<Channel> {
        // What the user's own sinks are handed, their own code knows best.
        let models = Models::builtin();
        let by_path = || models.sink_call(&self.path(&call.func)?);
        let found = match &*call.func {
            ast::Expr::Attribute(attribute) => last_name(&attribute.value)
                .and_then(|last| models.sink_method(last, &attribute.attr))
                .or_else(by_path),
            ast::Expr::Name(name) if self.imports.is_rebound(&name.id) => None,
            _ => by_path(),
        };
        found.map(|sink| sink.channel)
    }

    /// Replaces a stretch of the file.
    pub(crate) fn replace(&self, place: impl Ranged, text: impl Into<String>) -> Edit {
        let place = place.range();
        let span = Span { start: place.start().to_u32(), end: place.end().to_u32() };
        Edit {
            bytes: place.start().to_usize()..place.end().to_usize(),
            region: self.lines.region(self.text, span),
            text: text.into(),
        }
    }

    /// Inserts a text.
    pub(crate) fn insert(&self, at: TextSize, text: impl Into<String>) -> Edit {
        self.replace(TextRange::empty(at), text)
    }

    /// Sets an argument by name of the call that the finding is about: in place of what it has, or
    /// behind its last argument. Nothing if it may come from a dictionary.
    pub(crate) fn set_keyword(&self, name: &str, value: &str) -> Option<Edit> {
        if let Some(keyword) = self.keyword(name) {
            return Some(self.replace(&keyword.value, value));
        }
        self.add_arguments(&format!("{name}={value}"))
    }

    /// Puts arguments by name behind the last one of the call. Nothing if some come from a
    /// dictionary.
    pub(crate) fn add_arguments(&self, added: &str) -> Option<Edit> {
        let arguments = &self.call()?.arguments;
        if arguments.keywords.iter().any(|keyword| keyword.arg.is_none()) {
            return None;
        }
        let open = arguments.range.start() + TextSize::from(1);
        let inside = self.tokens(TextRange::new(open, arguments.range.end() - TextSize::from(1)));
        Some(match inside.last() {
            None => self.insert(open, added),
            Some(last) if last.kind() == TokenKind::Comma => {
                self.insert(last.end(), format!(" {added},"))
            }
            Some(last) => self.insert(last.end(), format!(", {added}")),
        })
    }

    /// The tokens of a stretch, without comments and line breaks.
    fn tokens(&self, place: TextRange) -> Vec<&'a Token> {
        let tokens = self.parsed.tokens().in_range(place).iter();
        tokens.filter(|token| !token.kind().is_trivia()).collect()
    }

    /// How something of Tacenda's package is written here, with the import that it may take.
    pub(crate) fn tacenda(&self, name: &str, at: TextSize) -> Option<(String, Option<Edit>)> {
        if let Some(own) = self.imports.name_of(&format!("tacenda.{name}"), at) {
            return Some((own.to_owned(), None));
        }
        let (module, import) = self.module("tacenda", at)?;
        Some((format!("{module}.{name}"), import))
    }

    /// How a module is written here, with the import that it may take.
    pub(crate) fn module(&self, module: &str, at: TextSize) -> Option<(String, Option<Edit>)> {
        if self.imports.has_module(module, at) {
            return Some((module.to_owned(), None));
        }
        if let Some(name) = self.imports.name_of(module, at) {
            return Some((name.to_owned(), None));
        }
        let (place, text) = self.imports.added(module, at)?;
        Some((module.to_owned(), Some(self.replace(place, text))))
    }

    /// A fix that takes Tacenda's package: it can be safe only where the program has it.
    pub(crate) fn taking_tacenda(&self, applicability: Applicability) -> Applicability {
        if self.uses_tacenda { applicability } else { Applicability::Unsafe }
    }

    /// The fix of one edit.
    pub(crate) fn fix(message: &str, applicability: Applicability, edit: Edit) -> Fix {
        Fix { message: message.to_owned(), applicability, edits: vec![edit] }
    }

    /// A line of its own before the statement that the finding is in. Nothing if the statement does
    /// not begin its line.
    pub(crate) fn before_statement(&self, line: &str) -> Option<Edit> {
        let nodes = self.around(&self.finding.bytes)?;
        let stmt = nodes.into_iter().find(|node| node.is_statement())?;
        let start = stmt.range().start().to_usize();
        let begin = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let indent = &self.text[begin..start];
        if !indent.chars().all(|letter| letter == ' ' || letter == '\t') {
            return None;
        }
        let newline = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(self.insert(TextSize::try_from(start).ok()?, format!("{line}{newline}{indent}")))
    }
}

/// A stretch of bytes as the parser counts.
pub(super) fn range(place: &std::ops::Range<usize>) -> Option<TextRange> {
    let start = TextSize::try_from(place.start).ok()?;
    let end = TextSize::try_from(place.end).ok()?;
    (start <= end).then(|| TextRange::new(start, end))
}

/// `a.b.c` as it is written.
pub(super) fn dotted(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Name(name) => Some(name.id.to_string()),
        ast::Expr::Attribute(attribute) => {
            Some(format!("{}.{}", dotted(&attribute.value)?, attribute.attr))
        }
        _ => None,
    }
}

/// The last name of `a.b.c`, `c`; also of a call of it.
pub(super) fn last_name(expr: &ast::Expr) -> Option<&str> {
    match expr {
        ast::Expr::Name(name) => Some(&name.id),
        ast::Expr::Attribute(attribute) => Some(&attribute.attr),
        ast::Expr::Call(call) => last_name(&call.func),
        ast::Expr::Subscript(item) => last_name(&item.value),
        _ => None,
    }
}
