//! What a study computes on the way to its results: gradients, weights, labels, minibatches.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use safetensors::tensor::Dtype;

use super::choose::{Item, Kind, listed, listed_json, which};
use super::error::ExportError;
use super::results::{array, table};
use super::{Export, What, extension, write_error, write_whole};
use crate::arrays::write::{self, Column, Columns, Tensor};
use crate::cli::progress::{Count, Form, Progress};
use crate::cli::{Failure, log, print, run, study};
use crate::execute::{Executor, Labels, Minibatches};
use crate::gradients::history::GradientHistory;
use crate::models::{Network, weights};
use crate::plan::{Plan, lower_with_inputs};
use crate::run::levels::LevelColumns;
use crate::store::{CacheLock, Store};

impl Export {
    /// What is made of a study, now unless the cache has it.
    pub(super) fn of_study(&self) -> Result<ExitCode, Failure> {
        let (_, study) = study::load(&self.study())?;
        let plan = study::plan_by(&study, &self.places.search(), lower_with_inputs)?;
        self.check_levels(&plan)?;
        let Some(to) = &self.to else {
            print(&if self.json {
                listed_json(&plan)
            } else {
                listed(&plan)
            });
            return Ok(ExitCode::SUCCESS);
        };
        let what = match self.weights {
            true => What::Weights,
            false => self.what.unwrap_or(What::Gradients),
        };
        let formats = what.formats();
        if !formats.extensions.contains(&extension(to).as_str()) {
            let (path, formats) = (to.clone(), formats.help);
            return Err(ExportError::Format { path, formats }.into());
        }
        let items = match is_table(to) {
            true => self.fitting(&plan, what),
            false => vec![self.one(&plan, what)?],
        };
        let Some(first) = items.first() else {
            return Err(which(&plan, what, 0).into());
        };
        let said = self.make(&plan, what, &items, first, to)?;
        print(&format!("{}: {said}\n", to.display()));
        Ok(ExitCode::SUCCESS)
    }

    /// Makes `what` and writes it; returns what is said of it. Only tables are of more than the `first` item.
    fn make(
        &self,
        plan: &Plan,
        what: What,
        items: &[Item],
        first: &Item,
        to: &Path,
    ) -> Result<String, Failure> {
        let device = self.computing.select()?;
        let search = self.places.search();
        let store = Store::open(&self.places.cache(), device.class)?;
        // No run is registered for what is exported: `gc` waits.
        let waiting = || log::remark("waiting for `gradstudy gc`");
        let _lock = CacheLock::shared(&self.places.cache(), &waiting)?;
        let cancel = run::stop_on_request();
        let bars = Progress::new(Form::choose(false, false), Count::default());
        let memory = self.computing.memory();
        let mut executor = Executor::new(&store, &search, &device.engine, memory, &bars, &cancel);
        executor.device = device.description.clone();
        Ok(match what {
            What::Weights => {
                let made = executor.theta(plan, &first.step);
                bars.clear();
                let (network, theta) = made?;
                write_weights(to, &network, &theta)?
            }
            What::Minibatches => {
                let made = executor.minibatches(plan, &first.step);
                bars.clear();
                write_minibatches(to, made?)?
            }
            What::Labels => {
                let items = match is_table(to) {
                    true => data_of(plan, items),
                    false => items.to_vec(),
                };
                let made: Result<Vec<_>, _> =
                    items.iter().map(|it| executor.labels(plan, &it.step)).collect();
                bars.clear();
                write_labels(to, plan, &items, &made?)?
            }
            _ => {
                let made = executor.history(plan, &first.step);
                bars.clear();
                write_gradients(to, &made?)?
            }
        })
    }

    /// A level that no part of the study has is a slip.
    fn check_levels(&self, plan: &Plan) -> Result<(), ExportError> {
        let mut known: Vec<String> = Vec::new();
        let inputs = plan.inputs.iter().flat_map(|it| &it.levels);
        let measured = plan.measurements.iter().flat_map(|it| &it.levels);
        for (factor, label) in inputs.chain(measured) {
            let level = format!("{factor}={label}");
            if !known.contains(&level) {
                known.push(level);
            }
        }
        match self.at.iter().find(|at| !known.contains(at)) {
            None => Ok(()),
            Some(at) => Err(ExportError::Level {
                at: at.clone(),
                known: known.join(", "),
            }),
        }
    }
}

fn is_table(to: &Path) -> bool {
    ["parquet", "csv"].contains(&extension(to).as_str())
}

/// The `data` statements behind `items`, which may be records.
fn data_of(plan: &Plan, items: &[Item]) -> Vec<Item> {
    let mut data = super::choose::items(plan, What::Labels);
    data.retain(|it| it.kind != Kind::Record && items.iter().any(|item| item.step == it.step));
    data
}

fn write_gradients(to: &Path, history: &GradientHistory) -> Result<String, ExportError> {
    let shape = [history.iterations(), history.parameters()];
    let write = |file: &mut (dyn Write + Send)| match extension(to).as_str() {
        "npy" => write::npy(
            &shape.map(|axis| axis as u64),
            history.values().iter().copied(),
            file,
        ),
        _ => write_safetensors(history, file),
    };
    write_whole(to, write).map_err(write_error(to))?;
    Ok(format!("{shape:?}"))
}

fn write_safetensors(history: &GradientHistory, file: &mut dyn Write) -> io::Result<()> {
    let (iterations, parameters) = (history.iterations(), history.parameters());
    let bytes: &[u8] = bytemuck::cast_slice(history.values());
    // The header by hand: `serialize` would copy a history that may be larger than memory.
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

fn write_minibatches(to: &Path, made: Minibatches) -> Result<String, ExportError> {
    let Minibatches { shape, indices } = made;
    if extension(to) == "npy" {
        return array(to, &shape, indices);
    }
    let said = format!("{shape:?}");
    let tensor = Tensor {
        name: "indices".to_string(),
        dtype: Dtype::U32,
        shape,
        bytes: bytes_of(&indices, u32::to_le_bytes),
    };
    write_tensors(to, &[tensor])?;
    Ok(said)
}

/// θ, and behind it the running statistics where the file names its tensors.
fn write_weights(to: &Path, network: &Network, values: &[f32]) -> Result<String, ExportError> {
    let n = network.parameter_count();
    let is_npy = extension(to) == "npy";
    match is_npy {
        true => drop(array(to, &[n], values[..n].to_vec())?),
        false => {
            let bytes = weights::to_safetensors(network, values);
            let bytes = bytes.map_err(|error| write_error(to)(io::Error::other(error)))?;
            write_whole(to, |file| file.write_all(&bytes)).map_err(write_error(to))?;
        }
    }
    let buffers: Vec<String> = network.buffers().into_iter().map(|buffer| buffer.name).collect();
    let beside = match (&buffers[..], is_npy) {
        ([], _) => String::new(),
        (_, true) => format!(
            "; its {} running statistics are left out, a .safetensors file has them",
            network.buffer_count()
        ),
        ([first, .., last], false) => format!(
            ", and {} running statistics that are no parameters ({} buffers, {first} to {last})",
            network.buffer_count(),
            buffers.len()
        ),
        ([only], false) => format!(", and {} running statistics ({only})", network.buffer_count()),
    };
    Ok(format!("{n} parameters of {}{beside}", network.name))
}

fn write_labels(to: &Path, plan: &Plan, items: &[Item], made: &[Labels]) -> Result<String, ExportError> {
    let [one] = made else {
        return table(to, &label_columns(plan, items, made));
    };
    let shape = match one.positions {
        1 => vec![one.labels.len()],
        positions => vec![one.labels.len() / positions, positions],
    };
    let integers = |labels: &[u32]| labels.iter().map(|&label| i64::from(label)).collect::<Vec<i64>>();
    let flipped = one.labels.iter().zip(&one.clean).filter(|(a, b)| a != b).count();
    let said = format!(
        "{shape:?}, {}, {flipped} of {} labels changed",
        one.noise,
        one.labels.len()
    );
    match extension(to).as_str() {
        "npy" => drop(array(to, &shape, integers(&one.labels))?),
        "safetensors" => {
            let tensor = |name: &str, labels: &[u32]| Tensor {
                name: name.to_string(),
                dtype: Dtype::I64,
                shape: shape.clone(),
                bytes: bytes_of(&integers(labels), i64::to_le_bytes),
            };
            let flipped = one.labels.iter().zip(&one.clean).map(|(a, b)| a != b);
            let flipped = Tensor {
                shape: shape.clone(),
                ..Tensor::of_booleans("flipped".to_string(), flipped)
            };
            write_tensors(
                to,
                &[
                    tensor("labels", &one.labels),
                    tensor("clean", &one.clean),
                    flipped,
                ],
            )?;
        }
        _ => return table(to, &label_columns(plan, items, made)),
    }
    Ok(said)
}

/// One row for each label: what it is of, the number of its example (and its position in a sequence), what it is and was.
fn label_columns(plan: &Plan, items: &[Item], made: &[Labels]) -> Columns {
    let all = || items.iter().zip(made);
    let text = |value: &dyn Fn(&Item, &Labels) -> String| {
        let repeated =
            all().flat_map(|(item, it)| std::iter::repeat_n(Some(value(item, it)), it.labels.len()));
        Column::Text(repeated.collect())
    };
    let numbers = |value: &dyn Fn(&Labels, usize) -> u64| {
        let values = all().flat_map(|(_, it)| (0..it.labels.len()).map(move |index| Some(value(it, index))));
        Column::Integer(values.collect())
    };
    let levels = plan.inputs.iter().flat_map(|it| &it.levels);
    let levels = LevelColumns::of_levels(&plan.factors, levels);
    let rows: Vec<_> = all()
        .map(|(item, it)| (&item.levels[..], it.labels.len()))
        .collect();
    let seeds = all().flat_map(|(_, it)| std::iter::repeat_n(it.seed, it.labels.len()));
    let mut columns: Columns = vec![
        ("data".to_string(), text(&|item, _| item.name.clone())),
        ("dataset".to_string(), text(&|_, it| it.dataset.clone())),
        ("noise".to_string(), text(&|_, it| it.noise.clone())),
        ("seed".to_string(), Column::Integer(seeds.collect())),
    ];
    columns.extend(levels.columns(&rows));
    columns.push((
        "example".to_string(),
        numbers(&|it, index| (index / it.positions) as u64),
    ));
    if made.iter().any(|it| it.positions > 1) {
        columns.push((
            "position".to_string(),
            numbers(&|it, index| (index % it.positions) as u64),
        ));
    }
    columns.push((
        "label".to_string(),
        numbers(&|it, index| u64::from(it.labels[index])),
    ));
    columns.push((
        "clean".to_string(),
        numbers(&|it, index| u64::from(it.clean[index])),
    ));
    let flipped = made
        .iter()
        .flat_map(|it| it.labels.iter().zip(&it.clean).map(|(a, b)| Some(a != b)));
    columns.push(("flipped".to_string(), Column::Boolean(flipped.collect())));
    columns
}

fn bytes_of<T: Copy, const N: usize>(values: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| bytes(*value)).collect()
}

fn write_tensors(to: &Path, tensors: &[Tensor]) -> Result<(), ExportError> {
    write_whole(to, |file| write::safetensors(tensors, HashMap::new(), file)).map_err(write_error(to))
}
