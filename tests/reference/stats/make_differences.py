"""Golden values of src/stats/differences.rs, by SciPy: python make_differences.py > differences.json"""

import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(0)
cases = {"scipy": scipy.__version__, "paired": [], "welch": [], "proportions": [], "mcnemar": []}
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
    found = stats.ttest_ind(right, left, equal_var=False)
    low, high = found.confidence_interval(0.95)
    cases["welch"].append(
        {"left": left.tolist(), "right": right.tolist(), "p": found.pvalue, "low": low, "high": high}
    )
for a, n, b, m in ((3830, 5000, 3910, 5000), (35, 44426, 70, 44426), (1, 10, 9, 10), (48, 80, 56, 70)):
    table = [[a, n - a], [b, m - b]]
    p = stats.chi2_contingency(table, correction=False).pvalue
    cases["proportions"].append({"left": [a, n], "right": [b, m], "p": p})
for b, c in ((0, 1), (3, 10), (120, 90), (5000, 5200), (40, 2100)):
    exact = stats.binomtest(b, b + c).pvalue
    mid = 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(min(b, c), b + c, 0.5)
    cases["mcnemar"].append({"b": b, "c": c, "exact": exact, "mid": float(mid)})
print(json.dumps(cases, indent=1))
