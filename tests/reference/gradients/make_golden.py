"""Writes the golden gradients, training runs, layers and initial moments of this folder.

    python make_golden.py --data DIR [--limit 5000]

DIR holds the package's embedded data set (crates/gradstudy-data/src/embedded) or, with `--limit 5000`, Fashion-MNIST itself:
the embedded set is its first 5000 training images. README.md says what each file holds.
"""

import argparse
import hashlib
import json
import math
import platform
import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import kinks
from lenet import column, lenet, load, sequential

HERE = Path(__file__).resolve().parent
# Of the seeds 0..249 the one whose golden minibatches stay farthest from every kink (5e-7; kinks.py): float32 in
# any order of summation takes the same sides, so the golden columns hold for every right implementation.
SEED = 119
T = 8
SAMPLED = 200
EMBEDDED = 5000


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


def digest(x):
    return hashlib.sha256(x.numpy().tobytes()).hexdigest()


def write_json(name, content):
    # One line per list of numbers keeps the diff of a regenerated file readable.
    text = json.dumps(content, indent=1)
    text = re.sub(r"\[\s+([-\d.e+,\s]+?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
    (HERE / name).write_text(text + "\n")


def sampled(n, count=SAMPLED, seed=1):
    return np.sort(np.random.default_rng(seed).choice(n, min(n, count), replace=False))


def gradients(data, limit):
    """Columns in float64 from float32 weights and inputs: whole ones and, for all, norm, sum and entries."""
    model = lenet(weights=HERE / "lenet_weights.safetensors", dtype=torch.float64)
    single = lenet(weights=HERE / "lenet_weights.safetensors")
    index = sampled(44_426)
    whole, cases = {}, []
    for normalize in ("none", "global"):
        x, y, (mean, sd) = load(data, limit, normalize)
        assert len(x) == EMBEDDED
        for batch in (1, 100):
            columns = []
            for t in range(T):
                s = sequential(t, batch, len(x))
                g = column(model, x[s], y[s])
                single_g = column(single, x[s], y[s]).double()
                if normalize == "global" and t in (0, 7) or t == 7:
                    whole[f"{normalize}.b{batch}.t{t}"] = g.float()
                columns.append(
                    {
                        "t": t,
                        "norm": float(g.norm()),
                        "sum": float(g.sum()),
                        "nearest_kink": kinks.nearest(model, x[s].double()),
                        "torch_f32_relative_error": float((single_g - g).norm() / g.norm()),
                        "entries": g[index].tolist(),
                    }
                )
            cases.append(
                {
                    "normalize": normalize,
                    "mean": mean,
                    "sd": sd,
                    "batch": batch,
                    "order": "sequential",
                    "images_sha256": digest(x),
                    "columns": columns,
                }
            )
    save_file(whole, HERE / "golden_columns.safetensors", metadata={"source": "make_golden.py, float64 rounded to float32"})
    write_json(
        "golden_gradients.json",
        {
            "command": "python make_golden.py --data DIR",
            "versions": versions(),
            "weights": "lenet_weights.safetensors",
            "weights_seed": SEED,
            "samples": EMBEDDED,
            "iterations": T,
            "indices": index.tolist(),
            "cases": cases,
        },
    )


def train(x, y, dtype, settings, snapshots):
    """Losses of every step, and the parameters after the steps in `snapshots`, of torch.optim.SGD."""
    model = lenet(weights=HERE / "lenet_weights.safetensors", dtype=dtype)
    optimizer = torch.optim.SGD(model.parameters(), **settings)
    losses, kept = [], {}
    for step in range(max(snapshots)):
        s = sequential(step, 128, len(x))
        loss = F.cross_entropy(model(x[s].to(dtype)), y[s])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in snapshots:
            kept[step + 1] = {k: p.detach().double().reshape(-1).clone() for k, p in model.named_parameters()}
    return losses, kept


def training(data, limit, snapshots=(1, 5, 50)):
    """SGD from lenet_weights.safetensors in float64, and how far float32 strays from it.

    At the paper's rate of 0.1 the first steps from these weights amplify rounding (float32 and float64 part
    visibly within 50 steps), so a tight comparison needs the early snapshots or the runs at 0.01.
    """
    x, y, _ = load(data, limit, "global")
    runs, indices = [], {}
    for lr, nesterov in ((0.1, False), (0.1, True), (0.01, False), (0.01, True)):
        settings = {"lr": lr, "momentum": 0.9, "weight_decay": 5e-4, "dampening": 0.0, "nesterov": nesterov}
        losses, kept = train(x, y, torch.float64, settings, snapshots)
        single_losses, single = train(x, y, torch.float32, settings, snapshots)
        after = []
        for step, tensors in kept.items():
            entry = {"step": step, "tensors": {}}
            for key, p in tensors.items():
                index = indices.setdefault(key, sampled(p.numel(), 60).tolist())
                entry["tensors"][key] = {
                    "norm": float(p.norm()),
                    "torch_f32_relative_error": float((single[step][key] - p).norm() / p.norm()),
                    "values": p[index].tolist(),
                }
            after.append(entry)
            print(f"{settings}: step {step}: loss {losses[step - 1]:.4f}, float32 parameters apart by at most "
                  f"{max(v['torch_f32_relative_error'] for v in entry['tensors'].values()):.1e} relative")
        runs.append(settings | {"losses": losses, "torch_f32_losses": single_losses, "after": after})
    write_json(
        "golden_training.json",
        {
            "versions": versions(),
            "weights": "lenet_weights.safetensors",
            "batch": 128,
            "order": "sequential; the last partial minibatch is dropped, so 39 an epoch, then from the start again",
            "normalize": "global",
            "indices": indices,
            "runs": runs,
        },
    )


def layers():
    """Small float64 cases of every layer kind: inputs, outputs, and gradients of sum(output * grad_output)."""
    g = torch.Generator().manual_seed(7)

    def draw(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    out = {}

    def record(case, inputs, forward):
        leaves = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in inputs.items()}
        value = forward(**leaves)
        upstream = draw(*value.shape) if value.dim() else torch.ones((), dtype=torch.float64)
        wanted = {k: v for k, v in leaves.items() if v.requires_grad}
        grads = torch.autograd.grad(value, list(wanted.values()), upstream)
        for k, v in inputs.items():
            out[f"{case}.{k}"] = v
        out[f"{case}.output"], out[f"{case}.grad_output"] = value.detach().clone(), upstream
        for k, v in zip(wanted, grads):
            out[f"{case}.grad_{k}"] = v.contiguous()

    for name, (b, c, o, k, rows, cols) in {
        "conv_1to2": (3, 1, 2, 3, 6, 6),
        "conv_3to4": (2, 3, 4, 5, 9, 7),
        "conv_5to1_1x1": (2, 5, 1, 1, 4, 3),
    }.items():
        shapes = {"input": draw(b, c, rows, cols), "weight": draw(o, c, k, k), "bias": draw(o)}
        record(name, shapes, lambda input, weight, bias: F.conv2d(input, weight, bias))
    record("max_pool", {"input": draw(2, 3, 6, 4)}, lambda input: F.max_pool2d(input, 2))
    # Integers 0..2 tie in most windows: the gradient goes to the first of the largest in row-major order.
    tied = torch.randint(0, 3, (2, 2, 6, 6), generator=g).double()
    record("max_pool_ties", {"input": tied}, lambda input: F.max_pool2d(input, 2))
    # An odd side: the last row and column fall outside every window.
    record("max_pool_odd", {"input": draw(1, 2, 5, 7)}, lambda input: F.max_pool2d(input, 2))
    record("linear", {"input": draw(4, 7), "weight": draw(3, 7), "bias": draw(3)},
           lambda input, weight, bias: F.linear(input, weight, bias))
    zeros = draw(3, 5)
    zeros[:, 2] = 0.0
    record("relu_at_zero", {"input": zeros}, lambda input: F.relu(input))
    record("cross_entropy", {"input": draw(6, 10) * 4, "target": torch.randint(0, 10, (6,), generator=g)},
           lambda input, target: F.cross_entropy(input, target))
    # A spread of 400 overflows exp in float32 unless the maximum is taken off first.
    far = torch.tensor([[200.0, -200.0, 0.0], [-200.0, -200.0, 200.0]], dtype=torch.float64)
    record("cross_entropy_far", {"input": far, "target": torch.tensor([1, 2])},
           lambda input, target: F.cross_entropy(input, target))
    save_file(out, HERE / "golden_layers.safetensors", metadata={"source": "make_golden.py"})


def init_moments(draws=200):
    """PyTorch's default bounds per tensor, and the moments of `draws` drawn LeNets to compare a sampler with."""
    facts = {}
    for seed in range(draws):
        model = lenet(seed)
        for key, p in model.named_parameters():
            entry = facts.setdefault(key, {"shape": list(p.shape), "values": []})
            entry["values"].append(p.detach().double().reshape(-1))
    for key, entry in facts.items():
        weight = facts[key.split(".")[0] + ".weight"]["shape"]
        fan_in = math.prod(weight[1:])
        drawn = torch.cat(entry.pop("values"))
        bound = 1 / math.sqrt(fan_in)
        entry |= {
            "fan_in": fan_in,
            "bound": bound,
            "sd": bound / math.sqrt(3),
            "observed": {"count": drawn.numel(), "mean": float(drawn.mean()), "sd": float(drawn.std(correction=0)),
                         "max_abs": float(drawn.abs().max())},
        }
        assert entry["observed"]["max_abs"] <= bound * (1 + 1e-6)
    write_json(
        "init_moments.json",
        {
            "versions": versions(),
            "law": "weights: kaiming_uniform with a = sqrt(5), whose bound sqrt(6 / ((1 + 5) fan_in)) is "
            "1 / sqrt(fan_in); biases: uniform within the same bound; sd = bound / sqrt(3)",
            "draws": draws,
            "parameters": facts,
        },
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=HERE.parents[2] / "crates/gradstudy-data/src/embedded")
    arguments.add_argument("--limit", type=int, default=EMBEDDED)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    save_file(dict(lenet(SEED).state_dict()), HERE / "lenet_weights.safetensors", metadata={"source": f"make_golden.py, seed {SEED}"})
    gradients(given.data, given.limit)
    training(given.data, given.limit)
    layers()
    init_moments()
    for path in sorted(HERE.iterdir()):
        if path.suffix in (".json", ".safetensors"):
            path.chmod(0o644)
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
