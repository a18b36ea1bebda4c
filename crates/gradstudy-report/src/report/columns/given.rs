//! Which columns a test gives, told before anything is computed.

use super::{COLUMNS, ColumnKind, NEED_TRACE};
use gradstudy_base::signature::Call;
use gradstudy_nn::hessian;
use gradstudy_nn::spectra::measures::{self, Method};
use gradstudy_nn::spectra::{Spectrum, SpectrumKind};
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::{DavisKahanOutcome, Degenerate, Outcome, OverlapOutcome};
use gradstudy_stats::{TESTS, TestKind};

/// The columns that `test` gives, in the order of the reference; `None` for a test that is not known. `single`: it
/// looks at one sample alone, as of a spectrum. `spectrum` is the spectrum that it looks at, if it is one.
///
/// The test is made of two zeros: which statistics an outcome has follows from the test and its settings, and an outcome
/// of degenerate samples has them as well.
pub fn given(test: &Call, single: bool, spectrum: Option<&Call>) -> Option<Vec<&'static ColumnKind>> {
    let curvature = spectrum.is_some_and(|call| hessian::signatures::find(&call.name).is_some());
    let outcome = match TESTS.iter().find(|kind| kind.signature().name == test.name) {
        Some(kind) => of_samples(*kind, test, single)?,
        None => of_measure(test, curvature)?,
    };
    let known = |column: &&ColumnKind| {
        let unknown = curvature && NEED_TRACE.contains(&column.name);
        // Whatever is tested may be of trained weights.
        column.training.is_some() || (column.value)(&outcome).is_some() && !unknown
    };
    Some(COLUMNS.iter().filter(known).collect())
}

fn of_samples(kind: &dyn TestKind, test: &Call, single: bool) -> Option<Outcome> {
    let mut outcome = kind.run_sample(&[0.0, 0.0], &test.args, 0, &Monitor::SILENT)?;
    let acceptance = match &mut outcome {
        Outcome::PowerLaw(outcome) => Some(&mut outcome.acceptance),
        Outcome::Normality(outcome) => {
            // The one number that is left out where all samples are degenerate.
            outcome.mean_statistic.get_or_insert(f64::NAN);
            Some(&mut outcome.acceptance)
        }
        Outcome::Alternatives(outcome) => Some(&mut outcome.acceptance),
        _ => None,
    };
    // Many samples have a rate in place of a verdict.
    if let (Some(acceptance), false) = (acceptance, single) {
        acceptance.tested = 2;
    }
    Some(outcome)
}

fn of_measure(test: &Call, curvature: bool) -> Option<Outcome> {
    Some(match measures::find(&test.name)?.method {
        // Outliers want eight eigenvalues.
        Method::OfSpectrum(measure) => measure(&harmonic(16, curvature), &test.args),
        Method::OfHistory(_) => Outcome::DavisKahan(DavisKahanOutcome {
            degenerate: Degenerate::default(),
            top: 0,
            half: 0,
            perturbation: 0.0,
            zipf_exponent: f64::NAN,
            eigenvectors: Vec::new(),
        }),
        Method::OfSubspaces { .. } => Outcome::Overlap(OverlapOutcome {
            parameters: 1,
            by_rank: vec![1.0],
        }),
    })
}

/// A spectrum of the eigenvalues 1, 1/2, …, 1/n; that of a curvature matrix comes of an iteration.
fn harmonic(n: u64, curvature: bool) -> Spectrum {
    let values: Vec<f64> = (1..=n).map(|k| 1.0 / k as f64).collect();
    Spectrum {
        kind: match curvature {
            true => SpectrumKind::Hessian,
            false => SpectrumKind::Covariance,
        },
        order: n,
        rank_bound: n,
        parameters: n,
        samples: n,
        trace: values.iter().sum(),
        square_trace: values.iter().map(|value| value * value).sum(),
        accuracy: 0.0,
        residuals: curvature.then(|| vec![0.0; values.len()]),
        converged: curvature.then_some(n),
        sketch: None,
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::{Args, ParamType, Signature};
    use gradstudy_lang::syntax::Source;
    use gradstudy_nn::spectra::measures::MEASURES;

    fn signatures() -> Vec<&'static Signature> {
        let tests = TESTS.iter().map(|kind| kind.signature());
        tests.chain(MEASURES.iter().map(|it| it.signature)).collect()
    }

    fn names(text: &str, single: bool, spectrum: Option<&str>) -> Vec<&'static str> {
        let all = signatures();
        let params = all.iter().flat_map(|signature| signature.params);
        let referring = params.filter(|param| matches!(param.ty, ParamType::Reference(_)));
        let mut without: Vec<&str> = referring.map(|param| param.name).collect();
        without.push("along");
        let test =
            gradstudy_lang::study::call(&Source::new("test", text), &all, "test", &without).expect("a test");
        let spectrum = spectrum.map(|name| Call {
            name: name.to_string(),
            args: Args::default(),
        });
        let given = given(&test, single, spectrum.as_ref()).expect("a known test");
        given.iter().map(|column| column.name).collect()
    }

    #[test]
    fn every_test_gives_something_and_every_column_is_given() {
        let mut lacking: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        for signature in signatures() {
            let many = names(signature.name, false, None);
            assert!(many.contains(&"tested"), "{}", signature.name);
            lacking.retain(|name| !many.contains(name));
        }
        for (text, single, spectrum) in [
            (
                "power_law(bootstrap: 10, distances: all)",
                true,
                Some("covariance"),
            ),
            ("normality", true, Some("covariance")),
            ("normality(missing: drop)", false, None),
            ("spectrum_shape", true, Some("hessian")),
        ] {
            let more = names(text, single, spectrum);
            lacking.retain(|name| !more.contains(name));
        }
        assert_eq!(lacking, Vec::<&str>::new());
    }

    #[test]
    fn settings_and_samples_decide() {
        let gives = |text: &str, column: &str, single: bool, spectrum: Option<&str>| {
            names(text, single, spectrum).contains(&column)
        };
        let of_many = |text: &str, column: &str| gives(text, column, false, None);
        assert!(!of_many("power_law", "bootstrap_p") && of_many("power_law(bootstrap: 10)", "bootstrap_p"));
        assert!(!of_many("power_law", "kuiper") && of_many("power_law(distances: all)", "kuiper"));
        assert!(!of_many("power_law", "gaussian_rate") && !of_many("normality", "d_ks"));
        assert!(!of_many("power_law", "power_law") && gives("power_law", "power_law", true, None));
        for tail in ["top(1000)", "scan", "minimum", "at(1.5)", "quantile(0.9)"] {
            assert!(of_many(&format!("power_law(tail: {tail})"), "beta"), "{tail}");
        }
        let shape = |column, spectrum| gives("spectrum_shape", column, true, Some(spectrum));
        assert!(shape("trace", "covariance") && !shape("trace", "hessian"));
        assert!(!shape("converged", "covariance") && shape("converged", "hessian"));
        assert!(of_many("hill", "xi") && of_many("davis_kahan", "median_sine"));
        assert!(of_many("subspace_overlap", "first_overlap"));
    }
}
