//! What the registries say of a word, as Markdown.

use crate::report::{COLUMNS, ROW_KEYS};
use crate::signature::{Default, Param, ParamType, Signature};
use crate::study::statements::StatementKind;
use crate::study::{codes, describe_type};

/// What holds when a setting is not written: `default 10`, `required` or `optional`.
pub fn default(param: &Param) -> String {
    match param.default {
        Default::Required => "required".to_string(),
        Default::Absent => "optional".to_string(),
        Default::Text(text) => format!("default `{text}`"),
    }
}

/// A setting: type, default, meaning.
pub fn param(param: &Param) -> String {
    let ty = match param.ty {
        // Its words come from elsewhere.
        ParamType::List(ParamType::Word([])) => "a list of words".to_string(),
        _ => describe_type(&param.ty),
    };
    let mut text = format!("**`{}`**: {ty}; {}\n\n{}", param.name, default(param), param.doc);
    for signature in nested(&param.ty) {
        text.push_str(&format!("\n- `{}`: {}", usage(signature), signature.summary));
    }
    text
}

/// A built-in and its settings.
pub fn signature(signature: &Signature) -> String {
    let mut text = format!("**`{}`**: {}\n", usage(signature), signature.summary);
    settings(&mut text, signature.params);
    text
}

/// A statement and the settings of its block.
pub fn statement(kind: &StatementKind) -> String {
    let mut text = format!(
        "**`{}`**: {}\n\n```study\n{}\n```\n",
        kind.block.name, kind.block.summary, kind.example
    );
    settings(&mut text, kind.block.params);
    text
}

fn settings(text: &mut String, params: &[Param]) {
    for param in params {
        text.push_str(&format!(
            "\n- `{}` ({}): {}",
            param.name,
            default(param),
            param.doc
        ));
    }
}

/// `top(k)`; `factor at milestones` for what is written between its sides.
pub fn usage(signature: &Signature) -> String {
    let params: Vec<&str> = signature.params.iter().map(|param| param.name).collect();
    match (signature.name, params.as_slice()) {
        ("at", [left, right]) => format!("{left} at [{right}]"),
        (name, []) => name.to_string(),
        (name, params) => format!("{name}({})", params.join(", ")),
    }
}

/// What a column of a table shows.
pub fn column(name: &str) -> Option<String> {
    let column = COLUMNS.iter().find(|column| column.name == name)?;
    Some(format!(
        "**`{name}`** (column {}): {}",
        column.heading, column.summary
    ))
}

/// What a row key tells apart.
pub fn row_key(name: &str) -> Option<String> {
    let key = ROW_KEYS.iter().find(|key| key.name == name)?;
    Some(format!("**`{name}`** (row key {}): {}", key.heading, key.summary))
}

/// What a code means.
pub fn code(name: &str) -> Option<String> {
    let code = codes::find(name)?;
    Some(format!(
        "**`{}`**: {}\n\n{}",
        code.code, code.title, code.explanation
    ))
}

/// The calls that a type takes.
pub fn nested(ty: &ParamType) -> &'static [&'static Signature] {
    match ty {
        ParamType::Call(signatures) => signatures,
        ParamType::List(inner) => nested(inner),
        _ => &[],
    }
}
