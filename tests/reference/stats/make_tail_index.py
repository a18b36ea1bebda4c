"""Golden values of tail-index estimators: tail_index.json. Hill, moments and Pickands are written anew from their
definitions in NumPy; the α-stable estimate is Corollary 2.4 of Mohammadi et al. in PyTorch, in the shape that
Şimşekli et al. use (row sums of a view, machine epsilon added to absolute values)."""

import json
import math
import numpy as np
import torch


def uniform(index, stream):
    with np.errstate(over="ignore"):
        z = (np.uint64(index) + (np.uint64(stream) << np.uint64(32)) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 2**53 + 0.5 / 2**53


def sample(kind, n):
    u = np.array([uniform(i, 0) for i in range(n)])
    v = np.array([uniform(i, 1) for i in range(n)])
    return {
        "cauchy": np.tan(np.pi * (u - 0.5)),
        "student3": np.sqrt(3 * (u ** (-2 / 3) - 1)) * np.cos(2 * np.pi * v),
        "normal": np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v),
        "uniform": u - 0.5,
    }[kind]


def hill(x, k):
    y = np.sort(np.abs(x))[::-1]
    return float(np.mean(np.log(y[:k])) - np.log(y[k]))


def moments(x, k):
    y = np.log(np.sort(np.abs(x))[::-1])
    d = y[:k] - y[k]
    m1, m2 = d.mean(), (d * d).mean()
    return float(m1 + 1 - 0.5 / (1 - m1 * m1 / m2))


def pickands(x, k):
    y = np.sort(np.abs(x))
    n, m = len(y), k // 4
    return float(np.log((y[n - m] - y[n - 2 * m]) / (y[n - 2 * m] - y[n - 4 * m])) / np.log(2))


def alpha_stable(x, m):
    x = torch.tensor(x)[: len(x) // m * m].reshape(-1, 1)
    eps = np.spacing(1)
    y = x.view(len(x) // m, m, -1).sum(1)
    diff = (torch.log(y.norm(dim=1) + eps).mean() - torch.log(x.norm(dim=1) + eps).mean()) / math.log(m)
    return float(diff)


cases = []
for kind in ["cauchy", "student3", "normal", "uniform"]:
    for n, k, m in [(400, 40, 20), (5000, 500, 50), (4999, 401, 70)]:
        x = sample(kind, n)
        cases.append({"kind": kind, "n": n, "k": k, "block": m, "sum": float(np.abs(x).sum()), "hill": hill(x, k),
                      "moments": moments(x, k), "pickands": pickands(x, k), "alpha_stable": alpha_stable(x, m)})
json.dump({"cases": cases}, open("tail_index.json", "w"), indent=0)
