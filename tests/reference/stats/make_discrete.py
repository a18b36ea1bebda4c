"""Published data sets (Clauset, Shalizi and Newman, SIAM Review 51 (2009), Table 6.1; the copies that powerlaw 2.0
brings) as value counts, and discrete power-law fits by SciPy's Hurwitz zeta function: published.json."""

import json
from collections import Counter
from pathlib import Path
import numpy as np
import powerlaw
from scipy import optimize, special

folder = Path(powerlaw.__file__).parent / "reference_data"
# name: discrete?, published β̂ and x_min, what the values are
sets = {
    "words": (True, 1.95, 7, "occurrences of words in Moby Dick"),
    "terrorism": (True, 2.4, 12, "deaths in terrorist attacks, 1968-2006"),
    "blackouts": (False, 2.3, 230000, "customers affected by electrical blackouts in the USA, 1984-2002"),
    "flares": (False, 1.79, 323, "peak gamma-ray intensity of solar flares, 1980-1989"),
}


def fit(x, xmin):
    tail = x[x >= xmin]
    mean = np.log(tail).mean()
    found = optimize.minimize_scalar(lambda b: b * mean + np.log(special.zeta(b, xmin)), bounds=(1.0001, 30),
                                     method="bounded", options={"xatol": 1e-12})
    b = found.x
    values, counts = np.unique(tail, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)[:-1]]) / len(tail)
    left = np.abs(1 - special.zeta(b, values) / special.zeta(b, xmin) - below).max()
    every = np.arange(xmin, values[-1] + 1)
    upto = np.searchsorted(np.sort(tail), every, side="right") / len(tail)
    both = max(left, np.abs(1 - special.zeta(b, every + 1) / special.zeta(b, xmin) - upto).max())
    h = 1e-4
    ll = lambda b: np.log(special.zeta(b, xmin))
    se = 1 / np.sqrt(len(tail) * (ll(b + h) - 2 * ll(b) + ll(b - h)) / h**2)
    return {"x_min": float(xmin), "beta": float(b), "n_tail": len(tail), "left": float(left), "two_sided": float(both),
            "se": float(se)}


out = {}
for name, (discrete, beta, xmin, what) in sets.items():
    x = np.loadtxt(folder / f"{name}.txt")
    entry = {"what": what, "discrete": discrete, "published_beta": beta, "published_x_min": xmin,
             "counts": [[float(v), c] for v, c in sorted(Counter(x.tolist()).items())]}
    if discrete:
        entry["fits"] = [fit(x, m) for m in (1, 2, xmin, 20)]
        values = np.unique(x)
        tails = [fit(x, m) for m in values if (x >= m).sum() >= 10 and m < values[-1]]
        entry["scan"] = min(tails, key=lambda t: t["left"])
        print(name, entry["scan"])
    out[name] = entry
json.dump(out, open("published.json", "w"), separators=(",", ":"))
