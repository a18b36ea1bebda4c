"""Checks gradients exported by gradstudy against PyTorch.

    gradstudy export ...                       # writes the gradients and the weights
    python check.py --weights W.safetensors --gradients G.safetensors --data DIR \\
        [--limit N] [--normalize global|none] [--batch B] [--iterations T]

G is a .safetensors file with a tensor `gradients`, or a .npy file: [T, n] row-major, row t the column g(t) of
the gradient history over sequential minibatches. Every column is recomputed in float64 and its relative L2
error printed; exit status 1 if one is over the tolerance, 2 if the input does not fit.

Where a pre-activation or a pooling window lies within rounding of a kink, float32 may take the other side and
the column is another valid (sub)gradient. Such a column counts as equal only if those few flips, and nothing
else, make up its error (kinks.py); `--strict` counts it as wrong.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

import kinks
from lenet import PARAMETERS, column, lenet, load, sequential

TOLERANCE = 1e-5


def read_gradients(path):
    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r")
    from safetensors import safe_open

    # The tensor is read row by row, so a history larger than memory can be checked.
    with safe_open(str(path), "pt") as file:
        names = list(file.keys())
        if "gradients" not in names:
            sys.exit(f"{path}: no tensor `gradients` among {names}")
        return file.get_slice("gradients")


def shape_of(gradients):
    return tuple(gradients.get_shape() if hasattr(gradients, "get_shape") else gradients.shape)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--weights", type=Path, required=True)
    parse.add_argument("--gradients", type=Path, required=True)
    parse.add_argument("--data", type=Path, required=True, help="folder with the idx files, gzip-compressed or not")
    parse.add_argument("--limit", type=int, help="use the first N samples only")
    parse.add_argument("--normalize", choices=["global", "none"], default="global")
    parse.add_argument("--batch", type=int, default=1)
    parse.add_argument("--iterations", type=int, help="check the first T columns (default: all)")
    parse.add_argument("--strict", action="store_true", help="a column on the other side of a kink counts as wrong")
    parse.add_argument("--quiet", action="store_true", help="print only the columns over the tolerance")
    given = parse.parse_args()

    x, y, _ = load(given.data, given.limit, given.normalize)
    model = lenet(weights=given.weights, dtype=torch.float64)
    gradients = read_gradients(given.gradients)
    shape = shape_of(gradients)
    if len(shape) != 2 or shape[1] != PARAMETERS or shape[0] < (given.iterations or 1):
        print(f"{given.gradients}: shape {shape}, expected [{given.iterations or 'T'}, {PARAMETERS}]")
        sys.exit(2)

    worst, wrong, kinked = 0.0, 0, 0
    total = given.iterations or shape[0]
    for t in range(total):
        s = sequential(t, given.batch, len(x))
        expected = column(model, x[s], y[s])
        ours = torch.from_numpy(np.array(gradients[t : t + 1], np.float64)).reshape(-1)
        difference = ours - expected
        error = float(difference.norm() / expected.norm())
        note = ""
        if not error <= TOLERANCE:
            left, tried = error, 0
            if not given.strict and np.isfinite(error):
                left, tried = kinks.unexplained(model, x[s].double(), y[s], expected, difference)
            if left <= TOLERANCE:
                kinked += 1
                note = f"  kink: {left:.2e} once {tried} near kinks may take either side"
            else:
                wrong += 1
                note = f"  WRONG ({left:.2e} left after {tried} near kinks)" if tried else "  WRONG"
        if not note:
            worst = max(worst, error)
        if note or not given.quiet:
            print(f"t={t} relative L2 error {error:.3e}{note}")
    print(
        f"{total} columns: {total - wrong - kinked} within {TOLERANCE:g} (worst {worst:.3e}), "
        f"{kinked} on the other side of a kink, {wrong} wrong"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
