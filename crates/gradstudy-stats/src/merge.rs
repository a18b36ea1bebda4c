//! Outcomes of single samples, put together as if all had been tested at once.

use super::degenerate::Cause;
use super::discrete;
use super::many::{self, mean};
use super::multiple::Rejections;
use super::normality::Significance;
use super::outcome::{
    Acceptance, AlternativesOutcome, BootstrapOutcome, Degenerate, DistancesOutcome, NormalityOutcome,
    Outcome, PowerLawOutcome, TailIndexOutcome,
};
use super::power_law::{PowerLawFit, PowerLawSettings, PowerLawTest};
use super::tail_index::{self, TailIndex};
use gradstudy_base::signature::Call;

/// The outcome of the test `call` over the samples whose outcomes are `singles`, each of [`super::TestKind::run_sample`]
/// with the same call; `None` where there is none, or where samples are not tested one by one (`correlation`).
pub fn merge(singles: &[Outcome], call: &Call) -> Option<Outcome> {
    let mut merged = put_together(singles, call)?;
    let left_out = singles.iter().map(|single| single.left_out().map(|it| it.values));
    if let Some(counts) = left_out.collect::<Option<Vec<u64>>>() {
        merged.set_left_out(&counts);
    }
    Some(merged)
}

fn put_together(singles: &[Outcome], call: &Call) -> Option<Outcome> {
    match singles.first()? {
        Outcome::PowerLaw(_) => {
            let singles: Vec<&PowerLawOutcome> = singles.iter().filter_map(power_law).collect();
            let settings = match call.name.as_str() {
                "discrete_power_law" => discrete::settings(&call.args),
                _ => PowerLawSettings::from_args(&call.args),
            };
            Some(Outcome::PowerLaw(power_laws(&singles, &settings)))
        }
        Outcome::Normality(first) => {
            let samples: Vec<Result<Significance, Cause>> = singles.iter().filter_map(normality).collect();
            let settings = many::DrawnSettings {
                points: first.points as usize,
                alpha: first.alpha,
                seed: 0,
            };
            Some(Outcome::Normality(many::drawn::outcome(&samples, &settings)))
        }
        Outcome::Alternatives(first) => {
            let singles = singles.iter().filter_map(|single| match single {
                Outcome::Alternatives(single) => Some(single),
                _ => None,
            });
            Some(Outcome::Alternatives(alternatives(
                first,
                &singles.collect::<Vec<_>>(),
            )))
        }
        Outcome::TailIndex(first) => {
            let samples: Vec<Result<TailIndex, Cause>> = singles.iter().filter_map(index).collect();
            let merged = tail_index::outcome(&samples, first.points as usize);
            Some(Outcome::TailIndex(merged))
        }
        // Neither rows nor columns.
        Outcome::Correlation(_)
        | Outcome::Shape(_)
        | Outcome::DavisKahan(_)
        | Outcome::Overlap(_)
        | Outcome::Failed(_) => None,
    }
}

/// The cause of a single sample that is degenerate.
fn cause(degenerate: &Degenerate) -> Option<Cause> {
    [
        (degenerate.not_finite, Cause::NotFinite),
        (degenerate.constant, Cause::Constant),
        (degenerate.rounding, Cause::Rounding),
        (degenerate.not_whole, Cause::NotWhole),
        (degenerate.too_few, Cause::TooFew),
    ]
    .into_iter()
    .find_map(|(count, cause)| (count > 0).then_some(cause))
}

fn sample<T>(degenerate: &Degenerate, value: impl FnOnce() -> T) -> Result<T, Cause> {
    match cause(degenerate) {
        Some(cause) => Err(cause),
        None => Ok(value()),
    }
}

fn power_law(single: &Outcome) -> Option<&PowerLawOutcome> {
    match single {
        Outcome::PowerLaw(single) => Some(single),
        _ => None,
    }
}

fn normality(single: &Outcome) -> Option<Result<Significance, Cause>> {
    match single {
        Outcome::Normality(NormalityOutcome {
            acceptance,
            mean_p_value,
            mean_statistic,
            near_rounding,
            ..
        }) => Some(sample(&acceptance.degenerate, || Significance {
            statistic: mean_statistic.unwrap_or(f64::NAN),
            p_value: *mean_p_value,
            near_rounding: *near_rounding > 0,
        })),
        _ => None,
    }
}

fn index(single: &Outcome) -> Option<Result<TailIndex, Cause>> {
    match single {
        Outcome::TailIndex(TailIndexOutcome {
            degenerate,
            mean_xi,
            mean_standard_error,
            ..
        }) => Some(sample(degenerate, || TailIndex {
            xi: *mean_xi,
            standard_error: *mean_standard_error,
        })),
        _ => None,
    }
}

fn power_laws(singles: &[&PowerLawOutcome], settings: &PowerLawSettings) -> PowerLawOutcome {
    let tests: Vec<Result<PowerLawTest, Cause>> = singles
        .iter()
        .map(|single| {
            sample(&single.acceptance.degenerate, || PowerLawTest {
                fit: PowerLawFit {
                    exponent: single.mean_exponent,
                    zipf_exponent: single.mean_zipf_exponent,
                    standard_error: single.mean_standard_error,
                    x_min: single.median_x_min,
                    n_tail: single.tail_points as usize,
                },
                ks_distance: single.mean_ks_distance,
                critical_distance: single.critical_distance,
            })
        })
        .collect();
    let mut merged = many::power_law::outcome(&tests, settings);
    merged.bootstrap = bootstraps(singles, settings.alpha);
    let distances: Vec<&DistancesOutcome> = singles
        .iter()
        .filter_map(|single| single.distances.as_ref())
        .collect();
    let over = |value: fn(&DistancesOutcome) -> f64| {
        mean(
            distances
                .iter()
                .map(|single| value(single))
                .filter(|value| !value.is_nan()),
        )
    };
    merged.distances = (!distances.is_empty()).then(|| DistancesOutcome {
        mean_kuiper: over(|single| single.mean_kuiper),
        mean_anderson_darling: over(|single| single.mean_anderson_darling),
    });
    merged
}

/// Their replicates are drawn sample by sample, so the errors of the p-values are independent.
fn bootstraps(singles: &[&PowerLawOutcome], alpha: f64) -> Option<BootstrapOutcome> {
    let each: Vec<&BootstrapOutcome> = singles
        .iter()
        .filter_map(|single| single.bootstrap.as_ref())
        .collect();
    let p_values: Vec<Result<f64, Cause>> = each
        .iter()
        .map(|single| sample(&single.acceptance.degenerate, || single.mean_p_value))
        .collect();
    let good: Vec<f64> = p_values.iter().flatten().copied().collect();
    let sound = each
        .iter()
        .filter(|single| single.acceptance.degenerate.total() == 0);
    let variance = sound
        .clone()
        .fold(0.0, |sum, single| sum + single.standard_error.powi(2));
    Some(BootstrapOutcome {
        replicates: each.first()?.replicates,
        mean_replicates: mean(sound.map(|single| single.mean_replicates)),
        mean_p_value: mean(p_values.iter().map(|p| p.unwrap_or(0.0))),
        standard_error: variance.sqrt() / each.len() as f64,
        acceptance: many::acceptance(&p_values, |p| *p > alpha),
        rejections: Rejections::of(&good, alpha),
    })
}

fn alternatives(first: &AlternativesOutcome, singles: &[&AlternativesOutcome]) -> AlternativesOutcome {
    let accepted = |acceptance: fn(&AlternativesOutcome, usize) -> &Acceptance, law: usize| {
        let samples: Vec<Result<bool, Cause>> = singles
            .iter()
            .map(|single| {
                let acceptance = acceptance(single, law);
                sample(&acceptance.degenerate, || acceptance.accepted == 1)
            })
            .collect();
        many::acceptance(&samples, |accepted| *accepted)
    };
    let mut merged = AlternativesOutcome {
        acceptance: accepted(|single, _| &single.acceptance, 0),
        ..first.clone()
    };
    let sound: Vec<&&AlternativesOutcome> = singles
        .iter()
        .filter(|single| single.acceptance.degenerate.total() == 0)
        .collect();
    for (law, against) in merged.against.iter_mut().enumerate() {
        let over = |value: fn(&super::outcome::AlternativeOutcome) -> f64| {
            mean(sound.iter().map(|single| value(&single.against[law])))
        };
        against.mean_log_ratio = over(|law| law.mean_log_ratio);
        against.mean_normalised = over(|law| law.mean_normalised);
        against.mean_p_value = over(|law| law.mean_p_value);
        against.preferred = accepted(|single, law| &single.against[law].preferred, law);
        against.power_law_preferred = accepted(|single, law| &single.against[law].power_law_preferred, law);
        let fitted: Vec<&[(String, f64)]> = sound
            .iter()
            .map(|single| &single.against[law].median_parameters[..])
            .filter(|parameters| !parameters.is_empty())
            .collect();
        let names = fitted
            .first()
            .copied()
            .unwrap_or_default()
            .iter()
            .map(|(name, _)| name.clone());
        let median = |j: usize| many::median(fitted.iter().map(|parameters| parameters[j].1).collect());
        against.median_parameters = names.enumerate().map(|(j, name)| (name, median(j))).collect();
    }
    merged
}
