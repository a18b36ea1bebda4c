"""LeNet, idx data and gradient columns in PyTorch: what the scripts of this folder and of benches/peers share.

A gradient column is the gradient of the mean minibatch loss with respect to the parameters in the order
conv1.weight, conv1.bias, conv2.weight, ..., fc3.bias, each flattened row-major: 44 426 numbers for 1x28x28.
"""

import gzip
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

PARAMETERS = 44_426


class LeNet(nn.Module):
    """5x5 convolutions (6 and 16 channels, no padding), each with ReLU and 2x2 max-pooling; 120-84-10."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def lenet(seed=None, weights=None, dtype=torch.float32):
    """A LeNet with PyTorch's default initial weights drawn from `seed`, or with those of a .safetensors file."""
    if seed is not None:
        torch.manual_seed(seed)
    model = LeNet()
    if weights is not None:
        from safetensors.torch import load_file

        model.load_state_dict(load_file(str(weights)))
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS
    return model.to(dtype)


def read_idx(path):
    """The unsigned bytes of an idx file, gzip-compressed or not, in their shape."""
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    zero, kind, dims = struct.unpack(">HBB", raw[:4])
    assert (zero, kind) == (0, 8), f"{path}: not an idx file of unsigned bytes"
    shape = struct.unpack(f">{dims}I", raw[4 : 4 + 4 * dims])
    data = np.frombuffer(raw, np.uint8, offset=4 + 4 * dims)
    assert data.size == np.prod(shape), f"{path}: {data.size} bytes, its header says {shape}"
    return data.reshape(shape)


def find_idx(folder, kind):
    """The idx file of `kind` ("images" or "labels") in `folder`; the training set's where there are several."""
    found = sorted(p for p in Path(folder).iterdir() if kind in p.name and "idx" in p.name)
    found = [p for p in found if "train" in p.name] or found
    if not found:
        raise SystemExit(f"{folder}: no idx file of {kind}")
    return found[0]


def load(folder, limit=None, normalize="global", statistics=None):
    """Images [N, 1, H, W] f32, labels [N] i64 and (mean, sd) of the pixels.

    `none`: x/255. `global`: (x/255 - mean)/sd with the mean and the population sd over every pixel of the
    loaded images, all in float64 before the rounding to float32. `statistics` replaces (mean, sd).
    """
    pixels = read_idx(find_idx(folder, "images"))[:limit]
    labels = read_idx(find_idx(folder, "labels"))[:limit]
    assert len(pixels) == len(labels), f"{folder}: {len(pixels)} images, {len(labels)} labels"
    scaled = pixels.astype(np.float64) / 255
    mean, sd = (0.0, 1.0) if normalize == "none" else statistics or (scaled.mean(), scaled.std())
    x = ((scaled - mean) / sd).astype(np.float32)
    return torch.from_numpy(x[:, None]), torch.from_numpy(labels.astype(np.int64)), (float(mean), float(sd))


def flatten(tensors):
    """One column from tensors in parameter order."""
    return torch.cat([t.reshape(-1) for t in tensors])


def column(model, x, y):
    """The gradient column [44 426] of the mean cross-entropy of one minibatch, in the model's precision."""
    loss = F.cross_entropy(model(x.to(next(model.parameters()).dtype)), y)
    return flatten(torch.autograd.grad(loss, list(model.parameters())))


def sequential(t, batch, samples):
    """Indices of minibatch t: samples tB ... (t+1)B-1; past the last full minibatch it starts over."""
    first = (t % (samples // batch)) * batch
    return slice(first, first + batch)


def with_threads(threads):
    """Re-executes the running script once with OpenMP set to `threads` passive threads.

    OpenMP reads these variables when it is loaded, so they cannot be set from inside. Its default is to spin
    while waiting, which collapses on a machine that has other work.
    """
    import os
    import sys

    want = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    if any(os.environ.get(k) != v for k, v in want.items()):
        os.environ.update(want)
        os.execv(sys.executable, [sys.executable, *sys.argv])
