//! Tests of a case, as steps.

use serde_json::json;

use super::Planned;
use super::cost::Cost;
use super::error::PlanError;
use super::lower::{Lowering, Out};
use super::settings;
use super::spectra::{Known, Levels, Measurable, is_reference};
use super::step::{Operation, StepId, StepKey, Work};
use crate::results::Subject;
use crate::signature::{Call, Value};
use crate::spectra::SpectrumError;
use crate::spectra::measures::{self, Measure, Method};
use crate::stats::outcome::Direction;
use crate::stats::{self, TestKind};
use crate::study::{Case, TestSpec};

impl Lowering<'_> {
    /// Plans every test of what is known.
    pub fn tests(
        &mut self,
        case: &Case,
        seed: u64,
        levels: &Levels,
        known: &Known,
        out: &mut Out,
    ) -> Result<(), PlanError> {
        for (name, spec) in case.tests.iter().filter(|(name, _)| !case.given.contains(name)) {
            for of in &known[spec.of.as_str()] {
                match measures::find(&spec.call.name) {
                    Some(measure) => {
                        let (step, subject) = self.measure(measure, name, spec, of, seed, known)?;
                        out.measurements.push(Planned {
                            step,
                            test: name.clone(),
                            record: of.record.clone(),
                            spectrum: case.spectra.contains_key(&spec.of).then(|| spec.of.clone()),
                            subject,
                            seed,
                            levels: levels.to_vec(),
                            direction: Direction::Spectrum,
                        });
                    }
                    None => {
                        let directions = match case.spectra.contains_key(&spec.of) {
                            true => &[Direction::Spectrum][..],
                            false => &spec.along,
                        };
                        for direction in directions {
                            let planned = self.test(name, spec, of, *direction, seed, levels);
                            out.measurements.push(planned);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A test of one sample, or of those along one direction.
    fn test(
        &mut self,
        name: &str,
        spec: &TestSpec,
        of: &Measurable,
        direction: Direction,
        seed: u64,
        levels: &Levels,
    ) -> Planned {
        let kind = test_kind(&spec.call.name);
        let key = StepKey {
            operation: Operation::Test,
            version: kind.signature().version,
            settings: json!({"test": settings::test(&spec.call), "direction": direction}),
            seed: Some(seed),
            inputs: vec![of.step.clone()],
        };
        let work = Work::Test {
            of: of.step.clone(),
            other: None,
            test: spec.call.clone(),
            direction,
            seed,
        };
        let (n, t) = (of.subject.parameters, of.subject.iterations);
        let cost = Cost {
            seconds: kind.seconds(&spec.call.args, n, t, direction),
            ..Cost::default()
        };
        let along = match direction {
            Direction::Spectrum => String::new(),
            _ => format!(" along {}", direction.word()),
        };
        let label = format!(
            "{name}: {}{along} of {}, seed {seed}",
            spec.call.name,
            of_words(spec, of)
        );
        Planned {
            step: self.add(key, work, label, cost),
            test: name.to_string(),
            record: of.record.clone(),
            spectrum: (direction == Direction::Spectrum).then(|| spec.of.clone()),
            subject: of.subject.clone(),
            seed,
            levels: levels.to_vec(),
            direction,
        }
    }

    /// A measurement of spectra or eigenspaces; its eigenvectors are steps of their own, so that two histories need not
    /// be there together.
    fn measure(
        &mut self,
        measure: &'static Measure,
        name: &str,
        spec: &TestSpec,
        of: &Measurable,
        seed: u64,
        known: &Known,
    ) -> Result<(StepId, Subject), PlanError> {
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
            // Histories: there is one of each.
            let other = &known[spec.call.args.text("other")][0];
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
            of_words(spec, of)
        );
        let covariance = of.subject.spectrum.clone().or(Some("covariance".to_string()));
        let subject = Subject {
            spectrum: covariance,
            ..of.subject.clone()
        };
        Ok((self.add(key, work, label, cost), subject))
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

/// What a test is of, in words.
fn of_words(spec: &TestSpec, of: &Measurable) -> String {
    match &of.subject.layers {
        Some(layers) => format!("{layers} in {}", spec.of),
        None => spec.of.clone(),
    }
}

/// The test called `name`; the checker has made sure that there is one.
pub fn test_kind(name: &str) -> &'static dyn TestKind {
    stats::TESTS
        .iter()
        .copied()
        .find(|kind| kind.signature().name == name)
        .expect("the checker knows the tests")
}
