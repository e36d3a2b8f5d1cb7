//! Expressions.

use ruff_python_ast as ast;
use ruff_python_ast::name::Name;

use super::text::as_template;
use super::{Lowering, of_range, span};
use crate::Confidence;
use crate::ir::{
    Call, Comprehension, Expr, ExprKind, Function, Generator, Ident, Literal, Parameter, Span,
    Stmt, StmtKind, TypeHint,
};
use crate::label::Label;
use crate::lexicon::Class;

/// Longer literals are no keys, no message templates that anything is read from.
const MAX_TEXT: usize = 200;
/// So many characters of a credential do not give it away.
const FEW: u64 = 6;
/// The parser nests longer chains of operators too deeply to be given back by recursion.
const MAX_CHAIN: usize = 10_000;

impl Lowering<'_> {
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Expr {
        let at = span(expr);
        let kind = self.deeper(|this| this.kind(expr, at)).unwrap_or(ExprKind::Opaque);
        Expr { kind, span: at }
    }

    pub(super) fn boxed(&mut self, expr: &ast::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn optional(&mut self, expr: Option<&ast::Expr>) -> Option<Box<Expr>> {
        expr.map(|expr| self.boxed(expr))
    }

    pub(super) fn each<'a>(&mut self, exprs: impl IntoIterator<Item = &'a ast::Expr>) -> Vec<Expr> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each expression of the language")]
    fn kind(&mut self, expr: &ast::Expr, at: Span) -> ExprKind {
        match expr {
            ast::Expr::Name(name) => ExprKind::Name(self.ident(&name.id)),
            ast::Expr::Attribute(attribute) => {
                let base = self.boxed(&attribute.value);
                let mut ident = self.ident(&attribute.attr.id);
                self.attribute(&base, ident.class);
                self.token_of_grammar(&base, &ident.name);
                self.answer_of_client(&base, &ident.name);
                ident.class = self.part(&base, &ident);
                ExprKind::Attribute(base, ident)
            }
            ast::Expr::Subscript(item) => {
                let base = self.boxed(&item.value);
                let key = self.boxed(&item.slice);
                if let ExprKind::Text(text, class) = &key.kind {
                    self.item(&base, *class);
                    self.used_as_message(&base, text);
                }
                self.key(&key);
                ExprKind::Item(base, key)
            }
            ast::Expr::Call(call) => match self.of_variables(call) {
                Some(parts) => ExprKind::Join(parts),
                None => ExprKind::Call(Box::new(self.call(call))),
            },
            ast::Expr::StringLiteral(text) => self.text(text.value.to_str()),
            ast::Expr::FString(text) => {
                let mut parts = Vec::new();
                for part in text.value.elements() {
                    self.interpolated(part, &mut parts);
                }
                ExprKind::Join(parts)
            }
            ast::Expr::TString(text) => {
                let mut parts = Vec::new();
                for part in text.value.elements() {
                    self.interpolated(part, &mut parts);
                }
                ExprKind::Join(parts)
            }
            ast::Expr::BinOp(_) => self.operation(expr),
            ast::Expr::BoolOp(operation) => {
                let values = self.each(&operation.values);
                ExprKind::Choice(values)
            }
            ast::Expr::If(choice) => {
                let test = self.expr(&choice.test);
                let question = Expr { span: test.span, kind: ExprKind::Question(vec![test]) };
                ExprKind::Choice(vec![question, self.expr(&choice.body), self.expr(&choice.orelse)])
            }
            ast::Expr::UnaryOp(operation) => match operation.op {
                ast::UnaryOp::Not => ExprKind::Question(vec![self.expr(&operation.operand)]),
                _ => ExprKind::Numeric(self.boxed(&operation.operand)),
            },
            ast::Expr::Compare(compare) => {
                let mut parts = vec![self.expr(&compare.left)];
                parts.extend(self.each(&compare.comparators));
                ExprKind::Question(parts)
            }
            ast::Expr::Dict(dict) => {
                let item = |item: &ast::DictItem| {
                    (item.key.as_ref().map(|key| self.expr(key)), self.expr(&item.value))
                };
                let items: Vec<_> = dict.items.iter().map(item).collect();
                self.used_in_dict(&items);
                ExprKind::Dict(items)
            }
            ast::Expr::List(list) => ExprKind::List(self.each(&list.elts)),
            ast::Expr::Tuple(tuple) => ExprKind::List(self.each(&tuple.elts)),
            ast::Expr::Set(set) => ExprKind::List(self.each(&set.elts)),
            ast::Expr::ListComp(comp) => self.comprehension(&comp.generators, None, &comp.elt),
            ast::Expr::SetComp(comp) => self.comprehension(&comp.generators, None, &comp.elt),
            ast::Expr::Generator(comp) => self.comprehension(&comp.generators, None, &comp.elt),
            ast::Expr::DictComp(comp) => {
                self.comprehension(&comp.generators, comp.key.as_deref(), &comp.value)
            }
            ast::Expr::Lambda(lambda) => {
                let body = self.expr(&lambda.body);
                let body = vec![Stmt { span: body.span, kind: StmtKind::Return(Some(body)) }];
                let mut function = Function {
                    name: Ident { name: Name::new_static("lambda"), class: Class::Plain },
                    span: at,
                    parameters: Vec::new(),
                    by_place: 0,
                    rest: None,
                    keywords: None,
                    decorators: Vec::new(),
                    returns: TypeHint::None,
                    credentials: false,
                    keys: Vec::new(),
                    answers: Vec::new(),
                    responses: Vec::new(),
                    sent: Vec::new(),
                    used: Vec::new(),
                    body,
                };
                if let Some(parameters) = &lambda.parameters {
                    self.parameters(parameters, &mut function);
                }
                ExprKind::Lambda(Box::new(function))
            }
            ast::Expr::Named(named) => {
                ExprKind::Named(self.boxed(&named.target), self.boxed(&named.value))
            }
            ast::Expr::Starred(star) => ExprKind::Star(self.boxed(&star.value)),
            ast::Expr::Await(wait) => self.expr(&wait.value).kind,
            ast::Expr::Yield(given) => ExprKind::Yield(self.optional(given.value.as_deref())),
            ast::Expr::YieldFrom(given) => ExprKind::Yield(Some(self.boxed(&given.value))),
            ast::Expr::Slice(slice) => {
                let bounds = [&slice.lower, &slice.upper, &slice.step];
                for bound in bounds.into_iter().flatten() {
                    self.expr(bound);
                }
                ExprKind::Constant(if is_of_few(slice) { Literal::Few } else { Literal::Other })
            }
            ast::Expr::BooleanLiteral(literal) => {
                ExprKind::Constant(if literal.value { Literal::True } else { Literal::False })
            }
            ast::Expr::NumberLiteral(number) => ExprKind::Constant(match &number.value {
                ast::Number::Int(int) => int.as_u64().map_or(Literal::Other, Literal::Integer),
                _ => Literal::Other,
            }),
            ast::Expr::NoneLiteral(_) | ast::Expr::EllipsisLiteral(_) => {
                ExprKind::Constant(Literal::Other)
            }
            ast::Expr::BytesLiteral(bytes) => {
                let bytes: Vec<u8> = bytes.value.bytes().collect();
                self.text(std::str::from_utf8(&bytes).unwrap_or_default())
            }
            ast::Expr::IpyEscapeCommand(_) => ExprKind::Opaque,
        }
    }

    fn text(&mut self, text: &str) -> ExprKind {
        if text.len() > MAX_TEXT {
            return ExprKind::Text("".into(), Class::Plain);
        }
        let word = !text.is_empty() && text.len() <= 40 && !text.contains(char::is_whitespace);
        let class = if word { self.ident(&Name::new(text)).class } else { Class::Plain };
        ExprKind::Text(text.into(), class)
    }

    fn interpolated(&mut self, part: &ast::InterpolatedStringElement, parts: &mut Vec<Expr>) {
        match part {
            ast::InterpolatedStringElement::Literal(literal) => {
                let at = of_range(literal.range);
                let text: &str = if literal.value.len() > MAX_TEXT { "" } else { &literal.value };
                parts.push(Expr { kind: ExprKind::Text(text.into(), Class::Plain), span: at });
            }
            ast::InterpolatedStringElement::Interpolation(value) => {
                let inner = self.expr(&value.expression);
                let numeric = value.format_spec.as_ref().is_some_and(|spec| {
                    spec.elements.last().is_some_and(|last| match last {
                        ast::InterpolatedStringElement::Literal(text) => is_numeric(&text.value),
                        ast::InterpolatedStringElement::Interpolation(_) => false,
                    })
                });
                let at = inner.span;
                parts.push(if numeric {
                    Expr { kind: ExprKind::Numeric(Box::new(inner)), span: at }
                } else {
                    inner
                });
            }
        }
    }

    /// `a + b + c + …`, from the left and without recursion: such chains are as long as they are.
    fn operation(&mut self, expr: &ast::Expr) -> ExprKind {
        if hides(expr) {
            return ExprKind::Text("***".into(), Class::Plain);
        }
        let mut parts = Vec::new();
        let mut text = false;
        let mut template = false;
        let mut left = expr;
        while let ast::Expr::BinOp(operation) = left {
            let joins = matches!(
                operation.op,
                ast::Operator::Add
                    | ast::Operator::Mod
                    | ast::Operator::BitOr
                    | ast::Operator::Mult
            );
            text |= joins;
            template = operation.op == ast::Operator::Mod;
            let right = self.expr(&operation.right);
            // `"%s %s" % (a, b)`
            match right.kind {
                ExprKind::List(values) if operation.op == ast::Operator::Mod => {
                    parts.extend(values.into_iter().rev());
                }
                kind => parts.push(Expr { kind, span: right.span }),
            }
            left = &operation.left;
        }
        self.too_deep |= parts.len() > MAX_CHAIN;
        let mut first = self.expr(left);
        if template {
            as_template(&mut first);
        }
        parts.push(first);
        parts.reverse();
        if text {
            ExprKind::Join(parts)
        } else {
            let at = span(expr);
            ExprKind::Numeric(Box::new(Expr { kind: ExprKind::List(parts), span: at }))
        }
    }

    pub(super) fn call(&mut self, call: &ast::ExprCall) -> Call {
        let callee = self.expr(&call.func);
        let arguments = self.each(&call.arguments.args);
        self.address(&callee, arguments.first());
        self.asks |= matches!(&callee.kind, ExprKind::Name(name) if name.name == "input");
        if let (ExprKind::Attribute(base, method), Some(key)) = (&callee.kind, arguments.first())
            && matches!(
                method.name.as_str(),
                "get" | "pop" | "setdefault" | "getlist" | "add_argument" | "add_option"
            )
            && let ExprKind::Text(_, class) = &key.kind
        {
            self.item(base, *class);
            self.secret_option |= method.name.starts_with("add_") && is_secret(*class);
        }
        if let (ExprKind::Attribute(_, method), Some(key)) = (&callee.kind, arguments.first())
            && matches!(method.name.as_str(), "get" | "pop" | "setdefault")
        {
            self.key(key);
        }
        let keywords = call.arguments.keywords.iter().map(|keyword| {
            let name = keyword.arg.as_ref().map(|name| self.ident(&name.id));
            (name, self.expr(&keyword.value))
        });
        let keywords: Vec<_> = keywords.collect();
        self.sent_with(&callee, &keywords);
        let call = Call { callee, arguments, keywords };
        self.used_in_call(&call);
        call
    }

    fn comprehension(
        &mut self,
        generators: &[ast::Comprehension],
        key: Option<&ast::Expr>,
        element: &ast::Expr,
    ) -> ExprKind {
        let generators = generators.iter().map(|generator| Generator {
            target: self.expr(&generator.target),
            iterable: self.expr(&generator.iter),
            conditions: self.each(&generator.ifs),
        });
        let generators = generators.collect();
        let key = key.map(|key| self.expr(key));
        let element = self.expr(element);
        ExprKind::Comprehension(Box::new(Comprehension { generators, key, element }))
    }

    pub(super) fn parameters(&mut self, parameters: &ast::Parameters, function: &mut Function) {
        for parameter in parameters.iter_non_variadic_params() {
            function.parameters.push(Parameter {
                ident: self.ident(&parameter.parameter.name.id),
                hint: Self::hint(parameter.annotation()),
                default: parameter.default().map(|default| self.expr(default)),
            });
        }
        function.by_place = parameters.posonlyargs.len() + parameters.args.len();
        function.rest = parameters.vararg.as_ref().map(|rest| self.ident(&rest.name.id));
        function.keywords = parameters.kwarg.as_ref().map(|rest| self.ident(&rest.name.id));
    }
}

/// Whether a slice leaves a few of its base: `[:4]`, `[-4:]`.
fn is_of_few(slice: &ast::ExprSlice) -> bool {
    let few = |expr: &ast::Expr| match expr {
        ast::Expr::NumberLiteral(number) => {
            matches!(&number.value, ast::Number::Int(int) if int.as_u64().is_some_and(|int| int <= FEW))
        }
        _ => false,
    };
    match (slice.lower.as_deref(), slice.upper.as_deref()) {
        (None, Some(upper)) => few(upper),
        (Some(ast::Expr::UnaryOp(lower)), None) => {
            lower.op == ast::UnaryOp::USub && few(&lower.operand)
        }
        _ => false,
    }
}

/// Whether an option of this name takes a credential.
fn is_secret(class: Class) -> bool {
    matches!(class, Class::Sensitive(Label::Credential, Confidence::Medium | Confidence::High, _))
}

/// Whether a format writes numbers only: `d`, `,`, `.2f`.
pub(crate) fn is_numeric(format: &str) -> bool {
    format.ends_with(['d', 'f', 'F', 'e', 'E', 'g', 'G', 'n', '%', ',', 'b', 'o', 'x', 'X'])
}

/// `"*" * len(token)`, `len(token) * b"*"`
fn hides(expr: &ast::Expr) -> bool {
    let ast::Expr::BinOp(operation) = expr else { return false };
    let stars = |expr: &ast::Expr| match expr {
        ast::Expr::StringLiteral(text) => {
            let text = text.value.to_str();
            !text.is_empty() && text.chars().all(|letter| matches!(letter, '*' | '•' | 'x' | 'X'))
        }
        ast::Expr::BytesLiteral(text) => {
            !text.value.is_empty() && text.value.bytes().all(|byte| matches!(byte, b'*' | b'x'))
        }
        _ => false,
    };
    operation.op == ast::Operator::Mult && (stars(&operation.left) || stars(&operation.right))
}
