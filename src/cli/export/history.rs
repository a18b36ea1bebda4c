//! A recorded gradient history, or the weights it was recorded at.

use std::io::{self, Write};
use std::process::ExitCode;

use super::error::ExportError;
use super::results::FORMAT_VERSION;
use super::{Export, extension, write_error, write_whole};
use crate::cli::progress::Bars;
use crate::cli::{Failure, print, run, study};
use crate::execute::Executor;
use crate::gradients::history::GradientHistory;
use crate::models::weights;
use crate::plan::{Plan, PlannedRecord, Work};
use crate::run::tables::is_at;
use crate::store::Store;

impl Export {
    /// A recorded history or its weights.
    pub(super) fn history(&self) -> Result<ExitCode, Failure> {
        let Some(to) = &self.to else {
            return self.list_recordings();
        };
        let extension = extension(to);
        match (self.weights, extension.as_str()) {
            (_, "safetensors") | (false, "npy") => {}
            (weights, _) => {
                let formats = match weights {
                    true => "weights go to a `.safetensors` file",
                    false => "name a `.npy` or `.safetensors` file",
                };
                return Err(ExportError::Format {
                    path: to.clone(),
                    formats,
                }
                .into());
            }
        }
        let (_, study) = study::load(&self.study())?;
        let device = self.computing.select()?;
        let search = self.places.search();
        let plan = study::plan(&study, &search)?;
        let chosen = self.choose(&plan)?;
        let store = Store::open(&self.places.cache(), device.class)?;
        let (cancel, bars) = (run::stop_on_request(), Bars::new());
        let executor = Executor::new(
            &store,
            &search,
            &device.engine,
            self.computing.memory(),
            &bars,
            &cancel,
        );
        let fail = write_error(to);
        if self.weights {
            let Work::Record { weights, .. } = &plan.step(&chosen.step).work else {
                unreachable!("a record step")
            };
            let theta = executor.theta(&plan, weights);
            bars.clear();
            let (network, theta) = theta?;
            let bytes = weights::to_safetensors(&network, &theta).map_err(|e| fail(io::Error::other(e)))?;
            write_whole(to, |file| file.write_all(&bytes)).map_err(fail)?;
            print(&format!(
                "{}: {} parameters of {}\n",
                to.display(),
                theta.len(),
                network.name
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let history = executor.history(&plan, &chosen.step);
        bars.clear();
        let history = history?;
        let write = |file: &mut (dyn Write + Send)| match extension.as_str() {
            "npy" => write_npy(&history, file),
            _ => write_safetensors(&history, file),
        };
        write_whole(to, write).map_err(fail)?;
        print(&format!(
            "{}: [{}, {}]\n",
            to.display(),
            history.iterations(),
            history.parameters()
        ));
        Ok(ExitCode::SUCCESS)
    }

    fn list_recordings(&self) -> Result<ExitCode, Failure> {
        let (_, study) = study::load(&self.study())?;
        let plan = study::plan(&study, &self.places.search())?;
        if !self.json {
            print(&(known(&plan) + "\n"));
            return Ok(ExitCode::SUCCESS);
        }
        let recording = |record: &PlannedRecord| serde_json::json!({"record": record.record, "seed": record.seed, "levels": record.levels});
        let recordings: Vec<_> = plan.records.iter().map(recording).collect();
        let all = serde_json::json!({"format_version": FORMAT_VERSION, "recordings": recordings});
        print(&(serde_json::to_string_pretty(&all).expect("words and numbers") + "\n"));
        Ok(ExitCode::SUCCESS)
    }

    fn choose<'a>(&self, plan: &'a Plan) -> Result<&'a PlannedRecord, ExportError> {
        let wanted = |record: &&PlannedRecord| {
            self.record.as_ref().is_none_or(|name| *name == record.record) && is_at(&record.levels, &self.at)
        };
        let mut found: Vec<_> = plan.records.iter().filter(wanted).collect();
        match self.seed.or_else(|| found.first().map(|record| record.seed)) {
            Some(seed) => found.retain(|record| record.seed == seed),
            None => found.clear(),
        }
        // Different levels may lead to the very same recording.
        found.dedup_by(|a, b| a.step == b.step);
        match found[..] {
            [record] => Ok(record),
            _ => Err(ExportError::Which {
                found: found.len(),
                known: known(plan),
            }),
        }
    }
}

fn known(plan: &Plan) -> String {
    let line = |record: &PlannedRecord| {
        let levels: String = record
            .levels
            .iter()
            .map(|(factor, label)| format!(" --at {factor}={label}"))
            .collect();
        format!("  --record {} --seed {}{levels}", record.record, record.seed)
    };
    plan.records.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn write_npy(history: &GradientHistory, file: &mut dyn Write) -> io::Result<()> {
    use npyz::WriterBuilder;
    let shape = [history.iterations() as u64, history.parameters() as u64];
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(file)
        .begin_nd()?;
    writer.extend(history.values().iter().copied())?;
    writer.finish()
}

fn write_safetensors(history: &GradientHistory, file: &mut dyn Write) -> io::Result<()> {
    let (iterations, parameters) = (history.iterations(), history.parameters());
    let bytes: &[u8] = bytemuck::cast_slice(history.values());
    // The header by hand-off: `serialize` would copy a history that may be larger than memory.
    let header = serde_json::json!({
        "gradients": {"dtype": "F32", "shape": [iterations, parameters], "data_offsets": [0, bytes.len()]}
    })
    .to_string();
    let padded = header.len().next_multiple_of(8);
    file.write_all(&(padded as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    file.write_all(&vec![b' '; padded - header.len()])?;
    file.write_all(bytes)
}
