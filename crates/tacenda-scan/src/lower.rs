//! Lowers a parsed file to the [small language](crate::ir).

pub(crate) use expr::is_numeric;

mod expr;
mod stmt;
mod text;
mod used;

use ruff_python_ast as ast;
use ruff_python_ast::name::Name;
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::Confidence;
use crate::context::Context;
use crate::ir::{Expr, ExprKind, Ident, Module, Span, TypeHint};
use crate::label::Label;
use crate::lexicon::{Class, Lexicon, Need};

/// Deeper than this no expression or block is followed: nobody writes such code by hand, and what
/// comes after works by recursion.
const MAX_DEPTH: u32 = 120;

/// Names of attributes that say what they hold only with what they are attributes of.
const PARTS: &[&str] = &[
    "description",
    "content",
    "text",
    "data",
    "info",
    "body",
    "output",
    "result",
    "response",
    "request",
    "headers",
    "url",
    "message",
    "messages",
    "id",
    "parameters",
    "arguments",
    "answer",
    "query",
];

/// Lowers a file. The second value tells that it nests too deeply to be followed everywhere.
pub(crate) fn lower(suite: &[ast::Stmt], names: &Lexicon) -> (Module, bool) {
    let mut lowering = Lowering::new(names);
    let body = lowering.block(suite);
    let mut context = Context::of(&lowering.names, &lowering.imports, lowering.credentials > 0);
    context.holders = lowering.holders;
    context.addresses = lowering.addresses;
    context.answers = lowering.answers_of_file;
    context.used = lowering.used_of_file;
    if lowering.secret_option {
        context.holders.extend(lowering.parsed);
    }
    context.secret_option = lowering.secret_option;
    context.credentials = lowering.credentials > 0;
    context.lexer |= lowering.grammar;
    context.library &= !lowering.asks;
    (Module { body, context }, lowering.too_deep)
}

/// Whether a file nests too deeply to be followed everywhere.
pub(crate) fn is_too_deep(suite: &[ast::Stmt]) -> bool {
    lower(suite, &Lexicon::default()).1
}

#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Lowering<'n> {
    lexicon: &'n Lexicon,
    classes: HashMap<Name, Class>,
    /// What names of attributes say together with what they are attributes of.
    of_parts: HashMap<Name, Class>,
    names: HashSet<Name>,
    imports: HashSet<Name>,
    holders: HashSet<Name>,
    addresses: HashSet<Name>,
    /// Names of what clients make of answers, in the function so far.
    answers: Vec<Name>,
    /// Names of what is asked for what only an answer of a client has, in the function so far.
    responses: Vec<Name>,
    /// Names of what requests are sent with, in the function so far.
    sent: Vec<Name>,
    answers_of_file: HashSet<Name>,
    /// Names of what stands for something sensitive by what is done with it, in the function so far.
    used: Vec<(Name, Label)>,
    /// The same of attributes of the object itself, anywhere in the file.
    used_of_file: Vec<(Name, Label)>,
    /// What was asked of what may be a message, in the function so far.
    parts_of_messages: Vec<(Name, Name)>,
    /// What arguments of a command line were parsed into.
    parsed: Vec<Name>,
    /// Whether an option of a command line is named like a credential.
    secret_option: bool,
    /// Whether it asks who runs it: `input()`.
    asks: bool,
    /// Whether tokens have what those of a grammar have.
    grammar: bool,
    credentials: usize,
    /// How often a credential was named so far.
    mentions: usize,
    /// Names of credentials under which something else is looked up, in the function so far.
    keys: Vec<Name>,
    depth: u32,
    too_deep: bool,
}

impl<'n> Lowering<'n> {
    fn new(lexicon: &'n Lexicon) -> Self {
        Self {
            lexicon,
            classes: HashMap::default(),
            of_parts: HashMap::default(),
            names: HashSet::default(),
            imports: HashSet::default(),
            holders: HashSet::default(),
            addresses: HashSet::default(),
            answers: Vec::new(),
            responses: Vec::new(),
            sent: Vec::new(),
            answers_of_file: HashSet::default(),
            used: Vec::new(),
            used_of_file: Vec::new(),
            parts_of_messages: Vec::new(),
            parsed: Vec::new(),
            secret_option: false,
            asks: false,
            grammar: false,
            credentials: 0,
            mentions: 0,
            keys: Vec::new(),
            depth: 0,
            too_deep: false,
        }
    }

    fn ident(&mut self, name: &Name) -> Ident {
        let known = self.classes.get(name).copied();
        self.mentions += usize::from(known.is_some_and(Class::is_credential));
        let class = match known.as_ref() {
            Some(class) => *class,
            None => {
                let class = self.lexicon.classify(name);
                self.classes.insert(name.clone(), class);
                self.names.insert(name.clone());
                self.credentials += usize::from(class.is_credential());
                self.mentions += usize::from(class.is_credential());
                class
            }
        };
        Ident { name: name.clone(), class }
    }

    /// What the name of an attribute says with what stands before it, where it says little alone:
    /// `task.description`, `session.id`.
    fn part(&mut self, base: &Expr, ident: &Ident) -> Class {
        let (ExprKind::Name(of) | ExprKind::Attribute(_, of)) = &base.kind else {
            return ident.class;
        };
        // `jwt.headers`: what it was signed with.
        if ident.name == "headers" && of.class.is_credential() {
            return Class::Plain;
        }
        // `error.user_message`
        if matches!(of.name.as_str(), "e" | "ex" | "exc" | "err" | "error" | "exception")
            && matches!(ident.class, Class::Sensitive(Label::Prompt | Label::Completion, ..))
        {
            return Class::Plain;
        }
        let alone = match ident.class {
            Class::Sensitive(_, confidence, _) => Some(confidence),
            Class::Plain | Class::Harmless => None,
            Class::Treated => return ident.class,
        };
        if alone == Some(Confidence::High) || !PARTS.contains(&ident.name.as_str()) {
            return ident.class;
        }
        let whole = Name::new(format!("{}_{}", of.name, ident.name));
        let class = match self.of_parts.get(&whole) {
            Some(class) => *class,
            None => {
                let class = self.lexicon.classify(&whole);
                self.of_parts.insert(whole, class);
                class
            }
        };
        match class {
            Class::Sensitive(_, confidence, need)
                if Some(confidence) > alone
                    || Some(confidence) == alone && need == Need::Nothing =>
            {
                class
            }
            _ => ident.class,
        }
    }

    /// Notes that something is looked up under a key, if that is named like a credential.
    fn key(&mut self, key: &Expr) {
        if let ExprKind::Name(ident) = &key.kind
            && matches!(ident.class, Class::Sensitive(Label::Credential, ..))
            && ident.name.to_ascii_lowercase().ends_with("key")
            && !self.keys.contains(&ident.name)
        {
            self.keys.push(ident.name.clone());
        }
    }

    /// Goes one level down, unless that is too deep.
    fn deeper<T>(&mut self, down: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            self.too_deep = true;
            return None;
        }
        self.depth += 1;
        let result = down(self);
        self.depth -= 1;
        Some(result)
    }

    /// Notes that `base` has an item of this name.
    fn item(&mut self, base: &Expr, class: Class) {
        if class.is_credential()
            && let Some(ident) = base.last_name()
        {
            if matches!(base.kind, ExprKind::Item(..)) {
                self.holders.insert(Name::new(format!("{}[]", ident.name)));
            }
            self.holders.insert(ident.name.clone());
        }
    }

    /// Notes that a connection to a database or a broker is made with this.
    fn address(&mut self, maker: &Expr, address: Option<&Expr>) {
        let connects = maker.last_name().is_some_and(|ident| {
            matches!(
                ident.name.as_str(),
                "create_engine"
                    | "create_async_engine"
                    | "from_url"
                    | "MongoClient"
                    | "AsyncIOMotorClient"
                    | "URLParameters"
                    | "make_url"
                    | "connect_robust"
                    | "create_pool"
            )
        });
        if connects
            && let Some(ident) = address.and_then(Expr::last_name)
            && matches!(ident.class, Class::Plain | Class::Sensitive(Label::Url, ..))
            && !matches!(ident.name.as_str(), "host" | "hosts" | "loop" | "self")
        {
            self.addresses.insert(ident.name.clone());
        }
    }

    /// `token.kind`, `token.lineno`: the token of a grammar.
    fn token_of_grammar(&mut self, base: &Expr, field: &Name) {
        let token = base.last_name().is_some_and(|ident| ident.name == "token");
        self.grammar |= token
            && matches!(
                field.as_str(),
                "kind" | "lineno" | "column" | "col_offset" | "lexeme" | "spelling" | "lexpos"
            );
    }

    /// `response.status_code`: the response is what a client made of an answer.
    fn answer_of_client(&mut self, base: &Expr, field: &Name) {
        const PARTS: &[&str] = &[
            "status",
            "status_code",
            "json",
            "text",
            "headers",
            "ok",
            "content",
            "reason",
            "read",
        ];
        if let ExprKind::Name(ident) = &base.kind
            && PARTS.contains(&field.as_str())
            && !self.responses.contains(&ident.name)
        {
            self.responses.push(ident.name.clone());
        }
        if let ExprKind::Name(ident) = &base.kind
            && matches!(
                field.as_str(),
                "status_code" | "raise_for_status" | "is_success" | "reason_phrase"
            )
        {
            self.answers.push(ident.name.clone());
            self.answers_of_file.insert(ident.name.clone());
        }
    }

    /// `session.post(url, **options)`: a request is sent with all that is in `options`.
    fn sent_with(&mut self, callee: &Expr, keywords: &[(Option<Ident>, Expr)]) {
        let ExprKind::Attribute(base, method) = &callee.kind else { return };
        let by_client = || {
            base.last_name().is_some_and(|ident| {
                ["session", "sess", "client", "requests", "http", "httpx"]
                    .iter()
                    .any(|word| ident.name.to_ascii_lowercase().ends_with(word))
            })
        };
        let sends = match method.name.as_str() {
            "request" => true,
            "get" | "post" | "put" | "patch" | "delete" | "stream" | "send" => by_client(),
            _ => false,
        };
        if !sends {
            return;
        }
        for (key, value) in keywords {
            if let (None, ExprKind::Name(ident)) = (key, &value.kind)
                && !self.sent.contains(&ident.name)
            {
                self.sent.push(ident.name.clone());
            }
        }
    }

    /// Notes that `base` has an attribute of this name. That says something about settings; other
    /// objects are not printed with their attributes.
    fn attribute(&mut self, base: &Expr, class: Class) {
        if let Some(ident) = base.last_name()
            && matches!(ident.class, Class::Sensitive(Label::Settings, ..))
        {
            self.item(base, class);
        }
    }

    fn hint(annotation: Option<&ast::Expr>) -> TypeHint {
        annotation.map_or(TypeHint::None, |annotation| hint(annotation, 0))
    }
}

/// What an annotation says. Of `X | None` and `Optional[X]`, what `X` says.
fn hint(annotation: &ast::Expr, depth: u32) -> TypeHint {
    if depth > 8 {
        return TypeHint::None;
    }
    let named = |name: &str| match name.rsplit('.').next().unwrap_or(name) {
        "int" | "bool" | "float" | "SecretStr" | "SecretBytes" | "Secret" | "Decimal"
        | "timedelta" | "datetime" | "Path" | "Enum" => TypeHint::Harmless,
        "None" | "" => TypeHint::None,
        last => TypeHint::Named(Name::new(last)),
    };
    match annotation {
        ast::Expr::Name(name) => named(&name.id),
        ast::Expr::Attribute(attribute) => named(&attribute.attr.id),
        ast::Expr::StringLiteral(text) => {
            let text = text.value.to_str();
            let plain = |part: &str| {
                part.chars().all(|letter| letter.is_alphanumeric() || "_.".contains(letter))
            };
            // `"int | None"`
            text.split('|').map(str::trim).fold(TypeHint::None, |before, part| {
                let part = if plain(part) { named(part) } else { TypeHint::None };
                either(before, part)
            })
        }
        ast::Expr::BinOp(union) if union.op == ast::Operator::BitOr => {
            either(hint(&union.left, depth + 1), hint(&union.right, depth + 1))
        }
        ast::Expr::Subscript(generic) => match &*generic.value {
            ast::Expr::Name(name)
                if matches!(name.id.as_str(), "Optional" | "Final" | "ClassVar" | "Annotated") =>
            {
                match &*generic.slice {
                    ast::Expr::Tuple(tuple) => {
                        tuple.elts.first().map_or(TypeHint::None, |first| hint(first, depth + 1))
                    }
                    slice => hint(slice, depth + 1),
                }
            }
            // The text of many is the text of each.
            ast::Expr::Name(name)
                if matches!(
                    name.id.as_str(),
                    "list" | "List" | "Sequence" | "Iterable" | "set" | "Set" | "Iterator"
                ) =>
            {
                match hint(&generic.slice, depth + 1) {
                    TypeHint::Named(element) => TypeHint::Named(element),
                    TypeHint::None | TypeHint::Harmless => named(&name.id),
                }
            }
            ast::Expr::Name(name) => named(&name.id),
            _ => TypeHint::None,
        },
        _ => TypeHint::None,
    }
}

/// What `one | other` says.
fn either(one: TypeHint, other: TypeHint) -> TypeHint {
    match (one, other) {
        (TypeHint::None, only) | (only, TypeHint::None) => only,
        (TypeHint::Harmless, TypeHint::Harmless) => TypeHint::Harmless,
        (TypeHint::Named(one), _) | (_, TypeHint::Named(one)) => TypeHint::Named(one),
    }
}

fn span(node: &impl Ranged) -> Span {
    of_range(node.range())
}

fn of_range(range: TextRange) -> Span {
    Span { start: range.start().to_u32(), end: range.end().to_u32() }
}
