"""Writes the golden files of this folder: python make_networks.py

For each case NAME.safetensors with float32 weights (`state.NAME`, PyTorch's state dict), inputs `x` and `labels`, and what
PyTorch makes of them in float64:

    columns             gradients of the mean loss of minibatches of BATCH samples in train() mode [T, n] (float32)
    trained.NAME        the state dict after STEPS SGD steps (rate 0.05) in train() mode, minibatch after minibatch
    directions          [3, n], and `products`: the Hessian of the mean loss over all samples in eval() mode times each
                        (float64), where every layer has a second derivative in gradstudy

and `network`: the same network as a study writes it. smooth.pt is a state dict by torch.save.
"""

import copy
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent
BATCH, T, STEPS, CLASSES = 8, 4, 20, 3


class Residual(nn.Module):
    """after(layers x + shortcut x), the layers being modules of the block itself."""

    def __init__(self, layers, shortcut=None, after=None):
        super().__init__()
        self.order = list(layers)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.shortcut = nn.Sequential(*shortcut) if shortcut else nn.Identity()
        self.after = after or nn.Identity()

    def forward(self, x):
        y = x
        for name in self.order:
            y = self.get_submodule(name)(y)
        return self.after(y + self.shortcut(x))


class Scale(nn.Module):
    def __init__(self, channels, initial):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), initial))

    def forward(self, x):
        return x * self.gamma[:, None, None]


class Channels(nn.LayerNorm):
    """Layer normalisation over the channels of an image."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def named(**layers):
    net = nn.Sequential()
    for name, layer in layers.items():
        net.add_module(name.lstrip("_"), layer)
    return net


def cases():
    """Name, shape, PyTorch's network, the study's, whether there is a Hessian."""
    yield "smooth", (2, 8, 7), nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.SiLU(), nn.AvgPool2d(2), nn.Conv2d(4, 6, 2, bias=False), nn.Sigmoid(),
        nn.Flatten(), nn.Linear(6 * 3 * 2, 7), nn.ELU(0.7), nn.Linear(7, 6), nn.Softplus(), nn.Linear(6, CLASSES),
    ), """network([
        conv2d(4, kernel: 3, padding: 1), silu, avg_pool2d(2), conv2d(6, kernel: 2, bias: false), sigmoid,
        flatten, linear(7), elu(0.7), linear(6), softplus, linear(3),
    ])""", True

    def block():
        return Residual({
            "dwconv": nn.Conv2d(4, 4, 3, padding=1, groups=4), "pwconv1": nn.Conv2d(4, 8, 1), "act": nn.GELU(),
            "pwconv2": nn.Conv2d(8, 4, 1), "scale": Scale(4, 0.5),
        })

    yield "depthwise", (1, 9, 9), named(
        stem=nn.Conv2d(1, 4, 3, stride=3), stages=nn.Sequential(block(), block()), pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(), head=nn.Linear(4, CLASSES),
    ), """network([
        stem: conv2d(4, kernel: 3, stride: 3),
        stages: repeat(2, residual([
          dwconv: conv2d(4, kernel: 3, padding: 1, groups: 4), pwconv1: conv2d(8, kernel: 1), act: gelu,
          pwconv2: conv2d(4, kernel: 1), scale: scale(0.5),
        ])),
        global_avg_pool, head: linear(3),
    ])""", True

    yield "residual", (2, 8, 8), named(
        conv1=nn.Conv2d(2, 4, 3, padding=2, dilation=2, bias=False), bn1=nn.BatchNorm2d(4), act=nn.LeakyReLU(0.1),
        layer1=nn.Sequential(
            Residual({"conv1": nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), "bn1": nn.BatchNorm2d(6),
                      "act": nn.LeakyReLU(0.1), "conv2": nn.Conv2d(6, 6, 3, padding=1, bias=False), "bn2": nn.BatchNorm2d(6)},
                     [nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm2d(6)], nn.LeakyReLU(0.1)),
            Residual({"conv1": nn.Conv2d(6, 6, 3, padding=1, bias=False), "bn1": nn.BatchNorm2d(6), "act": nn.Tanh()}),
        ),
        pool=nn.MaxPool2d(2), flatten=nn.Flatten(), fc=nn.Linear(24, CLASSES),
    ), """network([
        conv1: conv2d(4, kernel: 3, padding: 2, dilation: 2, bias: false), bn1: batch_norm, leaky_relu(0.1),
        layer1: [
          residual([conv1: conv2d(6, kernel: 3, stride: 2, padding: 1, bias: false), bn1: batch_norm, leaky_relu(0.1),
                    conv2: conv2d(6, kernel: 3, padding: 1, bias: false), bn2: batch_norm],
                   shortcut: [conv2d(6, kernel: 1, stride: 2, bias: false), batch_norm], after: leaky_relu(0.1)),
          residual([conv1: conv2d(6, kernel: 3, padding: 1, bias: false), bn1: batch_norm, tanh]),
        ],
        max_pool2d(2), fc: linear(3),
    ])""", True

    yield "convnext", (1, 8, 8), named(
        stem=nn.Sequential(nn.Conv2d(1, 4, 2, stride=2), Channels(4)),
        stages=nn.Sequential(*(Residual({
            "dwconv": nn.Conv2d(4, 4, 3, padding=1, groups=4), "norm": Channels(4), "pwconv1": nn.Conv2d(4, 16, 1),
            "act": nn.GELU(), "pwconv2": nn.Conv2d(16, 4, 1), "scale": Scale(4, 0.3)}) for _ in range(2))),
        pool=nn.AdaptiveAvgPool2d(1), norm=Channels(4), flatten=nn.Flatten(), head=nn.Linear(4, CLASSES),
    ), """network([
        stem: [conv2d(4, kernel: 2, stride: 2), layer_norm],
        stages: repeat(2, residual([
          dwconv: conv2d(4, kernel: 3, padding: 1, groups: 4), norm: layer_norm, pwconv1: conv2d(16, kernel: 1), gelu,
          pwconv2: conv2d(4, kernel: 1), scale: scale(0.3),
        ])),
        global_avg_pool, norm: layer_norm, head: linear(3),
    ])""", False


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def gradient(net, x, y, **settings):
    return torch.autograd.grad(F.cross_entropy(net(x), y), list(net.parameters()), **settings)


def kink_distance(net, x):
    """How near the input of a rectifier or the two largest values of a window come to a kink."""
    least = [float("inf")]

    def rectifier(_, given):
        least.append(float(given[0].abs().min()))

    def window(module, given):
        parts = F.unfold(given[0].reshape(-1, 1, *given[0].shape[2:]), module.kernel_size, stride=module.stride)
        top = parts.topk(2, dim=1).values
        least.append(float((top[:, 0] - top[:, 1]).abs().min()))

    hooks = [m.register_forward_pre_hook(rectifier) for m in net.modules() if isinstance(m, (nn.LeakyReLU, nn.ELU))]
    hooks += [m.register_forward_pre_hook(window) for m in net.modules() if isinstance(m, nn.MaxPool2d)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return min(least)


def run(name, shape, net, text, hessian, seed):
    torch.manual_seed(seed)
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, Scale):
            nn.init.uniform_(module.gamma, 0.3, 1.5)
    x = torch.randn(BATCH * T, *shape)
    y = torch.randint(CLASSES, (BATCH * T,))
    state = copy.deepcopy(net.state_dict())
    out = {"x": x, "labels": y.to(torch.int32)}
    out |= {f"state.{k}": v.clone() for k, v in state.items() if v.dtype == torch.float32}
    net, x = copy.deepcopy(net).double(), x.double()
    before = copy.deepcopy(net.state_dict())
    minibatches = [slice(t * BATCH, (t + 1) * BATCH) for t in range(T)]
    net.train()
    distance = min(kink_distance(net, x[s]) for s in minibatches)
    out["columns"] = torch.stack([flat(gradient(net, x[s], y[s])) for s in minibatches]).float()
    net.load_state_dict(before)
    if hessian:
        net.eval()
        distance = min(distance, kink_distance(net, x))
        directions = torch.randn(3, out["columns"].shape[1])
        g = flat(gradient(net, x, y, create_graph=True))
        parameters = list(net.parameters())
        products = [flat(torch.autograd.grad(g, parameters, v.double(), retain_graph=True)) for v in directions]
        out["directions"], out["products"] = directions, torch.stack(products)
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for t in range(STEPS):
        s = minibatches[t % T]
        distance = min(distance, kink_distance_only(net, x[s]))
        optimizer.zero_grad()
        F.cross_entropy(net(x[s]), y[s]).backward()
        optimizer.step()
    out |= {f"trained.{k}": v.float() for k, v in net.state_dict().items() if v.dtype == torch.float64}
    return distance, out, state


def kink_distance_only(net, x):
    """As kink_distance, the running statistics staying as they are."""
    state = copy.deepcopy(net.state_dict())
    distance = kink_distance(net, x)
    net.load_state_dict(state)
    return distance


def main():
    for name, shape, net, text, hessian in cases():
        # Of these seeds the one that stays farthest from every kink: float32 takes the same sides.
        distance, seed = max((run(name, shape, net, text, hessian, seed)[0], seed) for seed in range(60))
        distance, out, state = run(name, shape, net, text, hessian, seed)
        print(f"{name}: {out['columns'].shape[1]} parameters, seed {seed}, {distance:.1e} from a kink")
        meta = {"network": " ".join(text.split()), "torch": torch.__version__}
        save_file({k: v.contiguous() for k, v in out.items()}, HERE / f"{name}.safetensors", meta)
        if name == "smooth":
            torch.save(state, HERE / "smooth.pt")


if __name__ == "__main__":
    main()
