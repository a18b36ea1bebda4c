//! The conventions behind a table's numbers, as sentences for the note under it.

use crate::signature::Value;
use crate::study::{Study, TableSpec, TestSpec};

/// What a reader must know about the tests, data and minibatches that `table` shows; each sentence once.
pub fn conventions(study: &Study, table: &TableSpec) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut say = |sentence: String| {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    };
    for case in &study.cases {
        for name in &table.of {
            let Some(test) = case.tests.get(name) else {
                continue;
            };
            say(of_test(test));
            let Some(record) = case.records.get(&test.of) else {
                continue;
            };
            say(match record.order.as_str() {
                "replacement" => "Minibatches are drawn with replacement.".to_string(),
                "sequential" => "Minibatches are taken in the order of the data set.".to_string(),
                _ => "Minibatches are drawn without replacement, reshuffled each epoch, the last partial one dropped."
                    .to_string(),
            });
            if let Some(Value::Text(normalize)) =
                case.data.get(&record.on).and_then(|d| d.call.args.get("normalize"))
            {
                say(match normalize.as_str() {
                    "global" => {
                        "Pixels are normalised by one mean and standard deviation over the training set."
                    }
                    "per_pixel" => "Pixels are normalised position by position over the training set.",
                    _ => "Pixels are not normalised.",
                }
                .to_string());
            }
        }
    }
    sentences
}

fn of_test(test: &TestSpec) -> String {
    let args = &test.call.args;
    let alpha = args.number("alpha");
    if test.call.name == "normality" {
        return format!(
            "Gaussianity: D'Agostino–Pearson test (SciPy's normaltest) on {} points drawn at random from each row or \
             column; not rejected when p > {alpha}.",
            args.integer("points")
        );
    }
    let tail = args.call("tail");
    let rule = match tail.name.as_str() {
        "top" => format!("the {} largest absolute values", tail.args.integer("k")),
        "at" => format!("the absolute values from {} on", tail.args.number("value")),
        "quantile" => format!(
            "the absolute values above their {} quantile",
            tail.args.number("q")
        ),
        "scan" => format!(
            "the absolute values from the x_min of least KS distance on (every distinct value tried, at least {} \
             points kept)",
            tail.args.integer("at_least")
        ),
        _ => "all non-zero absolute values".to_string(),
    };
    let ecdf = match args.text("ecdf") {
        "two_sided" => "both sides of each step of the empirical distribution",
        _ => "the left empirical distribution i/K, i = 0…K−1",
    };
    let critical = if alpha == 0.05 {
        "1.36/√K".to_string()
    } else {
        "√(−ln(α/2)/2)/√K".to_string()
    };
    let caution = match tail.name.as_str() {
        "scan" => {
            "which takes no account of the fitted exponent and the chosen x_min: at 5 % d_ks itself would have to stay \
             below about 0.78/√K"
        }
        _ => "which takes no account of the fitted exponent",
    };
    format!(
        "Power law: maximum-likelihood fit to {rule}; KS distance against {ecdf}; not rejected when d_ks < d_c = \
         {critical} (α = {alpha}), {caution}."
    )
}
