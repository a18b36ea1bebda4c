"""Quantiles of KS distances from laws with fitted parameters, by simulation: critical.json.

Power law: K points, the smallest at x_min, β fitted (Eq. 8); the distance depends on K alone, so β = 2 does.
Lilliefors: n points, mean and standard deviation (n - 1) fitted.

For each level p the quantile of sqrt(K)·d is regressed over sizes on 1, 1/sqrt(K), 1/K (weights: the quantiles'
standard errors), which `crates/gradstudy-stats/src/fitted_quantiles.rs` holds. Run: python make_critical.py (about 15 minutes).
"""

import json
import numpy as np
from scipy.special import ndtr

LEVELS = [0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002,
          0.001, 0.0005]


def power_law(rng, rows, k):
    gaps = rng.standard_exponential((rows, k - 1)) / np.arange(k - 1, 0, -1)
    logs = np.concatenate([np.zeros((rows, 1)), np.cumsum(gaps, axis=1)], axis=1)
    cdf = -np.expm1(-logs * (k / logs.sum(axis=1))[:, None])
    steps = np.arange(k) / k
    left = np.abs(cdf - steps).max(axis=1)
    right = (steps + 1 / k - cdf).max(axis=1)
    return {"left": left, "two_sided": np.maximum(left, right)}


def lilliefors(rng, rows, n):
    x = np.sort(rng.standard_normal((rows, n)), axis=1)
    cdf = ndtr((x - x.mean(axis=1)[:, None]) / x.std(axis=1, ddof=1)[:, None])
    steps = np.arange(n) / n
    return {"lilliefors": np.maximum((cdf - steps).max(axis=1), (steps + 1 / n - cdf).max(axis=1))}


def quantiles(make, sizes, budget, most, seed):
    found = {}
    for size in sizes:
        rng = np.random.default_rng([seed, size])
        total = int(min(most, budget // size))
        rows = max(1, 2_000_000 // size)
        parts = []
        for start in range(0, total, rows):
            parts.append(make(rng, min(rows, total - start), size))
        for name in parts[0]:
            d = np.sort(np.concatenate([part[name] for part in parts])) * np.sqrt(size)
            q = [float(np.quantile(d, 1 - p)) for p in LEVELS]
            # Standard errors from ranks one standard deviation either side.
            se = []
            for p in LEVELS:
                s = np.sqrt(p * (1 - p) / total)
                se.append(float(np.quantile(d, min(1, 1 - p + s)) - np.quantile(d, max(0, 1 - p - s))) / 2)
            found.setdefault(name, []).append({"size": size, "samples": total, "quantiles": q, "errors": se})
        print(size, total, flush=True)
    return found


def regress(rows):
    k = np.array([row["size"] for row in rows], float)
    design = np.stack([np.ones_like(k), 1 / np.sqrt(k), 1 / k], axis=1)
    out = []
    for i, p in enumerate(LEVELS):
        q = np.array([row["quantiles"][i] for row in rows])
        se = np.array([row["errors"][i] for row in rows])
        w = 1 / np.maximum(se, 3e-4)
        coef, *_ = np.linalg.lstsq(design * w[:, None], q * w, rcond=None)
        out.append({"p": p, "coefficients": coef.tolist(), "worst": float(np.abs(design @ coef - q).max())})
    return out


found = quantiles(power_law, [20, 30, 50, 100, 200, 500, 1000, 3000, 10000], 1.2e9, 4_000_000, 1)
found |= quantiles(lilliefors, [8, 10, 15, 20, 30, 50, 100, 300, 1000, 5000], 4e8, 3_000_000, 2)
json.dump({name: {"sizes": rows, "levels": regress(rows)} for name, rows in found.items()}, open("critical.json", "w"), indent=1)
