"""Writes the golden curvature matrices and spectra of this folder. README.md says what each file holds.

    python make_golden.py --data DIR [small] [lenet]

DIR holds the package's embedded data set (crates/gradstudy-data/src/embedded). Everything is float64 from float32 weights and
inputs. `small` takes seconds, `lenet` some minutes.
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import numpy as np
import scipy
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn

HERE = Path(__file__).resolve().parent
GRADIENTS = HERE.parent / "gradients"
sys.path.insert(0, str(GRADIENTS))
from lenet import lenet, load  # noqa: E402

SAMPLES = 20


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def hvp(loss, parameters):
    """v -> Hessian v of `loss`, by differentiating the gradient a second time."""
    gradient = flat(torch.autograd.grad(loss, parameters, create_graph=True))

    def product(v):
        return flat(torch.autograd.grad(gradient, parameters, grad_outputs=v, retain_graph=True)).detach()

    return product


def dense(model, x, y):
    """Hessian, Gauss-Newton matrix and empirical Fisher matrix of the mean cross-entropy, each [n, n]."""
    parameters = list(model.parameters())
    n = sum(p.numel() for p in parameters)
    product = hvp(F.cross_entropy(model(x), y), parameters)
    hessian = torch.stack([product(e) for e in torch.eye(n, dtype=x.dtype)])
    gauss_newton, fisher = torch.zeros(n, n, dtype=x.dtype), torch.zeros(n, n, dtype=x.dtype)
    for image, label in zip(x, y):
        logits = model(image[None])[0]
        jacobian = torch.stack([flat(torch.autograd.grad(z, parameters, retain_graph=True)) for z in logits])
        p = logits.softmax(0).detach()
        gauss_newton += jacobian.T @ (torch.diag(p) - torch.outer(p, p)) @ jacobian / len(x)
        g = jacobian.T @ (p - F.one_hot(label, len(p)))
        fisher += torch.outer(g, g) / len(x)
    return {"hessian": hessian, "gauss_newton": gauss_newton, "fisher": fisher}


def nets():
    """Name, input shape and layers; tests/hessian/nets.rs builds the same."""
    yield "conv", (1, 6, 6), [nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 4)]
    yield "padded", (2, 5, 5), [nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 3)]
    yield "mlp", (5, 1, 1), [nn.Flatten(), nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3)]


def kink_distance(model, x):
    """The least distance of any ReLU's input from 0 and of any maximum from the next value of its window."""
    least = float("inf")
    for layer in model:
        if isinstance(layer, nn.ReLU):
            least = min(least, float(x.abs().min()))
        if isinstance(layer, nn.MaxPool2d):
            k = layer.kernel_size
            windows = x.unfold(2, k, k).unfold(3, k, k).flatten(4)
            top = windows.topk(2).values
            least = min(least, float((top[..., 0] - top[..., 1]).min()))
        x = layer(x)
    return least


def small():
    tensors = {}
    for name, shape, layers in nets():
        model = nn.Sequential(*layers).double()
        # The first seed that keeps every sample away from every kink: float32 then takes the same sides.
        for seed in range(10_000):
            generator = torch.Generator().manual_seed(seed)
            for p in model.parameters():
                fan = p[0].numel() if p.dim() > 1 else 4
                p.data = (torch.randn(p.shape, generator=generator) / fan**0.5).double()
            x = torch.randn(SAMPLES, *shape, generator=generator).double()
            y = torch.randint(int(layers[-1].out_features), (SAMPLES,), generator=generator)
            with torch.no_grad():
                if kink_distance(model, x) > 1e-4:
                    break
        else:
            raise SystemExit(f"{name}: no seed")
        tensors[f"{name}.theta"] = flat(model.parameters()).detach().float()
        tensors[f"{name}.images"] = x.float()
        tensors[f"{name}.labels"] = y.int()
        for kind, matrix in dense(model, x, y).items():
            assert (matrix - matrix.T).abs().max() < 1e-13 * matrix.norm()
            row, column = np.tril_indices(len(matrix))
            tensors[f"{name}.{kind}"] = matrix[row, column].float()
            tensors[f"{name}.{kind}.eigenvalues"] = torch.linalg.eigvalsh(matrix).flip(0)
        print(name, "seed", seed, len(tensors[f"{name}.theta"]), "parameters")
    save_file(tensors, HERE / "golden_small.safetensors")


def spectra(data, top):
    """LeNet at gradients/lenet_weights.safetensors on the first embedded samples, largest first."""
    model = lenet(weights=GRADIENTS / "lenet_weights.safetensors", dtype=torch.float64)
    parameters = list(model.parameters())
    x, y, _ = load(data, 5000, "global")
    x = x.double()

    def per_sample(count, of_class):
        """Gradients [count, n] of each sample's loss, or of its logit `of_class`."""
        def one(weights, image, label):
            logits = torch.func.functional_call(model, weights, (image[None],))
            return F.cross_entropy(logits, label[None]) if of_class is None else logits[0, of_class]

        weights = {k: v.detach() for k, v in model.named_parameters()}
        parts = torch.func.vmap(torch.func.grad(one), (None, 0, 0))(weights, x[:count], y[:count])
        return torch.cat([g.flatten(1) for g in parts.values()], 1)

    # The Fisher matrix by its Gram matrix, exactly; the Gauss-Newton matrix as A^T A with A = sqrt(H_z) J.
    count = 400
    g = per_sample(count, None)
    fisher = torch.linalg.eigvalsh(g @ g.T / count).flip(0)[:top]
    few = 60
    jacobian = torch.stack([per_sample(few, c) for c in range(10)], 1)
    p = model(x[:few]).softmax(1).detach()
    inner = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    values, vectors = torch.linalg.eigh(inner)
    a = (values.clamp(min=0).sqrt()[:, None, :] * vectors).transpose(1, 2) @ jacobian
    a = a.flatten(0, 1)
    gauss_newton = torch.linalg.eigvalsh(a @ a.T / few).flip(0)[:top]

    hessian_samples, done = 1000, 0
    product = hvp(F.cross_entropy(model(x[:hessian_samples]), y[:hessian_samples]), parameters)

    def matvec(v):
        nonlocal done
        done += 1
        if done % 25 == 0:
            print(done, "products", file=sys.stderr)
        return product(torch.from_numpy(np.asarray(v).reshape(-1))).numpy()

    n = sum(p.numel() for p in parameters)
    operator = LinearOperator((n, n), matvec=matvec, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    values, vectors = eigsh(operator, k=top, which="LA", tol=1e-7, v0=start)
    worst = max(np.linalg.norm(matvec(v) - value * v) / value for value, v in list(zip(values, vectors.T))[:: top // 10])
    return {
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "scipy": scipy.__version__},
        "hessian": {"samples": hessian_samples, "values": sorted(values, reverse=True), "products": done, "worst_relative_residual": worst},
        "gauss_newton": {"samples": few, "values": gauss_newton.tolist()},
        "fisher": {"samples": count, "values": fisher.tolist()},
    }


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", default=str(HERE.parents[2] / "crates/gradstudy-data/src/embedded"))
    parse.add_argument("what", nargs="*", default=["small", "lenet"])
    given = parse.parse_args()
    torch.set_num_threads(1)
    if "small" in given.what:
        small()
    if "lenet" in given.what:
        content = spectra(given.data, 50)
        (HERE / "golden_lenet.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
