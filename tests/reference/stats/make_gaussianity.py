"""Golden values of the tests of normality (SciPy 1.17) and of adjustments for many tests: gaussianity.json."""

import json
import numpy as np
from scipy import stats

TAU = 2 * np.pi


def uniform(index, stream):
    with np.errstate(over="ignore"):
        z = (np.uint64(index) + (np.uint64(stream) << np.uint64(32)) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 2**53 + 0.5 / 2**53


def sample(kind, n):
    out = []
    for i in range(n):
        u, v = uniform(i, 0), uniform(i, 1)
        normal = np.sqrt(-2 * np.log(u)) * np.cos(TAU * v)
        out.append({
            "normal": normal,
            "shifted": 1000 + 3 * normal,
            "exponential": -np.log(u),
            "uniform": u,
            "student3": np.sqrt(3 * (u ** (-2 / 3) - 1)) * np.cos(TAU * v),
            "rounded": np.floor(4 * normal + 0.5),
        }[kind])
    return np.array(out)


def rao_robson(x, bins):
    """The general form with whole matrices, by numerical derivatives of nothing: exact cell derivatives."""
    mean, sd, n = x.mean(), x.std(), len(x)
    ends = stats.norm.ppf(np.arange(bins + 1) / bins)
    counts = np.histogram((x - mean) / sd, ends)[0]
    p = np.full(bins, 1 / bins)
    v = (counts - n * p) / np.sqrt(n * p)
    phi = stats.norm.pdf(ends)
    zphi = np.where(np.isfinite(ends), np.nan_to_num(ends, posinf=0, neginf=0) * phi, 0)
    b = np.stack([-(phi[1:] - phi[:-1]), -(zphi[1:] - zphi[:-1])], axis=1) / np.sqrt(p)[:, None]
    c = b.T @ v
    y2 = v @ v + c @ np.linalg.solve(np.diag([1.0, 2.0]) - b.T @ b, c)
    return [float(y2), float(stats.chi2.sf(y2, bins - 1))]


def pearson(x, bins):
    ends = stats.norm.ppf(np.arange(bins + 1) / bins)
    counts = np.histogram((x - x.mean()) / x.std(), ends)[0]
    found = stats.chisquare(counts, ddof=2)
    return [float(found.statistic), float(found.pvalue)]


def stephens(a, n):
    a *= 1 + 0.75 / n + 2.25 / n**2
    if a <= 0.2:
        return 1 - np.exp(-13.436 + 101.14 * a - 223.73 * a**2)
    if a <= 0.34:
        return 1 - np.exp(-8.318 + 42.796 * a - 59.938 * a**2)
    if a < 0.6:
        return np.exp(0.9177 - 4.279 * a - 1.38 * a**2)
    return np.exp(1.2937 - 5.709 * a + 0.0186 * a**2)


cases = []
for kind in ["normal", "shifted", "exponential", "uniform", "student3", "rounded"]:
    for n in [8, 11, 12, 25, 100, 700]:
        x = sample(kind, n)
        case = {"kind": kind, "n": n, "sum": float(x.sum())}
        for name in ["skewtest", "kurtosistest", "normaltest", "jarque_bera", "shapiro"]:
            found = getattr(stats, name)(x)
            case[name] = [float(found.statistic), float(found.pvalue)]
        z = np.sort((x - x.mean()) / x.std(ddof=1))
        i = np.arange(1, n + 1)
        a2 = float(-n - ((2 * i - 1) / n * (stats.norm.logcdf(z) + stats.norm.logsf(z[::-1]))).sum())
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert abs(stats.anderson(x, "norm", method="interpolate").statistic - a2) < 1e-9 * max(1, a2)
        p = stephens(a2, n) if a2 < 9 else None
        case["anderson"] = [a2, None if p is None else float(p)]
        # SciPy's D with the parameters fitted beforehand is Lilliefors's; its p-value is not.
        case["lilliefors"] = float(stats.kstest(z, "norm").statistic)
        for bins in [4, 10]:
            case[f"chi_square_{bins}"] = pearson(x, bins)
            case[f"rao_robson_{bins}"] = rao_robson(x, bins)
        cases.append(case)

multiple = []
rng = np.random.default_rng(3)
for p in [np.array([0.01, 0.02, 0.03, 0.5]), rng.uniform(size=40) ** 3, np.repeat([0.001, 0.04, 0.04, 1.0], 3)]:
    order = np.argsort(p, kind="stable")
    m = len(p)
    holm = np.empty(m)
    holm[order] = np.minimum(1, np.maximum.accumulate((m - np.arange(m)) * p[order]))
    multiple.append({
        "p": p.tolist(), "bh": stats.false_discovery_control(p, method="bh").tolist(),
        "by": stats.false_discovery_control(p, method="by").tolist(), "holm": holm.tolist(),
    })

# Lilliefors's p-value by SciPy's Monte-Carlo goodness of fit.
monte_carlo = []
for kind, n in [("normal", 25), ("uniform", 25), ("exponential", 12), ("student3", 25), ("normal", 100), ("rounded", 25)]:
    x = sample(kind, n)
    found = stats.goodness_of_fit(stats.norm, x, statistic="ks", n_mc_samples=20000, rng=np.random.default_rng(5))
    monte_carlo.append({"kind": kind, "n": n, "statistic": float(found.statistic), "p": float(found.pvalue)})

json.dump({"cases": cases, "multiple": multiple, "lilliefors_monte_carlo": monte_carlo},
          open("gaussianity.json", "w"), indent=0)
