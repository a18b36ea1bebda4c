//! pgfplots files compile, by themselves and by `\input`, with pdfTeX and LuaTeX.

use std::path::Path;
use std::process::Command;

use gradstudy::figures::documents;
use gradstudy::report::latex;

use super::samples::figures;
use crate::support::tools;

fn compile(engine: &str, directory: &Path, document: &str) {
    let output = Command::new(engine)
        .args(["-interaction=nonstopmode", "-halt-on-error", document])
        .current_dir(directory)
        .output()
        .expect("starts");
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{engine} {document}:\n{log}");
    for complaint in [
        "Dimension too large",
        "Package pgfplots Warning",
        "Missing character",
    ] {
        assert!(
            !log.contains(complaint),
            "{engine} {document}: {complaint}\n{log}"
        );
    }
}

#[test]
fn every_figure_compiles_by_itself_and_by_input() {
    let engines = tools::latex();
    if engines.is_empty() {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    // The barest document that figures can be put into.
    let mut article =
        "\\documentclass{article}\n\\usepackage{pgfplots}\n\\pgfplotsset{compat=1.16}\n\\begin{document}\n"
            .to_string();
    let mut documents_to_compile = Vec::new();
    for figure in figures() {
        let stem = latex::label(&figure.name);
        for (ending, contents) in documents(&figure).expect("draws").files {
            if ending.ends_with(".tex") {
                std::fs::write(path.join(format!("{stem}{ending}")), contents).expect("writable");
            }
        }
        documents_to_compile.push(format!("{stem}-standalone.tex"));
        article += &format!("\\begin{{figure}}\\centering\\input{{{stem}}}\\end{{figure}}\\clearpage\n");
        // As the argument of another macro, which fixes the meaning of line ends.
        article += &format!("\\fbox{{\\input{{{stem}}}}}\\clearpage\n");
    }
    std::fs::write(path.join("article.tex"), article + "\\end{document}\n").expect("writable");
    documents_to_compile.push("article.tex".into());
    for engine in engines {
        for document in &documents_to_compile {
            // LuaTeX is slow to start: the document that has all, and the one with the worst text.
            if engine == "pdflatex" || document == "article.tex" || document.starts_with("awkward") {
                compile(engine, path, document);
            }
        }
    }
    if let Ok(kept) = std::env::var("GRADSTUDY_KEEP_PDF") {
        for entry in std::fs::read_dir(path).expect("there").flatten() {
            std::fs::copy(entry.path(), Path::new(&kept).join(entry.file_name())).expect("copies");
        }
    }
}
