"""Bootstrap p-values of discrete power laws (Clauset, Shalizi and Newman 2009, section 4.1) by NumPy and SciPy's Hurwitz
zeta function: discrete_bootstrap.json. Nothing is shared with gradstudy but the paper.

Terrorism comes from published.json; `ties` is /work/shared/cases/counts_ties.npy by its value counts."""

import functools
import json
import numpy as np
from scipy import optimize, special

REPLICATES = 4000


def fit(x, xmin):
    """β̂, d_ks just below each value that occurs, points in the tail."""
    tail = x[x >= xmin]
    values, counts = np.unique(tail, return_counts=True)
    if len(values) < 2:
        return None
    mean = np.log(tail).mean()
    found = optimize.minimize_scalar(lambda b: b * mean + np.log(special.zeta(b, xmin)), bounds=(1.0001, 60),
                                     method="bounded", options={"xatol": 1e-10})
    b = found.x
    below = np.concatenate([[0], np.cumsum(counts)[:-1]]) / len(tail)
    distance = np.abs(1 - special.zeta(b, values) / special.zeta(b, xmin) - below).max()
    return b, distance, len(tail)


def start(x, rule):
    kind, value = rule
    return value if kind == "at" else np.sort(x)[-value]


@functools.cache
def table(b, xmin):
    grid = np.arange(xmin, xmin + 10**5)
    return grid, special.zeta(b, grid) / special.zeta(b, xmin)  # P(X >= x)


def draw(rng, b, xmin, size):
    """Quantiles of the law at uniform levels, by its distribution function on 10^5 values and doubling beyond."""
    grid, reached = table(b, xmin)
    u = 1 - rng.uniform(size=size)
    out = grid[np.searchsorted(-reached, -u, side="right") - 1].astype(float)
    for i in np.nonzero(u <= reached[-1])[0]:
        low, high = float(grid[-1]), 2.0 * grid[-1]
        while special.zeta(b, high) / special.zeta(b, xmin) >= u[i]:
            low, high = high, 2 * high
        while high - low > 1:
            middle = np.floor((low + high) / 2)
            if special.zeta(b, middle) / special.zeta(b, xmin) >= u[i]:
                low = middle
            else:
                high = middle
        out[i] = low
    return out


GRID = np.arange(1.5, 3.501, 0.01)


@functools.cache
def log_zeta_of_grid(xmin):
    return np.log(special.zeta(GRID, xmin))


def scan(x, by_grid, at_least=10):
    """d_ks, x_min, β̂ and size of the tail of least d_ks. plfit looks for β̂ on a grid and measures d_ks at every whole
    number; otherwise β̂ is the maximum and d_ks measured just below each value that occurs."""
    values, counts = np.unique(x, return_counts=True)
    from_here = np.cumsum(counts[::-1])[::-1]
    logs = np.cumsum((counts * np.log(values))[::-1])[::-1]
    best = (2.0,)
    for i in range(len(values) - 1):
        n, xmin = from_here[i], values[i]
        if n < at_least:
            break
        if by_grid:
            b = GRID[np.argmin(GRID * logs[i] / n + log_zeta_of_grid(xmin))]
        else:
            b = optimize.minimize_scalar(lambda b: b * logs[i] / n + np.log(special.zeta(b, xmin)),
                                         bounds=(1.0001, 30), method="bounded", options={"xatol": 1e-8}).x
        total = special.zeta(b, xmin)
        distance = np.abs(special.zeta(b, values[i:]) / total - from_here[i:] / n).max()
        if by_grid:
            after = np.append(from_here[i + 1:], 0) / n
            distance = max(distance, np.abs(special.zeta(b, values[i:] + 1) / total - after).max())
        if distance < best[0]:
            best = (distance, xmin, b, n)
    return best


def scan_p_value(x, by_grid, replicates, rng):
    distance, xmin, b, n_tail = scan(x, by_grid)
    body, n, exceed = x[x < xmin], len(x), 0
    for _ in range(replicates):
        m = rng.binomial(n, n_tail / n)
        replicate = np.concatenate([draw(rng, b, xmin, m), rng.choice(body, n - m)])
        exceed += scan(replicate, by_grid)[0] >= distance
    return {"beta": float(b), "d_ks": float(distance), "n_tail": int(n_tail), "p": (exceed + 1) / (replicates + 1),
            "replicates": replicates}


def p_value(x, rule, rng):
    x = x[x > 0]
    xmin = start(x, rule)
    b, distance, n_tail = fit(x, xmin)
    body, n, exceed = x[x < xmin], len(x), 0
    for _ in range(REPLICATES):
        m = rng.binomial(n, n_tail / n)
        replicate = np.concatenate([draw(rng, b, xmin, m), rng.choice(body, n - m) if n > m else []])
        found = fit(replicate, start(replicate, rule))
        exceed += found is None or found[1] >= distance
    return {"beta": float(b), "d_ks": float(distance), "n_tail": int(n_tail), "p": (exceed + 1) / (REPLICATES + 1),
            "replicates": REPLICATES}


rng = np.random.default_rng(11)
published = json.load(open("published.json"))
expand = lambda counts: np.repeat([v for v, _ in counts], [c for _, c in counts]).astype(float)
ties = [[1, 1002], [2, 1007], [3, 727], [4, 482], [5, 341], [6, 173], [7, 120], [8, 65], [9, 43], [10, 23], [11, 10],
        [12, 4], [13, 2], [14, 1]]
zeta = draw(rng, 2.5, 1, 300)
values, counts = np.unique(zeta, return_counts=True)
sets = {
    "terrorism": published["terrorism"]["counts"],
    "ties": ties,
    "zeta 2.5": [[float(v), int(c)] for v, c in zip(values, counts)],
}
cases = [("terrorism", ("at", 12)), ("terrorism", ("top", 500)), ("terrorism", ("at", 2)), ("zeta 2.5", ("at", 1)),
         ("zeta 2.5", ("top", 60)), ("ties", ("top", 40)), ("ties", ("top", 500))]
out = {"sets": sets, "cases": []}
for name, rule in cases:
    found = p_value(expand(sets[name]), rule, rng)
    print(name, rule, found, flush=True)
    out["cases"].append({"set": name, "rule": rule[0], "value": rule[1], **found})
words = expand(published["words"]["counts"])
out["sets"]["words"] = published["words"]["counts"]
out["cases"].append({"set": "words", "rule": "scan", "value": 10, **scan_p_value(words, False, 500, rng)})
# The published 0.49 is that of plfit, whose exponents have two decimals: so has this.
out["words_by_grid"] = scan_p_value(words, True, 500, rng)
print(out["cases"][-1], out["words_by_grid"])
json.dump(out, open("discrete_bootstrap.json", "w"), separators=(",", ":"))
