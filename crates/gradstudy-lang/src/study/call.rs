//! One call alone, as the command line takes it: `power_law(tail: top(500))`.

use super::arguments::{Given, Scope};
use super::names::Names;
use crate::syntax::ast::ExprKind;
use crate::syntax::{Diagnostic, Diagnostics, Source, Sources, Span, parse_value};
use gradstudy_base::signature::{Call, Signature};

/// The call that `source` holds, of one of `signatures`, checked like a statement's; `what` names such a thing. The
/// settings `without` (what a statement would refer to) are neither asked for nor taken.
///
/// # Errors
/// Text that is no call, an unknown name or setting, a value of another type or out of its bounds.
pub fn call(
    source: &Source,
    signatures: &[&'static Signature],
    what: &str,
    without: &[&str],
) -> Result<Call, Diagnostics> {
    let (mut names, mut diagnostics) = (Names::default(), Vec::new());
    let mut scope = Scope {
        names: &mut names,
        diagnostics: &mut diagnostics,
    };
    let found = match parse_value(&source.text) {
        Some(expr) if matches!(expr.kind, ExprKind::Word(_) | ExprKind::Call { .. }) => {
            scope.lone_call(&Given::of(&expr), signatures, what, without)
        }
        _ => {
            let end = source.text.len();
            let message = format!("`{}` is no {what}", source.text);
            let help = "write `NAME` or `NAME(setting: value, …)`";
            let place = Span { start: 0, end };
            scope.say(Diagnostic::error("E0307", message, place, "not a call").help(help));
            None
        }
    };
    match found {
        Some(call) if diagnostics.is_empty() => Ok(call),
        _ => Err(Diagnostics::new(&Sources::of(source), diagnostics)),
    }
}

impl Scope<'_> {
    fn lone_call(
        &mut self,
        given: &Given,
        signatures: &[&'static Signature],
        what: &str,
        without: &[&str],
    ) -> Option<Call> {
        let signature = self.find(given, signatures, what)?;
        let params: Vec<_> = signature
            .params
            .iter()
            .filter(|param| !without.contains(&param.name))
            .collect();
        let owner = format!("`{}`", signature.name);
        let bound = self.bind_to(&given.arguments, &params, given.span, &owner)?;
        Some(Call {
            name: signature.name.to_string(),
            args: bound.args,
        })
    }
}
