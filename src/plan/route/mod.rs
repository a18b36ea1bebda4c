//! How the spectra of a history get their inner products: from G in memory or in a file, from parts of it, or from
//! windows of its rows that are recorded one after the other. The cheapest that the memory allows, by estimate.

mod factors;
mod planned;

pub use factors::{FactorLayers, Split};
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

/// What the inner products of all selections take.
struct Products {
    /// Multiply-adds.
    of_rows: f64,
    of_factors: f64,
    /// Bytes of the factors that are held at a time where G is at hand.
    bytes: u64,
}

/// Bytes that factors may take at a time where G is at hand.
pub fn factor_room(memory: u64) -> u64 {
    memory / 8
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
        let pass = self.pass_seconds();
        let rows: usize = self.selections.iter().flatten().map(Range::len).sum();
        let layers = FactorLayers::of(self, means.host);
        let Products {
            of_rows,
            of_factors,
            bytes: factor_bytes,
        } = self.products(&layers, means.memory);
        let flops = of_rows + of_factors;
        let again = if layers.0.is_empty() { 0.0 } else { pass };
        let of = |route, seconds, bytes, flops| Chosen {
            route,
            seconds,
            bytes: bytes + sums + activations,
            flops,
            flops_of_history: t * t * rows as f64,
        };
        let factors = again + of_factors / (FACTORS * CORES);
        let products = factors + of_rows / (SINGLE * CORES);
        let written = pass + history as f64 / WRITE + products;
        if self.selections.is_empty() && !means.history && !self.history_only {
            let chunk = chunk_of_windows(n, self.batch, means.memory / 4).min(self.iterations);
            let (dims, adds) = (self.sketches.0, t * self.sketches.1);
            let products = t * t * dims as f64;
            let seconds = pass + adds / (SIGNS * CORES) + products / (SINGLE * CORES);
            let bytes = 4 * self.iterations as u64 * dims + 8 * (n * chunk) as u64;
            return of(Route::Sketch, seconds, bytes, products + adds);
        }
        let in_memory = of(Route::Memory, written, history + factor_bytes, flops);
        let in_file = of(
            Route::File,
            written + 2.0 * history as f64 / DISK,
            (4 * ROWS * self.iterations) as u64 + factor_bytes,
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
        if let Some((passes, bytes)) = self.passes_of_layers(&layers, means) {
            let products = of_factors / (FACTORS * CORES) + of_rows / (SINGLE * CORES);
            let seconds = passes.len() as f64 * pass + products;
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
            // The sums are made in both precisions at once.
            let room = means.memory.saturating_sub(2 * sums + activations + factor_bytes);
            let scratch = 4 * (n * chunk_of_windows(n, self.batch, room / 4)) as u64;
            let window = room.saturating_sub(scratch) / (4 * self.iterations as u64);
            let window = (window as usize / ROWS).max(1) * ROWS;
            let count = n.div_ceil(window) as f64;
            let rates = 1.0 / (DOUBLE * CORES) + 1.0 / (SINGLE * CORES);
            let seconds = count * (pass + history as f64 / WRITE) + 2.0 * factors + of_rows * rates;
            let bytes = 4 * (window.min(n) * self.iterations) as u64 + scratch + factor_bytes + sums;
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

    /// Operations of all inner products, with `layers` by their factors.
    fn products(&self, layers: &FactorLayers, memory: u64) -> Products {
        let (t, b) = (self.iterations as f64, self.batch as f64);
        let splits: Vec<Split> = self.selections.iter().map(|it| layers.split(it)).collect();
        let rows: usize = splits.iter().flat_map(|split| &split.rows).map(Range::len).sum();
        let of_layer = |i: &usize| {
            let (inputs, outputs) = self.network.layers[*i].layer.outer_product().unwrap_or_default();
            t * t * b * b * (inputs + outputs) as f64
        };
        let passes = layers.passes(self.network, self.batch, self.iterations, factor_room(memory));
        let bytes = passes
            .iter()
            .map(|pass| 4 * (pass.stride * self.iterations) as u64);
        Products {
            of_rows: t * t * rows as f64,
            of_factors: splits.iter().flat_map(|split| &split.factors).map(of_layer).sum(),
            bytes: bytes.max().unwrap_or(0),
        }
    }

    /// The parts of each pass over the minibatches, and the bytes of the largest; `None` where gradients cannot be taken
    /// apart or a layer is too large.
    fn passes_of_layers(&self, layers: &FactorLayers, means: Means) -> Option<(Vec<Vec<Part>>, u64)> {
        let network = self.network;
        if !means.host || !self.identity || network.has_batch_norm() {
            return None;
        }
        let room = means.memory.saturating_sub(self.sums());
        let splits: Vec<Split> = self.selections.iter().map(|it| layers.split(it)).collect();
        let empty = vec![Part::Absent; network.layers.len()];
        let (mut passes, mut pass, mut largest) = (Vec::new(), empty.clone(), 0);
        for (i, placed) in network.layers.iter().enumerate() {
            let overlaps =
                |rows: &Range<usize>| rows.start < placed.range.end && placed.range.start < rows.end;
            let by_rows = splits.iter().flat_map(|split| &split.rows).any(overlaps);
            let by_factors = splits.iter().any(|split| split.factors.contains(&i));
            let parts = [(Part::Rows, by_rows), (Part::Factors, by_factors)];
            for (part, _) in parts.into_iter().filter(|(_, wanted)| *wanted) {
                let bytes = |parts: &[Part]| {
                    4 * (Layout::new(network, parts.to_vec(), self.batch).stride * self.iterations) as u64
                };
                let mut with = pass.clone();
                with[i] = part;
                if pass[i] != Part::Absent || bytes(&with) > room && pass != empty {
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
        }
        passes.push(pass);
        Some((passes, largest))
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
