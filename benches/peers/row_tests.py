"""Times NumPy, SciPy and powerlaw on the row and column tests that benches/statistics.rs times.

    OMP_NUM_THREADS=2 python benches/peers/row_tests.py [--npy G.npy]

Without --npy it makes the matrix of benches/statistics.rs by the same formula: G[i, t] = scale(i) value(t n + i),
n = 44 426, T = 5000. A file holds one gradient per row: shape (T, n), float32. The vectorised peer is timed as one
writes it (each test one expression over the whole matrix; NumPy's partition and log use one thread), and tuned by hand:
in blocks of the size that is best on a part of the samples, by one thread and handed to two. `powerlaw.Fit` works sample by sample; it is timed on some and
multiplied, and the output says so. Times are wall-clock and CPU seconds, best of --repeats; on a machine that does
other work, compare the latter.
"""

import argparse
import json
import logging
import os
import platform
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy
import scipy.stats

N, T, K, POINTS, D_C = 44_426, 5000, 1000, 100, 1.36 / np.sqrt(1000)


def hash64(counter):
    """The output function of SplitMix64."""
    with np.errstate(over="ignore"):
        z = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def make():
    i = np.arange(N, dtype=np.uint64)
    u = ((hash64(i + np.uint64(1 << 40)) >> np.uint64(11)).astype(float) + 0.5) / 2.0**53
    scale = np.where(i % np.uint64(9) == 0, 0.0, u**-0.7)
    g = np.empty((T, N), np.float32)
    low = np.uint64(0xFFFF)
    for t in range(T):
        b = hash64(i + np.uint64(t * N))
        parts = (b & low) + (b >> np.uint64(16) & low) + (b >> np.uint64(32) & low) + (b >> np.uint64(48))
        g[t] = scale * ((parts.astype(float) - 131_070) / 65_536)
    return g


def power_law(block):
    """d_ks of each row of `block`: 1 for degenerate samples."""
    x = np.abs(block)
    tail = np.partition(x, x.shape[1] - K, axis=1)[:, -K:].astype(float)
    tail.sort(axis=1)
    good = (tail[:, 0] > 0) & np.isfinite(tail[:, -1]) & (tail[:, -1] > tail[:, 0])
    d = np.ones(len(x))
    tail = tail[good]
    logs = np.log(tail / tail[:, :1])
    slope = K / logs.sum(axis=1, keepdims=True)
    d[good] = np.abs(1 - np.exp(-slope * logs) - np.arange(K) / K).max(axis=1)
    return d


def normality(block):
    """p of POINTS random distinct points of each row of `block`: 0 for degenerate samples."""
    rng = np.random.default_rng(0)
    # One draw for a block: a draw for each row would cost the peer more.
    drawn = block[:, rng.choice(block.shape[1], POINTS, replace=False)].astype(float)
    return np.nan_to_num(scipy.stats.normaltest(drawn, axis=1).pvalue)


def run(test, g, direction, size, threads, limit=None):
    """(wall seconds, CPU seconds, results) of `test` over blocks of `size` samples."""
    count = (g.shape[0] if direction == "columns" else g.shape[1]) if limit is None else limit

    def one(first):
        last = min(first + size, count)
        block = g[first:last] if direction == "columns" else g[:, first:last].T
        # Rows lie apart: the copy is needed to be fast, except for the few points of normality.
        if direction == "rows" and test is power_law:
            block = np.ascontiguousarray(block)
        return test(block)

    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        results = np.concatenate(list(pool.map(one, range(0, count, size))))
    return time.perf_counter() - start, time.process_time() - cpu, results


def whole(test, g, direction, repeats):
    """Wall seconds of `test` over all samples in one call, and its results."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        results = test(g if direction == "columns" else g.T)
        times.append(time.perf_counter() - start)
    return min(times), results


def best(test, g, direction, threads, repeats):
    """Times over all samples with the block size that is best on a part of them."""
    sizes = (8, 32, 128) if direction == "columns" else (64, 256, 1024)
    if test is normality:
        sizes = (256, 1024, 4096)
    part = min(4096 if direction == "rows" else 512, g.shape[0] if direction == "columns" else g.shape[1])
    size = min(sizes, key=lambda size: run(test, g, direction, size, threads, limit=part)[0])
    timed = [run(test, g, direction, size, threads) for _ in range(repeats)]
    return min(t[0] for t in timed), min(t[1] for t in timed), size, timed[0][2]


def per_sample(g, direction, subset):
    """Seconds per sample of powerlaw.Fit at the K-th largest value, and normaltest on drawn points."""
    import powerlaw

    logging.disable(logging.CRITICAL)
    rng = np.random.default_rng(1)
    count = g.shape[0] if direction == "columns" else g.shape[1]
    chosen = rng.choice(count, subset, replace=False)
    samples = [np.abs(g[i] if direction == "columns" else g[:, i]).astype(float) for i in chosen]
    start = time.perf_counter()
    for x in samples:
        if not x.any():
            continue
        x_min = np.partition(x, len(x) - K)[-K]
        fit = powerlaw.Fit(x[x >= x_min], xmin=x_min, parameter_ranges={"alpha": [1.0, 1000.0]})
        fit.power_law.D  # noqa: B018 (computed when asked for)
        scipy.stats.normaltest(rng.choice(x, POINTS, replace=False))
    return (time.perf_counter() - start) / subset, count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npy", help="matrix to test instead, shape (T, n), float32")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--subset", type=int, default=100, help="samples that powerlaw.Fit is timed on")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    np.seterr(all="ignore")
    g = np.load(args.npy, mmap_mode=None) if args.npy else make()

    report = {"cores": os.cpu_count(), "python": platform.python_version()}
    report |= {"numpy": np.__version__, "scipy": scipy.__version__, "shape": list(g.shape)}
    total = 0.0
    for direction in ("columns", "rows"):
        for test in (power_law, normality):
            seconds, results = whole(test, g, direction, args.repeats)
            total += seconds
            report[f"{test.__name__}, {direction}, whole matrix"] = {
                "seconds": round(seconds, 3),
                "mean": float(results.mean()),
            }
    report["vectorised, all four, whole matrix: seconds"] = round(total, 3)
    for threads in (1, 2):
        total = total_cpu = 0.0
        for direction in ("columns", "rows"):
            for test in (power_law, normality):
                seconds, cpu, size, results = best(test, g, direction, threads, args.repeats)
                total += seconds
                total_cpu += cpu
                accepted = float((results < D_C).mean() if test is power_law else (results > 0.05).mean())
                report[f"{test.__name__}, {direction}, threads: {threads}"] = {
                    "seconds": round(seconds, 3),
                    "cpu_seconds": round(cpu, 3),
                    "block": size,
                    "mean": float(results.mean()),
                    "accepted": accepted,
                }
        report[f"vectorised, all four, threads: {threads}: seconds"] = round(total, 3)
        report[f"vectorised, all four, threads: {threads}: cpu_seconds"] = round(total_cpu, 3)
    extrapolated = 0.0
    for direction in ("columns", "rows"):
        each, count = per_sample(g, direction, args.subset)
        extrapolated += each * count
    report[f"powerlaw.Fit + normaltest, extrapolated from 2 x {args.subset} samples: seconds"] = round(extrapolated, 1)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
