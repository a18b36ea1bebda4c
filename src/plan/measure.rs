//! Spectra and tests of a case, as steps.

use std::collections::HashMap;

use serde_json::json;

use super::cost::Cost;
use super::lower::{Lowering, NetworkOf, Out, PlanError, dataset_of};
use super::step::{Operation, StepId, StepKey, Work};
use super::{Planned, PlannedSpectrum};
use crate::hessian::{self, Request, signatures};
use crate::models::select::select;
use crate::results::Subject;
use crate::signature::{Call, ParamType, Signature, Value};
use crate::spectra::measures::{self, Measure, Method};
use crate::spectra::{SPECTRA, SpectrumError, SpectrumMethod};
use crate::stats::outcome::Direction;
use crate::stats::{self, TestKind};
use crate::study::{Case, SpectrumSpec, TestSpec};

/// A history or a spectrum that spectra and tests can be of.
#[derive(Clone)]
pub(super) struct Measurable {
    pub step: StepId,
    /// The `record` statement behind it; empty for the spectrum of a loss.
    pub record: String,
    pub subject: Subject,
}

type Levels = [(String, String)];

impl<'a> Lowering<'_> {
    /// Plans every spectrum; each becomes `known`, those it is made from before it.
    pub fn spectra(
        &mut self,
        case: &'a Case,
        seed: u64,
        levels: &Levels,
        known: &mut HashMap<&'a str, Measurable>,
        out: &mut Out,
    ) -> Result<(), PlanError> {
        for (name, spec) in &case.spectra {
            self.spectrum(case, name, spec, seed, known)?;
            if case.given.contains(name) {
                continue;
            }
            let Measurable {
                step,
                record,
                subject,
            } = known[name.as_str()].clone();
            out.spectra.push(PlannedSpectrum {
                step,
                spectrum: name.clone(),
                record,
                subject,
                seed,
                levels: levels.to_vec(),
            });
        }
        Ok(())
    }

    fn spectrum(
        &mut self,
        case: &'a Case,
        name: &'a str,
        spec: &'a SpectrumSpec,
        seed: u64,
        known: &mut HashMap<&'a str, Measurable>,
    ) -> Result<(), PlanError> {
        if known.contains_key(name) {
            return Ok(());
        }
        if let Some(curvature) = signatures::CURVATURES
            .iter()
            .find(|it| it.0.name == spec.call.name)
        {
            let measurable = self.curvature(case, name, spec, curvature.0, seed)?;
            known.insert(name, measurable);
            return Ok(());
        }
        let base = spec.call.args.text("of");
        if let Some((base, base_spec)) = case.spectra.get_key_value(base) {
            self.spectrum(case, base, base_spec, seed, known)?;
        }
        let from = known[base].clone();
        let method = spectrum_method(&spec.call.name);
        let mut settings = spec.call.clone();
        // Names of statements are no part of what is computed: the inputs' ids stand for them.
        settings
            .args
            .0
            .retain(|key, _| !is_reference(method.signature(), key));
        let key = StepKey {
            operation: Operation::Spectrum,
            version: method.signature().version,
            settings: json!({"spectrum": settings}),
            seed: None,
            inputs: vec![from.step.clone()],
        };
        let mut from = from;
        if let Some(Value::Text(pattern)) = spec.call.args.get("layers") {
            from.subject.parameters = self.selected(&from.step, pattern)?;
        }
        let (n, t) = (from.subject.parameters, from.subject.iterations);
        let cost = Cost {
            seconds: method.seconds(&spec.call.args, n, t),
            bytes: method.bytes(n, t),
            ..Cost::default()
        };
        let label = format!(
            "{name}: {} of {base}, seed {seed}",
            spec.call.name.replace('_', " ")
        );
        let work = Work::Spectrum {
            of: from.step,
            on: None,
            call: spec.call.clone(),
            seed,
        };
        let step = self.add(key, work, label, cost);
        let subject = Subject {
            spectrum: Some(method.about(&spec.call.args)),
            ..from.subject
        };
        let record = from.record;
        known.insert(
            name,
            Measurable {
                step,
                record,
                subject,
            },
        );
        Ok(())
    }

    /// Parameters of the network behind a record step that `pattern` chooses.
    fn selected(&self, record: &StepId, pattern: &str) -> Result<u64, PlanError> {
        let Work::Record { weights, .. } = &self.work(record) else {
            unreachable!("a spectrum with layers is of a record")
        };
        let rows = select(&self.networks[weights].network, pattern)?;
        Ok(rows.iter().map(|range| range.len() as u64).sum())
    }

    /// The spectrum of a loss: of weights, on data.
    fn curvature(
        &mut self,
        case: &Case,
        name: &str,
        spec: &SpectrumSpec,
        signature: &'static Signature,
        seed: u64,
    ) -> Result<Measurable, PlanError> {
        let args = &spec.call.args;
        let (of, on) = (args.text("of"), args.text("on"));
        let (data, weights) = self.inputs(case, of, on, seed)?;
        let NetworkOf { network, training } = self.networks[&weights].clone();
        let kind = signatures::find(signature.name).expect("one of the curvatures");
        hessian::supports(&network, kind)?;
        let samples = args.integer("samples") as u64;
        if let Some(size) = signatures::minibatch_size(args).filter(|_| network.has_batch_norm()) {
            hessian::minibatches(samples, size)?;
        }
        let mut settings = spec.call.clone();
        settings.args.0.retain(|key, _| !is_reference(signature, key));
        let key = StepKey {
            operation: Operation::Spectrum,
            version: signature.version,
            settings: json!({"spectrum": settings}),
            seed: Some(seed),
            inputs: vec![data.clone(), weights.clone()],
        };
        let cost = Cost {
            seconds: Request::from_args(args, seed).seconds(&network, samples),
            bytes: 8 * network.parameter_count() as u64 * args.integer("top") as u64,
            ..Cost::default()
        };
        let words = spec.call.name.replace('_', " ");
        let label = format!("{name}: {words} of {of} over {samples} samples, seed {seed}");
        let work = Work::Spectrum {
            of: weights,
            on: Some(data),
            call: spec.call.clone(),
            seed,
        };
        let step = self.add(key, work, label, cost);
        // The mean loss over N samples is that of one minibatch of N.
        let subject = Subject {
            dataset: dataset_of(case, on).display_name().to_string(),
            model: network.name.to_string(),
            training: training.to_string(),
            batch: samples,
            iterations: 1,
            parameters: network.parameter_count() as u64,
            spectrum: Some(spec.call.name.clone()),
        };
        let record = String::new();
        Ok(Measurable {
            step,
            record,
            subject,
        })
    }

    /// Plans every test of what is known.
    pub fn tests(
        &mut self,
        case: &Case,
        seed: u64,
        levels: &Levels,
        known: &HashMap<&str, Measurable>,
        out: &mut Out,
    ) -> Result<(), PlanError> {
        for (name, spec) in case.tests.iter().filter(|(name, _)| !case.given.contains(name)) {
            if let Some(measure) = measures::find(&spec.call.name) {
                let planned = self.measure(measure, name, spec, seed, levels, known)?;
                out.measurements.push(planned);
                continue;
            }
            let of = known[spec.of.as_str()].clone();
            let kind = test_kind(&spec.call.name);
            let directions = match case.spectra.contains_key(&spec.of) {
                true => &[Direction::Spectrum][..],
                false => &spec.along,
            };
            for direction in directions {
                let key = StepKey {
                    operation: Operation::Test,
                    version: kind.signature().version,
                    settings: json!({"test": spec.call, "direction": direction}),
                    seed: Some(seed),
                    inputs: vec![of.step.clone()],
                };
                let work = Work::Test {
                    of: of.step.clone(),
                    other: None,
                    test: spec.call.clone(),
                    direction: *direction,
                    seed,
                };
                let (n, t) = (of.subject.parameters, of.subject.iterations);
                let cost = Cost {
                    seconds: kind.seconds(&spec.call.args, n, t, *direction),
                    ..Cost::default()
                };
                let along = match direction {
                    Direction::Spectrum => String::new(),
                    _ => format!(" along {}", direction.word()),
                };
                let label = format!("{name}: {}{along} of {}, seed {seed}", spec.call.name, spec.of);
                let step = self.add(key, work, label, cost);
                out.measurements.push(Planned {
                    step,
                    test: name.clone(),
                    record: of.record.clone(),
                    subject: of.subject.clone(),
                    seed,
                    levels: levels.to_vec(),
                    direction: *direction,
                });
            }
        }
        Ok(())
    }

    /// A measurement of spectra or eigenspaces; its eigenvectors are steps of their own, so that two histories need not
    /// be there together.
    fn measure(
        &mut self,
        measure: &'static Measure,
        name: &str,
        spec: &TestSpec,
        seed: u64,
        levels: &Levels,
        known: &HashMap<&str, Measurable>,
    ) -> Result<Planned, PlanError> {
        let of = &known[spec.of.as_str()];
        let mut call = spec.call.clone();
        call.args.0.retain(|key, _| !is_reference(measure.signature, key));
        let bounded = |of: &Measurable| {
            let (parameters, samples) = (of.subject.parameters, of.subject.iterations);
            let rank_bound = (measure.rank_bound)(parameters, samples);
            match call.args.get("top") {
                Some(Value::Integer(top)) if *top as u64 > rank_bound => Err(SpectrumError::TopAboveRank {
                    top: *top as u64,
                    rank_bound,
                    parameters,
                    samples,
                }),
                _ => Ok(()),
            }
        };
        bounded(of)?;
        let mut inputs = vec![of.step.clone()];
        if let Method::OfSubspaces { .. } = measure.method {
            let other = &known[spec.call.args.text("other")];
            bounded(other)?;
            if other.subject.parameters != of.subject.parameters {
                return Err(PlanError::Networks {
                    test: name.to_string(),
                    of: of.subject.parameters,
                    other: other.subject.parameters,
                });
            }
            inputs = [of, other]
                .map(|of| self.eigenvectors(measure, name, &call, of))
                .to_vec();
        }
        let key = StepKey {
            operation: Operation::Test,
            version: measure.signature.version,
            settings: json!({"test": call, "direction": Direction::Spectrum}),
            seed: None,
            inputs: inputs.clone(),
        };
        let work = Work::Test {
            of: inputs[0].clone(),
            other: inputs.get(1).cloned(),
            test: call,
            direction: Direction::Spectrum,
            seed,
        };
        let cost = Cost {
            seconds: measure.seconds(of.subject.parameters, of.subject.iterations),
            ..Cost::default()
        };
        let label = format!(
            "{name}: {} of {}, seed {seed}",
            spec.call.name.replace('_', " "),
            spec.of
        );
        let covariance = of.subject.spectrum.clone().or(Some("covariance".to_string()));
        Ok(Planned {
            step: self.add(key, work, label, cost),
            test: name.to_string(),
            record: of.record.clone(),
            subject: Subject {
                spectrum: covariance,
                ..of.subject.clone()
            },
            seed,
            levels: levels.to_vec(),
            direction: Direction::Spectrum,
        })
    }

    fn eigenvectors(&mut self, measure: &Measure, name: &str, call: &Call, of: &Measurable) -> StepId {
        let key = StepKey {
            operation: Operation::Eigenvectors,
            version: measure.signature.version,
            settings: json!({"eigenvectors": call}),
            seed: None,
            inputs: vec![of.step.clone()],
        };
        let work = Work::Eigenvectors {
            of: of.step.clone(),
            call: call.clone(),
        };
        let (n, t) = (of.subject.parameters, of.subject.iterations);
        let cost = Cost {
            seconds: crate::spectra::cost::seconds(n.max(t), t, 0),
            bytes: crate::spectra::cost::bytes(n.max(t), t),
            ..Cost::default()
        };
        let label = format!("{name}: eigenvectors of {}", of.record);
        self.add(key, work, label, cost)
    }
}

/// The sentence that says how a test or a measurement was made.
pub fn convention(call: &Call) -> String {
    match measures::find(&call.name) {
        Some(measure) => (measure.convention)(&call.args),
        None => test_kind(&call.name).convention(&call.args),
    }
}

fn is_reference(signature: &Signature, key: &str) -> bool {
    let param = signature.params.iter().find(|param| param.name == key);
    param.is_some_and(|param| matches!(param.ty, ParamType::Reference(_)))
}

/// The test called `name`; the checker has made sure that there is one.
pub fn test_kind(name: &str) -> &'static dyn TestKind {
    stats::TESTS
        .iter()
        .copied()
        .find(|kind| kind.signature().name == name)
        .expect("the checker knows the tests")
}

/// The spectrum called `name`; the checker has made sure that there is one.
pub fn spectrum_method(name: &str) -> &'static dyn SpectrumMethod {
    SPECTRA
        .iter()
        .copied()
        .find(|method| method.signature().name == name)
        .expect("the checker knows the spectra")
}
