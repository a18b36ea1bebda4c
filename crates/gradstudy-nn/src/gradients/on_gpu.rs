//! A gradient history that stays where it was made, on a GPU.

use std::ops::Range;

use super::failure::EngineError;
use super::history::GradientHistory;
use crate::kernels::tails::{CONSTANT, NOT_FINITE, NUMBERS, TOO_FEW};
use crate::kernels::{Buffer, Gpu};
use gradstudy_stats::degenerate::Cause;
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::ks::Ecdf;
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::Direction;
use gradstudy_stats::power_law::PowerLawFit;
use gradstudy_stats::remote::{RemoteError, RemoteFit, RemoteHistory, TAIL_POINTS};

const _: () = assert!(TAIL_POINTS <= Gpu::TAIL_POINTS);

/// Bytes of the rows that are turned at a time.
const TURNED: usize = 512 << 20;

/// G, one iteration's gradient after the other, in the memory of a GPU.
pub struct GpuHistory {
    gpu: Gpu,
    values: Buffer,
    parameters: usize,
    iterations: usize,
}

impl GpuHistory {
    /// Room for G; `None` where it would take more than half of what is free.
    pub fn new(gpu: &Gpu, parameters: usize, iterations: usize) -> Option<Self> {
        let bytes = GradientHistory::bytes(parameters, iterations) as u64;
        let fits = gpu.free_memory().is_some_and(|free| bytes <= free / 2);
        fits.then(|| GpuHistory {
            gpu: gpu.clone(),
            values: gpu.empty(parameters * iterations),
            parameters,
            iterations,
        })
    }

    /// A copy of a history in the host's memory.
    pub fn upload(gpu: &Gpu, view: HistoryView) -> Self {
        GpuHistory {
            gpu: gpu.clone(),
            values: gpu.upload(view.values),
            parameters: view.parameters,
            iterations: view.iterations,
        }
    }

    /// Where it is.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// All of G: gradient t from number t·n on.
    pub fn values(&self) -> &Buffer {
        &self.values
    }

    /// The first numbers of G, as many as there is room for.
    pub fn read(&self, values: &mut [f32]) -> Result<(), EngineError> {
        Ok(self.gpu.read_first(&self.values, values)?)
    }

    /// The test of `samples`, each `length` long, one after the other.
    fn laws(
        &self,
        samples: &Buffer,
        length: usize,
        k: usize,
        ecdf: Ecdf,
    ) -> Result<Vec<RemoteFit>, RemoteError> {
        let found = self.gpu.power_laws(samples, length, k, ecdf == Ecdf::TwoSided);
        let found = self.gpu.read_wide(&found).map_err(remote)?;
        let (of_samples, _) = found.as_chunks::<NUMBERS>();
        let fit = |&[log_sum, x_min, distance]: &[f64; NUMBERS]| match log_sum {
            NOT_FINITE => Err(Cause::NotFinite),
            CONSTANT => Err(Cause::Constant),
            TOO_FEW => Err(Cause::TooFew),
            _ => Ok((PowerLawFit::from_log_sum(log_sum, x_min, k), distance)),
        };
        Ok(of_samples.iter().map(fit).collect())
    }
}

impl RemoteHistory for GpuHistory {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn iterations(&self) -> usize {
        self.iterations
    }

    fn power_laws(
        &self,
        direction: Direction,
        k: usize,
        ecdf: Ecdf,
        monitor: &Monitor,
    ) -> Result<Option<Vec<RemoteFit>>, RemoteError> {
        let (n, t) = (self.parameters, self.iterations);
        if direction != Direction::Iteration {
            let found = self.laws(&self.values, n, k, ecdf)?;
            (monitor.progress)(t as u64);
            return Ok((!monitor.cancelled()).then_some(found));
        }
        let height = (TURNED / (t * size_of::<f32>())).clamp(1, n);
        let mut found = Vec::with_capacity(n);
        while found.len() < n {
            if monitor.cancelled() {
                return Ok(None);
            }
            let rows: Range<usize> = found.len()..n.min(found.len() + height);
            let turned = self.gpu.turned(&self.values, n, rows.clone());
            found.extend(self.laws(&turned, t, k, ecdf)?);
            (monitor.progress)(rows.len() as u64);
        }
        Ok(Some(found))
    }

    fn points(
        &self,
        direction: Direction,
        first: usize,
        points: usize,
        indices: &[u32],
    ) -> Result<Vec<f32>, RemoteError> {
        let (between, within) = match direction {
            Direction::Iteration => (1, self.parameters),
            _ => (self.parameters, 1),
        };
        let indices = self.gpu.upload_integers(indices);
        let drawn = self
            .gpu
            .points(&self.values, &indices, first, points, between, within);
        let mut values = vec![0.0; drawn.len];
        self.gpu.read_into(&drawn, &mut values).map_err(remote)?;
        Ok(values)
    }
}

fn remote(error: crate::kernels::GpuError) -> RemoteError {
    RemoteError(error.to_string())
}
