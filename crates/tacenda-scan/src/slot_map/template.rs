//! What messages are made of: text that stands in the code, and values.

use ruff_python_ast as ast;
use tacenda_detect::Engine;

use super::call::span;
use crate::ir::Span;

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that stands in the code.
    Text(String),
    /// A value.
    Value(Span),
    /// Text in which a detector finds something. It is no template's, and no map shows it.
    Hidden,
}

/// Whether an expression is a text, put together or not.
pub(super) fn is_text(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::StringLiteral(_) | ast::Expr::FString(_) => true,
        ast::Expr::BinOp(operation) => {
            matches!(operation.op, ast::Operator::Add | ast::Operator::Mod)
                && (is_text(&operation.left) || is_text(&operation.right))
        }
        ast::Expr::Call(call) => formatted(call).is_some(),
        _ => false,
    }
}

/// What the message of a call is made of. Loggers with `{}` templates have made their text of the
/// values when the record comes.
pub(super) fn message(
    text: &ast::Expr,
    values: &[ast::Expr],
    keywords: &[ast::Keyword],
) -> Vec<Part> {
    let mut parts = Vec::new();
    if let ast::Expr::StringLiteral(literal) = text
        && (!values.is_empty() || !keywords.is_empty())
        && let Some(pieces) = braces(literal.value.to_str(), values, keywords)
    {
        parts = pieces;
    } else {
        gather(text, &mut parts);
    }
    joined(parts)
}

fn gather(expr: &ast::Expr, parts: &mut Vec<Part>) {
    match expr {
        ast::Expr::StringLiteral(literal) => parts.push(Part::Text(literal.value.to_str().into())),
        ast::Expr::FString(text) => {
            for part in &text.value {
                match part {
                    ast::FStringPart::Literal(literal) => {
                        parts.push(Part::Text(literal.value.to_string()));
                    }
                    ast::FStringPart::FString(text) => {
                        parts.extend(text.elements.iter().map(interpolated));
                    }
                }
            }
        }
        ast::Expr::BinOp(operation) if operation.op == ast::Operator::Add && is_text(expr) => {
            gather(&operation.left, parts);
            gather(&operation.right, parts);
        }
        ast::Expr::BinOp(operation) if operation.op == ast::Operator::Mod => {
            match percents(operation) {
                Some(pieces) => parts.extend(pieces),
                None => parts.push(Part::Value(span(expr))),
            }
        }
        ast::Expr::Call(call) => {
            let pieces = formatted(call).and_then(|template| {
                braces(template, &call.arguments.args, &call.arguments.keywords)
            });
            match pieces {
                Some(pieces) => parts.extend(pieces),
                None => parts.push(Part::Value(span(expr))),
            }
        }
        _ => parts.push(Part::Value(span(expr))),
    }
}

fn interpolated(element: &ast::InterpolatedStringElement) -> Part {
    match element {
        ast::InterpolatedStringElement::Literal(literal) => Part::Text(literal.value.to_string()),
        ast::InterpolatedStringElement::Interpolation(value) => {
            Part::Value(span(&*value.expression))
        }
    }
}

/// The template of `"…".format(…)`.
fn formatted(call: &ast::ExprCall) -> Option<&str> {
    match &*call.func {
        ast::Expr::Attribute(attribute) if attribute.attr.as_str() == "format" => {
            match &*attribute.value {
                ast::Expr::StringLiteral(template) => Some(template.value.to_str()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `"%s: %d" % (name, size)`. Nothing if it cannot be told which value goes where.
fn percents(operation: &ast::ExprBinOp) -> Option<Vec<Part>> {
    let ast::Expr::StringLiteral(template) = &*operation.left else { return None };
    let values = match &*operation.right {
        ast::Expr::Tuple(tuple) => tuple.elts.iter().map(span).collect(),
        value => vec![span(value)],
    };
    let mut values = values.into_iter();
    let mut parts = Vec::new();
    let mut rest = template.value.to_str();
    while let Some((before, after)) = rest.split_once('%') {
        parts.push(Part::Text(before.to_owned()));
        if let Some(after) = after.strip_prefix('%') {
            parts.push(Part::Text("%".to_owned()));
            rest = after;
            continue;
        }
        let plain = |letter: char| letter.is_ascii_digit() || "-+ #.".contains(letter);
        let end = after.find(|letter| !plain(letter))?;
        let letter = after[end..].chars().next().filter(char::is_ascii_alphabetic)?;
        parts.push(Part::Value(values.next()?));
        rest = &after[end + letter.len_utf8()..];
    }
    parts.push(Part::Text(rest.to_owned()));
    values.next().is_none().then_some(parts)
}

/// A `{}` template with its values. Nothing if it has no fields, or it cannot be told which value
/// goes where.
fn braces(template: &str, values: &[ast::Expr], keywords: &[ast::Keyword]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let (mut rest, mut next) = (template, 0);
    let mut fields = false;
    let plain = values.iter().position(ast::Expr::is_starred_expr).unwrap_or(values.len());
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        let (brace, after) = after.split_at(1);
        parts.push(Part::Text(before.to_owned()));
        if let Some(after) = after.strip_prefix(brace) {
            parts.push(Part::Text(brace.to_owned()));
            rest = after;
            continue;
        }
        let (field, after) = after.split_at_checked(closing(after)?).filter(|_| brace == "{")?;
        let name = field.split([':', '!', '.', '[', '{']).next().unwrap_or_default();
        let is_name = |name: &str| name.chars().all(|one| one.is_alphanumeric() || one == '_');
        let starred = || values.iter().find(|value| value.is_starred_expr());
        let at = |place: usize| values[..plain].get(place).or_else(starred);
        let value = if name.is_empty() {
            next += 1;
            at(next - 1)
        } else if let Ok(place) = name.parse::<usize>() {
            at(place)
        } else {
            let named = |keyword: &&ast::Keyword| {
                keyword.arg.as_ref().is_some_and(|one| one.as_str() == name)
            };
            // It is a member of `**fields`.
            let members = || keywords.iter().find(|keyword| keyword.arg.is_none() && is_name(name));
            keywords.iter().find(named).or_else(members).map(|keyword| &keyword.value)
        };
        // Widths without a name take the next value as well.
        next += field.matches("{}").count();
        let (value, after) = (value?, &after[1..]);
        parts.push(Part::Value(span(value)));
        fields = true;
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    fields.then_some(parts)
}

/// Where the field of a template ends that begins here.
fn closing(field: &str) -> Option<usize> {
    let mut depth = 0_usize;
    field.find(|letter| match letter {
        '{' => {
            depth += 1;
            false
        }
        '}' if depth > 0 => {
            depth -= 1;
            false
        }
        letter => letter == '}',
    })
}

/// The parts with texts that stand beside each other in one, and without what a detector finds.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut texts: Vec<Part> = Vec::new();
    for part in parts {
        match (texts.last_mut(), part) {
            (_, Part::Text(text)) if text.is_empty() => {}
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => texts.push(part),
        }
    }
    texts.into_iter().flat_map(shown).collect()
}

fn shown(part: Part) -> Vec<Part> {
    let Part::Text(text) = part else { return vec![part] };
    let mut spans = Vec::new();
    Engine::builtin().scan(text.as_bytes(), &mut spans);
    if spans.is_empty() {
        return vec![Part::Text(text)];
    }
    spans.sort_by_key(|span| span.start);
    let mut parts = Vec::new();
    let mut at = 0;
    for span in spans {
        match text.get(at..span.start) {
            Some("") | None => {}
            Some(before) => parts.push(Part::Text(before.to_owned())),
        }
        parts.push(Part::Hidden);
        at = at.max(span.end);
    }
    parts
        .extend(text.get(at..).filter(|rest| !rest.is_empty()).map(|rest| Part::Text(rest.into())));
    parts
}

#[cfg(test)]
mod tests {
    use ruff_python_parser::parse_expression;

    use super::*;

    /// The parts of the message of a call: texts as they are, values as their source in `<>`.
    fn parts(call: &str) -> String {
        let parsed = parse_expression(call).unwrap();
        let ast::Expr::Call(written) = parsed.expr() else { panic!("{call}") };
        let arguments = &written.arguments;
        let (text, values) = arguments.args.split_first().unwrap();
        let shown = |part: Part| match part {
            Part::Text(text) => text,
            Part::Value(Span { start, end }) => {
                format!("<{}>", &call[start as usize..end as usize])
            }
            Part::Hidden => "***".to_owned(),
        };
        message(text, values, &arguments.keywords).into_iter().map(shown).collect()
    }

    #[test]
    fn messages_are_texts_and_values() {
        for (call, expected) in [
            ("log('a %s', b)", "a %s"),
            ("log(f'a {b!r:>9} {{c}}' 'd')", "a <b> {c}d"),
            ("log('a ' + b + f' {c}')", "a <b> <c>"),
            ("log('%s: %-5.2f%%' % (a, b))", "<a>: <b>%"),
            ("log('%s' % a)", "<a>"),
            ("log('%(x)s' % a)", "<'%(x)s' % a>"),
            ("log('{} {1} {x.y} {{}}'.format(a, b, x=c))", "<a> <b> <c> {}"),
            ("log('{}'.format(*a))", "<*a>"),
            ("log('{} {} {n}'.format(a, *b, **c))", "<a> <*b> <c>"),
            ("log('50% {a!r:>{w}} {{', a=b, w=c)", "50% <b> {"),
            ("log('{:>{}} {}', a, b, c)", "<a> <c>"),
            ("log('a {b}', **c)", "a <c>"),
            ("log('{\"a\": %s}', b, **c)", "{\"a\": %s}"),
            ("log('{a', a=b)", "{a"),
            ("log('a {b} %s', c)", "a {b} %s"),
            ("log('a {} {b:>5}', c, b=d)", "a <c> <d>"),
            ("log('a {b}')", "a {b}"),
            ("log(a)", "<a>"),
            ("log('mail ines.moreau@example.org ' + a)", "mail *** <a>"),
        ] {
            assert_eq!(parts(call), expected, "{call}");
        }
    }
}
