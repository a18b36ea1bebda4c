//! One statistic is one number: what a figure's CSV holds is what results and tables hold, for every column of every test.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;

use gradstudy::figures::to_csv;
use gradstudy::plots;
use gradstudy::report::{column, given};
use gradstudy::results::{Measurement, Results, Spectra};
use gradstudy::study::{self, Study};
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

use super::support::Gradstudy;

const STUDY: &str = "study \"every statistic\" { seeds: 0..1 }\n\
    data d = fashion_mnist_5k(subset: 300)\nmodel m = lenet\n\
    vary batch in [5, 20]\n\
    record g = gradients(of: m, on: d, batch: batch, iterations: 60, layers: \"conv1\")\n\
    record h = gradients(of: m, on: d, batch: batch, iterations: 60, layers: \"conv1\", order: replacement)\n\
    spectrum c = covariance(g, top: 30)\n\
    spectrum k = hessian(of: m, on: d, samples: 100, top: 9)\n\
    test tails = power_law(g, tail: top(50), bootstrap: 20, distances: all)\n\
    test bell = normality(g, points: 20)\n\
    test finite = normality(g, points: 20, missing: drop)\n\
    test laws = alternatives(g, tail: top(50), along: dimension)\n\
    test index = hill(g, k: 20)\n\
    test alike = correlation(g)\n\
    test eigen = power_law(c, tail: top(30))\n\
    test shape = spectrum_shape(c)\n\
    test curved = spectrum_shape(k)\n\
    test turned = davis_kahan(g, top: 5)\n\
    test shared = subspace_overlap(g, h, top: 5)\n";

fn checked(text: &str) -> Study {
    match study::check(&Source::new("test.study", text), &VOCABULARY) {
        Ok((study, _)) => study,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

/// Each test with the columns that it gives.
fn tests() -> Vec<(String, Vec<&'static str>)> {
    let study = checked(STUDY);
    let mut tests: Vec<(String, Vec<&str>)> = Vec::new();
    for case in &study.cases {
        for (name, test) in &case.tests {
            let spectrum = case.spectra.get(&test.of).map(|spectrum| &spectrum.call);
            let given = given(&test.call, spectrum.is_some(), spectrum).expect("a known test");
            if tests.iter().all(|(known, _)| known != name) {
                tests.push((name.clone(), given.iter().map(|column| column.name).collect()));
            }
        }
    }
    tests
}

/// What rows of tables and points of figures are told apart by: batch size and kind of vector.
fn key(it: &Measurement) -> (String, String) {
    let sg_type = format!("{:?}", it.direction);
    (it.subject.batch.to_string(), sg_type)
}

/// (batch, kind of vector) and y, low, high of each line of a figure's CSV.
fn points(csv: &[u8], sg_types: &[String]) -> HashMap<(String, String), [String; 3]> {
    let mut reader = csv::Reader::from_reader(csv);
    let record = |record: csv::StringRecord| {
        let sg_type = sg_types.iter().find(|word| record[0].contains(*word));
        let sg_type = sg_type.unwrap_or(&sg_types[0]).clone();
        let text = |index: usize| record[index].to_string();
        ((text(1), sg_type), [text(2), text(3), text(4)])
    };
    reader.records().map(|it| record(it.unwrap())).collect()
}

/// The mean and its standard deviation in each row of a table's CSV.
fn rows(csv: &str, column: &str) -> HashMap<(String, String), [String; 2]> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|it| it == name).unwrap();
    let (batch, sg_type) = (at("batch"), at("sg_type"));
    let mean = at(column);
    // The spread of `xi` is `xi_sd_over_seeds`, as `xi_sd` is a column of its own.
    let spreads = [format!("{column}_sd"), format!("{column}_sd_over_seeds")];
    let sd = mean + 1;
    assert!(
        spreads.iter().any(|spread| header[sd] == **spread),
        "{column}: {header:?}"
    );
    let record = |it: csv::StringRecord| {
        let text = |index: usize| it[index].to_string();
        ((text(batch), text(sg_type)), [text(mean), text(sd)])
    };
    reader.records().map(|it| record(it.unwrap())).collect()
}

#[test]
fn figures_have_the_numbers_of_results_and_tables_to_the_last_digit() {
    let tests = tests();
    let mut text = STUDY.to_string();
    for (test, columns) in &tests {
        let columns = columns.join(", ");
        writeln!(
            text,
            "table t_{test} {{ of: {test}  rows: [batch, sg_type]  columns: [{columns}] }}"
        )
        .unwrap();
    }
    let gradstudy = Gradstudy::new(&text);
    gradstudy.run(&["run", "test.study"]).success();
    let run = gradstudy.runs().pop().unwrap();
    let results: Results =
        serde_yaml::from_str(&fs::read_to_string(run.join("results.yaml")).unwrap()).unwrap();

    for (test, columns) in &tests {
        for column in columns {
            writeln!(text, "figure f_{test}_{column} = rates({test}, show: {column})").unwrap();
        }
    }
    let figures = checked(&text).figures;
    assert!(figures.len() > 100, "{} statistics", figures.len());
    let one_seed = Results {
        measurements: results
            .measurements
            .iter()
            .filter(|it| it.seed == 0)
            .cloned()
            .collect(),
        ..results.clone()
    };
    let mut compared = 0;
    for spec in &figures {
        let (test, name) = (spec.call.args.texts("of")[0], spec.call.args.texts("show")[0]);
        let kind = column(name).unwrap();
        let of_test = |results: &Results| -> Vec<Measurement> {
            let own = results.measurements.iter().filter(|it| it.test == test);
            own.cloned().collect()
        };
        let sg_types: Vec<String> = of_test(&one_seed).iter().map(|it| key(it).1).collect();

        let figure = plots::draw(spec, &one_seed, &Spectra::default()).unwrap();
        let drawn = points(&to_csv(&figure).unwrap(), &sg_types);
        for it in of_test(&one_seed) {
            let value = kind.of(&it).unwrap_or(f64::NAN);
            let value = if value.is_finite() {
                value.to_string()
            } else {
                String::new()
            };
            assert_eq!(drawn[&key(&it)][0], value, "{test}: {name} at {:?}", key(&it));
        }

        let figure = plots::draw(spec, &results, &Spectra::default()).unwrap();
        let drawn = points(&to_csv(&figure).unwrap(), &sg_types);
        let table = rows(
            &fs::read_to_string(run.join(format!("t_{test}.csv"))).unwrap(),
            name,
        );
        assert_eq!(drawn.len(), table.len(), "{test}: {name}");
        for (key, [mean, sd]) in table {
            let [y, low, high] = &drawn[&key];
            assert_eq!(*y, mean, "{test}: {name} at {key:?}");
            if let (Ok(mean), Ok(sd)) = (mean.parse::<f64>(), sd.parse::<f64>()) {
                assert_eq!([low, high], [&(mean - sd).to_string(), &(mean + sd).to_string()]);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared} bands");
}

/// The codes of what is wrong with `figure`, and everything said of it.
fn told(figure: &str) -> (Vec<&'static str>, String) {
    match study::check(
        &Source::new("test.study", format!("{STUDY}{figure}")),
        &VOCABULARY,
    ) {
        Ok(_) => (Vec::new(), String::new()),
        Err(diagnostics) => {
            let codes = diagnostics.iter().map(|it| it.code).collect();
            let said = diagnostics
                .iter()
                .map(|it| format!("{} {:?}", it.message, it.help));
            (codes, said.collect::<Vec<_>>().join("\n"))
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_told_by_check() {
    for (figure, code, word) in [
        ("rates(bell, show: beta)", "E0551", "`p_value`"),
        ("rates(bell, show: statisic)", "E0309", "`statistic`"),
        (
            "rates(tails, show: power_law)",
            "E0551",
            "did you mean `power_law_rate`?",
        ),
        ("rates(shape, show: converged)", "E0551", "gives no `converged`"),
        (
            "rates(curved, against: model, show: trace)",
            "E0551",
            "gives no `trace`",
        ),
        ("rates(shape)", "E0551", "`stable_rank`"),
        (
            "rates([tails, index], show: power_law_rate)",
            "E0551",
            "nothing of `index`",
        ),
        ("angles(tails)", "E0551", "`rates` draws any statistic"),
        ("rates(tails, show: [beta, s])", "E0552", "f_s"),
        ("rates(tails, against: spectrum)", "E0553", "of no spectrum"),
        ("rates(tails, against: sg_type, x: linear)", "E0553", "no numbers"),
        (
            "rates(tails, against: batch, curves: [batch])",
            "E0553",
            "on the axis",
        ),
    ] {
        let (codes, said) = told(&format!("figure f = {figure}\n"));
        assert_eq!(codes, [code], "{figure}: {said}");
        assert!(said.contains(word), "{figure}: {said}");
    }
    for figure in [
        "rates([tails, bell])",
        "rates(eigen, show: power_law)",
        "rates(tails, show: [beta, beta_corrected], y: log)",
        "rates(curved, against: model, show: converged)",
        "angles([turned, shared])",
    ] {
        let (codes, said) = told(&format!("figure f = {figure}\n"));
        assert!(codes.is_empty(), "{figure}: {said}");
    }
}

#[test]
fn a_statistic_without_any_value_leaves_an_empty_frame_and_a_note() {
    // Outliers want eight eigenvalues.
    let text = STUDY.replace("covariance(g, top: 30)", "covariance(g, top: 5)");
    let text = text.replace("tail: top(30)", "tail: top(5)") + "figure f = rates(shape, show: outliers)\n";
    let keep = [
        "study",
        "data",
        "model",
        "vary",
        "record g",
        "spectrum c",
        "test shape",
        "figure",
    ];
    let lines = text
        .lines()
        .filter(|line| keep.iter().any(|word| line.starts_with(word)));
    let gradstudy = Gradstudy::new(&lines.collect::<Vec<_>>().join("\n"));
    gradstudy.run(&["run", "test.study"]).success();
    let run = gradstudy.runs().pop().unwrap();
    let report = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(
        report.contains("Not drawn, shape: 2 of 2 points are not finite"),
        "{report}"
    );
    assert_eq!(fs::read_to_string(run.join("f.csv")).unwrap().lines().count(), 3);
}
