//! Values that stand behind their names: `{header}: {value}`.

use crate::ir::{Expr, ExprKind};
use crate::label::Label;
use crate::lexicon::{Class, words};

/// What a value is that stands behind what its name is kept in, with no more than a mark between:
/// a header, a cookie, a variable of the environment.
pub(super) fn behind_its_name(name: &Expr, between: &str, value: &Expr) -> Option<Label> {
    let mark = between.trim_matches([' ', '\'', '"', '`']);
    let (ExprKind::Name(name), ExprKind::Name(value)) = (&name.kind, &value.kind) else {
        return None;
    };
    if !matches!(mark, "=" | ":") || !matches!(value.class, Class::Plain) || value.name.len() < 3 {
        return None;
    }
    let of_name = words(&name.name);
    let of_value = words(&value.name);
    let value = of_value.iter().any(|word| matches!(word.as_str(), "value" | "val"));
    let has = |what: &str| of_name.iter().any(|word| word == what);
    match () {
        () if !value => None,
        () if has("header") => Some(Label::Headers),
        () if has("cookie") || has("env") || has("envvar") => Some(Label::Credential),
        () => None,
    }
}
