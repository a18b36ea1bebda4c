//! The HTML report: one file that loads nothing, safe from what a study says, readable on a phone and on paper.

#[path = "html/browser.rs"]
mod browser;

use std::collections::HashSet;
use std::path::PathBuf;

use gradstudy::figures::documents;
use gradstudy::report::{Drawing, Report, ReportError, Table, Templates, Timing, tabulate, write_all};
use gradstudy::results::Results;
use gradstudy::study::TableSpec;
use resvg::usvg::roxmltree::Document;
use serde_json::{Value, json};

use crate::figures::samples::{AWKWARD, figures};

fn tables(title: &str) -> Vec<Table> {
    let path = format!("{}/tests/cases/runs/a/results.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let results: Results = serde_yaml::from_str(&text).expect(&path);
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    let spec = TableSpec {
        name: "table1".into(),
        of: words(&["ks", "normal"]),
        rows: words(&["dataset", "model", "training", "batch", "sg_type"]),
        columns: words(&["d_ks", "d_c", "power_law_rate", "p_value", "gaussian_rate"]),
        mirrors: Some(1),
        caption: Some(title.into()),
        spread: Default::default(),
        headings: Default::default(),
        definitions: true,
    };
    let other = TableSpec {
        name: "50%".into(),
        mirrors: None,
        ..spec.clone()
    };
    let conventions = words(&[
        "KS distance: left ECDF; not rejected when d_ks < d_c = 1.36/√K.",
        title,
    ]);
    [spec, other]
        .iter()
        .map(|spec| tabulate(&results, spec, &conventions).expect("tabulates"))
        .collect()
}

fn provenance() -> Value {
    json!({
        "gradstudy": "0.1.0",
        "command": "gradstudy run 'studies/a <b>.study' --set g.batch=10",
        "device": {"class": "cpu", "name": "Intel(R) Xeon(R), 2 threads"},
        "seeds": [0, 1, 2],
        "data": [{"name": "MNIST", "digest": "c8a09b5d4fa0e5a90ad6d8953931a4a1a96c1d299217579d5bbf2ee464681356",
                  "normalisation": {"scheme": "global", "mean": 0.1306604762738429}}],
        "trainings": {"pretrained: LeNet on MNIST, seed 0": {"epochs": 50, "losses": vec![0.29; 50], "note": null}},
        "times": {"started": "2026-11-23T14:36:26+00:00", "seconds": 242.9},
    })
}

fn timings(count: usize) -> Vec<Timing> {
    let timing = |index: usize| Timing {
        step: format!("{index:010x}"),
        what: format!("record g gradients, MNIST, random LeNet, B = 100, T = 5000, seed {index}"),
        seconds: 0.1 + 7.0 * index as f64,
        reused: index.is_multiple_of(3),
        peak_memory: Some(1_500_000_000),
    };
    (0..count).map(timing).collect()
}

struct Parts {
    tables: Vec<Table>,
    drawings: Vec<Drawing>,
    timings: Vec<Timing>,
    warnings: Vec<String>,
}

impl Parts {
    fn new() -> Self {
        Parts {
            tables: tables(AWKWARD),
            drawings: figures()
                .iter()
                .map(|figure| documents(figure).expect("draws"))
                .collect(),
            timings: timings(40),
            warnings: vec![format!("W0501: {AWKWARD}")],
        }
    }

    fn report(&self) -> Report<'_> {
        Report {
            title: "Gradients of LeNet on MNIST & <CIFAR-10>",
            tables: &self.tables,
            figures: &self.drawings,
            warnings: &self.warnings,
            provenance: provenance(),
            timings: &self.timings,
            study: "study \"</pre><script>alert(1)</script>\" { seeds: 0 }\n",
            resolved: "title: a <b>\nseeds:\n- 0\n",
        }
    }
}

fn parse(html: &str) -> Document<'_> {
    let options = resvg::usvg::roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    Document::parse_with_options(html, options)
        .unwrap_or_else(|error| panic!("not well-formed: {error}\n{html}"))
}

#[test]
fn the_page_is_well_formed_and_loads_nothing() {
    let parts = Parts::new();
    let html = Templates::embedded()
        .report_html(&parts.report())
        .expect("renders");
    let page = parse(&html);
    let elements: Vec<_> = page.descendants().filter(|node| node.is_element()).collect();
    for element in &elements {
        let name = element.tag_name().name();
        assert!(
            !["script", "img", "iframe", "object", "embed"].contains(&name),
            "<{name}>"
        );
        for attribute in element.attributes() {
            assert!(
                !attribute.name().starts_with("on") && attribute.name() != "src",
                "{}",
                attribute.name()
            );
        }
    }
    let style = elements
        .iter()
        .find(|it| it.has_tag_name(("http://www.w3.org/1999/xhtml", "style")))
        .expect("styled");
    let css = style.text().expect("inside");
    assert!(
        !css.contains("url(") && !css.contains("@import"),
        "styles load something"
    );
    assert_eq!(
        elements.iter().filter(|it| it.tag_name().name() == "svg").count(),
        parts.drawings.len()
    );
    // Text of the study is text, not markup.
    let text: String = page
        .descendants()
        .filter(|it| it.is_text())
        .filter_map(|it| it.text())
        .collect();
    for written in [
        parts.report().title,
        parts.report().study.trim(),
        "a <b>",
        "dks < dc = 1.36/√K",
    ] {
        assert!(text.contains(written), "{written} is not shown");
    }
    for wanted in ["0.0248 ± 0.0001", "(0.0355)", "4 min 03 s", "50 values", "reused"] {
        assert!(text.contains(wanted), "{wanted} is not shown");
    }
}

/// Targets of links: within the page and beside it.
fn links(html: &str) -> (HashSet<String>, HashSet<String>, HashSet<String>) {
    let page = parse(html);
    let mut ids = HashSet::new();
    let (mut within, mut beside) = (HashSet::new(), HashSet::new());
    for node in page.descendants() {
        if let Some(id) = node.attribute("id") {
            assert!(ids.insert(id.to_string()), "id {id} twice");
        }
        if node.tag_name().name() == "a" {
            let target = node.attribute("href").expect("a link leads somewhere");
            match target.strip_prefix('#') {
                Some(id) => within.insert(id.to_string()),
                None => beside.insert(target.to_string()),
            };
        }
    }
    (ids, within, beside)
}

#[test]
fn every_link_leads_somewhere() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let parts = Parts::new();
    write_all(directory.path(), &parts.report(), &Templates::embedded()).expect("writes");
    let html = std::fs::read_to_string(directory.path().join("report.html")).expect("written");
    let (ids, within, beside) = links(&html);
    assert_eq!(within.difference(&ids).count(), 0, "{within:?} {ids:?}");
    assert!(
        within.len() == 7 && beside.len() == 2 * 4 + parts.drawings.len() * 6,
        "{within:?} {beside:?}"
    );
    for file in beside {
        assert!(directory.path().join(&file).is_file(), "{file} is not there");
    }
    let markdown = std::fs::read_to_string(directory.path().join("report.md")).expect("written");
    for image in markdown
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        assert!(directory.path().join(image).is_file(), "{image} is not there");
    }
    assert!(markdown.contains("\n## Warnings\n\n- W0501: "), "{markdown}");
}

#[test]
fn an_empty_report_has_no_empty_sections() {
    let report = Report {
        title: "Nothing",
        tables: &[],
        figures: &[],
        warnings: &[],
        provenance: json!({}),
        timings: &[],
        study: "",
        resolved: "",
    };
    let html = Templates::embedded().report_html(&report).expect("renders");
    let (ids, within, _) = links(&html);
    assert!(
        ids.is_empty() && within.is_empty() && !html.contains("<h2>"),
        "{html}"
    );
}

#[test]
fn two_documents_of_one_name_are_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut parts = Parts::new();
    parts.drawings[0].name = "table1".into();
    let error =
        write_all(directory.path(), &parts.report(), &Templates::embedded()).expect_err("both have a .csv");
    let ReportError::Twice { path } = &error else {
        panic!("{error}")
    };
    assert!(path.display().to_string().contains("table1"), "{error}");
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("there").count(),
        0,
        "nothing is half-written"
    );
}

#[test]
fn templates_of_the_page_can_be_replaced_and_say_where_they_fail() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    let parts = Parts::new();
    std::fs::write(path("report.css.jinja"), "body { color: navy }").expect("writable");
    let templates = Templates::overridden_by(directory.path()).expect("replaces one");
    let html = templates.report_html(&parts.report()).expect("renders");
    assert!(
        html.contains("color: navy") && !html.contains("--panel"),
        "only the styles are ours no more"
    );
    std::fs::write(
        path("table.html.jinja"),
        "<p>\n{{ table.name }}\n{{ table.grdi }}</p>",
    )
    .expect("writable");
    let error = Templates::overridden_by(directory.path())
        .expect("replaces two")
        .report_html(&parts.report());
    let Err(ReportError::Template { name, line, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((PathBuf::from(name), line), (path("table.html.jinja"), Some(3)));
    std::fs::write(path("table.tex.jinja"), "% 100 %\n\\BLOCK{for row in}\n").expect("writable");
    let error = Templates::overridden_by(directory.path())
        .expect("replaces three")
        .table_latex(&parts.tables[0]);
    let said = error.expect_err("broken").to_string();
    assert!(said.contains("table.tex.jinja:2: syntax error"), "{said}");
}
