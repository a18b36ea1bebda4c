//! The names that a study defines: one namespace for all kinds.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::arguments::Scope;
use super::paths::Folders;
use super::{statements, suggest, values};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::{Diagnostic, Lost, Span, ast::Statement, reserved};

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Declared {
    /// The keyword that defines it.
    pub keyword: String,
    pub span: Span,
    /// Its statement cannot be read or is unknown: nothing more is said about uses of it.
    pub lost: bool,
}

/// Names by the order of the text, and which of them were used.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub map: IndexMap<String, Declared>,
    pub used: HashSet<String>,
    /// Where the texts lie that the names stand in.
    pub folders: Folders,
}

impl Names {
    /// Collects the names of all statements; a second definition is an error.
    pub fn collect(statements: &[Statement], lost: &[Lost], diagnostics: &mut Vec<Diagnostic>) -> Names {
        let mut names = Names::default();
        for lost in lost {
            let declared = Declared {
                keyword: lost.keyword.clone(),
                span: lost.name.span,
                lost: true,
            };
            names.map.entry(lost.name.value.clone()).or_insert(declared);
        }
        for statement in statements {
            // Profiles are named on the command line only.
            let profile = statement.keyword.value == statements::PROFILE;
            let Some(name) = statement.name.as_ref().filter(|_| !profile) else {
                continue;
            };
            let keyword = statement.keyword.value.clone();
            let lost = statements::find(&keyword).is_none();
            // Wherever such a name stood, it would be read as the value.
            if ["true", "false"].contains(&name.value.as_str()) {
                diagnostics.push(reserved(name));
            }
            let declared = Declared {
                keyword,
                span: name.span,
                lost,
            };
            if let Some(first) = names.map.get(&name.value) {
                let message = format!("`{}` is defined twice", name.value);
                let other = format!("first defined here, as {}", first.keyword);
                diagnostics.push(
                    Diagnostic::error("E0204", message, name.span, "defined again")
                        .label(first.span, other)
                        .help("all statements of a study share one set of names; rename one of the two"),
                );
                continue;
            }
            names.map.insert(name.value.clone(), declared);
        }
        names
    }
}

impl Scope<'_> {
    /// The name that `expr` gives of a statement of one of `kinds`. `what` is the setting that asks for it.
    pub fn reference(&mut self, expr: &Expr, kinds: &[&str], what: &str) -> Option<String> {
        let wanted = kinds.join(" or ");
        let ExprKind::Word(name) = &expr.kind else {
            let help = match &expr.kind {
                ExprKind::Call { name, .. } => {
                    let keyword = kinds.first().unwrap_or(&"data");
                    let call = &name.value;
                    format!(
                        "name it in a statement, `{keyword} some_name = {call}(…)`, and write that name here"
                    )
                }
                _ => format!("write the name of a `{wanted}` statement, without quotes"),
            };
            let message = format!("{what} takes the name of a {wanted}");
            let diagnostic = Diagnostic::error("E0307", message, expr.span, "not a name");
            self.say(values::at(diagnostic, expr).help(help));
            return None;
        };
        let fits = |declared: &Declared| kinds.contains(&declared.keyword.as_str());
        let candidates = self.names.map.iter().filter(|(_, declared)| fits(declared));
        let help = suggest::help(name, &wanted, candidates.map(|(name, _)| name.as_str()));
        let diagnostic = match self.names.map.get(name) {
            None => {
                let message = format!("there is no {wanted} called `{name}`");
                Diagnostic::error("E0310", message, expr.span, "not defined in this study")
            }
            Some(declared) => {
                self.names.used.insert(name.clone());
                if declared.lost {
                    return None;
                }
                if fits(declared) {
                    return Some(name.clone());
                }
                let message = format!("`{name}` is a {}, {what} takes a {wanted}", declared.keyword);
                Diagnostic::error("E0311", message, expr.span, format!("not a {wanted}"))
                    .label(declared.span, "defined here")
            }
        };
        self.say(values::at(diagnostic, expr).help(help));
        None
    }
}
