//! Statements.

use ruff_python_ast as ast;
use ruff_python_ast::name::Name;

use super::{Lowering, of_range, span};
use crate::ir::{Class_, Expr, ExprKind, Function, Handler, Ident, Stmt, StmtKind, TypeHint};
use crate::lexicon::Class;

impl Lowering<'_> {
    pub(super) fn block(&mut self, block: &[ast::Stmt]) -> Vec<Stmt> {
        let lowered = self.deeper(|this| {
            let mut lowered = Vec::with_capacity(block.len());
            lowered.extend(block.iter().filter_map(|stmt| this.stmt(stmt)));
            lowered
        });
        lowered.unwrap_or_default()
    }

    fn stmt(&mut self, stmt: &ast::Stmt) -> Option<Stmt> {
        Some(Stmt { span: span(stmt), kind: self.stmt_kind(stmt)? })
    }

    fn stmt_kind(&mut self, stmt: &ast::Stmt) -> Option<StmtKind> {
        Some(match stmt {
            ast::Stmt::FunctionDef(function) => {
                StmtKind::Function(Box::new(self.function(function)))
            }
            ast::Stmt::ClassDef(class) => StmtKind::Class(Box::new(self.class(class))),
            ast::Stmt::Return(given) => {
                StmtKind::Return(given.value.as_ref().map(|value| self.expr(value)))
            }
            ast::Stmt::Delete(delete) => StmtKind::Delete(self.each(&delete.targets)),
            ast::Stmt::Assign(assign) => {
                if let Some(class) = self.named_tuple(assign) {
                    return Some(StmtKind::Class(Box::new(class)));
                }
                let targets = self.each(&assign.targets);
                let value = self.expr(&assign.value);
                self.note_parsed(&targets, &value);
                self.used_in_assignment(&targets, &value);
                StmtKind::Assign(targets, Some(value), TypeHint::None)
            }
            ast::Stmt::AnnAssign(assign) => {
                let target = self.expr(&assign.target);
                let value = assign.value.as_ref().map(|value| self.expr(value));
                StmtKind::Assign(vec![target], value, Self::hint(Some(&assign.annotation)))
            }
            ast::Stmt::AugAssign(assign) => {
                StmtKind::Augment(self.expr(&assign.target), self.expr(&assign.value))
            }
            ast::Stmt::For(each) => {
                let iterable = self.boxed(&each.iter);
                let target = self.boxed(&each.target);
                StmtKind::For(target, iterable, self.block(&each.body), self.block(&each.orelse))
            }
            ast::Stmt::While(each) => {
                let test = self.expr(&each.test);
                StmtKind::While(test, self.block(&each.body), self.block(&each.orelse))
            }
            ast::Stmt::If(choice) => self.choice(choice),
            ast::Stmt::With(with) => {
                let item = |item: &ast::WithItem| {
                    let value = self.expr(&item.context_expr);
                    (value, item.optional_vars.as_ref().map(|target| self.expr(target)))
                };
                let items = with.items.iter().map(item).collect();
                StmtKind::With(items, self.block(&with.body))
            }
            ast::Stmt::Match(choice) => {
                let subject = self.expr(&choice.subject);
                let case = |case: &ast::MatchCase| {
                    let mut names = Vec::new();
                    self.bound(&case.pattern, &mut names, None, 0);
                    let guard = case.guard.as_ref().map(|guard| self.expr(guard));
                    (names, guard, self.block(&case.body))
                };
                StmtKind::Match(subject, choice.cases.iter().map(case).collect())
            }
            ast::Stmt::Raise(raise) => {
                StmtKind::Raise(raise.exc.as_ref().map(|exception| self.expr(exception)))
            }
            ast::Stmt::Try(attempt) => {
                let body = self.block(&attempt.body);
                let handlers = attempt.handlers.iter().map(|handler| self.handler(handler));
                let handlers = handlers.collect();
                StmtKind::Try(
                    body,
                    handlers,
                    self.block(&attempt.orelse),
                    self.block(&attempt.finalbody),
                )
            }
            ast::Stmt::Assert(assert) => {
                let test = self.expr(&assert.test);
                StmtKind::Assert(test, assert.msg.as_ref().map(|message| self.expr(message)))
            }
            ast::Stmt::Import(import) => {
                let mut bound = Vec::new();
                for alias in &import.names {
                    let whole = &alias.name.id;
                    let top = whole.split('.').next().unwrap_or(whole);
                    self.imports.insert(Name::new(top));
                    bound.push(match &alias.asname {
                        Some(name) => (name.id.clone(), whole.clone()),
                        None => (Name::new(top), Name::new(top)),
                    });
                }
                StmtKind::Import(bound)
            }
            ast::Stmt::ImportFrom(import) => self.import_from(import),
            ast::Stmt::Expr(expr) => match &*expr.value {
                // A docstring, or a comment in its form.
                ast::Expr::StringLiteral(_) => return None,
                value => StmtKind::Expr(self.expr(value)),
            },
            ast::Stmt::Break(_) | ast::Stmt::Continue(_) => StmtKind::Jump,
            ast::Stmt::TypeAlias(_)
            | ast::Stmt::Global(_)
            | ast::Stmt::Nonlocal(_)
            | ast::Stmt::Pass(_)
            | ast::Stmt::IpyEscapeCommand(_) => return None,
        })
    }

    /// `Account = namedtuple("Account", "name password")`
    fn named_tuple(&mut self, assign: &ast::StmtAssign) -> Option<Class_> {
        let ([ast::Expr::Name(name)], ast::Expr::Call(call)) =
            (&assign.targets[..], &*assign.value)
        else {
            return None;
        };
        let made_by = match &*call.func {
            ast::Expr::Name(name) => &name.id,
            ast::Expr::Attribute(attribute) => &attribute.attr.id,
            _ => return None,
        };
        if made_by != "namedtuple" {
            return None;
        }
        let text = |expr: &ast::Expr| match expr {
            ast::Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
            _ => None,
        };
        let fields: Vec<String> = match call.arguments.args.get(1)? {
            ast::Expr::List(list) => list.elts.iter().filter_map(text).collect(),
            ast::Expr::Tuple(tuple) => tuple.elts.iter().filter_map(text).collect(),
            one => text(one)?.replace(',', " ").split_whitespace().map(str::to_owned).collect(),
        };
        let at = span(assign);
        let base = self.ident(&Name::new_static("NamedTuple"));
        let any = TypeHint::Named(Name::new_static("Any"));
        let mut field = |field: &String| {
            let target = Expr { kind: ExprKind::Name(self.ident(&Name::new(field))), span: at };
            Stmt { kind: StmtKind::Assign(vec![target], None, any.clone()), span: at }
        };
        Some(Class_ {
            name: name.id.clone(),
            span: at,
            bases: vec![Expr { kind: ExprKind::Name(base), span: at }],
            decorators: Vec::new(),
            body: fields.iter().map(&mut field).collect(),
        })
    }

    /// `args = parser.parse_args()`, `args, rest = parser.parse_known_args()`
    fn note_parsed(&mut self, targets: &[Expr], value: &Expr) {
        let ExprKind::Call(call) = &value.kind else { return };
        let parses = call
            .callee
            .last_name()
            .is_some_and(|ident| matches!(ident.name.as_str(), "parse_args" | "parse_known_args"));
        let [target] = targets else { return };
        let target = match &target.kind {
            ExprKind::List(places) => places.first(),
            _ => Some(target),
        };
        if parses && let Some(ident) = target.and_then(Expr::last_name) {
            self.parsed.push(ident.name.clone());
        }
    }

    /// `if`, `elif`, …, `else`, without recursion: such chains are as long as they are.
    fn choice(&mut self, choice: &ast::StmtIf) -> StmtKind {
        let mut rest: Vec<Stmt> = Vec::new();
        // An `elif` nests one level deeper here than it does in the source.
        for clause in choice.elif_else_clauses.iter().skip(100).take(1) {
            let _ = clause;
            self.too_deep = true;
        }
        for clause in choice.elif_else_clauses.iter().take(100).rev() {
            let body = self.block(&clause.body);
            rest = match &clause.test {
                Some(test) => {
                    let kind = StmtKind::If(self.expr(test), body, rest);
                    vec![Stmt { kind, span: of_range(clause.range) }]
                }
                None => body,
            };
        }
        StmtKind::If(self.expr(&choice.test), self.block(&choice.body), rest)
    }

    fn import_from(&mut self, import: &ast::StmtImportFrom) -> StmtKind {
        let dots = ".".repeat(import.level as usize);
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        let mut parts = module.split('.');
        if import.level == 0 {
            self.imports.insert(Name::new(parts.next().unwrap_or(module)));
        }
        // `from .llm import complete`, `from shop.prompt_template import render`
        self.names.extend(parts.map(Name::new));
        let bind = |alias: &ast::Alias| {
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            let separator = if module.is_empty() { "" } else { "." };
            let whole = format!("{dots}{module}{separator}{}", alias.name.id);
            (name.id.clone(), Name::new(whole))
        };
        let bound: Vec<_> = import.names.iter().map(bind).collect();
        self.names.extend(bound.iter().map(|(name, _)| name.clone()));
        StmtKind::Import(bound)
    }

    fn function(&mut self, function: &ast::StmtFunctionDef) -> Function {
        let mentions = self.mentions;
        let keys = std::mem::take(&mut self.keys);
        let answers = std::mem::take(&mut self.answers);
        let sent = std::mem::take(&mut self.sent);
        let responses = std::mem::take(&mut self.responses);
        let used = std::mem::take(&mut self.used);
        let parts_of_messages = std::mem::take(&mut self.parts_of_messages);
        let mut lowered = Function {
            name: self.ident(&function.name.id),
            span: span(&function.name),
            parameters: Vec::new(),
            by_place: 0,
            rest: None,
            keywords: None,
            decorators: function
                .decorator_list
                .iter()
                .map(|one| self.expr(&one.expression))
                .collect(),
            returns: Self::hint(function.returns.as_deref()),
            credentials: false,
            keys: Vec::new(),
            answers: Vec::new(),
            responses: Vec::new(),
            sent: Vec::new(),
            used: Vec::new(),
            body: Vec::new(),
        };
        self.parameters(&function.parameters, &mut lowered);
        lowered.body = self.block(&function.body);
        lowered.credentials = self.mentions > mentions;
        lowered.keys = std::mem::replace(&mut self.keys, keys);
        lowered.answers = std::mem::replace(&mut self.answers, answers);
        lowered.sent = std::mem::replace(&mut self.sent, sent);
        lowered.responses = std::mem::replace(&mut self.responses, responses);
        lowered.used = std::mem::replace(&mut self.used, used);
        self.parts_of_messages = parts_of_messages;
        lowered
    }

    fn class(&mut self, class: &ast::StmtClassDef) -> Class_ {
        self.names.insert(class.name.id.clone());
        let bases = class.arguments.as_ref().map_or(&[][..], |arguments| &arguments.args);
        let bases = self.each(bases);
        for base in &bases {
            if let Some(ident) = base.last_name() {
                self.names.insert(ident.name.clone());
            }
        }
        Class_ {
            name: class.name.id.clone(),
            span: span(&class.name),
            bases,
            decorators: class.decorator_list.iter().map(|one| self.expr(&one.expression)).collect(),
            body: self.block(&class.body),
        }
    }

    fn handler(&mut self, handler: &ast::ExceptHandler) -> Handler {
        let ast::ExceptHandler::ExceptHandler(handler) = handler;
        let types: Vec<&ast::Expr> = match handler.type_.as_deref() {
            Some(ast::Expr::Tuple(tuple)) => tuple.elts.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let last = |expr: &&ast::Expr| match expr {
            ast::Expr::Name(name) => Some(name.id.clone()),
            ast::Expr::Attribute(attribute) => Some(attribute.attr.id.clone()),
            _ => None,
        };
        Handler {
            types: types.iter().filter_map(last).collect(),
            name: handler.name.as_ref().map(|name| self.ident(&name.id)),
            body: self.block(&handler.body),
        }
    }

    /// The names that a pattern binds: to what a key says, where that stands before it.
    fn bound(
        &mut self,
        pattern: &ast::Pattern,
        names: &mut Vec<Ident>,
        key: Option<Class>,
        depth: u32,
    ) {
        if depth > 50 {
            return;
        }
        let bind = |name: &ast::Identifier, class: Option<Class>| Ident {
            name: name.id.clone(),
            class: class.unwrap_or_default(),
        };
        match pattern {
            ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => {}
            ast::Pattern::MatchSequence(ast::PatternMatchSequence { patterns, .. })
            | ast::Pattern::MatchOr(ast::PatternMatchOr { patterns, .. }) => {
                for pattern in patterns {
                    self.bound(pattern, names, None, depth + 1);
                }
            }
            ast::Pattern::MatchMapping(mapping) => {
                for (key, pattern) in mapping.keys.iter().zip(&mapping.patterns) {
                    let class = match self.expr(key).kind {
                        ExprKind::Text(_, class) => Some(class),
                        _ => None,
                    };
                    self.bound(pattern, names, class, depth + 1);
                }
                names.extend(mapping.rest.as_ref().map(|rest| bind(rest, None)));
            }
            ast::Pattern::MatchClass(class) => {
                for pattern in &class.arguments.patterns {
                    self.bound(pattern, names, None, depth + 1);
                }
                for keyword in &class.arguments.keywords {
                    let class = self.ident(&keyword.attr.id).class;
                    self.bound(&keyword.pattern, names, Some(class), depth + 1);
                }
            }
            ast::Pattern::MatchStar(star) => {
                names.extend(star.name.as_ref().map(|name| bind(name, None)));
            }
            ast::Pattern::MatchAs(alias) => {
                if let Some(inner) = &alias.pattern {
                    self.bound(inner, names, key, depth + 1);
                }
                names.extend(alias.name.as_ref().map(|name| bind(name, key)));
            }
        }
    }
}
