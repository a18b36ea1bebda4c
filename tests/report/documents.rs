//! Whole reports: what is written, templates of the user's, LaTeX that compiles.

use super::*;

fn report(tables: &[Table]) -> Report<'_> {
    const TIMINGS: &[Timing] = &[];
    Report {
        title: "100 % of *B_1*",
        tables,
        provenance: json!({"gradstudy": "0.1.0", "seeds": [0, 1], "data": {"mnist": "sha256:ab|cd"}}),
        timings: TIMINGS,
        figures: &[],
        warnings: &[],
        study: "",
        resolved: "",
    }
}

#[test]
fn all_documents_are_written_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let target = directory.path().join("reports/table1");
    let tables = [table(&run("a"), &table1())];
    let timings = [Timing {
        step: "ab12".into(),
        what: "record g".into(),
        seconds: 61.0,
        reused: true,
        peak_memory: Some(1_500_000_000),
    }];
    let report = Report {
        timings: &timings,
        ..report(&tables)
    };
    let written = write_all(&target, &report, &Templates::embedded()).expect("writes");
    let names = |paths: Vec<std::path::PathBuf>| {
        let mut names: Vec<String> = paths
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_string()))
            .collect();
        names.sort();
        names
    };
    let there = std::fs::read_dir(&target)
        .expect("made")
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert_eq!(names(there), names(written));
    let csv = std::fs::read_to_string(target.join("table1.csv")).expect("written");
    insta::assert_snapshot!(csv);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(target.join("table1.json")).expect("written")).expect("JSON");
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["rows"][0]["cells"][0]["paper"], 0.0355);
    let text = std::fs::read_to_string(target.join("report.md")).expect("written");
    insta::assert_snapshot!(text);
    // The same input gives the same bytes.
    let again = directory.path().join("again");
    write_all(&again, &report, &Templates::embedded()).expect("writes");
    assert_eq!(
        std::fs::read_to_string(again.join("report.md")).expect("written"),
        text
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("taken");
    std::fs::write(&file, "a file").expect("writable");
    let error =
        write_all(&file.join("run"), &report(&[]), &Templates::embedded()).expect_err("a file is in the way");
    assert!(error.to_string().contains("taken"), "{error}");
    let help = miette::Diagnostic::help(&error)
        .expect("has a remedy")
        .to_string();
    assert!(
        help.contains("taken") && help.contains("running again writes only the report"),
        "{help}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    // Writing to this device always fails with "no space left".
    let full = std::fs::write("/dev/full", "x").expect_err("full");
    let error = ReportError::Write {
        path: "reports/x/report.md".into(),
        source: full,
    };
    assert!(
        error
            .to_string()
            .starts_with("cannot write reports/x/report.md: No space left"),
        "{error}"
    );
    assert!(
        miette::Diagnostic::help(&error)
            .expect("has a remedy")
            .to_string()
            .starts_with("free space")
    );
}

#[test]
fn a_template_of_the_user_takes_the_place_of_ours() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("table.md.jinja"), "{% include 'part.jinja' %}\n").expect("writable");
    std::fs::write(
        path("part.jinja"),
        "{{ table.name }}: {{ table.data[0].cells[0].value.mean }}",
    )
    .expect("writable");
    let templates = Templates::overridden_by(directory.path()).expect("replaces one");
    let table = table(&one_seed(run("a")), &table1());
    assert_eq!(
        templates.table_markdown(&table).expect("renders"),
        "table1: 0.0247"
    );
    // Not replaced, so ours.
    assert!(
        templates
            .table_latex(&table)
            .expect("renders")
            .contains(r"\toprule")
    );
}

#[test]
fn an_error_in_a_template_names_file_and_line() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broken = directory.path().join("table.md.jinja");
    let table = table(&run("a"), &table1());
    for (text, line, message) in [
        ("fine\n{{ table.nmae }}\n", 2, "undefined"),
        ("fine\nfine\n{% for %}\n", 3, "syntax error"),
        ("{% include 'gone.jinja' %}", 1, "gone.jinja"),
    ] {
        std::fs::write(&broken, text).expect("writable");
        let error = Templates::overridden_by(directory.path())
            .expect("replaces one")
            .table_markdown(&table);
        let ReportError::Template {
            name,
            line: found,
            message: said,
        } = error.expect_err("broken")
        else {
            panic!("another error");
        };
        assert_eq!((Path::new(&name), found), (broken.as_path(), Some(line)));
        assert!(said.contains(message), "{said}");
    }
    let missing = Templates::overridden_by(Path::new("/nowhere")).expect_err("not there");
    assert_eq!(missing.to_string(), "no directory of templates at /nowhere");
}

/// Compiles a document, quietly; the log if that fails.
pub fn compile(engine: &str, directory: &Path, document: &str) -> Result<(), String> {
    let output = Command::new(engine)
        .args(["-interaction=nonstopmode", "-halt-on-error", document])
        .current_dir(directory)
        .output()
        .map_err(|error| error.to_string())?;
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && !log.contains("Missing character") {
        Ok(())
    } else {
        Err(log)
    }
}

/// Every character that means something to TeX, and some that fonts lack.
pub const AWKWARD: &str =
    "50 % of a_b & #c ~ ^d \\e {f} $g$ [h] *i* <j> |k| \"l\" `m` -- é Ş Ą β ≥ 中 🙂\n\nend";

#[test]
fn latex_compiles_by_itself_and_by_input() {
    let engines = tools::latex();
    if engines.is_empty() {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut awkward = run("a");
    for measurement in &mut awkward.measurements {
        measurement.subject.dataset = format!("[{AWKWARD}");
        measurement.levels = vec![(
            AWKWARD.into(),
            format!("* {} {AWKWARD}", measurement.subject.training),
        )];
    }
    let every_column = TableSpec {
        name: "every_%column".into(),
        columns: gradstudy::report::COLUMNS
            .iter()
            .map(|column| column.name.to_string())
            .collect(),
        rows: words(&["dataset", "model", "batch", AWKWARD, "sg_type"]),
        spread: gradstudy::study::Spread::Ci95,
        caption: Some(AWKWARD.into()),
        ..table1()
    };
    let one = one_seed(run("b"));
    let tables = [
        table(&run("a"), &table1()),
        table(
            &one,
            &TableSpec {
                name: "plain".into(),
                mirrors: None,
                ..table1()
            },
        ),
        tabulate(&awkward, &every_column, &words(&[AWKWARD])).expect("tabulates"),
    ];
    let written = write_all(directory.path(), &report(&tables), &Templates::embedded()).expect("writes");
    let mut compiled = 0;
    for path in written
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "tex"))
    {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let document = match name.ends_with("-standalone.tex") {
            true => name.to_string(),
            false if name == "report.tex" => name.to_string(),
            // The barest document that a table can be put into: no font packages, no encoding.
            false => {
                let wrapper = format!("input-{name}");
                let text = format!(
                    "\\documentclass{{article}}\n\\usepackage{{booktabs,siunitx}}\n\\begin{{document}}\n\
                     \\input{{{name}}}\n\\end{{document}}\n"
                );
                std::fs::write(directory.path().join(&wrapper), text).expect("writable");
                wrapper
            }
        };
        for &engine in &engines {
            if let Err(log) = compile(engine, directory.path(), &document) {
                panic!(
                    "{document} does not compile with {engine}:\n{log}\n{}",
                    std::fs::read_to_string(path).unwrap_or_default()
                );
            }
        }
        compiled += 1;
    }
    assert_eq!(compiled, 7);
    if let Ok(kept) = std::env::var("GRADSTUDY_KEEP_PDF") {
        for entry in std::fs::read_dir(directory.path()).expect("there").flatten() {
            std::fs::copy(entry.path(), Path::new(&kept).join(entry.file_name())).expect("copies");
        }
    }
}

/// Chinese, Japanese and Korean in captions and cells are set by LuaLaTeX, in the report and in a table of its own, and as
/// code points by pdfLaTeX.
#[test]
fn chinese_japanese_and_korean_are_set_by_lualatex() {
    let engines = tools::latex();
    if engines.is_empty() {
        return;
    }
    let found = Command::new("kpsewhich").arg("FandolSong-Regular.otf").output();
    if !found.is_ok_and(|output| output.status.success()) {
        tools::lacks(
            "latex",
            "TeX has no FandolSong-Regular.otf (texlive-lang-chinese)",
        );
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let caption = "Noise (标签噪声), $\\alpha$, 温，度";
    let spec = TableSpec {
        caption: Some(caption.into()),
        ..table1()
    };
    let tables = [table(&run("a"), &spec)];
    write_all(directory.path(), &report(&tables), &Templates::embedded()).expect("writes");
    for document in ["report", &format!("{}-standalone", spec.name)] {
        for &engine in &engines {
            let file = format!("{document}.tex");
            if let Err(log) = compile(engine, directory.path(), &file) {
                panic!("{file} does not compile with {engine}:\n{log}");
            }
            let log =
                std::fs::read_to_string(directory.path().join(format!("{document}.log"))).expect("a log");
            let set = log.replace('\n', "").contains("FandolSong-Regular.otf>");
            assert_eq!(set, engine == "lualatex", "{file}, {engine}: {log}");
        }
    }
    let text = std::fs::read_to_string(directory.path().join(format!("{}.tex", spec.name))).expect("a table");
    assert!(
        text.contains(r"\cjktext{标签噪声}\else\texttt{U+6807 U+7B7E U+566A U+58F0}\fi"),
        "{text}"
    );
}
