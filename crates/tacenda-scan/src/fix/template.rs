//! What message templates do with their arguments: whether another object may stand there.

/// Whether the argument of this place of a `%` or `{}` template is written as a text.
pub(super) fn writes_text(template: &str, place: usize) -> bool {
    match conversions(template) {
        Some(conversions) if !conversions.is_empty() => {
            conversions.get(place).is_some_and(|one| is_text(*one))
        }
        Some(_) => template.contains('{') && fields_write_text(template),
        None => false,
    }
}

/// Whether a `%` template takes one value, by its place, and writes it as a text.
pub(super) fn takes_one_text(template: &str) -> bool {
    conversions(template).is_some_and(|all| all.len() == 1 && is_text(all[0]))
}

/// Whether every conversion of a `%` template with names writes a text.
pub(super) fn names_write_text(template: &str) -> bool {
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('%') {
        if let Some(after) = after.strip_prefix('%') {
            rest = after;
            continue;
        }
        let Some((_, after)) = after.strip_prefix('(').and_then(|after| after.split_once(')'))
        else {
            return false;
        };
        let end = after.find(|letter: char| letter.is_ascii_alphabetic());
        let Some(letter) = end.and_then(|end| after[end..].chars().next()) else { return false };
        if !is_text(letter) {
            return false;
        }
        rest = &after[end.unwrap_or(0)..];
    }
    true
}

const fn is_text(conversion: char) -> bool {
    matches!(conversion, 's' | 'r' | 'a')
}

/// The letters of the conversions of a `%` template, in order. Nothing if they take their values by
/// name or their widths from the arguments.
pub(super) fn conversions(template: &str) -> Option<Vec<char>> {
    let mut found = Vec::new();
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            continue;
        }
        if letters.next_if_eq(&'%').is_some() {
            continue;
        }
        loop {
            match letters.next()? {
                '(' | '*' => return None,
                letter if letter.is_ascii_digit() || "-+ #.hlL".contains(letter) => {}
                letter => {
                    found.push(letter);
                    break;
                }
            }
        }
    }
    Some(found)
}

/// Whether every field of a `{}` template writes its value as a text, and nothing of it.
pub(super) fn fields_write_text(template: &str) -> bool {
    let plain = template.replace("{{", "").replace("}}", "");
    let mut rest = plain.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        let Some((field, after)) = after.split_once('}') else { return false };
        let (name, format) = field.split_once(':').unwrap_or((field, ""));
        let name = name.split('!').next().unwrap_or(name);
        if !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
            || !is_text_format(format)
        {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether a format is one that a text takes: `>20`, `.40`, `s`.
pub(super) fn is_text_format(format: &str) -> bool {
    let format = format.strip_suffix('s').unwrap_or(format);
    let format = format.trim_start_matches(['<', '>', '^']);
    format.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_templates_are_told_apart() {
        for (template, place, text) in [
            ("%s and %s", 1, true),
            ("%d and %s", 0, false),
            ("100%% of %-10.3s", 0, true),
            ("%s", 1, false),
            ("no hole", 0, false),
            ("%(name)s", 0, false),
            ("%*d %s", 1, false),
            ("{} and {:>10}", 1, true),
            ("{0.name}", 0, false),
            ("{:,}", 0, false),
            ("{{}}", 0, true),
            ("%", 0, false),
        ] {
            assert_eq!(writes_text(template, place), text, "{template}");
        }
        assert!(takes_one_text("a %r") && !takes_one_text("a %s %s"));
        assert!(names_write_text("%(a)s %% %(b)r") && !names_write_text("%(a)d"));
        assert!(is_text_format("") && is_text_format("<20.5s") && !is_text_format("%Y"));
    }
}
