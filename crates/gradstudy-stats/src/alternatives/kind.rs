//! The comparison with other laws as a study names it, over many samples.

use super::{ALTERNATIVES, Alternative, Comparison, compare};
use crate::TestKind;
use crate::degenerate::Cause;
use crate::history_view::HistoryView;
use crate::many::{self, acceptance, mean, median};
use crate::missing::MISSING;
use crate::monitor::Monitor;
use crate::outcome::{AlternativeOutcome, AlternativesOutcome, Direction, Outcome};
use crate::power_law::{ALONG, ALPHA, OF, TAIL, tail_rule};
use crate::sample_values::SampleValues;
use crate::tail::TailRule;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// `alternatives(g, tail: top(1000), against: [lognormal, …], alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "alternatives",
    summary: "likelihood-ratio tests of the power law against other laws of the same tail",
    params: &[
        OF,
        TAIL,
        Param {
            name: "against",
            ty: ParamType::List(&ParamType::Word(&[
                "lognormal",
                "exponential",
                "stretched_exponential",
                "truncated_power_law",
            ])),
            default: Default::Text("[lognormal, exponential, stretched_exponential, truncated_power_law]"),
            doc: "the laws that the power law is compared with",
        },
        ALPHA,
        ALONG,
        MISSING,
    ],
    version: 1,
};

/// The comparison as a study names it.
#[derive(Debug)]
pub struct Alternatives;

/// Settings of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct AlternativesSettings {
    pub tail: TailRule,
    pub against: Vec<Alternative>,
    /// Level at which an alternative counts as better.
    pub alpha: f64,
}

impl AlternativesSettings {
    /// Reads arguments checked against [`SIGNATURE`].
    pub fn from_args(args: &Args) -> Self {
        let words = args.texts("against");
        AlternativesSettings {
            tail: TailRule::from_call(args.call("tail")),
            // In the order of the reference, each once.
            against: ALTERNATIVES
                .into_iter()
                .filter(|alternative| words.contains(&alternative.word()))
                .collect(),
            alpha: args.number("alpha"),
        }
    }
}

type Compared = Result<Vec<Comparison>, Cause>;

impl TestKind for Alternatives {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        _seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let settings = AlternativesSettings::from_args(args);
        let look = |(): &mut (), _: usize, values: &[f64]| one(values, &settings);
        let samples = many::map_wide(view, direction, monitor, || (), look)?;
        Some(Outcome::Alternatives(outcome(&samples, &settings)))
    }

    fn test_one(&self, values: &[f64], args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let settings = AlternativesSettings::from_args(args);
        let sample = one(values, &settings);
        (!monitor.cancelled()).then(|| {
            (monitor.progress)(1);
            Outcome::Alternatives(outcome(&[sample], &settings))
        })
    }

    fn convention(&self, args: &Args) -> String {
        format!(
            "Alternatives: likelihood ratio of the power law and each other law, both fitted to {}; positive favours the \
             power law; p by Vuong's test, for the truncated power law by the χ² test of nested laws; the other law is \
             preferred when the ratio is negative and p ≤ {}.",
            tail_rule(args),
            args.number("alpha")
        )
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        let (size, samples) = match direction {
            Direction::Dimension | Direction::Spectrum => (parameters, iterations),
            Direction::Iteration => (iterations, parameters),
        };
        let tail = args.call("tail");
        let points = match tail.name.as_str() {
            "top" => tail.args.integer("k") as f64,
            _ => size as f64,
        };
        // Sorting each sample; the fits, most of it in the exponentials of the stretched one; a quadrature or two.
        let each = size as f64 * 5e-8 + points * 1.2e-6 + 3e-4;
        samples as f64 * each / rayon::current_num_threads() as f64
    }
}

fn one(values: &[f64], settings: &AlternativesSettings) -> Compared {
    compare(values, settings.tail, &settings.against).map(|(_, comparisons)| comparisons)
}

/// Sums up the comparisons of all samples, in their order.
fn outcome(samples: &[Compared], settings: &AlternativesSettings) -> AlternativesOutcome {
    let alpha = settings.alpha;
    let against = settings.against.iter().enumerate().map(|(i, alternative)| {
        let of = |sample: &Compared| sample.as_ref().map(|all| all[i].clone()).map_err(|cause| *cause);
        let each: Vec<Result<Comparison, Cause>> = samples.iter().map(of).collect();
        let fitted: Vec<&Comparison> = each.iter().flatten().collect();
        let names = fitted
            .iter()
            .find(|comparison| !comparison.parameters.is_empty())
            .map_or(Vec::new(), |comparison| comparison.parameters.clone());
        let parameter = |j: usize| {
            median(
                fitted
                    .iter()
                    .filter_map(|comparison| comparison.parameters.get(j).map(|(_, value)| *value))
                    .collect(),
            )
        };
        AlternativeOutcome {
            alternative: alternative.word().to_string(),
            mean_log_ratio: mean(fitted.iter().map(|comparison| comparison.log_ratio)),
            mean_normalised: mean(fitted.iter().map(|comparison| comparison.normalised)),
            mean_p_value: mean(fitted.iter().map(|comparison| comparison.p_value)),
            preferred: acceptance(&each, |comparison| comparison.prefers_alternative(alpha)),
            power_law_preferred: acceptance(&each, |comparison| comparison.prefers_power_law(alpha)),
            median_parameters: names
                .iter()
                .enumerate()
                .map(|(j, (name, _))| (name.to_string(), parameter(j)))
                .collect(),
        }
    });
    AlternativesOutcome {
        acceptance: acceptance(samples, |all: &Vec<Comparison>| {
            all.iter()
                .all(|comparison| !comparison.prefers_alternative(alpha))
        }),
        alpha,
        against: against.collect(),
        left_out: None,
        samples: values(samples, settings),
    }
}

/// The ratio and p-value of each sample and law.
fn values(samples: &[Compared], settings: &AlternativesSettings) -> SampleValues {
    let mut values = SampleValues::default();
    for (i, alternative) in settings.against.iter().enumerate() {
        let mut add = |what: &str, value: fn(&Comparison) -> f64| {
            let of = |sample: &Compared| sample.as_ref().map_or(f64::NAN, |all| value(&all[i]));
            values.add(format!("{what}_{}", alternative.word()), samples.iter().map(of));
        };
        add("llr", |comparison| comparison.normalised);
        add("p", |comparison| comparison.p_value);
    }
    values
}
