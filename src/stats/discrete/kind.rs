//! The discrete power-law test as a study names it, over many samples.

use super::discrete_power_law;
use crate::signature::{Args, Signature};
use crate::stats::TestKind;
use crate::stats::critical::Critical;
use crate::stats::history_view::HistoryView;
use crate::stats::ks::Ecdf;
use crate::stats::many;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::{Direction, Outcome};
use crate::stats::power_law::{ALONG, ALPHA, ECDF, OF, PowerLawSettings, TAIL, tail_rule};
use crate::stats::tail::TailRule;

/// `discrete_power_law(g, tail: top(1000), ecdf: left, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "discrete_power_law",
    summary: "Kolmogorov–Smirnov test of a power law of whole numbers, such as counts",
    params: &[OF, TAIL, ECDF, ALPHA, ALONG],
    version: 1,
};

/// The test as a study names it.
#[derive(Debug)]
pub struct DiscretePowerLaw;

/// Reads arguments checked against [`SIGNATURE`].
pub(in crate::stats) fn settings(args: &Args) -> PowerLawSettings {
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

    fn run(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        _seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let settings = settings(args);
        let look = |(): &mut (), _: usize, values: &[f64]| discrete_power_law(values, &settings);
        let samples = many::map_wide(view, direction, monitor, || (), look)?;
        Some(Outcome::PowerLaw(many::power_law::outcome(&samples, &settings)))
    }

    fn run_sample(&self, values: &[f64], args: &Args, _seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let settings = settings(args);
        let sample = discrete_power_law(values, &settings);
        (!monitor.cancelled()).then(|| {
            (monitor.progress)(1);
            Outcome::PowerLaw(many::power_law::outcome(&[sample], &settings))
        })
    }

    fn convention(&self, args: &Args) -> String {
        format!(
            "Discrete power law: maximum-likelihood fit of x^−β/ζ(β, x_min) to {}; d_c as for a continuous law, which \
             takes no account of the fitted exponent and the steps (α = {}).",
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
        samples as f64 * (size as f64 * 5e-8 + zetas * 4e-7) / rayon::current_num_threads() as f64
    }
}
