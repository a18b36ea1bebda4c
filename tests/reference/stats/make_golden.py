"""Makes golden.json, the reference values of tests/statistics.rs.

    python make_golden.py > golden.json

Needs NumPy, SciPy and powerlaw. Samples are given by formulas that both sides compute, so that the file stays
small; `values` holds those that have none.
"""

import json
import logging
import platform
import sys
import warnings

import numpy as np
import powerlaw
import scipy
import scipy.stats as st

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def pareto(n, beta, x_min=1.0):
    """Quantiles of a power law: x_i = x_min (1 - (i + 1/2)/n)^(-1/(beta - 1))."""
    return x_min * (1.0 - (np.arange(n) + 0.5) / n) ** (-1.0 / (beta - 1.0))


NORMALITY = {
    "0..7": np.arange(8.0),
    "0..19": np.arange(20.0),
    "squares 1..900": np.arange(1.0, 31.0) ** 2,
    "sin 1..1000": np.sin(np.arange(1.0, 1001.0)),
    "1..7, 8000": np.array([1, 2, 3, 4, 5, 6, 7, 8000.0]),
    "-10..10": np.arange(-10.0, 11.0),
    "1e6 + sin 1..100": 1e6 + np.sin(np.arange(1.0, 101.0)),
    "heavy tail": np.sin(np.arange(1.0, 101.0)) ** 9,
}


def normality():
    rows = []
    for name, x in NORMALITY.items():
        row = {"name": name, "values": x.tolist() if len(x) <= 100 else None}
        for test in ("skewtest", "kurtosistest", "normaltest"):
            result = getattr(st, test)(x)
            row[test] = [float(result.statistic), float(result.pvalue)]
        rows.append(row)
    return rows


def power_law():
    """powerlaw's own fit and distance, with the range of alpha widened: it is clamped to 3 otherwise."""
    rows = []
    samples = {
        "pareto n=1000 beta=1.5": pareto(1000, 1.5),
        "pareto n=1000 beta=2.5": pareto(1000, 2.5),
        "pareto n=300 beta=4.5": pareto(300, 4.5),
        "exponential n=5000": -np.log1p(-(np.arange(5000) + 0.5) / 5000),
    }
    for name, x in samples.items():
        for k in (200, 300, 1000):
            if k > len(x):
                continue
            x_min = float(np.sort(x)[-k])
            fit = powerlaw.Fit(x, xmin=x_min, parameter_ranges={"alpha": [1.0, 1000.0]})
            tail = np.sort(x[x >= x_min])
            alpha = float(fit.power_law.alpha)
            rows.append(
                {
                    "name": name,
                    "k": k,
                    "x_min": x_min,
                    "alpha": alpha,
                    "ks_left": float(fit.power_law.D),
                    "ks_two_sided": float(
                        st.ks_1samp(tail, lambda t: 1 - (t / x_min) ** (1 - alpha)).statistic
                    ),
                }
            )
    return rows


def wilson():
    return [
        [k, n, *map(float, st.binomtest(k, n).proportion_ci(0.95, method="wilson"))]
        for k, n in ((0, 10), (10, 10), (3, 7), (47, 44426), (4910, 5000))
    ]


golden = {
    "made_with": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "powerlaw": "2.0.0",
    },
    "normality": normality(),
    "power_law": power_law(),
    "wilson": wilson(),
}
json.dump(golden, sys.stdout, indent=1)
