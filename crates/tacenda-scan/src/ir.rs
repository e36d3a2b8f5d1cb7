//! The small language that Python is lowered to: what matters to where values go, and nothing else.

use ruff_python_ast::name::Name;

use crate::lexicon::Class;

/// A stretch of the source text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

/// A name and what it says about the value behind it.
#[derive(Clone, Debug)]
pub struct Ident {
    /// As it is written.
    pub name: Name,
    /// What the lexicon reads in it.
    pub class: Class,
}

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug)]
pub enum ExprKind {
    /// A variable.
    Name(Ident),
    /// `value.name`.
    Attribute(Box<Expr>, Ident),
    /// `value[key]`.
    Item(Box<Expr>, Box<Expr>),
    /// A call.
    Call(Box<Call>),
    /// A string literal, of which only a short one keeps its text.
    Text(Box<str>, Class),
    /// A number, a truth value, `None`: nothing that could leak.
    Constant(Literal),
    /// Text put together: f-strings, `+`, `%`. The whole carries what a part carries.
    Join(Vec<Expr>),
    /// A part of an f-string whose format says that it is a number.
    Numeric(Box<Expr>),
    /// A dictionary; `None` stands for `**`.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// A list, tuple or set.
    List(Vec<Expr>),
    /// One of these: `a or b`, `a if test else b`.
    Choice(Vec<Expr>),
    /// A question about values, whose answer is no value: `a == b`, `not a`.
    Question(Vec<Expr>),
    /// A comprehension.
    Comprehension(Box<Comprehension>),
    /// A function without a name.
    Lambda(Box<Function>),
    /// `target := value`.
    Named(Box<Expr>, Box<Expr>),
    /// `*value`.
    Star(Box<Expr>),
    /// `yield value`.
    Yield(Option<Box<Expr>>),
    /// Something that no value is followed through.
    Opaque,
}

/// A literal that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `True`.
    True,
    /// `False`.
    False,
    /// A whole number.
    Integer(u64),
    /// A slice of a few: `[:4]`, `[-4:]`.
    Few,
    /// `None`, other numbers, `...`, other slices.
    Other,
}

/// `{key: element for …}`.
#[derive(Debug)]
pub struct Comprehension {
    /// What it goes through.
    pub generators: Vec<Generator>,
    /// The key, of a dictionary.
    pub key: Option<Expr>,
    /// What is in it for each.
    pub element: Expr,
}

/// `for target in iterable if conditions`.
#[derive(Debug)]
pub struct Generator {
    /// What is bound.
    pub target: Expr,
    /// What is gone through.
    pub iterable: Expr,
    /// What has to hold.
    pub conditions: Vec<Expr>,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub callee: Expr,
    /// Arguments by place.
    pub arguments: Vec<Expr>,
    /// Arguments by name; `None` stands for `**`.
    pub keywords: Vec<(Option<Ident>, Expr)>,
}

impl Function {
    /// The number of `*args` among what a summary counts as parameters.
    pub fn rest_number(&self) -> Option<usize> {
        self.rest.as_ref().map(|_| self.parameters.len())
    }

    /// The number of `**kwargs` among what a summary counts as parameters.
    pub fn keywords_number(&self) -> Option<usize> {
        self.keywords.as_ref().map(|_| self.parameters.len() + 1)
    }

    /// Whether one of its decorators has one of these names.
    pub fn is_decorated(&self, names: &[&str]) -> bool {
        self.decorators
            .iter()
            .any(|one| one.last_name().is_some_and(|ident| names.contains(&ident.name.as_str())))
    }
}

impl Call {
    /// The argument of this name.
    pub fn keyword(&self, name: &str) -> Option<&Expr> {
        let named = |key: &Option<Ident>| key.as_ref().is_some_and(|key| key.name == name);
        self.keywords.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
    }

    /// Whether arguments come from a dictionary: which ones is not known.
    pub fn has_more(&self) -> bool {
        self.keywords.iter().any(|(key, _)| key.is_none())
    }
}

/// What an annotation says about a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TypeHint {
    /// Nothing.
    #[default]
    None,
    /// A number or a truth value, or a type that hides its value.
    Harmless,
    /// A class, by its last name.
    Named(Name),
}

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub ident: Ident,
    /// Its annotation.
    pub hint: TypeHint,
    /// Its default value.
    pub default: Option<Expr>,
}

/// A function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: Ident,
    /// Where its name stands.
    pub span: Span,
    /// Parameters that take one value, in order.
    pub parameters: Vec<Parameter>,
    /// So many of them, the first ones, are given by place.
    pub by_place: usize,
    /// `*args`.
    pub rest: Option<Ident>,
    /// `**kwargs`.
    pub keywords: Option<Ident>,
    /// What it is decorated with.
    pub decorators: Vec<Expr>,
    /// What its annotation says that it gives back.
    pub returns: TypeHint,
    /// Whether it names a credential anywhere: what it handles besides may hold one.
    pub credentials: bool,
    /// Names of credentials that are keys under which it looks something up: `secrets[secret_key]`.
    pub keys: Vec<Name>,
    /// Names of what clients made of answers, by what it asks of them: `response.status_code`.
    pub answers: Vec<Name>,
    /// Names of what is asked for what only an answer of a client has: `response.headers`.
    pub responses: Vec<Name>,
    /// Names of what requests are sent with: `session.post(url, **options)`.
    pub sent: Vec<Name>,
    /// Names of what stands for something sensitive by what is done with it: `login(password=x)`.
    pub used: Vec<(Name, crate::Label)>,
    /// What it does.
    pub body: Vec<Stmt>,
}

/// A class.
#[derive(Debug)]
pub struct Class_ {
    /// Its name.
    pub name: Name,
    /// Where its name stands.
    pub span: Span,
    /// The classes it is built on.
    pub bases: Vec<Expr>,
    /// What it is decorated with.
    pub decorators: Vec<Expr>,
    /// Its methods and fields.
    pub body: Vec<Stmt>,
}

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// What a statement is.
#[derive(Debug)]
pub enum StmtKind {
    /// `targets = value`, with or without annotation.
    Assign(Vec<Expr>, Option<Expr>, TypeHint),
    /// `target += value`.
    Augment(Expr, Expr),
    /// An expression by itself.
    Expr(Expr),
    /// `return value`.
    Return(Option<Expr>),
    /// `raise value`.
    Raise(Option<Expr>),
    /// `assert test, message`.
    Assert(Expr, Option<Expr>),
    /// `if` and the rest of the chain.
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `for target in iterable`.
    For(Box<Expr>, Box<Expr>, Vec<Stmt>, Vec<Stmt>),
    /// `while test`.
    While(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `with value as target`.
    With(Vec<(Expr, Option<Expr>)>, Vec<Stmt>),
    /// `try`: body, handlers, `else`, `finally`.
    Try(Vec<Stmt>, Vec<Handler>, Vec<Stmt>, Vec<Stmt>),
    /// `match`: subject, then each case's names, guard and body.
    Match(Expr, Vec<(Vec<Ident>, Option<Expr>, Vec<Stmt>)>),
    /// `def`.
    Function(Box<Function>),
    /// `class`.
    Class(Box<Class_>),
    /// `import` and `from … import`: the name bound here, and what it stands for.
    Import(Vec<(Name, Name)>),
    /// `del targets`.
    Delete(Vec<Expr>),
    /// `break`, `continue`.
    Jump,
}

/// `except types as name`.
#[derive(Debug)]
pub struct Handler {
    /// The exception classes, by their last names.
    pub types: Vec<Name>,
    /// The name it is bound to.
    pub name: Option<Ident>,
    /// What is done.
    pub body: Vec<Stmt>,
}

/// A file, lowered.
#[derive(Debug, Default)]
pub struct Module {
    /// What stands at its top level.
    pub body: Vec<Stmt>,
    /// What its names and imports say it is about.
    pub context: crate::context::Context,
}

impl Expr {
    /// The last name of `a.b.c`, `c`; also of a call of it.
    pub fn last_name(&self) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => Some(ident),
            ExprKind::Call(call) => call.callee.last_name(),
            ExprKind::Item(base, _) | ExprKind::Star(base) => base.last_name(),
            _ => None,
        }
    }

    /// The text of a short string literal.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether this is the literal `True`, or a number other than 0.
    pub fn is_true(&self) -> bool {
        matches!(self.kind, ExprKind::Constant(Literal::True))
            || matches!(self.kind, ExprKind::Constant(Literal::Integer(number)) if number > 0)
    }

    /// `a.b.c` as it is written, if it is made of names alone.
    pub fn dotted(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Name(ident) => Some(ident.name.to_string()),
            ExprKind::Attribute(base, ident) => {
                let mut path = base.dotted()?;
                path.push('.');
                path.push_str(&ident.name);
                Some(path)
            }
            _ => None,
        }
    }
}
