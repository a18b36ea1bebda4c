"""Golden values of crates/gradstudy-stats/src/differences.rs, by SciPy: python make_differences.py > differences.json"""

import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(0)
cases = {"scipy": scipy.__version__, "paired": [], "welch": []}
for n in (2, 3, 5, 12):
    left = rng.normal(0.03, 0.01, n)
    right = left + rng.normal(0.004, 0.005, n)
    found = stats.ttest_rel(right, left)
    low, high = found.confidence_interval(0.95)
    cases["paired"].append(
        {"left": left.tolist(), "right": right.tolist(), "p": found.pvalue, "low": low, "high": high}
    )
for n, m in ((2, 2), (3, 5), (10, 4)):
    left, right = rng.normal(1.3, 0.1, n), rng.normal(1.5, 0.3, m)
    # SciPy's statistic, with as many degrees of freedom as the smaller sample has instead of Satterthwaite's.
    t, freedom = stats.ttest_ind(right, left, equal_var=False).statistic, min(n, m) - 1
    difference = right.mean() - left.mean()
    half = stats.t.ppf(0.975, freedom) * difference / t
    cases["welch"].append(
        {
            "left": left.tolist(),
            "right": right.tolist(),
            "p": float(2 * stats.t.sf(abs(t), freedom)),
            "low": float(difference - half),
            "high": float(difference + half),
        }
    )
print(json.dumps(cases, indent=1))
