"""Tests of normality of samples whose spread is far below their size: near_rounding.json.

SciPy 1.17 subtracts a mean that is rounded, and warns of catastrophic cancellation. So the mean is subtracted here in
rational arithmetic, and SciPy sees what is left, scaled by a power of two."""

import json
from fractions import Fraction
import numpy as np
from scipy import stats

rng = np.random.default_rng(19)
near = [-3, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3, 4, 0, 1, -2, 2, 0, -1, 1, 5]  # shared/cases/c07_near.npy
wide = np.rint(rng.normal(0, 3, 100)).astype(int).tolist()
skewed = rng.geometric(0.4, 60).tolist()
normal = rng.normal(size=100)


def steps(kind, ks, at, step):
    return {"name": kind, "values": [float(Fraction(at) + k * Fraction(step)) for k in ks]}


samples = [
    steps("1 + k 2^-52, as c07_near.npy", near, 1, Fraction(1, 2**52)),
    steps("1 + k 2^-52", wide, 1, Fraction(1, 2**52)),
    steps("-1e8 + k ulp", skewed, -(10**8), Fraction(1, 2**26)),
    steps("1e-30 + k ulp", wide, Fraction(1e-30), Fraction(float(np.spacing(1e-30)))),
    steps("1 + k 2^-23, float32", wide, 1, Fraction(1, 2**23)),
    steps("1.75 + k 2^-23, float32", near, Fraction(7, 4), Fraction(1, 2**23)),
    {"name": "1e8 + normal", "values": (1e8 + normal).tolist()},
    {"name": "-3e12 + normal", "values": (-3e12 + normal).tolist()},
    {"name": "1000 + normal, float32", "values": (1000 + normal).astype(np.float32).astype(float).tolist()},
    {"name": "1e-200 normal", "values": (1e-200 * normal).tolist()},
    {"name": "1e200 normal", "values": (1e200 * normal).tolist()},
    {"name": "1e8 + uniform", "values": (1e8 + rng.uniform(size=500)).tolist()},
]
for sample in samples:
    exact = [Fraction(x) for x in sample["values"]]
    mean = sum(exact) / len(exact)
    deviations = [x - mean for x in exact]
    largest = max(abs(d) for d in deviations)
    unit = Fraction(2) ** (largest.numerator.bit_length() - largest.denominator.bit_length())
    x = np.array([float(d / unit) for d in deviations])
    n = len(x)
    for name in ["skewtest", "kurtosistest", "normaltest", "jarque_bera", "shapiro"]:
        found = getattr(stats, name)(x)
        sample[name] = [float(found.statistic), float(found.pvalue)]
    z = np.sort(x / x.std(ddof=1))
    i = np.arange(1, n + 1)
    sample["anderson"] = float(-n - ((2 * i - 1) / n * (stats.norm.logcdf(z) + stats.norm.logsf(z[::-1]))).sum())
    sample["lilliefors"] = float(stats.kstest(z, "norm").statistic)
    ends = stats.norm.ppf(np.arange(11) / 10)
    sample["chi_square"] = float(stats.chisquare(np.histogram(x / x.std(), ends)[0]).statistic)
    # SciPy's own limits, float32 by the kind of number that the name says.
    eps = np.finfo(np.float32 if "float32" in sample["name"] else float).eps
    sample["few_digits"] = bool(largest / abs(mean) < 10 * Fraction(float(eps))) if mean else False

for sample in samples:
    # serde_json reads decimals to the last digit or so, Rust's own parser exactly.
    sample["values"] = [repr(x) for x in sample["values"]]
json.dump({"samples": samples}, open("near_rounding.json", "w"), indent=0)
for sample in samples:
    print(sample["name"], sample["normaltest"], sample["shapiro"], sample["few_digits"])
