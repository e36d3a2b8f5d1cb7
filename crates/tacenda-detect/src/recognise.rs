//! What happens at a candidate position: one rule, one verdict.

use std::ops::Range;
use std::sync::OnceLock;

use crate::assignment::Assignment;
use crate::matchers::{
    assigned, free_text, header, home, inserted, jwt, media, pem, randomness, service, stand_in,
};
use crate::names::Matcher;
use crate::pattern::{Match, Pattern};
use crate::people::{self, value};
use crate::rule::{Recognise, Rule};
use crate::{boundary, identifier, validators};

/// What has matched for this long is a secret, although it goes on.
const ENDLESS: usize = 256;

/// The compiled patterns, each compiled when its first candidate turns up.
#[derive(Debug)]
pub(crate) struct Patterns {
    compiled: Vec<OnceLock<Option<Pattern>>>,
}

/// A place where a rule is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Site<'a> {
    /// A keyword of `width` bytes begins at `at`.
    Keyword { at: usize, width: usize },
    /// A key of the rule has this value.
    Value(&'a Assignment),
}

impl Patterns {
    pub(crate) fn new(count: usize) -> Self {
        Self { compiled: (0..count).map(|_| OnceLock::new()).collect() }
    }

    /// The value that `rule` (number `index`) recognises at `site`.
    pub(crate) fn recognise(
        &self,
        text: &[u8],
        index: usize,
        rule: &'static Rule,
        site: Site<'_>,
    ) -> Option<Range<usize>> {
        let range = match rule.recognise {
            Recognise::Pattern { source, group } => {
                self.pattern(text, index, rule, source, group, site)?
            }
            Recognise::Matcher(matcher) => matched(text, matcher, site)?,
            Recognise::Forms(forms) => match site {
                Site::Keyword { at, width } => identifier::behind(text, at + width, forms)?,
                Site::Value(found) => identifier::assigned(text, found, forms)?,
            },
        };
        if !meets(text, &range, rule) {
            return None;
        }
        let goes_on = matches!(rule.recognise, Recognise::Pattern { .. }) && range.len() >= ENDLESS;
        let end = if goes_on { end_of_run(text, range.end) } else { range.end };
        Some(range.start..end)
    }

    fn pattern(
        &self,
        text: &[u8],
        index: usize,
        rule: &Rule,
        source: &str,
        group: usize,
        site: Site<'_>,
    ) -> Option<Range<usize>> {
        let at = match site {
            Site::Keyword { at, .. } => at,
            Site::Value(found) => found.value.start,
        };
        let pattern = self.compiled[index].get_or_init(|| Pattern::new(source)).as_ref()?;
        // One byte more than the longest match: what follows decides whether the token ends there.
        let limit = text.len().min(at + rule.max_len + 1);
        let Match { whole, value } = pattern.at(text, at..limit, group)?;
        let cut =
            value.end == whole.end && value.len() < ENDLESS && !boundary::closes(text, whole.end);
        let token = &text[value.clone()];
        let real =
            !token.is_empty() && !stand_in::is_stand_in(token) && !stand_in::is_filled_up(token);
        (real && !cut).then_some(value)
    }
}

/// Whether the value at `range` passes the checks that `rule` declares.
pub(crate) fn meets(text: &[u8], range: &Range<usize>, rule: &Rule) -> bool {
    let value = &text[range.clone()];
    value.len() <= rule.max_len
        && rule.validator.is_none_or(|validator| validators::passes(validator, value))
        && (rule.min_entropy <= 0.0 || randomness::entropy(value) >= rule.min_entropy)
        && (rule.context.is_empty() || near_context(text, range.start, rule))
}

/// Where the run of letters, digits and the signs of tokens that is at `at` ends: a token that is longer
/// than its pattern knows does not leave its rest behind.
fn end_of_run(text: &[u8], at: usize) -> usize {
    const LONGEST: usize = 8 * 1024;
    if boundary::closes(text, at) {
        return at;
    }
    let goes_on = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(byte);
    at + text[at..].iter().take(LONGEST).take_while(goes_on).count()
}

fn matched(text: &[u8], matcher: Matcher, site: Site<'_>) -> Option<Range<usize>> {
    match site {
        Site::Keyword { at, width } => match matcher {
            Matcher::Jwt => jwt::at(text, at),
            Matcher::Bearer => header::bearer(text, at, width),
            Matcher::Basic => header::basic(text, at, width),
            Matcher::PrivateKey => pem::at(text, at),
            Matcher::NearService => service::near(text, at, width),
            Matcher::AfterWords => service::after_words(text, at, width),
            Matcher::Inserted => inserted::secret(text, at, width),
            Matcher::HomeDirectory => home::user(text, at),
            Matcher::PostBox => people::address::post_box(text, at, width),
            Matcher::DataUrl => media::data_url(text, at),
            Matcher::Base64Media => media::base64(text, at),
            _ => None,
        },
        Site::Value(found) => match matcher {
            Matcher::Assigned => assigned::any(text, found),
            Matcher::AssignedRandom => assigned::random(text, found),
            Matcher::QueryValue => assigned::query(text, found),
            Matcher::QueryRandom => assigned::query_random(text, found),
            Matcher::Authorization => header::authorization(text, found),
            Matcher::Cookie => header::cookie(text, found),
            Matcher::SetCookie => header::set_cookie(text, found),
            Matcher::PersonValue => value::person(text, found),
            Matcher::KnownPerson => value::known(text, found),
            Matcher::UserName => value::user(text, found),
            Matcher::AddressValue => value::street(text, found),
            Matcher::Prompt => free_text::named(text, found),
            Matcher::ChatPrompt => free_text::said(text, found, free_text::Speaker::User),
            Matcher::ChatCompletion => free_text::said(text, found, free_text::Speaker::Model),
            _ => None,
        },
    }
}

fn near_context(text: &[u8], at: usize, rule: &Rule) -> bool {
    const LOOK_BACK: usize = 64;
    let before = &text[at.saturating_sub(LOOK_BACK)..at];
    rule.context.iter().any(|word| {
        before.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    })
}
