//! Spectra of a case, as steps.

use std::collections::HashMap;

use serde_json::json;

use super::PlannedSpectrum;
use super::cost::Cost;
use super::error::PlanError;
use super::lower::{Lowering, Out, dataset_of};
use super::step::{Operation, StepId, StepKey, Work};
use super::weights::NetworkOf;
use crate::hessian::{self, Request, signatures};
use crate::models::Network;
use crate::models::select::{modules, select};
use crate::results::Subject;
use crate::signature::{Call, EACH, ParamType, Signature, Value};
use crate::spectra::{SPECTRA, SpectrumMethod};
use crate::study::{Case, SpectrumSpec};

/// A history or a spectrum that spectra and tests can be of.
#[derive(Clone)]
pub(super) struct Measurable {
    pub step: StepId,
    /// The `record` statement behind it; empty for the spectrum of a loss.
    pub record: String,
    pub subject: Subject,
}

/// What statements made, by their names: one of each, or one for each layer.
pub(super) type Known<'a> = HashMap<&'a str, Vec<Measurable>>;

/// The levels of a case's factors.
pub(super) type Levels = [(String, String)];

impl<'a> Lowering<'_> {
    /// Plans every spectrum; each becomes `known`, those it is made from before it.
    pub fn spectra(
        &mut self,
        case: &'a Case,
        seed: u64,
        levels: &Levels,
        known: &mut Known<'a>,
        out: &mut Out,
    ) -> Result<(), PlanError> {
        for (name, spec) in &case.spectra {
            self.spectrum(case, name, spec, seed, known)?;
            if case.given.contains(name) {
                continue;
            }
            for Measurable {
                step,
                record,
                subject,
            } in known[name.as_str()].clone()
            {
                out.spectra.push(PlannedSpectrum {
                    step,
                    spectrum: name.clone(),
                    record,
                    subject,
                    seed,
                    levels: levels.to_vec(),
                });
            }
        }
        Ok(())
    }

    fn spectrum(
        &mut self,
        case: &'a Case,
        name: &'a str,
        spec: &'a SpectrumSpec,
        seed: u64,
        known: &mut Known<'a>,
    ) -> Result<(), PlanError> {
        if known.contains_key(name) {
            return Ok(());
        }
        if let Some(curvature) = signatures::CURVATURES
            .iter()
            .find(|it| it.0.name == spec.call.name)
        {
            let made = self.curvatures(case, name, spec, curvature.0, seed)?;
            known.insert(name, made);
            return Ok(());
        }
        let base = spec.call.args.text("of");
        if let Some((base, base_spec)) = case.spectra.get_key_value(base) {
            self.spectrum(case, base, base_spec, seed, known)?;
        }
        let mut made = Vec::new();
        for from in &known[base] {
            for call in self.each_layer(&spec.call, from) {
                made.push(self.spectrum_of(name, call, base, from.clone(), seed)?);
            }
        }
        known.insert(name, made);
        Ok(())
    }

    /// `call` itself, or with `layers: each` the same call for each module: its step is that of a study which names
    /// the module, and as many eigenvalues as that can have.
    fn each_layer(&self, call: &Call, from: &Measurable) -> Vec<Call> {
        if call.args.get("layers") != Some(&Value::Text(EACH.to_string())) {
            return vec![call.clone()];
        }
        let method = spectrum_method(&call.name);
        let network = self.recorded(&from.step);
        let iterations = from.subject.iterations;
        let of_module = |(module, parameters): (String, usize)| {
            let rank_bound = method.rank_bound(&call.args, parameters as u64, iterations) as usize;
            let mut call = with_layers(call, module, rank_bound.max(1));
            // Nothing is saved where a layer has no more parameters than the sketch has dimensions.
            if call
                .args
                .get("sketch")
                .is_some_and(|_| call.args.call("sketch").args.integer("dim") >= parameters as i64)
            {
                call.args.0.shift_remove("sketch");
            }
            call
        };
        modules(network).into_iter().map(of_module).collect()
    }

    /// Plans the spectrum `call` of one history or spectrum, which the study calls `base`.
    fn spectrum_of(
        &mut self,
        name: &str,
        call: Call,
        base: &str,
        mut from: Measurable,
        seed: u64,
    ) -> Result<Measurable, PlanError> {
        let method = spectrum_method(&call.name);
        let mut settings = call.clone();
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
        if let Some(Value::Text(pattern)) = call.args.get("layers") {
            let rows = select(self.recorded(&from.step), pattern)?;
            from.subject.parameters = rows.iter().map(|range| range.len() as u64).sum();
            from.subject.layers = Some(pattern.clone());
        }
        let (n, t) = (from.subject.parameters, from.subject.iterations);
        let cost = Cost {
            seconds: method.seconds(&call.args, n, t),
            bytes: method.bytes(n, t),
            ..Cost::default()
        };
        let of = match &from.subject.layers {
            Some(layers) => format!("{layers} in {base}"),
            None => base.to_string(),
        };
        let label = format!("{name}: {} of {of}, seed {seed}", call.name.replace('_', " "));
        let subject = Subject {
            spectrum: Some(method.about(&call.args)),
            ..from.subject
        };
        let work = Work::Spectrum {
            of: from.step,
            on: None,
            call,
            seed,
        };
        Ok(Measurable {
            step: self.add(key, work, label, cost),
            record: from.record,
            subject,
        })
    }

    /// The network behind a record step.
    fn recorded(&self, record: &StepId) -> &Network {
        let Work::Record { weights, .. } = self.work(record) else {
            unreachable!("a spectrum with layers is of a record")
        };
        &self.networks[weights].network
    }

    /// The spectrum of a loss (of weights, on data), or with `layers: each` that of each module's block.
    fn curvatures(
        &mut self,
        case: &Case,
        name: &str,
        spec: &SpectrumSpec,
        signature: &'static Signature,
        seed: u64,
    ) -> Result<Vec<Measurable>, PlanError> {
        let args = &spec.call.args;
        let (of, on) = (args.text("of"), args.text("on"));
        let (data, weights) = self.inputs(case, of, on, seed)?;
        let NetworkOf {
            network,
            name: model,
            training,
        } = self.networks[&weights].clone();
        let kind = signatures::find(signature.name).expect("one of the curvatures");
        hessian::supports(&network, kind)?;
        let samples = args.integer("samples") as u64;
        if let Some(size) = signatures::minibatch_size(args).filter(|_| network.has_batch_norm()) {
            hessian::minibatches(samples, size)?;
        }
        let calls = match args.get("layers") {
            Some(Value::Text(layers)) if layers == EACH => {
                let of_module = |(module, size)| with_layers(&spec.call, module, size);
                modules(&network).into_iter().map(of_module).collect()
            }
            _ => vec![spec.call.clone()],
        };
        let made = calls.into_iter().map(|call| {
            let args = &call.args;
            let mut settings = call.clone();
            settings.args.0.retain(|key, _| !is_reference(signature, key));
            let key = StepKey {
                operation: Operation::Spectrum,
                version: signature.version,
                settings: json!({"spectrum": settings}),
                seed: Some(seed),
                inputs: vec![data.clone(), weights.clone()],
            };
            let layers = match args.get("layers") {
                Some(Value::Text(pattern)) => Some(pattern.clone()),
                _ => None,
            };
            let parameters = match &layers {
                Some(pattern) => select(&network, pattern)?.iter().map(|range| range.len()).sum(),
                None => network.parameter_count(),
            };
            let cost = Cost {
                seconds: Request::from_args(args, seed).seconds(&network, parameters, samples),
                bytes: 8 * parameters as u64 * args.integer("top") as u64,
                ..Cost::default()
            };
            let words = call.name.replace('_', " ");
            let block = layers.as_ref().map(|layers| format!("{layers} in "));
            let label = format!(
                "{name}: {words} of {}{of} over {samples} samples, seed {seed}",
                block.unwrap_or_default()
            );
            // The mean loss over N samples is that of one minibatch of N.
            let subject = Subject {
                dataset: dataset_of(case, on).display_name().to_string(),
                model: model.clone(),
                training: training.to_string(),
                batch: samples,
                iterations: 1,
                parameters: parameters as u64,
                spectrum: Some(call.name.clone()),
                layers,
            };
            let work = Work::Spectrum {
                of: weights.clone(),
                on: Some(data.clone()),
                call,
                seed,
            };
            Ok(Measurable {
                step: self.add(key, work, label, cost),
                record: String::new(),
                subject,
            })
        });
        made.collect()
    }
}

/// `call` of the parameters of one module, which has at most `bound` eigenvalues above zero.
fn with_layers(call: &Call, module: String, bound: usize) -> Call {
    let mut call = call.clone();
    let top = call.args.integer("top").min(bound as i64);
    let values = [("layers", Value::Text(module)), ("top", Value::Integer(top))];
    for (key, value) in values {
        call.args.0.insert(key.to_string(), value);
    }
    call
}

/// Whether the setting names a statement.
pub(super) fn is_reference(signature: &Signature, key: &str) -> bool {
    let param = signature.params.iter().find(|param| param.name == key);
    param.is_some_and(|param| matches!(param.ty, ParamType::Reference(_)))
}

/// The spectrum called `name`; the checker has made sure that there is one.
pub fn spectrum_method(name: &str) -> &'static dyn SpectrumMethod {
    SPECTRA
        .iter()
        .copied()
        .find(|method| method.signature().name == name)
        .expect("the checker knows the spectra")
}
