"""The paper's Table 1 row pair of LeNet on MNIST, made with PyTorch, NumPy and SciPy alone.

    python table1_torch.py --data DIR [--seed 0] [--epochs 0] [--weights FILE] [--batch 100] [--iterations 5000]

Collects the gradient history over shuffled minibatches at fixed parameters (initial ones, or after --epochs of
SGD: rate 0.1, momentum 0.9, weight decay 5e-4, batch 128, rate x 0.1 after 40 % and 80 %) and prints the
power-law and Gaussian statistics over columns and rows as JSON. Conventions: top 1000 absolute values,
F-hat = i/K on the left, d_c = 1.36/sqrt(K); normaltest on 100 random points; a row or column with fewer than
1000 non-zero values counts as d_ks = 1 and as rejected, and a constant draw as p = 0.
"""

import argparse
import json
import math
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from scipy.stats import normaltest

from lenet import PARAMETERS, column, lenet, load

TOP, POINTS, ALPHA = 1000, 100, 0.05


def power_law(samples):
    """d_ks of every row of |samples| [m, k] over its TOP largest values; 1 where fewer are non-zero."""
    tail = np.partition(np.abs(samples), samples.shape[1] - TOP, axis=1)[:, -TOP:].astype(np.float64)
    tail.sort(axis=1)
    least = tail[:, :1]
    bad = least[:, 0] <= 0
    logs = np.log(np.where(bad[:, None], 1.0, tail) / np.where(bad[:, None], 1.0, least))
    total = logs.sum(axis=1)
    bad |= total <= 0
    slope = TOP / np.where(bad, 1.0, total)  # beta - 1
    model = 1 - np.exp(-slope[:, None] * logs)
    distance = np.abs(model - np.arange(TOP) / TOP).max(axis=1)
    return np.where(bad, 1.0, distance), bad


def gaussian(samples, rng):
    """normaltest's p for POINTS random entries of every row of samples [m, k]; 0 where it is undefined."""
    picked = np.stack([s[rng.choice(samples.shape[1], POINTS, replace=False)] for s in samples]).astype(np.float64)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        p = normaltest(picked, axis=1).pvalue
    return np.where(np.isfinite(p) & (np.ptp(picked, axis=1) > 0), p, 0.0)


def statistics(blocks, rng):
    distances, bad, p = [], [], []
    for block in blocks:
        d, b = power_law(block)
        distances.append(d), bad.append(b), p.append(gaussian(block, rng))
    d, p = np.concatenate(distances), np.concatenate(p)
    critical = 1.36 / math.sqrt(TOP)
    return {
        "tested": len(d),
        "degenerate": int(np.concatenate(bad).sum()),
        "mean_d_ks": float(d.mean()),
        "d_c": critical,
        "power_law_percent": 100 * float((d < critical).mean()),
        "mean_p": float(p.mean()),
        "gaussian_percent": 100 * float((p > ALPHA).mean()),
    }


def minibatches(samples, batch, count, generator):
    """`count` minibatches without replacement, reshuffled each epoch, the last partial one dropped."""
    made = 0
    while made < count:
        order = torch.randperm(samples, generator=generator)
        for first in range(0, samples - batch + 1, batch):
            if made == count:
                return
            made += 1
            yield order[first : first + batch]


def pretrain(model, x, y, epochs, generator, batch=128):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [int(0.4 * epochs), int(0.8 * epochs)], gamma=0.1)
    for _ in range(epochs):
        for index in minibatches(len(x), batch, len(x) // batch, generator):
            loss = F.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    with torch.no_grad():
        logits = torch.cat([model(part) for part in x.split(2000)])
    return {"loss": float(F.cross_entropy(logits, y)), "accuracy": float((logits.argmax(1) == y).float().mean())}


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", required=True)
    parse.add_argument("--limit", type=int)
    parse.add_argument("--seed", type=int, default=0)
    parse.add_argument("--epochs", type=int, default=0)
    parse.add_argument("--weights", help=".safetensors file of weights in place of PyTorch's random ones")
    parse.add_argument("--batch", type=int, default=100)
    parse.add_argument("--iterations", type=int, default=5000)
    given = parse.parse_args()

    start = time.perf_counter()
    x, y, _ = load(given.data, given.limit)
    model = lenet(given.seed)
    if given.weights:
        model.load_state_dict(load_file(given.weights))
    generator = torch.Generator().manual_seed(given.seed)
    rng = np.random.default_rng(given.seed)
    result = vars(given) | {"torch": torch.__version__, "numpy": np.__version__}
    if given.epochs:
        result["train"] = pretrain(model, x, y, given.epochs, generator)
        result["train_seconds"] = time.perf_counter() - start
    history = np.empty((given.iterations, PARAMETERS), np.float32)
    for t, index in enumerate(minibatches(len(x), given.batch, given.iterations, generator)):
        history[t] = column(model, x[index], y[index]).numpy()
    result["dimension"] = statistics((history[i : i + 250] for i in range(0, given.iterations, 250)), rng)
    rows = (np.ascontiguousarray(history[:, i : i + 1000].T) for i in range(0, PARAMETERS, 1000))
    result["iteration"] = statistics(rows, rng)
    result["seconds"] = time.perf_counter() - start
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
