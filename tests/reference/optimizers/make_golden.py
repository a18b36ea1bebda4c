"""Writes the golden values of optimizers, schedules and recorded directions in this folder; README.md describes them.

    python make_golden.py [--data DIR]

DIR holds the package's embedded data set (crates/gradstudy-data/src/embedded by default). Needs torch, numpy and safetensors.
"""

import argparse
import json
import platform
import re
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler

HERE = Path(__file__).resolve().parent
GRADIENTS = HERE.parent / "gradients"
sys.path.insert(0, str(GRADIENTS))

from lenet import flatten, lenet, load, sequential  # noqa: E402

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
STRIDE = 223  # 200 of the 44 426 parameters


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


def write_json(name, content):
    text = json.dumps(content, indent=1)
    text = re.sub(r"\[\s+([-\d.e+,\s]+?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
    (HERE / name).write_text(text + "\n")


def clip(parameters, bound):
    """Clips the gradients as `clip: x` or `clip_value: x` says; returns the norm before."""
    before = float(flatten([p.grad for p in parameters]).norm())
    if bound is not None:
        kind, value = bound
        if kind == "clip":
            torch.nn.utils.clip_grad_norm_(parameters, value)
        else:
            torch.nn.utils.clip_grad_value_(parameters, value)
    return before


# The optimizers of both golden files: name, settings of torch.optim, clipping.
RULES = [
    ("sgd", {"momentum": 0.0, "weight_decay": 0.0, "nesterov": False}, None),
    ("sgd", {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": False}, None),
    ("sgd", {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": True}, None),
    ("sgd", {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": False}, ("clip", 0.2)),
    ("sgd", {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": False}, ("clip_value", 0.002)),
    ("adam", {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}, None),
    ("adam", {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 5e-4, "amsgrad": False}, None),
    ("adam", {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 5e-4, "amsgrad": True}, None),
    ("adam", {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}, ("clip", 0.2)),
    ("adamw", {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2, "amsgrad": False}, None),
    ("adamw", {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.5, "amsgrad": True}, ("clip", 0.2)),
]


def settings(name, given, bound, lr):
    """As a study writes them: `beta1` and `beta2` for `betas`."""
    own = {k: v for k, v in given.items() if k != "betas"}
    if "betas" in given:
        own |= dict(zip(("beta1", "beta2"), given["betas"]))
    return {"optimizer": name, "args": {"lr": lr} | own} | (dict([bound]) if bound else {})


def rules(parameters=40, steps=60):
    """Each optimizer on the same given gradients, in float64: what the rule alone does.

    The gradients span ten orders of magnitude, change sign, and vanish for some parameters and steps.
    """
    rng = np.random.default_rng(7)
    scale = 10.0 ** np.linspace(-8, 2, parameters)
    gradients = (rng.standard_normal((steps, parameters)) * scale).astype(np.float32)
    gradients[:, 3] = 0
    gradients[10:20, 5] = 0
    theta = rng.standard_normal(parameters).astype(np.float32)
    runs = []
    for name, given, bound in RULES:
        lr = 0.01
        p = torch.nn.Parameter(torch.from_numpy(theta).double())
        optimizer = OPTIMIZERS[name]([p], lr=lr, **given)
        after = []
        for g in gradients:
            p.grad = torch.from_numpy(g).double()
            clip([p], bound)
            optimizer.step()
            after.append(p.detach().clone().tolist())
        runs.append(settings(name, given, bound, lr) | {"after": [after[t] for t in (0, 1, 9, steps - 1)]})
    # A recording through an optimizer: θ is put back after each step of rate 1, which moved it by −direction.
    recordings = []
    for name, given, decay, bound in [
        ("sgd", {"momentum": 0.9, "nesterov": False}, 0.0, None),
        ("sgd", {"momentum": 0.9, "nesterov": True}, 0.0, None),
        ("adam", {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False}, 0.0, None),
        ("adam", {"betas": (0.8, 0.95), "eps": 1e-3, "amsgrad": True}, 0.0, None),
        ("sgd", {"momentum": 0.5, "nesterov": False}, 0.1, 100.0),
        ("adam", {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False}, 0.1, 100.0),
        (None, {}, 0.1, None),
        (None, {}, 0.0, 100.0),
        (None, {}, 0.1, 100.0),
    ]:
        zero = torch.nn.Parameter(torch.zeros(parameters, dtype=torch.float64))
        optimizer = OPTIMIZERS[name]([zero], lr=1.0, **given) if name else None
        columns, clipped = [], 0
        for g in gradients.astype(np.float64):
            g = g + decay * theta.astype(np.float64)
            norm = np.sqrt((g**2).sum())
            if bound is not None and norm > bound:
                g, clipped = g * (bound / norm), clipped + 1
            if optimizer:
                zero.grad = torch.from_numpy(g)
                optimizer.step()
                g = -zero.detach().numpy().copy()
                zero.data.zero_()
            columns.append(g)
        through = settings(name, given, None, 1.0) if name else {"optimizer": "none", "args": {}}
        through["args"].pop("lr", None)
        recordings.append(through | {"weight_decay": decay, "clip": bound, "clipped": clipped,
                                     "columns": [list(columns[t]) for t in (0, 1, 9, steps - 1)]})
        if bound:
            assert 5 < clipped < steps - 5, clipped
    write_json("rules.json", {
        "versions": versions(),
        "theta": theta.astype(float).tolist(),
        "gradients": gradients.astype(float).tolist(),
        "steps": [1, 2, 10, steps],
        "runs": runs,
        "recordings": recordings,
    })


def train(x, y, dtype, name, given, bound, lr, snapshots):
    model = lenet(weights=GRADIENTS / "lenet_weights.safetensors", dtype=dtype)
    parameters = list(model.parameters())
    optimizer = OPTIMIZERS[name](parameters, lr=lr, **given)
    losses, norms, kept = [], [], {}
    for step in range(max(snapshots)):
        s = sequential(step, 128, len(x))
        loss = F.cross_entropy(model(x[s].to(dtype)), y[s])
        optimizer.zero_grad()
        loss.backward()
        norms.append(clip(parameters, bound))
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in snapshots:
            kept[step + 1] = flatten([p.detach().double() for p in parameters]).clone()
    return losses, norms, kept


# SGD at the paper's 0.1 amplifies rounding from these weights (gradients/README.md); at 0.01 it does not. Adam divides
# by the root of the second moment, so that a gradient of 1e-8, mostly rounding, moves its parameter by as much as
# any other: small steps keep that below what is compared.
LR = {"sgd": 0.003, "adam": 1e-4, "adamw": 5e-5}


def training(data, snapshots=(1, 10, 50)):
    """50 steps of LeNet in float64, and how far PyTorch's own float32 strays from it."""
    x, y, _ = load(data, 5000, "global")
    runs = []
    for name, given, bound in RULES:
        lr = LR[name]
        losses, norms, kept = train(x, y, torch.float64, name, given, bound, lr, snapshots)
        _, _, single = train(x, y, torch.float32, name, given, bound, lr, snapshots)
        if bound and bound[0] == "clip":
            clipped = sum(norm > bound[1] for norm in norms)
            assert 10 <= clipped <= 40, (name, clipped)
        after = [{
            "step": step,
            "norm": float(p.norm()),
            "torch_f32_relative_error": float((single[step] - p).norm() / p.norm()),
            "entries": p[::STRIDE].tolist(),
        } for step, p in kept.items()]
        print(name, given, bound, [f"{a['torch_f32_relative_error']:.1e}" for a in after])
        runs.append(settings(name, given, bound, lr) | {"losses": losses, "gradient_norms": norms, "after": after})
    write_json("training.json", {
        "versions": versions(),
        "weights": "../gradients/lenet_weights.safetensors",
        "batch": 128,
        "order": "sequential; the last partial minibatch is dropped, so 39 an epoch, then from the start again",
        "normalize": "global",
        "stride": STRIDE,
        "runs": runs,
    })


def schedules():
    """Rates of torch.optim.lr_scheduler, one for each step or epoch, beside the study's own words."""
    cases = []

    def case(text, epochs, steps, units, warmup, start, after):
        p = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([p], lr=0.3)
        parts, milestones = [], []
        if warmup:
            parts.append(lr_scheduler.LinearLR(optimizer, start_factor=start, total_iters=warmup))
            milestones.append(warmup)
        if after:
            parts.append(after(optimizer, units - warmup))
        scheduler = lr_scheduler.SequentialLR(optimizer, parts, milestones[: len(parts) - 1]) if len(parts) > 1 else parts[0]
        rates = []
        for _ in range(units):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        cases.append({"settings": text, "lr": 0.3, "epochs": epochs, "steps_per_epoch": steps, "rates": rates})

    def cosine(to):
        return lambda o, left: lr_scheduler.CosineAnnealingLR(o, T_max=left, eta_min=0.3 * to)

    def linear(to):
        return lambda o, left: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=to, total_iters=left)

    def steps(*at):
        return lambda o, left: lr_scheduler.MultiStepLR(o, milestones=list(at), gamma=0.1)

    case("schedule: cosine", 4, 5, 20, 0, None, cosine(0))
    case("schedule: cosine(to: 10%, each: epoch)", 12, 5, 12, 0, None, cosine(0.1))
    case("schedule: cosine(warmup: 2)", 10, 3, 30, 6, 0.01, cosine(0))
    case("schedule: cosine(warmup: 15%, from: 1/4)".replace("1/4", "0.25"), 7, 3, 21, 4, 0.25, cosine(0))
    case("schedule: cosine(0.1, 3, 0.5, epoch)", 10, 3, 10, 3, 0.5, cosine(0.1))
    case("schedule: linear(to: 5%, warmup: 1)", 6, 4, 24, 4, 0.01, linear(0.05))
    case("schedule: linear(warmup: 25%, each: epoch)", 9, 4, 9, 2, 0.01, linear(0))
    case("schedule: constant(5, from: 20%)", 8, 2, 16, 10, 0.2, None)
    case("schedule: steps(0.1 at [40%, 8], warmup: 2)", 10, 3, 30, 6, 0.01, steps(12 - 6, 24 - 6))
    case("schedule: steps(0.1 at [4, 80%], warmup: 2, each: epoch)", 10, 3, 10, 2, 0.01, steps(4 - 2, 8 - 2))
    case("decay: 0.1 at [40%, 80%]", 10, 3, 10, 0, None, steps(4, 8))
    write_json("schedules.json", {"versions": versions(), "cases": cases})


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=HERE.parents[2] / "crates/gradstudy-data/src/embedded")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rules()
    schedules()
    training(given.data)
    for path in sorted(HERE.glob("*.json")):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
