"""Writes the golden files of this folder: python make_models.py [CASE...]

For each case one .safetensors file with float32 weights (`state.NAME`, PyTorch's state dict: affine parameters and
running statistics of the normalisations drawn at random, not at their start), inputs `x` and `labels`, and what
PyTorch makes of them in float64 (stored as float32):

    logits                  of all samples in eval() mode; of gpt [samples, logits, positions]
    columns.bB.batch        gradients of the mean loss of the first minibatches of B samples, in train() mode
    columns.bB.running      the same in eval() mode
    float32.bB.MODE         relative error of each column when PyTorch itself computes it in float32
    trained.NAME            the state dict after three SGD steps (rate 0.05) in train() mode on the first three
                            minibatches of the largest B
    losses                  of those steps

and `meta`: the settings. fcn_bn is also saved by torch.save, plain and nested in a checkpoint.
"""

import copy
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from nets import FCN, GPT, LeNet, ResNet18, ViT

HERE = Path(__file__).resolve().parent

# name: (model, settings, shape of a sample, minibatch sizes, minibatches of the largest)
CASES = {
    "fcn_bn": ("fcn", {"depth": 2, "width": 9, "batchnorm": True, "activation": "relu", "logits": 5}, [1, 4, 5], [1, 2, 5, 12, 20], 3),
    "fcn_tanh": ("fcn", {"depth": 1, "width": 6, "batchnorm": False, "activation": "tanh", "logits": 4}, [7, 1, 1], [1, 3, 17], 3),
    "fcn_tanh_bn": ("fcn", {"depth": 2, "width": 6, "batchnorm": True, "activation": "tanh", "logits": 4}, [7, 1, 1], [3, 17], 3),
    "fcn_linear": ("fcn", {"depth": 0, "width": 70, "batchnorm": True, "activation": "relu", "logits": 4}, [1, 3, 3], [1, 6], 3),
    "lnn": ("lnn", {"depth": 4, "width": 7, "batchnorm": False, "relu": False, "logits": 4}, [1, 3, 3], [1, 6], 3),
    "lnn_bn": ("lnn", {"depth": 4, "width": 7, "batchnorm": True, "relu": False, "logits": 4}, [1, 3, 3], [4, 10], 3),
    "lnn_relu": ("lnn", {"depth": 4, "width": 7, "batchnorm": False, "relu": True, "logits": 4}, [1, 3, 3], [1, 6], 3),
    "lenet_padding": ("lenet", {"padding": 2, "logits": 6}, [2, 13, 12], [1, 6], 3),
    "vit": ("vit", {"patch": 3, "dim": 12, "depth": 2, "heads": 3, "logits": 5}, [2, 9, 12], [1, 2, 7, 20], 3),
    "gpt": ("gpt", {"context": 11, "dim": 8, "depth": 2, "heads": 2, "logits": 7}, [1, 1, 11], [1, 3, 18], 3),
    "resnet18": ("resnet18", {"width": 4, "logits": 10}, [3, 16, 16], [2, 5, 20], 3),
}


def build(model, settings, shape):
    inputs = shape[0] * shape[1] * shape[2]
    if model == "fcn":
        return FCN(inputs, **settings)
    if model == "lnn":
        rest = {k: settings[k] for k in ("depth", "width", "batchnorm", "logits")}
        return FCN(inputs, activation="relu" if settings["relu"] else "none", **rest)
    if model == "lenet":
        return LeNet(shape, **settings)
    if model == "vit":
        return ViT(shape, **settings)
    if model == "gpt":
        return GPT(**settings)
    return ResNet18(shape[0], **settings)


def column(net, x, y):
    loss = F.cross_entropy(net(x), y)
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(net.parameters()))])


def case(name):
    model, settings, shape, batches, count = CASES[name]
    torch.manual_seed(sum(name.encode()))
    net = build(model, settings, shape)
    for module in net.modules():
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            for tensor, low, high in (
                (module.weight, 0.5, 1.5),
                (module.bias, -0.5, 0.5),
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 1.5),
            ):
                torch.nn.init.uniform_(tensor, low, high)
    samples = count * batches[-1]
    x = torch.randn(samples, *shape)
    y = torch.randint(settings["logits"], (samples,))
    if model == "gpt":
        # Windows of a text: the labels are the tokens one further on. The last token never occurs.
        context = settings["context"]
        text = torch.randint(settings["logits"] - 1, (samples * context + 1,))
        x, y = text[:-1].reshape(samples, *shape).float(), text[1:].reshape(samples, context)
    out = {"x": x, "labels": y.to(torch.int32)}
    out |= {f"state.{k}": v.clone() for k, v in net.state_dict().items() if v.dtype == torch.float32}
    if name == "fcn_bn":
        torch.save(net.state_dict(), HERE / "fcn_bn.pt")
        torch.save({"epoch": 3, "state_dict": net.state_dict(), "best": torch.tensor(0.5)}, HERE / "fcn_bn_checkpoint.pt")
    single = copy.deepcopy(net)
    net, x = net.double(), x.double()
    coupled = any("running_mean" in k for k in net.state_dict())
    net.eval()
    out["logits"] = net(x).detach().float().contiguous()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    for batch in batches:
        minibatches = min(samples // batch, 2 if name in ("resnet18", "lenet_padding") else 6)
        for mode in ("batch", "running"):
            if mode == "batch" and batch == 1 and coupled:
                continue
            # Passes in train() mode move the running statistics.
            net.load_state_dict(before), single.load_state_dict(before)
            net.train(mode == "batch")
            parts = [slice(t * batch, (t + 1) * batch) for t in range(minibatches)]
            single.train(mode == "batch")
            columns = torch.stack([column(net, x[s], y[s]) for s in parts])
            singles = torch.stack([column(single, x[s].float(), y[s]) for s in parts])
            out[f"columns.b{batch}.{mode}"] = columns.float()
            out[f"float32.b{batch}.{mode}"] = ((singles - columns).norm(dim=1) / columns.norm(dim=1)).float()
    net.load_state_dict(before)
    net.train()
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=0.05), []
    for t in range(3):
        s = slice(t * batches[-1], (t + 1) * batches[-1])
        loss = F.cross_entropy(net(x[s]), y[s])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    out["losses"] = torch.tensor(losses, dtype=torch.float64)
    out |= {f"trained.{k}": v.float() for k, v in net.state_dict().items() if "num_batches" not in k}
    meta = {
        "model": model,
        "settings": json.dumps(settings),
        "shape": json.dumps(shape),
        "batches": json.dumps(batches),
        "parameters": str(sum(p.numel() for p in net.parameters())),
        "names": json.dumps([k for k, _ in net.named_parameters()]),
        "torch": torch.__version__,
    }
    save_file(out, HERE / f"{name}.safetensors", metadata=meta)
    (HERE / f"{name}.safetensors").chmod(0o644)
    print(f"{name}: {meta['parameters']} parameters, {(HERE / f'{name}.safetensors').stat().st_size / 1024:.0f} KiB")


torch.set_num_threads(1)
for name in sys.argv[1:] or CASES:
    case(name)
