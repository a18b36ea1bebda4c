//! How the spectra of a history get their inner products: from G in memory or in a file, from parts of it, or from
//! windows of its rows that are recorded one after the other. The cheapest that the memory allows, by estimate.

mod planned;

pub use planned::{Planned, is_sketched, needs_history, rows_of, spectra_alone};

use std::ops::Range;

use planned::sketch_of;

use super::display::size;
use super::{Step, Work};
use crate::gradients::batches::Order;
use crate::gradients::parts::chunk_of_windows;
use crate::gradients::record::bytes_per_block;
use crate::layers::BatchNormMode;
use crate::models::Network;
use crate::models::parts::{Layout, Part};
use crate::models::select::NoSuchLayer;

/// A way to the inner products.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// G in memory.
    Memory,
    /// G in a file.
    File,
    /// What is wanted of each layer, in passes over the minibatches that each fit the memory: fully-connected layers
    /// by their inputs and output gradients where that is cheaper, the others by their rows of G.
    Layers(Vec<Vec<Part>>),
    /// So many rows of G at a time, recorded anew for each window; the sums are kept after each.
    Windows(usize),
    /// Nothing but sketches is wanted: gradients are projected as they are recorded.
    Sketch,
}

/// What there is to choose by.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    /// Bytes that may be used (`--memory`).
    pub memory: u64,
    /// Bytes free where the cache lies.
    pub disk: u64,
    /// Whether gradstudy's own kernels do the work: only they take gradients apart.
    pub host: bool,
    /// Whether G has to be there for something else.
    pub history: bool,
}

/// A route and what it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub route: Route,
    /// Seconds on [`CORES`] cores, recording included.
    pub seconds: f64,
    /// Peak memory in bytes.
    pub bytes: u64,
    /// Multiply-adds of the inner products, in floating-point operations.
    pub flops: f64,
    /// Those that G would take.
    pub flops_of_history: f64,
}

/// Cores that the estimates reckon with, whatever there are: a choice must not change results with the machine.
const CORES: f64 = 4.0;
/// Rates per core, in FLOP/s, with AVX-512: gradient kernels, products of rows in f32 and in f64, of factors in f64.
const RECORD: f64 = 70e9;
const SINGLE: f64 = 110e9;
const DOUBLE: f64 = 45e9;
const FACTORS: f64 = 25e9;
/// Signed additions of a sketch in a second.
const SIGNS: f64 = 5e8;
/// Bytes a second of fresh memory, and of a disk.
const WRITE: f64 = 3e9;
const DISK: f64 = 4e8;
/// Rows that are packed at once: windows are whole multiples.
const ROWS: usize = crate::spectra::products::ROWS;

/// One recording, as far as routes depend on it.
#[derive(Debug)]
pub struct Recording<'a> {
    pub network: &'a Network,
    pub batch: usize,
    pub iterations: usize,
    /// Whether gradients stay as they are.
    pub identity: bool,
    /// Whether only G will do: of some rows, by running statistics, or one gradient over and over.
    pub history_only: bool,
    /// Rows of G.
    pub height: usize,
    /// Bytes of a recording in memory: G, activations and data.
    pub bytes: u64,
    /// Rows that any spectrum is of: one list of ranges for each different selection.
    pub selections: Vec<Vec<Range<usize>>>,
    /// Dimensions of the sketches, and operations that make them, for one iteration.
    pub sketches: (u64, f64),
}

impl<'a> Recording<'a> {
    /// What `record` records of `network` for the spectra `users`.
    pub fn of<'s>(
        network: &'a Network,
        record: &Step,
        users: impl Iterator<Item = &'s Step>,
    ) -> Result<Self, NoSuchLayer> {
        let Work::Record {
            batch,
            iterations,
            rows,
            order,
            batch_norm,
            transform,
            ..
        } = &record.work
        else {
            unreachable!("a record step")
        };
        let height = rows.iter().map(Range::len).sum();
        let (mut selections, mut sketches) = (Vec::new(), (0, 0.0));
        for user in users {
            let rows = rows_of(network, record, user)?;
            if let Some(sketch) = sketch_of(user) {
                sketches.0 += sketch.args.integer("dim") as u64;
                let parameters: usize = rows.iter().map(Range::len).sum();
                sketches.1 += sketch.args.integer("nonzeros") as f64 * parameters as f64;
                continue;
            }
            if !selections.contains(&rows) {
                selections.push(rows);
            }
        }
        Ok(Recording {
            network,
            batch: *batch as usize,
            iterations: *iterations as usize,
            identity: transform.is_identity(),
            history_only: height < network.parameter_count()
                || *batch_norm == BatchNormMode::Running
                || *order == Order::Full,
            height,
            bytes: record.cost.bytes,
            selections,
            sketches,
        })
    }

    /// The cheapest route.
    pub fn choose(&self, means: Means) -> Chosen {
        let n = self.network.parameter_count();
        let t = self.iterations as f64;
        let history = 4 * (self.height * self.iterations) as u64;
        let sums = self.sums();
        let activations = bytes_per_block(self.network, self.batch, BatchNormMode::Batch) as u64;
        let pass = t * self.batch as f64 * self.network.gradient_flops() as f64 / (RECORD * CORES);
        let rows: usize = self.selections.iter().flatten().map(Range::len).sum();
        let flops = t * t * rows as f64;
        let of = |route, seconds, bytes, flops| Chosen {
            route,
            seconds,
            bytes: bytes + sums + activations,
            flops,
            flops_of_history: t * t * rows as f64,
        };
        let products = flops / (SINGLE * CORES);
        let written = pass + history as f64 / WRITE + products;
        if self.selections.is_empty() && !means.history && !self.history_only {
            let chunk = chunk_of_windows(n, self.batch, means.memory / 4).min(self.iterations);
            let (dims, adds) = (self.sketches.0, t * self.sketches.1);
            let products = t * t * dims as f64;
            let seconds = pass + adds / (SIGNS * CORES) + products / (SINGLE * CORES);
            let bytes = 4 * self.iterations as u64 * dims + 8 * (n * chunk) as u64;
            return of(Route::Sketch, seconds, bytes, products + adds);
        }
        let in_memory = of(Route::Memory, written, history, flops);
        let in_file = of(
            Route::File,
            written + 2.0 * history as f64 / DISK,
            (4 * ROWS * self.iterations) as u64,
            flops,
        );
        let fits = self.bytes <= means.memory;
        if means.history || self.history_only || n < self.iterations {
            return if fits { in_memory } else { in_file };
        }
        let mut candidates = Vec::new();
        if fits {
            candidates.push(in_memory);
        }
        if let Some((passes, factors, rows, bytes)) = self.layers(means) {
            let flops = factors + rows;
            let seconds = passes.len() as f64 * pass + factors / (FACTORS * CORES) + rows / (SINGLE * CORES);
            candidates.push(of(
                Route::Layers(passes),
                seconds + bytes as f64 / WRITE,
                bytes,
                flops,
            ));
        }
        if !fits {
            if history + history / 10 <= means.disk {
                candidates.push(in_file);
            }
            let room = means.memory.saturating_sub(sums + activations);
            let scratch = 4 * (n * chunk_of_windows(n, self.batch, room / 4)) as u64;
            let window = room.saturating_sub(scratch) / (4 * self.iterations as u64);
            let window = (window as usize / ROWS).max(1) * ROWS;
            let count = n.div_ceil(window) as f64;
            let seconds = count * (pass + history as f64 / WRITE) + flops / (DOUBLE * CORES);
            let bytes = 4 * (window.min(n) * self.iterations) as u64 + scratch;
            candidates.push(of(Route::Windows(window), seconds, bytes, flops));
        }
        let cheapest = candidates
            .into_iter()
            .min_by(|a, b| a.seconds.total_cmp(&b.seconds));
        cheapest.expect("windows, or a history that fits")
    }

    /// Bytes of one triangle of sums for each selection, and of one matrix that is solved.
    fn sums(&self) -> u64 {
        let square = (self.iterations * self.iterations) as u64;
        4 * square * self.selections.len() as u64 + 8 * square
    }

    /// The parts of each pass, the operations for factors and for rows, and the bytes of the largest pass; None where
    /// gradients cannot be taken apart or a layer is too large.
    fn layers(&self, means: Means) -> Option<(Vec<Vec<Part>>, f64, f64, u64)> {
        let network = self.network;
        if !means.host || !self.identity || network.has_batch_norm() {
            return None;
        }
        let (t, b) = (self.iterations as f64, self.batch as f64);
        let room = means.memory.saturating_sub(self.sums());
        let (mut factor_flops, mut row_flops) = (0.0, 0.0);
        let empty = vec![Part::Absent; network.layers.len()];
        let (mut passes, mut pass, mut largest) = (Vec::new(), empty.clone(), 0);
        for (i, placed) in network.layers.iter().enumerate() {
            let range = &placed.range;
            let overlap = |selection: &Vec<Range<usize>>| -> usize {
                let parts = selection.iter();
                parts
                    .map(|r| r.end.min(range.end).saturating_sub(r.start.max(range.start)))
                    .sum()
            };
            let wanted: Vec<usize> = self
                .selections
                .iter()
                .map(overlap)
                .filter(|rows| *rows > 0)
                .collect();
            if range.is_empty() || wanted.is_empty() {
                continue;
            }
            let whole = wanted.iter().all(|rows| *rows == range.len());
            let rows: f64 = wanted.iter().map(|rows| t * t * *rows as f64).sum();
            let factors = placed
                .layer
                .outer_product()
                .filter(|_| whole)
                .map(|(d, m)| wanted.len() as f64 * t * t * b * b * (d + m) as f64);
            let written = 4.0 * t * range.len() as f64 / WRITE;
            let cheaper = factors.filter(|f| f / (FACTORS * CORES) < rows / (SINGLE * CORES) + written);
            let part = match cheaper {
                Some(flops) => {
                    factor_flops += flops;
                    Part::Factors
                }
                None => {
                    row_flops += rows;
                    Part::Rows
                }
            };
            let bytes = |parts: &[Part]| {
                4 * (Layout::new(network, parts.to_vec(), self.batch).stride * self.iterations) as u64
            };
            let mut with = pass.clone();
            with[i] = part;
            if bytes(&with) > room && pass != empty {
                passes.push(std::mem::replace(&mut pass, empty.clone()));
                with = empty.clone();
                with[i] = part;
            }
            if bytes(&with) > room {
                return None;
            }
            largest = largest.max(bytes(&with));
            pass = with;
        }
        passes.push(pass);
        Some((passes, factor_flops, row_flops, largest))
    }

    /// The route in words, for `gradstudy plan`.
    pub fn words(&self, chosen: &Chosen) -> String {
        match &chosen.route {
            Route::Memory => "from G in memory".to_string(),
            Route::Sketch => "of gradients sketched as they are recorded".to_string(),
            Route::File => {
                let numbers = self.iterations * self.network.parameter_count();
                format!(
                    "from G in a file of {}, in blocks of rows",
                    size(4 * numbers as u64)
                )
            }
            Route::Windows(rows) => {
                let count = self.network.parameter_count().div_ceil(*rows);
                format!("from {count} windows of G's rows, each recorded for itself")
            }
            Route::Layers(passes) => {
                let named = |wanted: Part| -> Vec<&str> {
                    let layers = passes
                        .iter()
                        .flat_map(|pass| pass.iter().zip(&self.network.layers));
                    let chosen = layers.filter(|(part, _)| **part == wanted);
                    chosen.map(|(_, placed)| placed.name.as_str()).collect()
                };
                let list = |names: Vec<&str>, how: &str| match names.is_empty() {
                    true => None,
                    false => Some(format!("{} from {how}", names.join(", "))),
                };
                let parts = [
                    list(named(Part::Factors), "inputs and output gradients"),
                    list(named(Part::Rows), "rows of G"),
                ];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                let again = match passes.len() {
                    1 => String::new(),
                    count => format!(", in {count} passes"),
                };
                format!("G is never formed: {}{again}", parts.join("; "))
            }
        }
    }
}
