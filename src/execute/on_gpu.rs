//! Recordings that stay on the GPU, with the tests that are made there.

use std::collections::HashMap;

use super::{ExecuteError, Executor, Spectra};
use crate::gradients::history::GradientHistory;
use crate::plan::{Plan, Step, StepId};
use crate::stats::outcome::Outcome;

/// How far a recording and what is made of it got on the GPU.
#[cfg_attr(not(feature = "kernels"), expect(dead_code))]
pub(super) enum OnGpu {
    /// Nothing was done.
    Nothing,
    /// All of it.
    Everything,
    /// G was recorded, and fetched for what the GPU leaves.
    Recorded(GradientHistory),
}

/// There is none.
#[cfg(not(feature = "kernels"))]
impl Executor<'_> {
    pub(super) fn made_on_gpu(
        &self,
        _: &Plan,
        _: &Step,
        _: &mut Vec<&Step>,
        _: &mut Vec<&Step>,
        _: &mut HashMap<StepId, Outcome>,
        _: &mut Spectra,
    ) -> Result<OnGpu, ExecuteError> {
        Ok(OnGpu::Nothing)
    }
}

#[cfg(feature = "kernels")]
mod kernels {
    use std::ops::Range;
    use std::time::Instant;

    use super::*;
    use crate::execute::record::{batches_of, chunk_of};
    use crate::execute::spectrum::of;
    use crate::execute::{Cause, at};
    use crate::gradients::batches::Order;
    use crate::gradients::failure::{EngineError, attempt};
    use crate::gradients::kernels::KernelNetwork;
    use crate::gradients::on_gpu::GpuHistory;
    use crate::models::Network;
    use crate::plan::route::{is_sketched, rows_of};
    use crate::plan::{Work, spectrum_method};
    use crate::spectra::SpectrumError;
    use crate::spectra::gram::on_gpu;
    use crate::stats::TESTS;
    use crate::stats::remote::{RemoteHistory, RemoteTest, samples_of};

    impl Executor<'_> {
        /// Records G on the GPU where that can make some of `tests` or `missing` spectra; makes those and takes them off
        /// the lists. G is fetched if that leaves any.
        pub(in crate::execute) fn made_on_gpu(
            &self,
            plan: &Plan,
            record: &Step,
            tests: &mut Vec<&Step>,
            missing: &mut Vec<&Step>,
            outcomes: &mut HashMap<StepId, Outcome>,
            spectra: &mut Spectra,
        ) -> Result<OnGpu, ExecuteError> {
            let Some(history) = self.record_on_gpu(plan, record, tests, missing)? else {
                return Ok(OnGpu::Nothing);
            };
            let all = history.iterations();
            let made = self.make_on_gpu(plan, record, &history, (tests, missing), (outcomes, spectra));
            if made.as_ref().is_err_and(ExecuteError::is_interrupt) {
                self.keep_for_the_next_run(record, &history, all)?;
            }
            made?;
            match tests.is_empty() && missing.is_empty() {
                true => Ok(OnGpu::Everything),
                false => self.fetch(record, &history, all).map(OnGpu::Recorded),
            }
        }

        /// Inner products first: their eigenvalues are found on the processor while the GPU tests.
        fn make_on_gpu(
            &self,
            plan: &Plan,
            record: &Step,
            history: &GpuHistory,
            (tests, missing): (&mut Vec<&Step>, &mut Vec<&Step>),
            (outcomes, spectra): (&mut HashMap<StepId, Outcome>, &mut Spectra),
        ) -> Result<(), ExecuteError> {
            let (n, t) = (history.parameters(), history.iterations());
            let Work::Record { weights, .. } = &record.work else {
                unreachable!("a record step")
            };
            let (network, _) = self.weights(plan, plan.step(weights))?;
            let these = std::mem::take(missing);
            let (these, others): (Vec<&Step>, Vec<&Step>) = these
                .iter()
                .partition(|step| by_products(&network, record, step, n, t));
            *missing = others;
            let Some(first) = these.first() else {
                return self.tests_on_gpu(history, tests, outcomes);
            };
            let made = self.spectra_from(
                plan,
                record,
                &network,
                &these,
                spectra,
                &mut |_, rows, centre, monitor| {
                    let moments = rows
                        .iter()
                        .map(|rows| on_gpu::moments(history, rows, centre, monitor));
                    let moments: Result<Option<Vec<_>>, _> = attempt(|| Ok(moments.collect()))
                        .unwrap_or_else(|error| {
                            Err(SpectrumError::Device {
                                reason: error.to_string(),
                            })
                        });
                    moments.map_err(|cause| at(first, cause))
                },
                Some(&mut || self.tests_on_gpu(history, tests, outcomes)),
            );
            match made {
                // The host will make them.
                Err(error) if matches!(*error.cause, Cause::Spectrum(SpectrumError::Device { .. })) => {
                    self.observer.note(&error.to_string());
                    missing.extend(these.iter().filter(|step| !spectra.contains_key(&step.id)));
                    self.tests_on_gpu(history, tests, outcomes)
                }
                made => made,
            }
        }

        fn tests_on_gpu(
            &self,
            history: &GpuHistory,
            tests: &mut Vec<&Step>,
            outcomes: &mut HashMap<StepId, Outcome>,
        ) -> Result<(), ExecuteError> {
            for step in std::mem::take(tests) {
                let (n, t) = (history.parameters(), history.iterations());
                let (Work::Test { direction, .. }, Some(test)) = (&step.work, remote_test(step, n, t)) else {
                    tests.push(step);
                    continue;
                };
                let (samples, _) = samples_of(*direction, n, t);
                let mut failed = None;
                let outcome = self.tested(step, samples as u64, |_, args, seed, monitor| {
                    attempt(|| {
                        test.run_remote(history, *direction, args, seed, monitor)
                            .map_err(|error| EngineError::of(&error.0))
                    })
                    .unwrap_or_else(|error| {
                        failed = Some(error);
                        None
                    })
                });
                match failed {
                    None => {
                        outcomes.insert(step.id.clone(), outcome?);
                    }
                    // The host will make it.
                    Some(error) => {
                        self.observer.note(&error.to_string());
                        tests.push(step);
                    }
                }
            }
            Ok(())
        }

        /// G on the GPU; `None` where it is to go elsewhere, or some of it is on the disk already.
        fn record_on_gpu(
            &self,
            plan: &Plan,
            step: &Step,
            tests: &[&Step],
            missing: &[&Step],
        ) -> Result<Option<GpuHistory>, ExecuteError> {
            let Work::Record {
                data,
                weights,
                batch,
                iterations,
                order,
                keep: false,
                rows,
                batch_norm,
                transform,
                seed,
            } = &step.work
            else {
                return Ok(None);
            };
            let Some(gpu) = self.engine.gpu() else {
                return Ok(None);
            };
            let (network, theta) = self.weights(plan, plan.step(weights))?;
            let n: usize = rows.iter().map(Range::len).sum();
            let (all, batch, t) = (network.parameter_count(), *batch as usize, *iterations as usize);
            let plain = n == all && *order != Order::Full && transform.is_identity();
            let test = |test: &&Step| remote_test(test, n, t).is_some();
            let spectrum = |spectrum: &&Step| by_products(&network, step, spectrum, n, t);
            let wanted = tests.iter().any(test) || missing.iter().any(spectrum);
            let fits =
                step.cost.bytes <= self.memory || tests.iter().all(test) && missing.iter().all(spectrum);
            let begun = self.store.partial(&step.id).exists();
            if !(plain && wanted && fits) || begun || self.store.has(&step.id) {
                return Ok(None);
            }
            if KernelNetwork::new(&network, &theta, *batch_norm, &gpu).is_none() {
                return Ok(None);
            }
            let Some(history) = GpuHistory::new(&gpu, n, t) else {
                return Ok(None);
            };
            let data = self.dataset(plan, data)?;
            let start = Instant::now();
            self.observer.begin(step, t as u64, 0, "gradients");
            let mut batches = batches_of(*order, data.len(), batch, *seed);
            let chunk = chunk_of(self.engine, &network, batch);
            let progress = |gradients| self.observer.advance(gradients);
            let mut first = 0;
            while first < t {
                if self.cancelled() {
                    self.keep_for_the_next_run(step, &history, first)?;
                    return Err(at(step, Cause::Interrupted));
                }
                let last = (first + chunk).min(t);
                let indices = batches.indices(first..last);
                let recorded = self.engine.record_there(
                    &network,
                    &theta,
                    &data,
                    &indices,
                    batch,
                    *batch_norm,
                    &history,
                    first,
                    &progress,
                );
                match recorded {
                    Ok(()) => first = last,
                    // Chunk by chunk to the host, then.
                    Err(EngineError::OutOfMemory { .. }) => return Ok(None),
                    Err(error) => {
                        // What was recorded before stays, if the GPU still gives it.
                        let _ = self.keep_for_the_next_run(step, &history, first);
                        return Err(at(step, error));
                    }
                }
            }
            self.finished(step, start);
            Ok(Some(history))
        }

        /// Leaves the first `done` gradients on the disk.
        fn keep_for_the_next_run(
            &self,
            step: &Step,
            history: &GpuHistory,
            done: usize,
        ) -> Result<(), ExecuteError> {
            let fetched = self.fetch(step, history, done)?;
            self.save_partial(step, &fetched, done, None)
                .map_err(|cause| at(step, cause))
        }

        /// A copy of the first `done` gradients in the host's memory.
        fn fetch(
            &self,
            step: &Step,
            history: &GpuHistory,
            done: usize,
        ) -> Result<GradientHistory, ExecuteError> {
            let (n, t) = (history.parameters(), history.iterations());
            let mut copy = GradientHistory::in_memory(n, t).map_err(|cause| at(step, cause))?;
            history
                .read(&mut copy.values_mut()[..done * n])
                .map_err(|cause| at(step, cause))?;
            Ok(copy)
        }
    }

    /// Whether `step` is a spectrum of products of the gradients in an n × t history, rather than of its values, a sketch of
    /// them, or the smaller products of its rows.
    fn by_products(network: &Network, record: &Step, step: &Step, n: usize, t: usize) -> bool {
        let (call, _) = of(step);
        let whole = |rows: Vec<Range<usize>>| rows == [0..n];
        !spectrum_method(&call.name).needs_values()
            && !is_sketched(step)
            && rows_of(network, record, step).is_ok_and(|rows| t <= n || !whole(rows))
    }

    /// The test `step` of an n × t history as a GPU makes it, if it does.
    fn remote_test(step: &Step, n: usize, t: usize) -> Option<&'static dyn RemoteTest> {
        let Work::Test {
            test,
            direction,
            other: None,
            ..
        } = &step.work
        else {
            return None;
        };
        let kind = TESTS.iter().find(|kind| kind.signature().name == test.name)?;
        let (_, size) = samples_of(*direction, n, t);
        kind.remote(&test.args, size)
    }
}
