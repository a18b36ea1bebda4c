//! The leading eigenvalues of a curvature matrix.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::lanczos::Lanczos;
use super::ritz::Ritz;
use super::state::{Look, Place, State};
use super::{Curvature, HessianError, Operator};
use gradstudy_stats::monitor::Monitor;

/// Vectors that go through the network together. More share the pass through the samples, but a block Krylov space
/// of equal size reaches less far: four is the fastest on LeNet, from 50 to 200 eigenvalues.
const BLOCK: usize = 4;

/// Which eigenvalues come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The largest algebraically.
    Largest,
    /// The largest in magnitude.
    Magnitude,
}

/// What is asked of a spectrum.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Eigenvalues, 1 ≤ K ≤ n.
    pub top: usize,
    pub order: Order,
    /// A pair counts as found when ‖Hv − λv‖ ≤ `tolerance` · |λ|; in (0, 1).
    pub tolerance: f64,
    /// Of the random start.
    pub seed: u64,
    /// Bytes for the basis; it restarts when they are full.
    pub memory: usize,
    /// Whether eigenvectors are returned, too.
    pub vectors: bool,
    /// A folder for the state of the computation: one that was cancelled or killed goes on from there.
    pub state: Option<PathBuf>,
}

impl Request {
    /// The `top` algebraically largest to a relative residual of 1e-4, seed 0, up to 4 GB, no vectors, no state.
    pub fn new(top: usize) -> Self {
        Request {
            top,
            order: Order::Largest,
            tolerance: 1e-4,
            seed: 0,
            memory: 4 << 30,
            vectors: false,
            state: None,
        }
    }

    /// Products that a matrix of n rows will take, roughly (as it was for LeNet): for estimates of time.
    pub fn expected_products(&self, n: usize) -> u64 {
        let krylov = 150.0 + 3.7 * self.top as f64;
        if is_small(self.top, n) {
            n as u64
        } else {
            (krylov as u64).min(n as u64)
        }
    }
}

/// Leading eigenvalues, each with its residual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvatureSpectrum {
    pub kind: Curvature,
    pub order: Order,
    /// n.
    pub parameters: usize,
    /// N.
    pub samples: usize,
    pub tolerance: f64,
    /// K eigenvalues, in `order`.
    pub values: Vec<f64>,
    /// ‖Hv − λv‖ of each, v of unit length: an eigenvalue lies within this distance of λ.
    pub residuals: Vec<f64>,
    /// How many of them have residual ≤ tolerance · |λ|. The others are so near zero that the rounding of
    /// float32 products is all there is to them.
    pub converged: usize,
    /// Products with the matrix.
    pub products: u64,
    /// How often the basis was cut down to fit the memory.
    pub restarts: u64,
    /// K eigenvectors of n numbers, one after the other, where asked for.
    #[serde(skip)]
    pub vectors: Option<Vec<f32>>,
}

/// Whether a Krylov space would fill most of the whole space anyway.
fn is_small(top: usize, n: usize) -> bool {
    n <= 4 * top + 150
}

/// How the basis may grow.
struct Room {
    block: usize,
    columns: usize,
}

impl Room {
    fn new(request: &Request, n: usize) -> Result<Self, HessianError> {
        let top = request.top;
        if top == 0 || top > n {
            return Err(HessianError::Top { top, parameters: n });
        }
        if !(request.tolerance > 0.0 && request.tolerance < 1.0) {
            return Err(HessianError::Tolerance {
                tolerance: request.tolerance,
            });
        }
        let small = is_small(top, n);
        let block = if small { n } else { BLOCK };
        let bytes_per_column = n * size_of::<f32>();
        let columns = (request.memory / bytes_per_column).min(n);
        let least = if small { n } else { top + top / 4 + 4 * block };
        if columns < least {
            return Err(HessianError::Memory {
                top,
                columns: least,
                bytes: least * bytes_per_column,
                limit: request.memory,
            });
        }
        Ok(Room { block, columns })
    }
}

/// The leading eigenvalues of `operator` by a block Krylov method; None if cancelled.
///
/// Progress is told of finished products ([`Request::expected_products`]). The result depends on the seed, not on
/// the number of threads, nor on interruptions of a computation that keeps its state.
pub fn spectrum(
    operator: &Operator,
    request: &Request,
    monitor: &Monitor,
) -> Option<Result<CurvatureSpectrum, HessianError>> {
    match Room::new(request, operator.size()) {
        Ok(room) => search(operator, request, &room, monitor).transpose(),
        Err(error) => Some(Err(error)),
    }
}

fn search(
    operator: &Operator,
    request: &Request,
    room: &Room,
    monitor: &Monitor,
) -> Result<Option<CurvatureSpectrum>, HessianError> {
    let (n, top, order) = (operator.size(), request.top, request.order);
    let mut lanczos = Lanczos::new(operator, room.block, request.seed);
    let mut place = Place {
        restarts: 0,
        next_look: (top + top / 2).max(top + 2 * room.block).min(n),
        seen: None,
    };
    let mut keeper = Keeper::new(operator, request, room)?;
    if let Some(kept) = keeper.load(&mut lanczos)? {
        place = kept;
        (monitor.progress)(lanczos.products);
    }
    loop {
        let before = lanczos.products;
        let Some(step) = lanczos.step(monitor.cancel) else {
            keeper.save(&lanczos, place)?;
            return Ok(None);
        };
        step?;
        (monitor.progress)(lanczos.products - before);
        let m = lanczos.len();
        let full = room.columns < n && lanczos.basis.len() + room.block > room.columns;
        if m < place.next_look && m < n && !full {
            continue;
        }
        let ritz = lanczos.ritz(top, order)?;
        let open = (0..ritz.values.len()).filter(|k| !ritz.settled(*k, request.tolerance));
        let look = Look {
            vectors: m,
            open: open.count(),
        };
        if m == n || look.open == 0 {
            return finish(&mut lanczos, ritz, place, operator, request, room, monitor).transpose();
        }
        if full {
            lanczos.restart(top + (m - top) / 3, order)?;
            place.restarts += 1;
        }
        place.next_look = lanczos.len() + until_next_look(lanczos.len(), room.block, place.seen, look);
        place.seen = (!full).then_some(look);
        keeper.save(&lanczos, place)?;
    }
}

/// Vectors until all eigenpairs may be there: those that are open grow fewer about linearly. Not many where that is far
/// off, and not too few, for a look at m vectors takes m³ operations.
fn until_next_look(m: usize, block: usize, before: Option<Look>, now: Look) -> usize {
    let expected = before.filter(|before| before.open > now.open).map(|before| {
        let each = (now.vectors - before.vectors) as f64 / (before.open - now.open) as f64;
        (now.open as f64 * each).ceil() as usize
    });
    let least = (m / 50).max(block);
    match expected {
        Some(expected) => expected.clamp(least, (m / 4).max(block)),
        None => (m / 10).max(block),
    }
}

fn finish(
    lanczos: &mut Lanczos,
    ritz: Ritz,
    place: Place,
    operator: &Operator,
    request: &Request,
    room: &Room,
    monitor: &Monitor,
) -> Option<Result<CurvatureSpectrum, HessianError>> {
    let residuals = if place.restarts > 0 {
        match lanczos.measure(&ritz, room.block, monitor.cancel)? {
            Ok(residuals) => residuals,
            Err(error) => return Some(Err(error)),
        }
    } else {
        (0..ritz.values.len()).map(|k| ritz.residual(k)).collect()
    };
    let within = |(r, v): &(&f64, &f64)| **r <= request.tolerance * v.abs();
    Some(Ok(CurvatureSpectrum {
        kind: operator.kind(),
        order: request.order,
        parameters: operator.size(),
        samples: operator.samples(),
        tolerance: request.tolerance,
        converged: residuals.iter().zip(&ritz.values).filter(within).count(),
        products: lanczos.products,
        restarts: place.restarts,
        vectors: request
            .vectors
            .then(|| lanczos.basis.combine(ritz.vectors.as_ref())),
        values: ritz.values,
        residuals,
    }))
}

/// The state on disk, where there is one.
struct Keeper(Option<(State, PathBuf)>);

impl Keeper {
    fn new(operator: &Operator, request: &Request, room: &Room) -> Result<Self, HessianError> {
        let Some(folder) = &request.state else {
            return Ok(Keeper(None));
        };
        let what = operator.fingerprint();
        let key = format!("{what} {} {:?} {}", request.seed, request.order, room.block);
        match State::new(folder, key) {
            Ok(state) => Ok(Keeper(Some((state, folder.clone())))),
            Err(reason) => Err(HessianError::State {
                path: folder.clone(),
                reason,
            }),
        }
    }

    fn save(&mut self, lanczos: &Lanczos, place: Place) -> Result<(), HessianError> {
        let Some((state, path)) = &mut self.0 else {
            return Ok(());
        };
        let path = path.clone();
        state
            .save(lanczos, place)
            .map_err(|reason| HessianError::State { path, reason })
    }

    fn load(&mut self, lanczos: &mut Lanczos) -> Result<Option<Place>, HessianError> {
        let Some((state, path)) = &mut self.0 else {
            return Ok(None);
        };
        let path = path.clone();
        state
            .load(lanczos)
            .map_err(|reason| HessianError::State { path, reason })
    }
}
