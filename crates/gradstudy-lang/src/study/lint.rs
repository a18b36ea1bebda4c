//! Warnings: a study that runs, but says less than its author may think.

use super::Case;
use super::case::Places;
use super::names::Names;
use super::shape::Item;
use crate::syntax::Diagnostic;
use gradstudy_base::signature::Value;

/// Below about 50 points the KS test hardly ever tells a power law from other heavy tails, and the exponent is
/// biased (Clauset, Shalizi, Newman 2009, section 3.3 and figure 4.2).
const SMALL_TAIL: i64 = 50;

/// Weak tests of one case.
pub(super) fn case(case: &Case, places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    for (name, test) in &case.tests {
        if let Some(Value::Call(tail)) = test.call.args.get("tail")
            && tail.name == "scan"
            && let Some(place) = places.get(name)
        {
            let message = "a scanned tail passes d_c far too easily";
            let label = "x_min is chosen to make d_ks least";
            let help = "under a power law d_ks stays below 0.78/√n_tail in 95 % of samples, and d_c is 1.36/√n_tail at \
                        that level; take a verdict from `top(1000)`, the paper's rule";
            diagnostics.push(Diagnostic::warning("W0105", message, place.of("tail"), label).help(help));
        }
        if let Some(Value::Call(tail)) = test.call.args.get("tail")
            && let Some(Value::Integer(k)) = tail.args.get("k")
            && *k < SMALL_TAIL
            && let Some(place) = places.get(name)
        {
            let message = format!("a tail of {k} points can hardly reject a power law");
            let help = format!("take {SMALL_TAIL} points or more; the paper takes 1000");
            diagnostics
                .push(Diagnostic::warning("W0103", message, place.of("tail"), "few points").help(help));
        }
    }
}

/// What is defined and not used, and what is computed and not shown.
pub(super) fn study(names: &Names, items: &[Item], cases: &[Case], diagnostics: &mut Vec<Diagnostic>) {
    let kept = |name: &str| {
        cases
            .iter()
            .any(|case| case.records.get(name).is_some_and(|record| record.keep))
    };
    let first = |keyword: &str| items.iter().find(|item| item.kind.block.name == keyword);
    // What nothing could be made of later in the study is there to be exported.
    let last = |later: &[&str]| later.iter().all(|keyword| first(keyword).is_none());
    for (name, declared) in &names.map {
        if names.used.contains(name) || declared.lost {
            continue;
        }
        let warning = |code, message, help: &str| {
            Diagnostic::warning(code, message, declared.span, "not used").help(help)
        };
        match declared.keyword.as_str() {
            "vary" => diagnostics.push(warning(
                "W0102",
                format!("factor `{name}` changes nothing: no statement uses it"),
                "put its name where its levels should stand, or remove it",
            )),
            "record" if kept(name) || last(&["spectrum", "test", "figure"]) => {}
            "model" if last(&["train", "record", "spectrum"]) => {}
            "train" if last(&["record", "spectrum"]) => {}
            "spectrum" if last(&["test", "figure"]) => {}
            keyword @ ("let" | "data" | "model" | "train" | "record" | "spectrum") => {
                diagnostics.push(warning(
                    "W0101",
                    format!("{keyword} `{name}` is not used"),
                    "refer to it, or remove it",
                ))
            }
            _ => {}
        }
    }
    if let (Some(test), None) = (first("test"), first("table").or(first("figure"))) {
        let help = "add `table results { of: […]  rows: […]  columns: […] }`";
        let message = "the study tests, but shows no table";
        diagnostics
            .push(Diagnostic::warning("W0104", message, test.statement.head(), "not shown").help(help));
    }
}
