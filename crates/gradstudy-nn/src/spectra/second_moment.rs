//! The spectrum of the gradients: C_m = (1/T) G Gᵀ.

use super::sketch::SKETCH;
use super::{
    Input, LAYERS, OF_RECORD, Spectrum, SpectrumError, SpectrumKind, SpectrumMethod, TOP, solve, with_moments,
};
use gradstudy_base::signature::{Args, Signature};
use gradstudy_stats::monitor::Monitor;

/// `second_moment(g, top: 1000)`
pub static SIGNATURE: Signature = Signature {
    name: "second_moment",
    summary: "largest eigenvalues of the gradients' second moment (covariance without centring)",
    params: &[OF_RECORD, TOP, LAYERS, SKETCH],
    version: 2,
};

/// The second moment as a study names it.
#[derive(Debug)]
pub struct SecondMoment;

impl SpectrumMethod for SecondMoment {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn run(&self, input: Input, args: &Args, monitor: &Monitor) -> Option<Result<Spectrum, SpectrumError>> {
        with_moments(input, monitor, |moments| {
            let (n, t) = (moments.parameters() as u64, moments.samples() as u64);
            let rank_bound = self.rank_bound(args, n, t);
            let top = args.integer("top") as u64;
            solve(
                SpectrumKind::SecondMoment,
                moments.second_moment(),
                rank_bound,
                moments,
                top,
            )
        })
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64) -> f64 {
        super::cost::seconds(parameters, iterations, args.integer("top") as u64)
    }

    fn bytes(&self, parameters: u64, iterations: u64) -> u64 {
        super::cost::bytes(parameters, iterations)
    }
}
