"""Writes golden_layers.safetensors: products and eigenvalues of curvature matrices of networks with tanh, average
pooling, residual blocks and batch normalisation, by PyTorch in float64 from float32 weights and inputs.

    python make_layers.py            # seconds; torch, numpy and safetensors are needed

For NET in `nets()` and MODE `running` or the size of a minibatch: `NET.values` (parameters, then running statistics),
`NET.images`, `NET.labels`, `NET.directions` [6, n], and for MATRIX hessian, gauss_newton, fisher
`NET.MODE.MATRIX.products` [6, n] and `NET.MODE.MATRIX.eigenvalues` (descending).
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent
SAMPLES = 40


class Residual(nn.Module):
    """relu(bn2(conv2(relu(bn1(conv1 x)))) + shortcut x)."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.relu2 = nn.ReLU()

    def forward(self, x):
        main = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(main + self.shortcut(x))


def nets():
    """Name, input shape, layers and modes; tests/hessian/layers.rs builds the same."""
    yield "tanh", (5, 1, 1), [nn.Flatten(), nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 3)], [None]
    yield "average", (2, 4, 4), [nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)], [None]
    yield "norm", (5, 1, 1), [nn.Flatten(), nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)], [None, 10, 40]
    residual = [nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(), Residual(3, 3, 1), Residual(3, 4, 2)]
    yield "residual", (2, 4, 4), residual + [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)], [None, 20]


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def parts(model, x, y, size):
    """The samples that are normalised together."""
    model.train(size is not None)
    for norm in model.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            norm.momentum = 0.0
    return list(zip(x.split(size or len(x)), y.split(size or len(y))))


def kink_distance(model, x, y, size):
    least = [float("inf")]
    hooks = [
        module.register_forward_pre_hook(lambda _, given: least.append(float(given[0].abs().min())))
        for module in model.modules()
        if isinstance(module, nn.ReLU)
    ]
    with torch.no_grad():
        for part, _ in parts(model, x, y, size):
            model(part)
    for hook in hooks:
        hook.remove()
    return min(least)


def matrices(model, x, y, size):
    parameters = list(model.parameters())
    n = sum(p.numel() for p in parameters)
    total = {name: torch.zeros(n, n, dtype=x.dtype) for name in ("hessian", "gauss_newton", "fisher")}
    for images, labels in parts(model, x, y, size):
        share = len(images) / len(x)
        gradient = flat(torch.autograd.grad(F.cross_entropy(model(images), labels), parameters, create_graph=True))
        rows = [flat(torch.autograd.grad(gradient, parameters, e, retain_graph=True)) for e in torch.eye(n, dtype=x.dtype)]
        total["hessian"] += share * torch.stack(rows)
        logits = model(images)
        classes = logits.shape[1]
        jacobian = torch.stack([flat(torch.autograd.grad(z, parameters, retain_graph=True)) for z in logits.reshape(-1)])
        jacobian = jacobian.reshape(len(images), classes, n)
        p = logits.softmax(1).detach()
        for j, q, label in zip(jacobian, p, labels):
            total["gauss_newton"] += j.T @ (torch.diag(q) - torch.outer(q, q)) @ j / len(x)
            g = j.T @ (q - F.one_hot(label, classes))
            total["fisher"] += torch.outer(g, g) / len(x)
    return total


def main():
    torch.set_num_threads(1)
    tensors = {}
    for name, shape, layers, modes in nets():
        model = nn.Sequential(*layers).double()
        # The first seed that keeps every sample away from every kink: float32 then takes the same sides.
        for seed in range(100_000):
            generator = torch.Generator().manual_seed(seed)
            draw = lambda *dims: torch.randn(*dims, generator=generator).float().double()  # noqa: E731
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.weight.data = (1 + 0.3 * draw(module.num_features)).float().double()
                    module.bias.data = (0.3 * draw(module.num_features)).float().double()
                    module.running_mean = (0.3 * draw(module.num_features)).float().double()
                    module.running_var = (0.5 + draw(module.num_features) ** 2).float().double()
                elif isinstance(module, (nn.Linear, nn.Conv2d)):
                    fan = module.weight[0].numel()
                    for p in module.parameters():
                        p.data = (draw(*p.shape) / fan**0.5).float().double()
            x = draw(SAMPLES, *shape)
            y = torch.randint(3, (SAMPLES,), generator=generator)
            if all(kink_distance(model, x, y, size) > 2e-5 for size in modes):
                break
        else:
            raise SystemExit(f"{name}: no seed")
        statistics = [b for b in model.buffers() if b.dim() == 1]
        n = sum(p.numel() for p in model.parameters())
        directions = torch.randn(6, n, generator=generator).float()
        tensors[f"{name}.values"] = flat([p.detach() for p in model.parameters()] + statistics).float()
        tensors[f"{name}.images"], tensors[f"{name}.labels"] = x.float(), y.int()
        tensors[f"{name}.directions"] = directions
        print(name, "seed", seed, n, "parameters")
        for size in modes:
            mode = size or "running"
            for kind, matrix in matrices(model, x, y, size).items():
                assert (matrix - matrix.T).abs().max() < 1e-12 * matrix.norm(), (name, kind)
                tensors[f"{name}.{mode}.{kind}.products"] = directions.double() @ matrix
                tensors[f"{name}.{mode}.{kind}.eigenvalues"] = torch.linalg.eigvalsh(matrix).flip(0)
    save_file({key: value.contiguous() for key, value in tensors.items()}, HERE / "golden_layers.safetensors")


if __name__ == "__main__":
    main()
