//! What a file imports, what it binds otherwise, and where an import can be added.

use ruff_python_ast as ast;
use ruff_python_ast::ModModule;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// The imports of a file.
pub(crate) struct Imports {
    /// The names that the top level imports: what they stand for, and from where on.
    names: HashMap<String, (String, TextSize)>,
    /// The modules that the top level imports, submodules by their whole names.
    modules: HashMap<String, TextSize>,
    /// The names that are bound in another way, somewhere in the file.
    others: HashSet<String>,
    /// Where another import would stand, and with what around it.
    place: Option<Place>,
}

struct Place {
    at: TextSize,
    before: String,
    after: String,
}

impl Imports {
    pub(crate) fn of(text: &str, parsed: &Parsed<ModModule>) -> Self {
        let suite = parsed.suite();
        let mut names = HashMap::default();
        let mut modules = HashMap::default();
        for stmt in suite {
            top_level(stmt, &mut names);
            if let ast::Stmt::Import(import) = stmt {
                for alias in import.names.iter().filter(|alias| alias.asname.is_none()) {
                    modules.entry(alias.name.to_string()).or_insert(stmt.end());
                }
            }
        }
        let mut bindings = Bindings { names: HashSet::default(), depth: 0 };
        bindings.names.extend(imported_twice(suite));
        bindings.visit_body(suite);
        Self { names, modules, others: bindings.names, place: place(text, suite) }
    }

    /// The whole path of a dotted name, with what its first name is imported as.
    pub(crate) fn resolve(&self, path: &str) -> String {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        match self.names.get(first) {
            Some((whole, _)) if rest.is_empty() => whole.clone(),
            Some((whole, _)) => format!("{whole}.{rest}"),
            None => path.to_owned(),
        }
    }

    /// Whether a name is bound by something else than an import of the top level: what it stands
    /// for is not known then.
    pub(crate) fn is_rebound(&self, name: &str) -> bool {
        self.others.contains(name)
    }

    /// Whether the top level imports this name, and nothing else binds it.
    pub(crate) fn is_imported(&self, name: &str) -> bool {
        self.names.contains_key(name) && !self.is_rebound(name)
    }

    /// Under which name `module` is there at `at`, if it is.
    pub(crate) fn name_of(&self, module: &str, at: TextSize) -> Option<&str> {
        let mut found: Vec<&str> = self
            .names
            .iter()
            .filter(|(name, (whole, from))| whole == module && *from < at && !self.is_rebound(name))
            .map(|(name, _)| name.as_str())
            .collect();
        found.sort_unstable();
        found.first().copied()
    }

    /// Whether `import module` holds at `at`, under its own name.
    pub(crate) fn has_module(&self, module: &str, at: TextSize) -> bool {
        let first = module.split('.').next().unwrap_or(module);
        !self.is_rebound(first) && self.modules.get(module).is_some_and(|from| *from < at)
    }

    /// Where and how `import module` is added so that it holds at `at`. Nothing if its name is taken.
    pub(crate) fn added(&self, module: &str, at: TextSize) -> Option<(TextRange, String)> {
        let first = module.split('.').next().unwrap_or(module);
        let place = self.place.as_ref()?;
        let taken = self.is_rebound(first)
            || self.names.get(first).is_some_and(|(whole, _)| whole != first);
        (!taken && place.at <= at).then(|| {
            (TextRange::empty(place.at), format!("{}import {module}{}", place.before, place.after))
        })
    }
}

/// The names under which the top level imports one thing, and then another.
fn imported_twice(suite: &[ast::Stmt]) -> Vec<String> {
    let mut first = HashMap::default();
    let mut twice = Vec::new();
    for stmt in suite {
        let mut own = HashMap::default();
        top_level(stmt, &mut own);
        for (name, (whole, _)) in own {
            match first.get(&name) {
                Some(before) if *before != whole => twice.push(name),
                Some(_) => {}
                None => {
                    first.insert(name, whole);
                }
            }
        }
    }
    twice
}

fn top_level(stmt: &ast::Stmt, names: &mut HashMap<String, (String, TextSize)>) {
    let from = stmt.end();
    match stmt {
        ast::Stmt::Import(import) => {
            for alias in &import.names {
                let whole = alias.name.as_str();
                let top = whole.split('.').next().unwrap_or(whole);
                let (name, whole) = match &alias.asname {
                    Some(name) => (name.as_str(), whole),
                    None => (top, top),
                };
                names.entry(name.to_owned()).or_insert((whole.to_owned(), from));
            }
        }
        ast::Stmt::ImportFrom(import) if import.level == 0 => {
            let module = import.module.as_ref().map_or("", |module| module.as_str());
            for alias in &import.names {
                let name = alias.asname.as_ref().unwrap_or(&alias.name);
                let whole = format!("{module}.{}", alias.name);
                names.entry(name.to_string()).or_insert((whole, from));
            }
        }
        _ => {}
    }
}

/// After the imports that the file begins with; without any, after its docstring and what it asks of
/// the future.
fn place(text: &str, suite: &[ast::Stmt]) -> Option<Place> {
    let docstring = suite.first().filter(
        |stmt| matches!(stmt, ast::Stmt::Expr(expr) if expr.value.is_string_literal_expr()),
    );
    let rest = &suite[usize::from(docstring.is_some())..];
    let import =
        |stmt: &&ast::Stmt| matches!(stmt, ast::Stmt::Import(_) | ast::Stmt::ImportFrom(_));
    let future = |stmt: &ast::Stmt| matches!(stmt, ast::Stmt::ImportFrom(from) if from.module.as_ref().is_some_and(|module| module == "__future__"));
    let run: Vec<&ast::Stmt> = rest.iter().take_while(import).collect();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (after, blank) = match (run.last(), docstring) {
        (Some(last), _) => (Some(last.end()), future(last)),
        (None, Some(docstring)) => (Some(docstring.end()), true),
        (None, None) => (None, false),
    };
    let Some(after) = after else {
        // Before the first statement, behind the comments that a file begins with.
        let first = suite.first()?.start();
        let begin = line_start(text, first);
        let alone = text[begin.to_usize()..first.to_usize()].trim().is_empty();
        return alone.then(|| Place { at: begin, before: String::new(), after: newline.repeat(2) });
    };
    let line = &text[after.to_usize()..];
    let end = line.find('\n').map_or(line.len(), |at| at + 1);
    let tail = line[..end].trim();
    if !(tail.is_empty() || tail.starts_with('#')) {
        return None;
    }
    let at = TextSize::try_from(after.to_usize() + end).ok()?;
    let unended = !line[..end].ends_with('\n');
    let before = newline.repeat(usize::from(unended) + usize::from(blank));
    Some(Place { at, before, after: newline.to_owned() })
}

fn line_start(text: &str, at: TextSize) -> TextSize {
    let start = text[..at.to_usize()].rfind('\n').map_or(0, |at| at + 1);
    TextSize::try_from(start).unwrap_or(at)
}

/// Gathers the names that are bound, imports of the top level aside.
struct Bindings {
    names: HashSet<String>,
    depth: u32,
}

impl Bindings {
    fn bind(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }
}

impl<'a> Visitor<'a> for Bindings {
    fn visit_body(&mut self, body: &'a [ast::Stmt]) {
        self.depth += 1;
        visitor::walk_body(self, body);
        self.depth -= 1;
    }

    fn visit_stmt(&mut self, stmt: &'a ast::Stmt) {
        match stmt {
            ast::Stmt::FunctionDef(function) => self.bind(&function.name),
            ast::Stmt::ClassDef(class) => self.bind(&class.name),
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_alias(&mut self, alias: &'a ast::Alias) {
        if self.depth > 1 {
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            self.bind(name.split('.').next().unwrap_or(name));
        }
    }

    fn visit_expr(&mut self, expr: &'a ast::Expr) {
        if let ast::Expr::Name(name) = expr
            && name.ctx != ast::ExprContext::Load
        {
            self.bind(&name.id);
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a ast::Parameter) {
        self.bind(&parameter.name);
        visitor::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ast::ExceptHandler) {
        let ast::ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a ast::Pattern) {
        let name = match pattern {
            ast::Pattern::MatchAs(alias) => alias.name.as_ref(),
            ast::Pattern::MatchStar(star) => star.name.as_ref(),
            ast::Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name);
        }
        visitor::walk_pattern(self, pattern);
    }
}
