//! What a caption must state: which form of KS distance its numbers are, and how inputs were normalised.

use indexmap::{IndexMap, IndexSet};

use crate::data;
use crate::signature::{Call, Value};
use crate::study::{Case, Study};

/// The sentence for the tests or spectra called `names`; none where neither a distance nor a data set of ours stands
/// behind them.
pub fn definitions(study: &Study, names: &[&str]) -> Option<String> {
    let (mut distances, mut inputs) = (Said::default(), Said::default());
    let mut titles = IndexMap::new();
    for case in &study.cases {
        for name in names {
            let of = match case.tests.get(*name) {
                None => *name,
                Some(test) => {
                    if let Some(Value::Text(ecdf)) = test.call.args.get("ecdf") {
                        distances.add(distance(ecdf), format!("`{name}`"));
                    }
                    &test.of
                }
            };
            let on = data_behind(case, of);
            if let Some(data) = case.data.get(on)
                && let Some(Value::Text(scheme)) = data.call.args.get("normalize")
            {
                titles.insert(format!("`{on}`"), title(&data.call));
                inputs.add(normalisation(scheme), format!("`{on}`"));
            }
        }
    }
    inputs.rename(&titles);
    let clauses: Vec<String> = [("KS distance", distances), ("inputs", inputs)]
        .into_iter()
        .filter_map(|(what, said)| said.clause(what))
        .collect();
    let sentence = clauses.join("; ");
    let mut characters = sentence.chars();
    let first = characters.next()?;
    Some(first.to_uppercase().chain(characters).chain(['.']).collect())
}

/// What is said, each with the things it is said of.
#[derive(Default)]
struct Said(IndexMap<&'static str, Vec<String>>);

impl Said {
    fn add(&mut self, words: &'static str, of: String) {
        let all = self.0.entry(words).or_default();
        if !all.contains(&of) {
            all.push(of);
        }
    }

    /// Things by their titles, unless two of which another thing is said have the same.
    fn rename(&mut self, titles: &IndexMap<String, String>) {
        let renamed: Vec<Vec<String>> = self
            .0
            .values()
            .map(|all| {
                let all: IndexSet<String> = all.iter().map(|it| titles[it].clone()).collect();
                all.into_iter().collect()
            })
            .collect();
        let distinct: IndexSet<&String> = renamed.iter().flatten().collect();
        if distinct.len() == renamed.iter().flatten().count() {
            self.0
                .values_mut()
                .zip(renamed)
                .for_each(|(all, titles)| *all = titles);
        }
    }

    /// `inputs not normalised`, or `inputs not normalised (Avila), normalised channel by channel (CIFAR-10)`, or, where
    /// both are said of one thing, `inputs not normalised / normalised channel by channel (by row)`.
    fn clause(&self, what: &str) -> Option<String> {
        let words = || self.0.keys().copied().collect::<Vec<_>>();
        let things: IndexSet<&String> = self.0.values().flatten().collect();
        let said = match self.0.len() {
            0 => return None,
            1 => words().concat(),
            _ if things.len() < self.0.values().flatten().count() => {
                format!("{} (by row)", words().join(" / "))
            }
            _ => {
                let each = self.0.iter();
                let each = each.map(|(words, of)| format!("{words} ({})", of.join(", ")));
                each.collect::<Vec<_>>().join(", ")
            }
        };
        Some(format!("{what} {said}"))
    }
}

fn distance(ecdf: &str) -> &'static str {
    match ecdf {
        "two_sided" => "to both sides of each step of the empirical distribution",
        _ => "to the left empirical distribution",
    }
}

fn normalisation(scheme: &str) -> &'static str {
    match scheme {
        "global" => "normalised by the training set's mean and standard deviation",
        "per_channel" => "normalised channel by channel",
        "per_pixel" => "normalised pixel by pixel",
        "per_feature" => "normalised feature by feature",
        _ => "not normalised",
    }
}

/// The data set that `name` was measured on; of the spectrum of a loss, the one it names itself.
fn data_behind<'a>(case: &'a Case, name: &'a str) -> &'a str {
    let mut name = name;
    // A spectrum of a spectrum of …: no chain is longer than there are spectra.
    for _ in 0..=case.spectra.len() {
        let Some(spectrum) = case.spectra.get(name) else {
            break;
        };
        let args = &spectrum.call.args;
        if args.get("on").is_some() {
            return args.text("on");
        }
        name = args.text("of");
    }
    case.records.get(name).map_or("", |record| &record.on)
}

fn title(call: &Call) -> String {
    data::dataset(&call.name).map_or_else(|| call.name.clone(), |kind| kind.title(&call.args))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::check;
    use crate::syntax::Source;
    use crate::vocabulary::VOCABULARY;

    fn said(statements: &str, names: &[&str]) -> Option<String> {
        let text = format!("study \"Test\" {{ allow: [W0101] }}\n{statements}");
        let (study, _) = check(&Source::new("test.study", text), &VOCABULARY).expect("a study");
        definitions(&study, names)
    }

    const LENET: &str = "data digits = mnist\nmodel lenet = lenet(logits: 10)\n\
        record g = gradients(of: lenet, on: digits, batch: 10, iterations: 20)\n";

    #[test]
    fn form_of_the_distance_and_normalisation() {
        let study =
            format!("{LENET}test left = power_law(g, tail: top(10))\ntest bell = normality(g, points: 10)\n");
        assert_eq!(
            said(&study, &["left", "bell"]).as_deref(),
            Some(
                "KS distance to the left empirical distribution; inputs normalised by the training set's mean \
                 and standard deviation."
            )
        );
        assert_eq!(
            said(&study, &["bell"]).as_deref(),
            Some("Inputs normalised by the training set's mean and standard deviation.")
        );
        assert_eq!(said(&study, &[]), None);
    }

    #[test]
    fn what_differs_is_said_of_each() {
        let study = format!(
            "{LENET}spectrum c = covariance(g, top: 15)\n\
             test left = power_law(c, tail: top(10))\n\
             test both = power_law(c, tail: top(10), ecdf: two_sided)\n"
        );
        let said = said(&study, &["left", "both"]).expect("two forms");
        assert!(
            said.starts_with(
                "KS distance to the left empirical distribution (`left`), to both sides of each step of the empirical \
                 distribution (`both`); inputs normalised by"
            ),
            "{said}"
        );
    }

    #[test]
    fn data_sets_go_by_title_unless_two_have_one() {
        let study = |second: &str| {
            format!(
                "data digits = mnist\ndata more = {second}\nmodel lenet = lenet(logits: 10)\n\
                 vary on in [digits, more]\nrecord g = gradients(of: lenet, on: on, batch: 10, iterations: 20)\n\
                 test bell = normality(g, points: 10)\n"
            )
        };
        let said = |second| said(&study(second), &["bell"]).expect("inputs");
        assert_eq!(
            said("mnist(normalize: none)"),
            "Inputs normalised by the training set's mean and standard deviation (`digits`), not normalised (`more`)."
        );
        assert_eq!(
            said("fashion_mnist(normalize: none)"),
            "Inputs normalised by the training set's mean and standard deviation (MNIST), not normalised \
             (Fashion-MNIST)."
        );
        let study = "vary how in [global, none]\ndata digits = mnist(normalize: how)\n\
            model lenet = lenet(logits: 10)\n\
            record g = gradients(of: lenet, on: digits, batch: 10, iterations: 20)\n\
            test bell = normality(g, points: 10)\n";
        assert_eq!(
            super::tests::said(study, &["bell"]).expect("inputs"),
            "Inputs normalised by the training set's mean and standard deviation / not normalised (by row)."
        );
    }
}
