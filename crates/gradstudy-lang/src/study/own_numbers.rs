//! A `record` of the user's own numbers in a file: what must hold of the file and of what is made of it.

use super::case::Places;
use super::{Case, Vocabulary};
use crate::syntax::{Diagnostic, Span};
use gradstudy_arrays::text::settings::{DECIMAL, HEADER, INDEX, SEPARATOR};
use gradstudy_base::signature::{Default, Param, ParamType, Signature, Value};

/// `file("grads.npy", array: "g", iterations: rows)`
pub static FILE: Signature = Signature {
    name: "file",
    summary: "a history of your own, from an array in a file: gradients of PyTorch or JAX, or any other numbers",
    params: &[
        Param {
            name: "path",
            ty: ParamType::Path,
            default: Default::Required,
            doc: "a .npy, .npz, .safetensors, .pt (.pth, .bin, .ckpt), .arrow (.feather, .ipc) or .parquet file, or a table in \
                  text (.csv, .tsv, .txt, .dat, .data; packed by gzip or not); relative to the folder of the study",
        },
        Param {
            name: "array",
            ty: ParamType::Text,
            default: Default::Absent,
            doc: "the array, in a file of several",
        },
        Param {
            name: "iterations",
            ty: ParamType::Word(&["rows", "columns"]),
            default: Default::Text("rows"),
            doc: "what an iteration is: a row of the array (G as [T, n]) or a column of it ([n, T])",
        },
        HEADER,
        INDEX,
        SEPARATOR,
        DECIMAL,
    ],
    version: 2,
};

/// n and T of the record `name`, if it is of a file that can be read.
pub(super) fn sizes(case: &Case, name: &str, vocabulary: &Vocabulary) -> Option<(u64, u64)> {
    vocabulary.facts.array(&case.arrays.get(name)?.call)?.ok()
}

/// Says how a file was read where that was decided.
pub(super) fn remarks(remarks: Vec<String>, span: Span, diagnostics: &mut Vec<Diagnostic>) {
    if remarks.is_empty() {
        return;
    }
    let help = "settings say it without a warning (`header`, `index`, `separator`, `decimal`); `allow: [W0107]` in the \
                `study` statement silences it";
    diagnostics.push(Diagnostic::warning("W0107", remarks.join("; "), span, "this file").help(help));
}

/// Files that cannot be read, and settings of spectra that need a network.
pub(super) fn check(
    case: &Case,
    places: &Places,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (name, array) in &case.arrays {
        if let (Some(place), Some(Err((message, help)))) =
            (places.get(name), vocabulary.facts.array(&array.call))
        {
            let span = place.of("path");
            diagnostics.push(Diagnostic::error("E0508", message, span, "this file").help(help));
        }
        if let Some(place) = places.get(name) {
            remarks(
                vocabulary.facts.array_remarks(&array.call),
                place.of("path"),
                diagnostics,
            );
        }
    }
    for (name, spectrum) in &case.spectra {
        let args = &spectrum.call.args;
        let (Some(place), Some(Value::Text(of))) = (places.get(name), args.get("of")) else {
            continue;
        };
        if !case.arrays.contains_key(of) {
            continue;
        }
        let mut refuse = |span: Span, what: &str, help: &str| {
            let message = format!("`{of}` is numbers of a file, which have no {what}");
            diagnostics.push(Diagnostic::error("E0512", message, span, "cannot be had").help(help));
        };
        if args.get("layers").is_some() {
            let help = "leave `layers` out, or write the part to a file of its own";
            refuse(place.of("layers"), "layers", help);
        }
        if matches!(args.get("centre"), Some(Value::Text(centre)) if centre == "full_batch") {
            let help = "take `centre: history`, the mean of the iterations";
            refuse(place.of("centre"), "full-batch gradient", help);
        }
    }
}
