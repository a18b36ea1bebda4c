"""Makes scan.json, the reference values of tests/scan.rs.

    python make_scan.py [LIBPLFIT.so] > scan.json

Needs NumPy and powerlaw; with plfit's shared library also plfit, by exact search ("linear scan"). Both look at every
distinct value but the largest. Samples are made from the numbers of a hash, as the test makes them.
"""

import contextlib
import ctypes
import json
import logging
import sys
import warnings

import numpy as np
import powerlaw

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def uniform(n, stream):
    """The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), as numbers in (0, 1)."""
    with np.errstate(over="ignore"):
        z = (np.arange(n, dtype=np.uint64) + np.uint64((stream << 32) + 1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(11)).astype(float) + 0.5) / 2.0**53


def student(n, dof):
    """|t| by Bailey's polar method (Mathematics of Computation 62 (1994))."""
    u, v = uniform(n, 0), uniform(n, 1)
    return np.abs(np.sqrt(dof * (u ** (-2.0 / dof) - 1.0)) * np.cos(2.0 * np.pi * v))


def body_and_tail(n, beta):
    """60 % uniform below 1, the rest a power law from 1 on."""
    u, v = uniform(n, 0), uniform(n, 1)
    return np.where(u < 0.6, v, v ** (-1.0 / (beta - 1.0)))


SAMPLES = {
    "student 1.5, n=5000": student(5000, 1.5),
    "student 3, n=1000": student(1000, 3.0),
    "half normal, n=1000": np.abs(np.sqrt(-2.0 * np.log(uniform(1000, 0))) * np.cos(2.0 * np.pi * uniform(1000, 1))),
    "body and tail 2.2, n=2000": body_and_tail(2000, 2.2),
    "body and tail 4.5, n=2000": body_and_tail(2000, 4.5),
    "tied, n=1000": np.round(8.0 * student(1000, 2.0)) + 1.0,
    "pareto 2.5, n=50": uniform(50, 0) ** (-1.0 / 1.5),
}


class Options(ctypes.Structure):
    _fields_ = [
        ("finite_size_correction", ctypes.c_ushort),
        ("xmin_method", ctypes.c_int),
        ("p_value_method", ctypes.c_int),
        ("p_value_precision", ctypes.c_double),
        ("rng", ctypes.c_void_p),
    ]


class Result(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in ("alpha", "xmin", "L", "D", "p")]


def plfit(library, sample):
    """plfit's fit by its linear scan, without a p-value."""
    options, result = Options(), Result()
    library.plfit_continuous_options_init(ctypes.byref(options))
    options.xmin_method, options.p_value_method = 0, 0
    sample = np.ascontiguousarray(sample, dtype=np.float64)
    pointer = sample.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    status = library.plfit_continuous(pointer, ctypes.c_size_t(len(sample)), ctypes.byref(options), ctypes.byref(result))
    if status:
        sys.exit(f"plfit ended with {status}")
    return result


def main():
    library = ctypes.CDLL(sys.argv[1]) if len(sys.argv) > 1 else None
    rows = []
    for name, x in SAMPLES.items():
        # powerlaw clamps alpha to 3 unless its range is widened.
        with contextlib.redirect_stdout(sys.stderr):
            fit = powerlaw.Fit(x, parameter_ranges={"alpha": [1.0, 1000.0]})
        row = {
            "name": name,
            "sum": float(np.sum(x)),
            "powerlaw": {"x_min": float(fit.xmin), "alpha": float(fit.power_law.alpha), "d": float(fit.power_law.D)},
        }
        if library:
            found = plfit(library, x)
            row["plfit"] = {"x_min": found.xmin, "alpha": found.alpha, "d": found.D}
        rows.append(row)
    versions = {"numpy": np.__version__, "powerlaw": "2.0.0"}
    if library:
        versions["plfit"] = "1.0.1 (commit 6fec0761)"
    json.dump({"made_with": versions, "scan": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
