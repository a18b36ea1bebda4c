"""Writes the golden files of this folder with PyTorch: python make_pytorch.py

Checkpoints, all of one network, FCN (depth 1, width 6, no batch normalisation, tanh) on 4 features and 3 classes, whose
float32 state dict is `plain.pt`:

    net_NAME.pt             prefixes, wrappers and element types, one to a file
    net_bn_NAME.pt          the same network with batch normalisation; `net_bn_plain.pt` is its state dict

Arrays:

    array_NAME.pt           tensors in every way in which PyTorch stores them
    arrays.json             for each array file what is in it by name: shape and numbers (as float64, in words that
                            name each exactly), computed by PyTorch
"""

import argparse
import json
import pickle
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).resolve().parent
torch.manual_seed(7)


class FCN(nn.Module):
    """gradstudy's names of depth 1."""

    def __init__(self, batchnorm):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        if batchnorm:
            self.bn1 = nn.BatchNorm1d(6)
        self.tanh = nn.Tanh()
        self.fc2 = nn.Linear(6, 3)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(self.tanh(self.bn1(x) if hasattr(self, "bn1") else x))


def prefixed(state, prefix):
    return OrderedDict((prefix + key, value) for key, value in state.items())


def scaled(state, factor):
    return OrderedDict((key, value * factor) for key, value in state.items())


def checkpoints():
    net = FCN(False)
    state = net.state_dict()
    adam = torch.optim.Adam(net.parameters())
    net(torch.randn(5, 4)).sum().backward()
    adam.step()
    state = OrderedDict((key, value.clone()) for key, value in net.state_dict().items())
    optimizer = adam.state_dict()

    def save(name, value, **how):
        torch.save(value, HERE / f"net_{name}.pt", **how)

    save("plain", state)
    save("module", prefixed(state, "module."))
    save("orig_mod", prefixed(state, "_orig_mod."))
    save("module_orig_mod", prefixed(state, "module._orig_mod."))
    save("orig_mod_module", prefixed(state, "_orig_mod.module."))
    save("compiled_layers", OrderedDict((k.replace(".", "._orig_mod."), v) for k, v in state.items()))
    save("fsdp", prefixed(state, "_fsdp_wrapped_module."))
    save("backbone", prefixed(state, "backbone."))
    for wrapper in ("net", "model", "state_dict", "model_state_dict", "network", "weights", "params", "anything"):
        save(f"in_{wrapper}", {"epoch": 3, wrapper: state, "optimizer": optimizer})
    lightning = OrderedDict(prefixed(state, "model."))
    lightning["criterion.weight"] = torch.ones(3)
    save(
        "lightning",
        {
            "epoch": 3,
            "global_step": 17,
            "pytorch-lightning_version": "2.4.0",
            "state_dict": lightning,
            "loops": {"fit_loop": {"state_dict": {}}},
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
            "optimizer_states": [optimizer],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": {"lr": 0.1, "options": argparse.Namespace(a=1)},
        },
    )
    save("both_module", {"model": prefixed(state, "module."), "optimizer": optimizer, "epoch": 3})
    save("only_ema", {"ema": {"decay": 0.99, "module": state}, "epoch": 3})
    save("model_and_ema", {"model": state, "ema": prefixed(scaled(state, 2.0), "module."), "epoch": 3})
    save("root_and_ema", {**state, "ema": scaled(state, 2.0)})
    save("averaged", torch.optim.swa_utils.AveragedModel(net).state_dict())
    save("half", OrderedDict((k, v.half()) for k, v in state.items()))
    save("bfloat16", OrderedDict((k, v.bfloat16()) for k, v in state.items()))
    save("double", OrderedDict((k, v.double() * (1 + 2.0**-30)) for k, v in state.items()))
    save("mixed", OrderedDict((k, v.half() if "weight" in k else v) for k, v in state.items()))
    save("integers", OrderedDict((k, (v * 100).to(torch.int8) if k == "fc1.weight" else v) for k, v in state.items()))
    save("parameters", OrderedDict(net.named_parameters()))
    save("legacy", {"state_dict": prefixed(state, "module.")}, _use_new_zipfile_serialization=False)
    save("whole", net)
    save("legacy_whole", net, _use_new_zipfile_serialization=False)
    save("missing", {"state_dict": OrderedDict((k, v) for k, v in prefixed(state, "module.").items() if "fc2" not in k)})
    save("extra", {"state_dict": prefixed({**state, "fc3.weight": torch.ones(2, 3)}, "module.")})
    save("shape", prefixed({**state, "fc1.weight": torch.ones(6, 5), "fc2.bias": torch.ones(4)}, "module."))
    save("pruned", {("fc1.weight_orig" if k == "fc1.weight" else k): v for k, v in state.items()})
    save("other", {"conv1.weight": torch.ones(2, 2), "conv1.bias": torch.ones(2)})
    save("teacher", {"teacher": {**state, "fc1.weight": torch.ones(6, 5)}, "student": state})
    save("transposed", {**state, "fc1.weight": state["fc1.weight"].t().contiguous().t()})
    flat = torch.cat([value.flatten() for value in state.values()])
    views, start = OrderedDict(), 0
    for key, value in state.items():
        views[key] = flat[start : start + value.numel()].view(value.shape)
        start += value.numel()
    save("shared", views)

    bn = FCN(True)
    for _ in range(3):
        bn(torch.randn(16, 4))
    torch.save(bn.state_dict(), HERE / "net_bn_plain.pt")
    torch.save({"net": prefixed(bn.state_dict(), "module.")}, HERE / "net_bn_module.pt")
    torch.save(OrderedDict((k, v.half() if v.is_floating_point() else v) for k, v in bn.state_dict().items()), HERE / "net_bn_half.pt")

    from safetensors.torch import save_file

    save_file(dict(prefixed(state, "module._orig_mod.")), HERE / "net_prefixed.safetensors")
    save_file({k: v.bfloat16() for k, v in state.items()}, HERE / "net_bfloat16.safetensors")
    both = {**prefixed(state, "model."), **prefixed(scaled(state, 2.0), "ema.")}
    save_file(both, HERE / "net_model_and_ema.safetensors")


class Told(torch.Tensor):
    """A subclass of Tensor."""


def told_of(value):
    numbers = value.detach().double().contiguous().flatten().tolist()
    return {"shape": list(value.shape), "numbers": " ".join(map(repr, numbers))}


def flatten(value, path=()):
    if isinstance(value, torch.Tensor):
        return {".".join(path): told_of(value)}
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return {}
    return {k: v for key, item in items for k, v in flatten(item, path + (str(key),)).items()}


def big_endian(path):
    """The file as a machine of the other byte order writes it."""
    source = zipfile.ZipFile(path)
    out = zipfile.ZipFile(path.with_name("array_big_endian.pt"), "w", zipfile.ZIP_STORED)
    for info in source.infolist():
        content = source.read(info)
        if info.filename.endswith("byteorder"):
            content = b"big"
        elif "/data/" in info.filename:
            key = info.filename.rsplit("/", 1)[1]
            size = [4, 2, 8][int(key)]
            content = b"".join(content[i : i + size][::-1] for i in range(0, len(content), size))
        out.writestr(info.filename, content)
    out.close()


def repacked(path, to, method):
    source = zipfile.ZipFile(path)
    with zipfile.ZipFile(HERE / to, "w", method) as out:
        for info in source.infolist():
            out.writestr(info.filename, source.read(info))


def arrays():
    g = torch.randn(40, 7)
    cube = torch.randn(4, 5, 6)
    files = {
        "bare": g,
        "parameter": nn.Parameter(g),
        "list": [g, torch.randn(9), g[:3]] + [torch.full((2,), float(i)) for i in range(3, 12)],
        "tuple": (g.double(), "a word"),
        "dict": OrderedDict(b=g, a=torch.arange(5), lr=0.1, steps=[1, 2], nothing=None),
        "nested": {"step": {10: g[:4], 9: g[4:8]}, "more": [{"x": g[0]}], "note": "a word"},
        "kinds": {
            "f32": torch.tensor([0.1, -1e30]),
            "f64": torch.tensor([0.1, -1e300], dtype=torch.float64),
            "f16": torch.tensor([0.1, -65504.0, 6e-8]).half(),
            "bf16": torch.tensor([0.1, -3e38, 1e-40]).bfloat16(),
            "i8": torch.tensor([-128, 127], dtype=torch.int8),
            "u8": torch.tensor([0, 255], dtype=torch.uint8),
            "i16": torch.tensor([-32768, 32767], dtype=torch.int16),
            "i32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
            "i64": torch.tensor([-(2**53), 2**53]),
            "bool": torch.tensor([True, False, True]),
            "u16": torch.tensor([0, 65535], dtype=torch.uint16),
            "u32": torch.tensor([0, 2**32 - 1], dtype=torch.uint32),
        },
        "views": {
            "transposed": g.t(),
            "rows": g[3:9],
            "columns": g[:, 2:5],
            "every_other": g[::2],
            "one_column": g[:, 4],
            "one_row": g[5],
            "permuted": cube.permute(2, 0, 1),
            "inner": cube[:, 1:4, 2],
            "expanded": g[0].expand(5, 7),
            "whole": g,
            "diagonal": g.diagonal(),
            "unit": g[:, None, :][:, :, 3:4],
        },
        "small": {"scalar": torch.tensor(2.5), "empty": torch.empty(0, 3), "one": torch.tensor([1.5])},
        "subclass": {"g": g.as_subclass(Told)},
        "defaultdict": defaultdict(list, g=[g[0], g[1]]),
        "requires_grad": {"g": g.clone().requires_grad_()},
    }
    told = {}
    for name, value in files.items():
        torch.save(value, HERE / f"array_{name}.pt")
        told[f"array_{name}.pt"] = flatten(value)
    for name in ("bare", "list", "kinds", "views", "nested"):
        if name == "kinds":
            value = {k: v for k, v in files[name].items() if k not in ("u16", "u32")}
        else:
            value = files[name]
        torch.save(value, HERE / f"array_legacy_{name}.pt", _use_new_zipfile_serialization=False)
        told[f"array_legacy_{name}.pt"] = flatten(value)
    torch.save(g, HERE / "array_protocol4.pt", pickle_protocol=4)
    told["array_protocol4.pt"] = flatten(g)
    torch.serialization.set_crc32_options(False)
    torch.save(g, HERE / "array_no_crc.pt")
    torch.serialization.set_crc32_options(True)
    told["array_no_crc.pt"] = flatten(g)
    ordered = {"a": g, "b": g.half(), "c": g.double()}
    torch.save(ordered, HERE / "ordered.pt")
    big_endian(HERE / "ordered.pt")
    (HERE / "ordered.pt").unlink()
    told["array_big_endian.pt"] = flatten(ordered)
    repacked(HERE / "array_views.pt", "array_deflated.pt", zipfile.ZIP_DEFLATED)
    told["array_deflated.pt"] = told["array_views.pt"]
    (HERE / "arrays.json").write_text(json.dumps(told, separators=(",", ":"), sort_keys=True) + "\n")

    # What is refused, or left out with its name.
    complex_ = torch.randn(4, dtype=torch.complex64)
    torch.save({"z": complex_, "g": g[:2]}, HERE / "refused_complex.pt")
    torch.save({"z": complex_}, HERE / "refused_only_complex.pt")
    torch.save({"minus": torch.randn(4, dtype=torch.complex64).conj().imag, "g": g[:2]}, HERE / "refused_negated.pt")
    torch.save({"sparse": g.to_sparse(), "g": g[:2]}, HERE / "refused_sparse.pt")
    torch.save({"epoch": 3, "name": "a word"}, HERE / "refused_no_tensor.pt")
    torch.save(torch.empty(3, device="meta"), HERE / "refused_meta.pt")
    torch.save({"a.b": g[:2], "a": {"b": g[2:4]}}, HERE / "refused_twice.pt")
    (HERE / "refused_pickle.pt").write_bytes(pickle.dumps({"g": [1, 2]}, 2))
    torch.jit.save(torch.jit.script(FCN(False)), HERE / "refused_script.pt")


checkpoints()
arrays()
print(torch.__version__, sum(path.stat().st_size for path in HERE.iterdir()) // 1024, "KiB")
