//! The JSON Schema of the policy file, for editors and for checks outside.

use serde_json::{Map, Value as Json, json};

use crate::{
    Action, Class, Kind, Setting, allow,
    environment::BUILT_IN,
    value::{EnvironmentName, Value as _},
};

/// The JSON Schema (draft 2020-12) of `tacenda.toml` and of `[tool.tacenda]` in `pyproject.toml`.
pub fn json_schema() -> Json {
    let mut root = sections();
    root.insert("environment".to_owned(), described(Setting::Environment));
    root.insert(
        "environments".to_owned(),
        json!({
            "additionalProperties": { "$ref": "#/$defs/environment" },
            "description": "What differs in an environment.",
            "propertyNames": EnvironmentName::schema(),
            "type": "object",
        }),
    );
    let mut environment = sections();
    environment.insert(
        "extends".to_owned(),
        with_description(
            EnvironmentName::schema(),
            &format!(
                "The environment whose section holds where this one says nothing: {} or one with a \
                 section.",
                BUILT_IN.iter().map(|b| format!("`{}`", b.name)).collect::<Vec<_>>().join(", ")
            ),
        ),
    );
    sorted(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tacenda policy",
        "description": "The policy of Tacenda: tacenda.toml, or [tool.tacenda] in pyproject.toml.",
        "$defs": {
            "action": choice(Action::ALL.iter().map(|a| (a.name(), a.description()))),
            "class": choice(Class::ALL.iter().map(|c| (c.name(), c.description()))),
            "environment": object(&environment),
        },
        "additionalProperties": false,
        "properties": root,
        "type": "object",
    }))
}

/// What may stand both at the top level and in an environment.
fn sections() -> Map<String, Json> {
    let kinds = || Kind::ALL.iter().map(|kind| (kind.name(), kind.description()));
    let classes = Class::ALL.iter().map(|class| (class.name(), class.description()));
    let mut sections = Map::new();
    let table = object(&references(kinds(), "#/$defs/class"));
    sections.insert("classes".to_owned(), with_description(table, "The class of a kind."));
    let table = object(&references(kinds().chain(classes), "#/$defs/action"));
    let description = "What happens to values of a kind, or of every kind of a class.";
    sections.insert("actions".to_owned(), with_description(table, description));
    sections.insert("allow".to_owned(), allow());
    for section in Setting::sections() {
        let properties = Setting::of_section(section)
            .map(|setting| (setting.section_and_key().1.to_owned(), described(setting)));
        sections.insert(section.to_owned(), object(&properties.collect()));
    }
    sections
}

fn allow() -> Json {
    let text = json!({ "minLength": 1, "type": "string" });
    let list = json!({ "items": text, "type": "array" });
    let field = |&(name, _, about): &(&str, &str, &str)| {
        let schema = match name {
            "protected" => json!({ "type": "boolean" }),
            "detectors" => list.clone(),
            "kinds" => json!({ "items": { "enum": Kind::NAMES }, "type": "array" }),
            "value" => {
                json!({ "pattern": "^sha256:[0-9a-f]{16,128}:[0-9a-f]{64}$", "type": "string" })
            }
            _ => text.clone(),
        };
        (name.to_owned(), with_description(schema, about))
    };
    let mut entry = object(&allow::FIELDS.iter().map(field).collect());
    entry["required"] = json!(["reason"]);
    let one = |name: &str| json!({ "required": [name] });
    entry["anyOf"] = ["value", "regex", "key", "path"].map(one).to_vec().into();
    let description = "Values that are written as they are although a detector finds them.";
    with_description(json!({ "items": entry, "type": "array" }), description)
}

fn described(setting: Setting) -> Json {
    with_description(setting.schema(), setting.description())
}

fn object(properties: &Map<String, Json>) -> Json {
    json!({ "additionalProperties": false, "properties": properties, "type": "object" })
}

fn references<'n>(
    names: impl Iterator<Item = (&'n str, &'n str)>,
    target: &str,
) -> Map<String, Json> {
    let reference = |description| json!({ "$ref": target, "description": description });
    names.map(|(name, description)| (name.to_owned(), reference(description))).collect()
}

fn choice<'n>(names: impl Iterator<Item = (&'n str, &'n str)>) -> Json {
    let one = |(name, description)| json!({ "const": name, "description": description });
    json!({ "oneOf": names.map(one).collect::<Vec<_>>() })
}

fn with_description(mut schema: Json, description: &str) -> Json {
    schema["description"] = description.into();
    schema
}

/// Keys in order, whether or not another crate of the build asks `serde_json` to keep the order of
/// insertion: the generated file must not depend on it.
pub(crate) fn sorted(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}
