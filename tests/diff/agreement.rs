//! Headline, exit code, tables and JSON of a difference say the same, and each difference is tested once or not at all.

use gradstudy::diff::{FailOn, Reason, RunDiff, Tolerance, display};
use gradstudy::results::Results;
use gradstudy::stats::outcome::Outcome;

use super::{diff, run};

/// The run `a` with so many seeds: of every second one, distances and rates are `shift` higher.
fn seeds(seeds: &[u64], shift: f64) -> Results {
    let template = run("a");
    let first: Vec<_> = template.measurements.iter().filter(|it| it.seed == 0).collect();
    let mut results = template.clone();
    results.measurements.clear();
    for &seed in seeds {
        for (index, measurement) in first.iter().enumerate() {
            let mut measurement = (*measurement).clone();
            measurement.seed = seed;
            // Spread over seeds that has no order.
            let noise = ((seed * 7 + index as u64 * 3) % 5) as f64 / 5.0 - 0.4;
            if let Outcome::PowerLaw(outcome) = &mut measurement.outcome {
                outcome.mean_ks_distance += 1e-4 * noise + shift;
                outcome.mean_exponent += 0.1 * noise;
                outcome.acceptance.rate = (outcome.acceptance.rate + 0.001 * noise).clamp(0.0, 1.0);
            }
            results.measurements.push(measurement);
        }
    }
    results
}

/// The number before `words` in `text`.
fn number_before(text: &str, words: &str) -> Option<u64> {
    let before = text
        .split(words)
        .next()
        .filter(|before| before.len() < text.len())?;
    let digits: String = before.chars().rev().take_while(char::is_ascii_digit).collect();
    digits.chars().rev().collect::<String>().parse().ok()
}

/// Rows of the table under `title`, in text or Markdown.
fn rows(text: &str, title: &str, rule: char) -> usize {
    let Some((_, after)) = text.split_once(title) else {
        return 0;
    };
    let lines = after
        .lines()
        .skip_while(|line| !line.contains(rule) || line.contains("condition"));
    let body = lines.skip_while(|line| !line.contains(" t, ") && !line.contains("seeds"));
    body.take_while(|line| line.contains(" t, ") || line.contains("seeds"))
        .count()
}

/// What the JSON of `found` counts, by looking at every comparison; and that all else says so.
#[track_caller]
fn agrees(found: &RunDiff) {
    let json = serde_json::to_value(found).expect("plain data");
    let alpha = json["alpha"].as_f64().expect("a level");
    let comparisons = json["comparisons"].as_array().expect("a list");
    let tested = comparisons.len() as u64;
    let significant = comparisons
        .iter()
        .filter(|it| it["p_adjusted"].as_f64() <= Some(alpha) && it["within_tolerance"] == false)
        .count() as u64;
    let said = comparisons.iter().filter(|it| it["significant"] == true).count() as u64;
    assert_eq!(said, significant);
    assert_eq!(json["summary"]["tested"], tested);
    assert_eq!(json["summary"]["significant"], significant);
    assert_eq!(
        found.fails(FailOn::Significant),
        significant > 0 || !found.flips.is_empty()
    );
    assert_eq!(found.fails(FailOn::Any), !found.is_same());
    let untested = json["untested"].as_array().expect("a list").len();
    let counted = ["too_few_seeds", "no_spread"].map(|why| json["summary"][why].as_u64().expect("a count"));
    assert_eq!(counted.iter().sum::<u64>(), untested as u64);
    let text = display::to_text(found);
    let markdown = display::to_markdown(found);
    let latex = display::to_latex(found, "l");
    for said in [&text, &markdown, &latex] {
        let headline = (tested > 0).then_some(tested);
        assert_eq!(
            number_before(said, " tested statistics differ significantly"),
            headline,
            "{said}"
        );
        assert_eq!(
            number_before(said, &format!(" of {tested} tested")),
            headline.map(|_| significant),
            "{said}"
        );
        assert_eq!(said.contains("o test is possible"), untested > 0, "{said}");
    }
    let shown = if tested > 0 { untested } else { 0 };
    assert_eq!(rows(&text, "\ntested\n", '─'), tested as usize, "{text}");
    assert_eq!(rows(&text, "\nnot tested\n", '─'), shown, "{text}");
    assert_eq!(rows(&markdown, "\nTested:\n", '|'), tested as usize, "{markdown}");
    assert_eq!(rows(&markdown, "\nNot tested:\n", '|'), shown, "{markdown}");
    let of_latex = |label: &str| {
        let table = latex
            .split("\\begin{longtable}")
            .find(|it| it.contains(&format!("tab:l-{label}}}")));
        table.map_or(0, |table| {
            let body = table.split("\\endfoot\n").nth(1).expect("a foot");
            body.split("\\end{longtable}")
                .next()
                .expect("a body")
                .lines()
                .count()
        })
    };
    assert_eq!(of_latex("tested"), tested as usize, "{latex}");
    assert_eq!(of_latex("untested"), shown, "{latex}");
}

#[test]
fn headline_exit_code_tables_and_json_agree() {
    let shared = seeds(&[0, 1, 2, 3], 0.0);
    let moved = exact(&shared, &seeds(&[0, 1, 2, 3], 0.01));
    // Each seed moved by as much: no test is possible of that.
    assert_eq!((moved.summary.tested, moved.summary.significant), (0, 0));
    assert!(moved.summary.no_spread > 0 && moved.untested.iter().all(|it| it.reason == Reason::NoSpread));
    let apart = exact(&shared, &seeds(&[4, 5, 6, 7, 9], 0.01));
    assert!(apart.summary.significant > 0 && apart.summary.significant < apart.summary.tested);
    let chance = exact(&shared, &seeds(&[4, 5, 6, 7, 9], 0.0));
    assert!(chance.summary.tested > 0 && chance.summary.significant == 0);
    assert!(!chance.fails(FailOn::Significant) && chance.fails(FailOn::Any));
    let single = exact(&seeds(&[0], 0.0), &seeds(&[1], 0.01));
    assert!(single.summary.too_few_seeds > 0 && single.summary.tested == 0);
    let mut mixed = seeds(&[0, 1, 2], 0.0);
    // One condition of a single seed, and a setting that differs.
    mixed
        .measurements
        .retain(|it| it.seed == 0 || it.direction.word() == "dimension");
    let mut other = seeds(&[5, 6, 7], 0.01);
    for measurement in &mut other.measurements {
        if let Outcome::PowerLaw(outcome) = &mut measurement.outcome {
            outcome.critical_distance = 0.1;
        }
    }
    let mixed = exact(&mixed, &other);
    assert!(mixed.summary.tested > 0 && mixed.summary.too_few_seeds > 0 && mixed.summary.no_spread > 0);
    let same = exact(&shared, &shared);
    for found in [&moved, &apart, &chance, &single, &mixed, &same] {
        agrees(found);
    }
}

fn exact(left: &Results, right: &Results) -> RunDiff {
    diff(left, right, Tolerance::EXACT)
}

#[test]
fn one_seed_a_side_says_what_would_make_a_test_possible() {
    for (left, right) in [(&[0][..], &[1][..]), (&[0], &[0])] {
        let found = exact(&seeds(left, 0.0), &seeds(right, 0.01));
        let text = display::to_text(&found);
        for wanted in [
            "no test is possible with one seed a side",
            "may be chance or not",
            "study \"…\" { seeds: 0..4 }",
            "--set study.seeds=0..4",
            "what moved, chance or not",
            "d_ks",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
        assert!(
            !text.contains("significant") && !text.contains("p (adjusted)"),
            "{text}"
        );
    }
    let found = exact(&seeds(&[0], 0.0), &seeds(&[1, 2, 3], 0.01));
    assert!(display::to_text(&found).contains("with fewer than two seeds on a side"));
}

/// A difference within the tolerance counts as none; it is among the tests that p-values are adjusted for.
#[test]
fn what_is_tolerated_is_not_significant() {
    let (left, right) = (seeds(&[0, 1, 2, 3], 0.0), seeds(&[4, 5, 6, 7, 9], 0.01));
    let (strict, tolerant) = (
        exact(&left, &right),
        diff(&left, &right, Tolerance::new(0.0, 1.0).expect("valid")),
    );
    assert!(strict.fails(FailOn::Significant) && strict.fails(FailOn::Any));
    assert!(!tolerant.fails(FailOn::Significant) && !tolerant.fails(FailOn::Any));
    let p_values = |found: &RunDiff| {
        let each = found.comparisons.iter().map(|it| (it.statistic, it.p_adjusted));
        each.collect::<Vec<_>>()
    };
    assert_eq!(p_values(&strict), p_values(&tolerant));
    agrees(&tolerant);
}

/// The rate of a single sample is 0 or 1: it flips, and has no p-value.
#[test]
fn rates_of_single_samples_are_not_tested() {
    let single = |seeds: &[u64], accepted: fn(u64) -> bool| {
        let mut results = self::seeds(seeds, 0.0);
        for measurement in &mut results.measurements {
            if let Outcome::PowerLaw(outcome) = &mut measurement.outcome {
                let accepted = accepted(measurement.seed);
                outcome.acceptance.tested = 1;
                outcome.acceptance.accepted = u64::from(accepted);
                outcome.acceptance.rate = f64::from(accepted);
            }
        }
        results
    };
    let found = exact(
        &single(&[0, 1, 2, 3, 4], |_| true),
        &single(&[0, 1, 2, 3, 4], |seed| seed > 3),
    );
    assert!(found.summary.flips > 0 && found.fails(FailOn::Flip));
    assert!(
        found
            .comparisons
            .iter()
            .all(|it| it.statistic != "power_law_rate")
    );
    assert!(found.untested.iter().all(|it| it.statistic != "power_law_rate"));
}
