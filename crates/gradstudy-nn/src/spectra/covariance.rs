//! The spectrum of the gradient noise: C = (1/T)(G − c1ᵀ)(G − c1ᵀ)ᵀ.

use super::sketch::SKETCH;
use super::{
    Input, LAYERS, OF_RECORD, Spectrum, SpectrumError, SpectrumKind, SpectrumMethod, TOP, solve, with_moments,
};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_stats::monitor::Monitor;

/// `covariance(g, top: 1000, centre: history)`
pub static SIGNATURE: Signature = Signature {
    name: "covariance",
    summary: "largest eigenvalues of the gradients' covariance (the gradient noise)",
    params: &[
        OF_RECORD,
        TOP,
        Param {
            name: "centre",
            ty: ParamType::Word(&["history", "full_batch"]),
            default: Default::Text("history"),
            doc: "what is subtracted: the mean over the history, or the full-batch gradient",
        },
        LAYERS,
        SKETCH,
    ],
    version: 2,
};

/// The covariance as a study names it.
#[derive(Debug)]
pub struct Covariance;

impl SpectrumMethod for Covariance {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn rank_bound(&self, args: &Args, parameters: u64, iterations: u64) -> u64 {
        // Centring takes one dimension away.
        let centred = args.text("centre") == "history";
        parameters.min(iterations.saturating_sub(u64::from(centred)))
    }

    fn run(&self, input: Input, args: &Args, monitor: &Monitor) -> Option<Result<Spectrum, SpectrumError>> {
        let top = args.integer("top") as u64;
        let history = args.text("centre") == "history";
        match input {
            Input::History { view, .. } if history && view.iterations == 1 => {
                return Some(Err(SpectrumError::OneIteration));
            }
            Input::History { full_batch: None, .. } if !history => {
                return Some(Err(SpectrumError::NoFullBatch));
            }
            _ => {}
        }
        with_moments(input, monitor, |moments| {
            let (n, t) = (moments.parameters() as u64, moments.samples() as u64);
            let matrix = match history {
                true if t == 1 => return Err(SpectrumError::OneIteration),
                true => moments.covariance(),
                false => moments.around_centre().ok_or(SpectrumError::NoFullBatch)?,
            };
            let rank_bound = self.rank_bound(args, n, t);
            solve(SpectrumKind::Covariance, matrix, rank_bound, moments, top)
        })
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64) -> f64 {
        super::cost::seconds(parameters, iterations, args.integer("top") as u64)
    }

    fn bytes(&self, parameters: u64, iterations: u64) -> u64 {
        super::cost::bytes(parameters, iterations)
    }
}
