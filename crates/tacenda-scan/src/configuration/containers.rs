//! How programs are started: Dockerfiles, Compose files, Kubernetes manifests, Procfiles.

use std::ops::Range;

use super::Hits;
use super::model::MODEL;
use super::tree::{Node, yaml};
use super::words::{Word, commands};

/// A Compose file or a Kubernetes manifest. Tells whether the document is one of them.
pub(super) fn document(text: &str, node: &Node, hits: &mut Hits) -> bool {
    if node.get("apiVersion").is_some() && node.get("kind").is_some() {
        pods(text, node, 0, hits);
        return true;
    }
    let services = node.get("services").map(Node::entries).unwrap_or_default();
    let is_service = |service: &Node| {
        service.get("image").is_some()
            || service.get("build").is_some()
            || service.get("command").is_some()
    };
    if services.is_empty()
        || !services.iter().all(|(_, service)| service.is_map())
        || !services.iter().any(|(_, service)| is_service(service))
    {
        return false;
    }
    for (_, service) in services {
        let mut words = Vec::new();
        for name in ["entrypoint", "command"] {
            if let Some(command) = service.get(name) {
                started(text, command, &mut words, hits);
            }
        }
        MODEL.command(&words, hits);
        let environment = service.get("environment");
        for (name, value) in environment.map(Node::entries).unwrap_or_default() {
            if let (Some(name), Some(value_text)) = (name.text(), value.text()) {
                MODEL.variable(name, value_text, &value.place, hits);
            }
        }
        for one in environment.map(Node::items).unwrap_or_default() {
            if let Some((name, value)) = one.text().and_then(|text| text.split_once('=')) {
                MODEL.variable(name, value, &one.place, hits);
            }
        }
    }
    true
}

/// The containers of a manifest, wherever its kind has them.
fn pods(text: &str, node: &Node, depth: usize, hits: &mut Hits) {
    if depth > 12 {
        return;
    }
    for (name, value) in node.entries() {
        if matches!(name.text(), Some("containers" | "initContainers")) {
            for container in value.items() {
                self::container(text, container, hits);
            }
        } else {
            pods(text, value, depth + 1, hits);
        }
    }
    for item in node.items() {
        pods(text, item, depth + 1, hits);
    }
}

fn container(text: &str, container: &Node, hits: &mut Hits) {
    let mut words = Vec::new();
    for name in ["command", "args"] {
        if let Some(command) = container.get(name) {
            started(text, command, &mut words, hits);
        }
    }
    MODEL.command(&words, hits);
    for variable in container.get("env").map(Node::items).unwrap_or_default() {
        let part = |name| variable.get(name).and_then(|node| Some((node.text()?, &node.place)));
        if let (Some((name, _)), Some((value, place))) = (part("name"), part("value")) {
            MODEL.variable(name, value, place, hits);
        }
    }
}

/// Adds the words of a command, which is a list of them or a text. Of a text with several commands
/// all but the last are looked at by themselves.
fn started(text: &str, node: &Node, words: &mut Vec<Word>, hits: &mut Hits) {
    for item in node.items() {
        if let Some(text) = item.text() {
            words.push(Word { text: text.to_owned(), place: item.place.clone() });
        }
    }
    if let Some(command) = node.text() {
        // Where it is written as it reads, words have places of their own.
        let plain = text.get(node.place.clone()) == Some(command);
        let whole = (!plain).then_some(&node.place);
        let mut all = commands(command, node.place.start, whole);
        words.extend(all.pop().unwrap_or_default());
        for command in all {
            MODEL.command(&command, hits);
        }
    }
}

/// A Dockerfile: what its last stage, and those that it is made from, say.
pub(super) fn dockerfile(text: &str, hits: &mut Hits) {
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for (instruction, arguments, start) in instructions(text) {
        match (instruction.to_ascii_uppercase().as_str(), stages.last_mut()) {
            ("FROM", _) => {
                let words: Vec<&str> =
                    arguments.split_whitespace().filter(|word| !word.starts_with("--")).collect();
                let name = match words[..] {
                    [_, keyword, name] if keyword.eq_ignore_ascii_case("as") => Some(name),
                    _ => None,
                };
                stages.push(Stage { from: words.first().copied(), name, ..Stage::default() });
            }
            ("ENV", Some(stage)) => stage.variables.push((arguments, start)),
            ("CMD", Some(stage)) => stage.command = Some((arguments, start)),
            ("ENTRYPOINT", Some(stage)) => stage.entrypoint = Some((arguments, start)),
            _ => {}
        }
    }
    let Some(last) = stages.pop() else { return };
    let mut from = last.from;
    let mut chain = vec![last];
    while let Some(at) = stages.iter().rposition(|stage| stage.name.is_some() && stage.name == from)
    {
        let stage = stages.swap_remove(at);
        stages.truncate(at);
        from = stage.from;
        chain.push(stage);
    }
    for (arguments, start) in chain.iter().flat_map(|stage| &stage.variables) {
        environment(arguments, *start, hits);
    }
    let entrypoint = chain.iter().find_map(|stage| stage.entrypoint);
    let command = chain.iter().find_map(|stage| stage.command);
    let mut words = Vec::new();
    for (arguments, start) in entrypoint.into_iter().chain(command) {
        let mut all = exec(arguments, start).unwrap_or_else(|| commands(arguments, start, None));
        words.extend(all.pop().unwrap_or_default());
        for command in all {
            MODEL.command(&command, hits);
        }
    }
    MODEL.command(&words, hits);
}

#[derive(Default)]
struct Stage<'t> {
    from: Option<&'t str>,
    name: Option<&'t str>,
    variables: Vec<(&'t str, usize)>,
    entrypoint: Option<(&'t str, usize)>,
    command: Option<(&'t str, usize)>,
}

/// The instructions of a Dockerfile: the word, what follows it, and where that begins.
fn instructions(text: &str) -> Vec<(&str, &str, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let at = start;
        start += line.len();
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let mut last = line;
        // Comments and empty lines do not end what goes on.
        while last.trim_end().ends_with('\\') || last.trim_start().starts_with('#') {
            let Some(next) = lines.next() else { break };
            start += next.len();
            last = next;
        }
        let whole = text[at..start].trim_end();
        let indent = whole.len() - whole.trim_start().len();
        let word = whole.split_whitespace().next().unwrap_or_default();
        let rest = &whole[indent + word.len()..];
        let space = rest.len() - rest.trim_start().len();
        found.push((word, rest.trim_start(), at + indent + word.len() + space));
    }
    found
}

/// `["program", "argument"]`
fn exec(arguments: &str, start: usize) -> Option<Vec<Vec<Word>>> {
    if !arguments.starts_with('[') {
        return None;
    }
    // Lines that go on are one; places stay what they were.
    let joined = arguments.replace("\\\n", "  ").replace("\\\r\n", "   ");
    let list = yaml(&joined).ok()?.into_iter().next()?;
    let word = |item: &Node| {
        let place = start + item.place.start..start + item.place.end;
        Some(Word { text: item.text()?.to_owned(), place })
    };
    Some(vec![list.items().iter().filter_map(word).collect()])
}

/// `ENV NAME=value NAME=value` or `ENV NAME value`.
fn environment(arguments: &str, start: usize, hits: &mut Hits) {
    let words: Vec<Word> = commands(arguments, start, None).into_iter().flatten().collect();
    if words.first().is_some_and(|word| !word.text.contains('='))
        && let Some((name, value)) = arguments.split_once(char::is_whitespace)
    {
        let place: Range<usize> = start..start + arguments.len();
        MODEL.variable(name, value, &place, hits);
        return;
    }
    for word in words {
        if let Some((name, value)) = word.text.split_once('=') {
            MODEL.variable(name, value, &word.place, hits);
        }
    }
}

/// A Procfile: `web: command` a line.
pub(super) fn procfile(text: &str, hits: &mut Hits) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((name, command)) = line.split_once(':')
            && !line.trim_start().starts_with('#')
        {
            for command in commands(command, start + name.len() + 1, None) {
                MODEL.command(&command, hits);
            }
        }
        start += line.len();
    }
}
