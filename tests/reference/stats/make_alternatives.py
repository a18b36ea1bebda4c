"""Golden values of fits of other laws and of distances: alternatives.json.

The likelihoods are written anew from the densities and maximised by SciPy (Nelder and Mead, then BFGS); powerlaw 2.0's
own comparison stands beside. Samples are those of make_scan.py's uniform numbers.
"""

import json
import warnings
import numpy as np
import powerlaw
from mpmath import mp, mpf, quad, exp, inf, log
from scipy import optimize, special, stats

warnings.simplefilter("ignore")


def uniform(index, stream):
    with np.errstate(over="ignore"):
        z = (np.uint64(index) + (np.uint64(stream) << np.uint64(32)) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 2**53 + 0.5 / 2**53


def sample(kind, n):
    u = np.array([uniform(i, 0) for i in range(n)])
    v = np.array([uniform(i, 1) for i in range(n)])
    normal = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    return {
        "pareto": u ** (-1 / 1.5), "lognormal": np.exp(0.3 + 1.2 * normal), "exponential": -np.log(u),
        "weibull": (-np.log(u)) ** (1 / 0.6), "half_normal": np.abs(normal),
        "student3": np.abs(np.sqrt(3 * (u ** (-2 / 3) - 1)) * np.cos(2 * np.pi * v)),
        "cut_pareto": np.minimum(u ** (-1 / 1.5), 1e9) * 0 + np.where(v < 0.5, u ** (-1 / 1.5), 1 - 20 * np.log(u)),
    }[kind]


def maximise(negative, starts):
    best = None
    for start in starts:
        found = optimize.minimize(negative, start, method="Nelder-Mead",
                                  options={"xatol": 1e-11, "fatol": 1e-11, "maxiter": 20000, "maxfev": 20000})
        found = optimize.minimize(negative, found.x, method="Nelder-Mead",
                                  options={"xatol": 1e-12, "fatol": 1e-12, "maxiter": 20000, "maxfev": 20000})
        if best is None or found.fun < best.fun:
            best = found
    return best


def lognormal(z):
    t = np.log(z)

    def terms(p):
        mu, s = p
        return stats.norm.logpdf(t, mu, s) - stats.norm.logsf(0, mu, s) - t

    best = maximise(lambda p: np.inf if p[1] <= 0 else -terms(p).sum(),
                    [(t.mean(), t.std()), (-1, 2), (-5, 3), (-30, 8)])
    return list(best.x), terms(best.x)


def exponential(z):
    rate = 1 / (z - 1).mean()
    return [rate], np.log(rate) - rate * (z - 1)


def stretched(z):
    t = np.log(z)

    def terms(p):
        b = np.exp(p[0])
        rate = len(z) / np.expm1(b * t).sum()
        return np.log(b) + np.log(rate) + (b - 1) * t - rate * np.expm1(b * t)

    best = maximise(lambda p: -terms(p).sum(), [(0.0,), (-1.0,), (-3.0,), (1.0,)])
    b = float(np.exp(best.x[0]))
    return [b, len(z) / np.expm1(b * t).sum()], terms(best.x)


def truncated(z):
    t = np.log(z)
    mp.dps = 20

    def log_total(a, l):
        # Γ(1 − a, l) l^(a − 1) by quadrature of its definition.
        return float(log(quad(lambda y: exp((1 - mpf(a)) * y - mpf(l) * exp(y)), [0, 1, 2, 4, 8, 16, 32])))

    def terms(p):
        a, l = p[0], np.exp(p[1])
        return -log_total(a, l) - a * t - l * z

    def negative(p):
        return len(z) * log_total(p[0], np.exp(p[1])) + p[0] * t.sum() + np.exp(p[1]) * z.sum()

    found = optimize.minimize(negative, (1.5, np.log(1 / z.mean())), method="Nelder-Mead",
                              options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 600})
    return [float(found.x[0]), float(np.exp(found.x[1]))], terms(found.x)


cases = []
for kind, n, k in [("pareto", 1500, 1000), ("lognormal", 1500, 1000), ("exponential", 1500, 1000), ("weibull", 800, 500),
                   ("half_normal", 3000, 300), ("student3", 3000, 500), ("cut_pareto", 800, 800)]:
    x = sample(kind, n)
    tail = np.sort(x)[-k:]
    x_min = tail[0]
    z = tail / x_min
    beta = 1 + k / np.log(z).sum()
    power = np.log(beta - 1) - beta * np.log(z)
    case = {"kind": kind, "n": n, "k": k, "sum": float(x.sum()), "beta": float(beta)}
    fit = powerlaw.Fit(x, xmin=x_min, verbose=False, parameter_ranges={"alpha": [1, 30]})
    for name, law in [("lognormal", lognormal), ("exponential", exponential), ("stretched_exponential", stretched),
                      ("truncated_power_law", truncated)]:
        parameters, terms = law(z)
        d = power - terms
        case[name] = {"parameters": [float(p) for p in parameters], "log_ratio": float(d.sum()),
                      "normalised": float(d.sum() / np.sqrt(len(d)) / d.std())}
        r, p = fit.distribution_compare("power_law", name, nested=name == "truncated_power_law")
        case[name]["powerlaw"] = [float(r), float(p)]
    # Distances of the fitted power law: the package's and the textbook's.
    cdf = 1 - z ** (1 - beta)
    i = np.arange(k)
    case["kuiper_left"] = float((cdf - i / k).max() + (i / k - cdf).max())
    case["kuiper_powerlaw"] = float(fit.power_law.V)
    case["kuiper_two_sided"] = float((cdf - i / k).max() + ((i + 1) / k - cdf).max())
    above = cdf[1:]
    m = len(above)
    j = np.arange(1, m + 1)
    case["a_squared"] = float(-m - ((2 * j - 1) / m * (np.log(above) + np.log1p(-above[::-1]))).sum())
    cases.append(case)
    print(kind, {k: v for k, v in case.items() if isinstance(v, dict)}, case["kuiper_left"], case["kuiper_powerlaw"], flush=True)

json.dump({"cases": cases}, open("alternatives.json", "w"), indent=0)
