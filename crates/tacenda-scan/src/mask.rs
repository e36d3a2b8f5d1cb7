//! Source text as a report may show it: with its literals and comments hidden.

use ruff_python_ast::PySourceType;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::Ranged;
use tacenda_detect::Engine;

use crate::label::Label;
use crate::lexicon::Class;
use crate::lower::is_too_deep;
use crate::model::Models;
use crate::scan::STACK;

/// The text without comments and with its literals hidden, but for keys and for message texts in
/// which no detector finds anything. Places stay what they were: each byte is replaced by one.
pub(crate) fn masked(text: &str, syntax: PySourceType, models: &Models) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut spans = Vec::new();
    Engine::builtin().scan(text.as_bytes(), &mut spans);
    for span in &spans {
        fill(&mut bytes, span.start, span.end, b'*');
    }
    // Parsing goes as deep as the code does.
    let tokens = std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(STACK);
        parser.spawn_scoped(scope, || tokens(text, syntax)).ok()?.join().ok()
    });
    match tokens {
        Some(tokens) => hide_literals(text, &tokens, models, &mut bytes),
        None => fill(&mut bytes, 0, text.len(), b'*'),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

type Token = (TokenKind, usize, usize);

fn tokens(text: &str, syntax: PySourceType) -> Vec<Token> {
    let parsed = parse_unchecked_source(text, syntax);
    let token = |token: &ruff_python_ast::token::Token| {
        (token.kind(), token.range().start().to_usize(), token.range().end().to_usize())
    };
    let tokens = parsed.tokens().iter().map(token).collect();
    if is_too_deep(parsed.suite()) {
        std::mem::forget(parsed);
    }
    tokens
}

fn fill(bytes: &mut [u8], start: usize, end: usize, with: u8) {
    for byte in bytes.iter_mut().take(end).skip(start) {
        if !matches!(*byte, b'\n' | b'\r') {
            *byte = with;
        }
    }
}

/// A bracket that is open.
#[derive(Clone, Copy, Default)]
struct Open<'t> {
    kind: Option<TokenKind>,
    /// What is called or looked into, if that has a name.
    name: Option<&'t str>,
    /// Whether a credential was named, and how many commas later that is forgotten.
    credential: Option<u8>,
}

fn hide_literals(text: &str, tokens: &[Token], models: &Models, bytes: &mut [u8]) {
    let mut open = vec![Open::default()];
    let mut before = TokenKind::Newline;
    let mut name = None;
    for (at, &(kind, start, end)) in tokens.iter().enumerate() {
        let word = text.get(start..end).unwrap_or_default();
        let next = tokens.get(at + 1).map_or(TokenKind::EndOfFile, |one| one.0);
        let here = *open.last().unwrap_or(&Open::default());
        let mut named = None;
        match kind {
            TokenKind::Comment => fill(bytes, start + 1, end, b' '),
            // What is handed to a shell, say.
            TokenKind::IpyEscapeCommand => fill(bytes, start, end, b'*'),
            TokenKind::Newline | TokenKind::Semi => open = vec![Open::default()],
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                let credential = here.credential.map(|_| u8::MAX);
                open.push(Open { kind: Some(kind), name, credential });
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if open.len() > 1 => {
                open.pop();
            }
            TokenKind::Name => {
                name_credential(&mut open, word, models);
                named = Some(word);
            }
            TokenKind::Equal | TokenKind::Colon | TokenKind::EqEqual => {
                if let Some(Open { credential: Some(commas), .. }) = open.last_mut() {
                    *commas = 0;
                }
            }
            TokenKind::Comma => {
                if let Some(Open { credential, .. }) = open.last_mut() {
                    *credential = credential.and_then(|commas| commas.checked_sub(1));
                }
            }
            TokenKind::Int | TokenKind::Float if here.credential.is_some() && end - start > 3 => {
                fill(bytes, start, end, b'*');
            }
            TokenKind::FStringMiddle | TokenKind::TStringMiddle
                if here.credential.is_some() || !is_said(word) =>
            {
                fill(bytes, start, end, b'*');
            }
            TokenKind::String => {
                let (front, back) = quotes(word);
                let inside = word.get(front..word.len() - back).unwrap_or_default();
                if !is_shown(inside, here, (before, next), models) {
                    fill(bytes, start + front, end - back, b'*');
                }
                if is_key(inside) {
                    name_credential(&mut open, inside, models);
                }
            }
            _ => {}
        }
        name = named;
        before = kind;
    }
}

/// Notes that a credential is named where what follows may be its value.
fn name_credential(open: &mut [Open<'_>], name: &str, models: &Models) {
    if matches!(models.classify(name), Class::Sensitive(Label::Credential, ..))
        && let Some(here) = open.last_mut()
    {
        here.credential = Some(here.credential.unwrap_or(0).max(1));
    }
}

/// How long the prefix with the opening quotes of a string is, and its closing quotes.
fn quotes(word: &str) -> (usize, usize) {
    let prefix = word.find(['"', '\'']).unwrap_or(0);
    let body = &word[prefix..];
    let long = body.starts_with("\"\"\"") || body.starts_with("'''");
    let width = if long { 3 } else { 1 };
    let closed = body.len() >= 2 * width && body.ends_with(&body[..width]);
    (prefix + width.min(body.len()), if closed { width } else { 0 })
}

fn is_shown(
    inside: &str,
    here: Open<'_>,
    (before, next): (TokenKind, TokenKind),
    models: &Models,
) -> bool {
    let key = is_key(inside)
        && match here.kind {
            Some(TokenKind::Lsqb) => {
                here.name.is_some() && before == TokenKind::Lsqb && next == TokenKind::Rsqb
            }
            Some(TokenKind::Lbrace) => next == TokenKind::Colon,
            Some(TokenKind::Lpar) => here.name.is_some_and(|name| {
                matches!(name, "get" | "getenv" | "pop" | "setdefault") && before == TokenKind::Lpar
                    || name == "getattr" && before == TokenKind::Comma
            }),
            _ => false,
        };
    if key {
        return true;
    }
    if here.credential.is_some() {
        return false;
    }
    let template = inside.contains(['%', '{']);
    let written = here.name.is_some_and(|name| models.may_write(name));
    (template || written) && is_said(inside)
}

/// Whether it is written like a key: `api_key`, `x-token`.
fn is_key(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
}

/// Whether a piece of a message is words, or what stands between its holes.
fn is_said(text: &str) -> bool {
    text.contains(char::is_whitespace)
        || !text.contains(char::is_alphanumeric)
        || text.strip_suffix([':', '=']).is_some_and(is_key)
        || text.contains(['%', '{']) && text.chars().filter(|one| one.is_alphanumeric()).count() < 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_hidden_and_places_stay() {
        for (text, expected) in [
            ("password = 'violet heron'\n", "password = '************'\n"),
            ("connect(host='a', api_key=\"k1\")", "connect(host='*', api_key=\"**\")"),
            ("d = {'token': 'a c', 'page': 'x'}", "d = {'token': '***', 'page': '*'}"),
            ("log.info('password: %s', p)", "log.info('password: %s', p)"),
            ("log.info(f'{user}: asked {p}')", "log.info(f'{user}: asked {p}')"),
            ("password: str = 'a b'", "password: str = '***'"),
            ("password = ('a b' 'c d')", "password = ('***' '***')"),
            ("password = '''a\nb'''", "password = '''*\n*'''"),
            ("password = x or b'a %s'", "password = x or b'****'"),
            ("password = wrap(f'a {x} b')", "password = wrap(f'**{x}**')"),
            ("pin_code = 12345", "pin_code = *****"),
            ("login('bob', 'heron 9')", "login('***', '*******')"),
            ("url = f'https://bob:heron@{host}'", "url = f'******************{host}'"),
            ("x = 1  # heron", "x = 1  #      "),
            ("key = os.environ['HF_TOKEN']", "key = os.environ['HF_TOKEN']"),
            ("d['password'] = 'heron %s'", "d['password'] = '********'"),
            ("password = 'heron", "password = '*****"),
        ] {
            assert_eq!(masked(text, PySourceType::Python, Models::builtin()), expected);
        }
    }
}
