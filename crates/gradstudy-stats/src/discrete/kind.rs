//! The discrete power-law test as a study names it, over many samples.

use super::bootstrap::resample;
use super::discrete_power_law;
use crate::TestKind;
use crate::bootstrap::{BootstrapSettings, EXCEEDANCES};
use crate::critical::Critical;
use crate::degenerate::Cause;
use crate::history_view::HistoryView;
use crate::ks::Ecdf;
use crate::many;
use crate::many::power_law::{Samples, bootstrap_of_each};
use crate::missing::MISSING;
use crate::monitor::Monitor;
use crate::outcome::{Direction, Outcome};
use crate::power_law::{ALONG, ALPHA, BOOTSTRAP, ECDF, OF, PowerLawSettings, PowerLawTest, TAIL, tail_rule};
use crate::tail::TailRule;
use gradstudy_base::signature::{Args, Signature};

/// `discrete_power_law(g, tail: top(1000), ecdf: left, alpha: 0.05, along: [dimension, iteration], bootstrap: 0)`
pub static SIGNATURE: Signature = Signature {
    name: "discrete_power_law",
    summary: "Kolmogorov–Smirnov test of a power law of whole numbers, such as counts",
    params: &[OF, TAIL, ECDF, ALPHA, ALONG, BOOTSTRAP, MISSING],
    version: 2,
};

/// The test as a study names it.
#[derive(Debug)]
pub struct DiscretePowerLaw;

/// Reads arguments checked against [`SIGNATURE`].
pub(crate) fn settings(args: &Args) -> PowerLawSettings {
    PowerLawSettings {
        tail: TailRule::from_call(args.call("tail")),
        ecdf: Ecdf::from_word(args.text("ecdf")),
        alpha: args.number("alpha"),
        critical: Critical::Fixed,
    }
}

impl TestKind for DiscretePowerLaw {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let settings = settings(args);
        let look = |(): &mut (), _: usize, values: &[f64]| discrete_power_law(values, &settings);
        // Samples are counted when they are done with, and a bootstrap looks at them once more.
        let first = match args.integer("bootstrap") {
            0 => *monitor,
            _ => monitor.without_progress(),
        };
        let tests = many::map_wide(view, direction, &first, || (), look)?;
        complete(Samples::History(view, direction), &tests, args, seed, monitor)
    }

    fn test_one(&self, values: &[f64], args: &Args, seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let test = discrete_power_law(values, &settings(args));
        if monitor.cancelled() {
            return None;
        }
        if args.integer("bootstrap") == 0 {
            (monitor.progress)(1);
        }
        complete(Samples::One(values), &[test], args, seed, monitor)
    }

    fn convention(&self, args: &Args) -> String {
        let ties = match args.call("tail").name.as_str() {
            "top" => " and those equal to the least of them",
            _ => "",
        };
        let bootstrap = match args.integer("bootstrap") {
            0 => String::new(),
            replicates => format!(
                " Bootstrap p-values (small speaks against the power law): at most {replicates} semi-parametric \
                 replicates of each sample, ended at {EXCEEDANCES} exceedances."
            ),
        };
        format!(
            "Discrete power law: maximum-likelihood fit of x^−β/ζ(β, x_min) to {}{ties}; d_c as for a continuous law, \
             which takes no account of the fitted exponent and the steps (α = {}).{bootstrap}",
            tail_rule(args),
            args.number("alpha")
        )
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        let (size, samples) = match direction {
            Direction::Dimension | Direction::Spectrum => (parameters, iterations),
            Direction::Iteration => (iterations, parameters),
        };
        // A zeta function for each distinct value, of which a power law has about √n; a scan has them squared.
        let distinct = (size as f64).sqrt();
        let zetas = match args.call("tail").name == "scan" {
            true => distinct * (distinct / 4.0 + 60.0),
            false => distinct + 60.0,
        };
        // A replicate's values are drawn, sorted and fitted.
        let replicates = args.integer("bootstrap") as f64 * (size as f64 * 1e-7 + zetas * 4e-7);
        let first = size as f64 * 5e-8 + zetas * 4e-7;
        samples as f64 * (first + replicates) / rayon::current_num_threads() as f64
    }
}

/// The outcome of `tests`, with bootstrap p-values where the arguments ask for them; `None` if cancelled.
fn complete(
    samples: Samples,
    tests: &[Result<PowerLawTest, Cause>],
    args: &Args,
    seed: u64,
    monitor: &Monitor,
) -> Option<Outcome> {
    let settings = settings(args);
    let mut outcome = many::power_law::outcome(tests, &settings);
    let replicates = args.integer("bootstrap") as u64;
    if replicates > 0 {
        let draws = BootstrapSettings {
            replicates,
            exceedances: EXCEEDANCES,
            seed,
        };
        let (summed, each) = bootstrap_of_each(samples, tests, &settings, &draws, resample, monitor)?;
        outcome.bootstrap = Some(summed);
        outcome.samples.add("bootstrap_p_value", each.into_iter());
    }
    Some(Outcome::PowerLaw(outcome))
}
