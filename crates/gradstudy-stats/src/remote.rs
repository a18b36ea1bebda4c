//! What tests ask of a gradient history that lies elsewhere, such as on a GPU, so that its numbers need not be fetched.

use super::degenerate::Cause;
use super::ks::Ecdf;
use super::monitor::Monitor;
use super::outcome::{Direction, Outcome};
use super::power_law::PowerLawFit;
use gradstudy_base::signature::Args;

/// Points of a tail that every such place must be able to fit.
pub const TAIL_POINTS: usize = 4096;

/// A history G that is elsewhere.
pub trait RemoteHistory: Sync {
    /// Rows of G (n).
    fn parameters(&self) -> usize;

    /// Columns of G (T).
    fn iterations(&self) -> usize;

    /// The law fitted to the `k` largest absolute values of each sample, and its d_ks, in order; `None` if cancelled.
    ///
    /// 2 ≤ `k` ≤ [`TAIL_POINTS`], and no sample is smaller.
    fn power_laws(
        &self,
        direction: Direction,
        k: usize,
        ecdf: Ecdf,
        monitor: &Monitor,
    ) -> Result<Option<Vec<RemoteFit>>, RemoteError>;

    /// Numbers of consecutive samples from sample `first` on: of each those at the next `points` of `indices`.
    fn points(
        &self,
        direction: Direction,
        first: usize,
        points: usize,
        indices: &[u32],
    ) -> Result<Vec<f32>, RemoteError>;
}

/// A law and its distance, or why there is none.
pub type RemoteFit = Result<(PowerLawFit, f64), Cause>;

/// How many samples an n × T history has in `direction`, and how many numbers each.
pub fn samples_of(direction: Direction, parameters: usize, iterations: usize) -> (usize, usize) {
    match direction {
        Direction::Dimension | Direction::Spectrum => (iterations, parameters),
        Direction::Iteration => (parameters, iterations),
    }
}

/// A test that can be made of such a history.
pub trait RemoteTest {
    /// As [`super::TestKind::run`]; `Ok(None)` if cancelled.
    fn run_remote(
        &self,
        history: &dyn RemoteHistory,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Option<Outcome>, RemoteError>;
}

/// What the place says when it fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RemoteError(pub String);
