//! The words of a shell command, each with its place.

use std::ops::Range;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

/// The commands in a text that begins at `start` of the file: its words between `&&`, `||`, `|`, `;`
/// and ends of lines. With `whole`, the place of each word is that of the whole text: where it is
/// written in another way than it reads.
pub(super) fn commands(text: &str, start: usize, whole: Option<&Range<usize>>) -> Vec<Vec<Word>> {
    let mut commands = vec![Vec::new()];
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\n' | ';' | '&' | '|' => commands.push(Vec::new()),
            letter if letter.is_whitespace() => {}
            // The rest of a line that is a comment.
            '#' => while letters.next_if(|(_, letter)| *letter != '\n').is_some() {},
            first => {
                let mut word = String::new();
                let mut quote = None;
                let mut next = Some(first);
                while let Some(letter) = next {
                    match (quote, letter) {
                        (None, '\'' | '"') => quote = Some(letter),
                        (Some(open), letter) if open == letter => quote = None,
                        (None | Some('"'), '\\') => {
                            // An end of line that is escaped is none.
                            word.extend(
                                letters.next().map(|(_, letter)| letter).filter(|one| *one != '\n'),
                            );
                        }
                        (_, letter) => word.push(letter),
                    }
                    let goes_on = |(_, letter): &(usize, char)| {
                        quote.is_some()
                            || !letter.is_whitespace() && !matches!(letter, ';' | '&' | '|')
                    };
                    next = letters.next_if(goes_on).map(|(_, letter)| letter);
                }
                let end = letters.peek().map_or(text.len(), |(at, _)| *at);
                let place = whole.cloned().unwrap_or(start + at..start + end);
                if !word.is_empty() {
                    commands.last_mut().expect("never empty").push(Word { text: word, place });
                }
            }
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let words = |command: Vec<Word>| command.into_iter().map(|word| word.text).collect();
        commands(text, 0, None).into_iter().map(words).collect()
    }

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(texts("a 'b c' \"d \\\" e\" f\\ g"), [["a", "b c", "d \" e", "f g"]]);
        assert_eq!(texts("a && b; c | d"), [["a"], ["b"], ["c"], ["d"]]);
        assert_eq!(texts("a \\\n  b # c\nd"), vec![vec!["a", "b"], vec!["d"]]);
        assert_eq!(texts("a='x;y' z"), [["a=x;y", "z"]]);
        assert!(texts("' ").len() <= 1);
        let text = "run  --log-level  'DEBUG'";
        let word = &commands(text, 100, None)[0][2];
        assert_eq!(&text[word.place.start - 100..word.place.end - 100], "'DEBUG'");
    }
}
