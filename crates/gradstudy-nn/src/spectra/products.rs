//! XᵀX in f64 from products in f32 (short inner products are summed in f32, their sums in f64) or in f64.
//!
//! Why: one f32 sum over all n parameters loses the small eigenvalues, while f64 products, which are exact here, take
//! more than twice as long. Why not faer in f32: it would add up whole tiles through memory and pack each block of
//! columns once for every tile that it takes part in; that takes 1.2 times as long.
//!
//! Whole, since everything here goes by the order of the tiles.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::Arch;
use rayon::prelude::*;

use super::error::SpectrumError;
use super::multiplier::{DeviceProducts, Multiplier};
use super::products_kernel::{GROUP, PANEL, RUN, SLIVER, SingleTile, WideTile};
use super::symmetric::Symmetric;
use super::wide::Wide;
use gradstudy_base::memory::Pages;

/// Groups of columns along a side of one tile: its f64 sums and both factors of a run stay in the L2 cache.
const SIDE: usize = 5;
/// Columns of X along a side of one tile.
pub(super) const WIDTH: usize = SIDE * GROUP;
/// Most rows of X that are packed at a time.
pub const ROWS: usize = 16 * RUN;

/// What inner products are summed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Runs of 128 parameters in f32, their sums in f64.
    Single,
    /// f64 throughout: products of f32 values are exact in it.
    Double,
}

/// The lower triangle of XᵀX, in tiles.
pub struct Products {
    order: usize,
    precision: Precision,
    /// Those of the first columns from the diagonal down, then those of the next.
    places: Vec<Place>,
    /// A tile's sums, sliver by sliver, then those of the next; of a tile on the diagonal only slivers that touch the lower
    /// triangle count.
    sums: Pages<f64>,
    /// X, packed: kept from one part to the next.
    packed: Pages<f32>,
    /// What a GPU has of the sums, until [`Products::settle`].
    device: Option<DeviceProducts>,
}

/// Which tile.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    row: usize,
    column: usize,
}

/// Sums of a tile.
const SIZE: usize = WIDTH * WIDTH;

/// A tile's sums.
struct Tile<'a> {
    place: Place,
    values: &'a [f64],
}

impl Tile<'_> {
    /// The entry in row `i` and column `j` of the whole matrix.
    fn at(&self, i: usize, j: usize) -> f64 {
        self.values[place(i - self.place.row * WIDTH, j - self.place.column * WIDTH)]
    }
}

/// The first `count` numbers of `pages`, which grow for it.
fn room(pages: &mut Pages<f32>, count: usize) -> &mut [f32] {
    if pages.len() < count {
        *pages = Pages::zeros(count);
    }
    &mut pages[..count]
}

/// Where a tile keeps its entry in row `i` and column `j`.
fn place(i: usize, j: usize) -> usize {
    let sliver = i / GROUP * (WIDTH / SLIVER) + j / SLIVER;
    (sliver * SLIVER + j % SLIVER) * GROUP + i % GROUP
}

impl Products {
    /// Zero sums for `order` columns.
    pub fn new(order: usize, precision: Precision) -> Self {
        let count = order.div_ceil(WIDTH);
        let places = (0..count).flat_map(|column| (column..count).map(move |row| Place { row, column }));
        let places: Vec<Place> = places.collect();
        Products {
            order,
            precision,
            sums: Pages::zeros(places.len() * SIZE),
            places,
            packed: Pages::zeros(0),
            device: None,
        }
    }

    fn tiles(&self) -> impl Iterator<Item = Tile<'_>> {
        let tiles = self.places.iter().zip(self.sums.chunks_exact(SIZE));
        tiles.map(|(&place, values)| Tile { place, values })
    }

    fn tiles_mut(&mut self) -> impl IndexedParallelIterator<Item = (Place, &mut [f64])> {
        let tiles = self.places.par_iter().copied();
        tiles.zip(self.sums.par_chunks_exact_mut(SIZE))
    }

    /// The same where `multiplier` says; a GPU sums in f64.
    pub fn on(self, multiplier: &Multiplier) -> Self {
        match multiplier {
            Multiplier::Host => self,
            #[cfg(feature = "kernels")]
            Multiplier::Gpu(gpu) => Products {
                precision: Precision::Double,
                device: Some(DeviceProducts::new(self.order, gpu)),
                ..self
            },
        }
    }

    /// The CUDA device that has a part of the sums.
    pub fn device(&self) -> Option<usize> {
        self.device.as_ref().and_then(DeviceProducts::cuda)
    }

    /// Zero sums, made where these are.
    pub fn emptied(&self) -> Self {
        Products {
            device: self.device.as_ref().map(DeviceProducts::emptied),
            ..Products::new(self.order, self.precision)
        }
    }

    /// Takes what a GPU has summed, which goes on from zero. Errors: the GPU has failed since the last time, say for want
    /// of memory.
    pub fn settle(&mut self) -> Result<(), SpectrumError> {
        let Some(device) = &mut self.device else {
            return Ok(());
        };
        let sums = device.take().map_err(|reason| SpectrumError::Device { reason })?;
        let order = self.order;
        self.add_tiles(
            || (),
            |_, rows, columns, add| {
                for i in rows {
                    for j in columns.start..columns.end.min(i + 1) {
                        add(i, j, sums[i * order + j]);
                    }
                }
            },
        );
        Ok(())
    }

    /// [`Products::settle`], and nothing is added on a GPU any more.
    pub fn finish(&mut self) -> Result<(), SpectrumError> {
        self.settle()?;
        self.device = None;
        Ok(())
    }

    /// Columns of X.
    pub fn order(&self) -> usize {
        self.order
    }

    /// What the sums are made in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Adds XᵀX for a part X of `height` ≤ [`ROWS`] rows. `fill` writes a column of X; what it returns comes back.
    ///
    /// No value is larger than `largest`. It decides whether X is scaled on the way (by a power of two), so that no
    /// product overflows or falls among the subnormals.
    pub fn add<R: Send + Copy>(
        &mut self,
        height: usize,
        largest: f32,
        fill: impl Fn(usize, &mut [f32]) -> R + Sync,
    ) -> Vec<R> {
        assert!(0 < height && height <= ROWS);
        if let Some(device) = &self.device {
            let x = room(&mut self.packed, height * self.order);
            let results = x.par_chunks_mut(height).enumerate();
            let results = results.map(|(column, values)| fill(column, values)).collect();
            device.add(x);
            return results;
        }
        if self.precision == Precision::Double {
            return self.add_double(height, fill);
        }
        let exponent = if largest > 0.0 {
            largest.log2().floor() as i32
        } else {
            0
        };
        let exponent = if exponent.abs() > 30 { exponent } else { 0 };
        let down = 2f64.powi(-exponent);
        let panels = self.order.div_ceil(WIDTH) * (WIDTH / PANEL);
        // What stands beyond the last column is of no account, only finite.
        let packed = room(&mut self.packed, panels * height * PANEL);
        let used = &mut packed[..self.order.div_ceil(PANEL) * height * PANEL];
        // The columns of one panel lie a few cache lines off a power of two apart: they do not evict each other.
        let pitch = height.next_multiple_of(PANEL) + PANEL;
        let results: Vec<Vec<R>> = used
            .par_chunks_mut(height * PANEL)
            .enumerate()
            .map_init(
                || vec![0f32; PANEL * pitch],
                |scratch, (number, panel)| {
                    let columns = number * PANEL..self.order.min((number + 1) * PANEL);
                    let mut results = Vec::with_capacity(PANEL);
                    for (column, values) in columns.zip(scratch.chunks_mut(pitch)) {
                        let values = &mut values[..height];
                        results.push(fill(column, values));
                        if exponent != 0 {
                            values.iter_mut().for_each(|x| *x = (f64::from(*x) * down) as f32);
                        }
                    }
                    for (k, row) in panel.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
                        for column in 0..results.len() {
                            row[column] = scratch[column * pitch + k];
                        }
                    }
                    results
                },
            )
            .collect();
        let arch = Arch::new();
        let scale = 2f64.powi(exponent) * 2f64.powi(exponent);
        let side = SIDE * (GROUP / PANEL) * height * PANEL;
        let count = self.order.div_ceil(WIDTH);
        let sides: Vec<&[f32]> = self.packed.chunks_exact(side).take(count).collect();
        let factors = |place: Place| [sides[place.row], sides[place.column]];
        let tiles = self.places.par_iter().enumerate();
        let tiles = tiles.zip(self.sums.par_chunks_exact_mut(SIZE));
        tiles.for_each(|((number, &place), sums)| {
            let next = self.places.get(number + 1).copied().unwrap_or(place);
            let [rows, columns] = factors(place);
            arch.dispatch(SingleTile {
                rows,
                columns,
                height,
                diagonal: place.row == place.column,
                scale,
                sums,
                next: factors(next),
            });
        });
        results.into_iter().flatten().collect()
    }

    /// Adds XᵀX for a part X that lies by columns on the GPU of these products.
    #[cfg(feature = "kernels")]
    pub fn add_there(&self, x: &crate::kernels::Buffer) {
        let device = self.device.as_ref().expect("products on a GPU");
        device.add_there(x);
    }

    fn add_double<R: Send + Copy>(
        &mut self,
        height: usize,
        fill: impl Fn(usize, &mut [f32]) -> R + Sync,
    ) -> Vec<R> {
        let mut x = vec![0f64; height * self.order];
        let results = x.par_chunks_mut(height).enumerate().map_init(
            || vec![0f32; height],
            |scratch, (column, wide)| {
                let result = fill(column, scratch);
                for (to, &from) in wide.iter_mut().zip(&*scratch) {
                    *to = f64::from(from);
                }
                result
            },
        );
        let results = results.collect();
        let x = MatRef::from_column_major_slice(&x, height, self.order);
        let order = self.order;
        let span = |tile: usize| (tile * WIDTH, WIDTH.min(order - tile * WIDTH));
        self.tiles_mut().for_each_init(
            || vec![0f64; SIZE],
            |product, (tile, values)| {
                let ((row, m), (column, n)) = (span(tile.row), span(tile.column));
                let mut c = MatMut::from_column_major_slice_mut(&mut product[..m * n], m, n);
                let (a, b) = (x.subcols(row, m), x.subcols(column, n));
                matmul(c.as_mut(), Accum::Replace, a.transpose(), b, 1.0, Par::Seq);
                for j in 0..n {
                    for (first, part) in (0..m).step_by(GROUP).zip(product[j * m..][..m].chunks(GROUP)) {
                        let from = place(first, j);
                        let sums = &mut values[from..from + part.len()];
                        sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
                    }
                }
            },
        );
        results
    }

    /// Adds (AᵀA + 1) ∘ DᵀD of two matrices with as many columns as there are sums, in f64. False if `cancelled`: the sums
    /// are then of no use.
    pub fn add_entrywise(&mut self, a: &Wide, d: &Wide, cancelled: impl Fn() -> bool + Sync) -> bool {
        let arch = Arch::new();
        let both = || Mutex::new([Pages::zeros(SIZE), Pages::zeros(SIZE)]);
        let room: Vec<_> = (0..rayon::current_num_threads()).map(|_| both()).collect();
        self.tiles_mut().for_each(|(tile, values)| {
            if cancelled() {
                return;
            }
            let own = &room[rayon::current_thread_index().unwrap_or(0)];
            let [of_a, of_d] = &mut *own.lock().unwrap_or_else(PoisonError::into_inner);
            for (matrix, sums) in [(a, &mut *of_a), (d, &mut *of_d)] {
                arch.dispatch(WideTile {
                    rows: matrix.tile(tile.row),
                    columns: matrix.tile(tile.column),
                    height: matrix.height,
                    diagonal: tile.row == tile.column,
                    sums,
                });
            }
            for ((value, a), d) in values.iter_mut().zip(&**of_a).zip(&**of_d) {
                *value += (a + 1.0) * d;
            }
        });
        !cancelled()
    }

    /// Adds what `work(scratch, rows, columns, add)` passes to `add(i, j, value)` for each tile; entries above the
    /// diagonal are of no account.
    pub fn add_tiles<S>(
        &mut self,
        scratch: impl Fn() -> S + Sync + Send,
        work: impl Fn(&mut S, Range<usize>, Range<usize>, &mut dyn FnMut(usize, usize, f64)) + Sync,
    ) {
        let order = self.order;
        let span = |tile: usize| tile * WIDTH..order.min((tile + 1) * WIDTH);
        self.tiles_mut()
            .for_each_init(scratch, |scratch, (tile, values)| {
                let (rows, columns) = (span(tile.row), span(tile.column));
                let (top, left) = (rows.start, columns.start);
                work(scratch, rows, columns, &mut |i, j, value| {
                    values[place(i - top, j - left)] += value;
                });
            });
    }

    /// The sum of the diagonal.
    pub fn diagonal_sum(&self) -> f64 {
        self.diagonal().sum()
    }

    /// Whether no sum overflowed.
    pub fn finite(&self) -> bool {
        self.sums
            .par_chunks_exact(SIZE)
            .all(|values| values.iter().all(|value| value.is_finite()))
    }

    /// All sums, in an order of their own: what [`Products::restore`] takes.
    pub fn save(&self) -> Vec<f64> {
        self.sums.to_vec()
    }

    /// Puts back what [`Products::save`] gave for the same order; false, and nothing changes, at another number.
    pub fn restore(&mut self, sums: &[f64]) -> bool {
        let fits = sums.len() == self.sums.len();
        if fits {
            self.sums.copy_from_slice(sums);
        }
        fits
    }

    /// The diagonal.
    pub fn diagonal(&self) -> impl Iterator<Item = f64> {
        let tiles = self.tiles().filter(|tile| tile.place.row == tile.place.column);
        tiles.flat_map(|tile| self.span(tile.place.row).map(move |i| tile.at(i, i)))
    }

    /// Σ_j of each row of the whole symmetric matrix.
    pub fn row_sums(&self) -> Vec<f64> {
        let tiles: Vec<Tile> = self.tiles().collect();
        let parts: Vec<(Vec<f64>, Vec<f64>)> = tiles
            .par_iter()
            .map(|tile| {
                let (rows, columns) = (self.span(tile.place.row), self.span(tile.place.column));
                let (mut down, mut across) = (vec![0.0; rows.len()], vec![0.0; columns.len()]);
                for (a, j) in across.iter_mut().zip(columns) {
                    for (d, i) in down
                        .iter_mut()
                        .zip(rows.clone())
                        .skip(rows.start.max(j) - rows.start)
                    {
                        let value = tile.at(i, j);
                        *d += value;
                        // Of the mirror image; the diagonal has none.
                        *a += if i > j { value } else { 0.0 };
                    }
                }
                (down, across)
            })
            .collect();
        let mut sums = vec![0.0; self.order];
        for (place, (down, across)) in self.places.iter().zip(parts) {
            sums[self.span(place.row)]
                .iter_mut()
                .zip(down)
                .for_each(|(sum, part)| *sum += part);
            sums[self.span(place.column)]
                .iter_mut()
                .zip(across)
                .for_each(|(sum, part)| *sum += part);
        }
        sums
    }

    /// The matrix of `entry(i, j, XᵀX_ij)`.
    pub fn map(&self, entry: impl Fn(usize, usize, f64) -> f64 + Sync) -> Symmetric {
        let side = self.order.div_ceil(WIDTH);
        let sums: Vec<Tile> = self.tiles().collect();
        Symmetric::new(self.order, |i, j| {
            let (row, column) = (i / WIDTH, j / WIDTH);
            let before = column * (2 * side + 1 - column) / 2;
            entry(i, j, sums[before + row - column].at(i, j))
        })
    }

    fn span(&self, tile: usize) -> Range<usize> {
        tile * WIDTH..self.order.min((tile + 1) * WIDTH)
    }
}
