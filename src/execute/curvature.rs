//! Spectra of the loss itself: Hessian, Gauss–Newton and empirical Fisher matrix at given weights.

use std::time::Instant;

use super::{Cause, ExecuteError, Executor, Spectra, at};
use crate::hessian::{self, Curvature, CurvatureSpectrum, Operator, Request, signatures};
use crate::models::select::select;
use crate::plan::{Plan, Step, Work};
use crate::seed;
use crate::signature::Value;
use crate::spectra::{Spectrum, SpectrumKind};
use crate::stats::monitor::Monitor;

impl Executor<'_> {
    /// The curvature spectrum of `step`: from the cache, or computed now, going on where an interrupted run stopped.
    pub(super) fn curvature(
        &self,
        plan: &Plan,
        step: &Step,
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        if self.load_spectrum(step, spectra)? {
            return Ok(());
        }
        let Work::Spectrum {
            of,
            on: Some(on),
            call,
            seed,
        } = &step.work
        else {
            unreachable!("a spectrum of a loss")
        };
        let lock = self.lock(step)?;
        if lock.waited() {
            // The other process may have made it.
            drop(lock);
            return self.curvature(plan, step, spectra);
        }
        let (network, theta) = self.weights(plan, plan.step(of))?;
        let data = self.dataset(plan, on)?;
        let start = Instant::now();
        let samples: Vec<u32> = (0..call.args.integer("samples") as u32).collect();
        let kind = signatures::find(&call.name).expect("the checker knows the curvatures");
        let operator = Operator::new(&network, &theta, &data, &samples, kind)
            .and_then(|operator| match signatures::minibatch_size(&call.args) {
                Some(size) => operator.in_minibatches(size as usize),
                None => Ok(operator),
            })
            .map_err(|cause| at(step, cause))?;
        let operator = match call.args.get("layers") {
            Some(Value::Text(pattern)) => {
                operator.of_rows(select(&network, pattern).map_err(|cause| at(step, cause))?)
            }
            _ => operator,
        };
        #[cfg(feature = "kernels")]
        let operator = operator.on(self.engine);
        let partial = self.store.partial(&step.id);
        if let Some(file) = hessian::damaged_state(&partial) {
            self.warn_of_damage(step, &file);
            self.store
                .discard_partial(&step.id)
                .map_err(|cause| at(step, cause))?;
        }
        let request = Request {
            state: Some(partial),
            ..Request::from_args(&call.args, seed::derive(*seed, "start of a curvature spectrum"))
        };
        // An estimate: the search ends when every pair has converged.
        let expected = request.expected_products(operator.size());
        self.observer.begin(step, expected, 0, "products");
        let progress = |products| self.observer.advance(products);
        let monitor = Monitor {
            progress: &progress,
            cancel: self.cancel,
        };
        let found = hessian::spectrum(&operator, &request, &monitor)
            .ok_or_else(|| at(step, Cause::Interrupted))?
            .map_err(|cause| at(step, cause))?;
        self.put_spectrum(step, spectrum(found), start, spectra)?;
        self.store
            .discard_partial(&step.id)
            .map_err(|cause| at(step, cause))
    }
}

/// A curvature spectrum in the form that all spectra share. The matrix is never formed, so its traces are not known.
fn spectrum(found: CurvatureSpectrum) -> Spectrum {
    let (parameters, samples) = (found.parameters as u64, found.samples as u64);
    Spectrum {
        kind: match found.kind {
            Curvature::Hessian => SpectrumKind::Hessian,
            Curvature::GaussNewton => SpectrumKind::GaussNewton,
            Curvature::EmpiricalFisher => SpectrumKind::Fisher,
        },
        values: found.values,
        order: parameters,
        rank_bound: parameters,
        parameters,
        samples,
        trace: f64::NAN,
        square_trace: f64::NAN,
        accuracy: found.residuals.iter().copied().fold(0.0, f64::max),
        converged: Some(found.converged as u64),
        residuals: Some(found.residuals),
        sketch: None,
    }
}
