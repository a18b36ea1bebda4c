"""PyTorch's gradient histories and training epochs of the fully-connected network and of ResNet18, timed.

    python networks.py [--data DIR] [--rounds 3] [--ours "COMMAND"] [--json FILE]

FCN (two hidden layers of 70, batch normalisation) on inputs of MNIST's shape: G at B = 1 by torch.func.vmap(grad) with
running statistics (the best chunk of 64 to 1024), G at B = 100 by a loop of autograd.grad, one epoch of SGD at batch 128.
ResNet18 (CIFAR form) on inputs of CIFAR-10's shape: G at B = 100 by the loop, contiguous and channels-last. Inputs are noise:
nothing here depends on them. Ours and the peer run one after the other, each in a process of its own, `rounds` times, the
peer with the better of spinning and passive threads and its best setting, found in a first round that does not count;
the ratio is the median over the rounds of the ratios. COMMAND is examples/bench_gradients without its settings.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import timing

sys.path.insert(0, str(timing.ROOT / "tests/reference/models"))
SETTINGS = ((2, "PASSIVE"), (2, "ACTIVE"))

# work, model, T timed, B, choices of the peer, our settings, goal
WORKS = {
    "fcn_1": ("G, FCN, B = 1, T = 5000", "fcn", 5000, 1, (64, 256, 1024), "--running --repeats 9", 3),
    "fcn_100": ("G, FCN, B = 100, T = 1000", "fcn", 1000, 100, (False,), "", 2),
    "fcn_epoch": ("one FCN epoch, 60 000 images, batch 128", "fcn", 468, 128, (False, True), "--epoch", 1),
    "resnet18_100": ("G, ResNet18, B = 100, T = 4", "resnet18", 4, 100, (False, True), "", 1),
}


def build(model):
    from nets import FCN, ResNet18

    return FCN(784, 2, 70, True, "relu", 10) if model == "fcn" else ResNet18(3, 64, 10)


def work(given):
    """One process of the peer: its seconds with the choice `given["choice"]`; prints JSON."""
    import torch
    import torch.nn.functional as F
    from torch.func import functional_call, grad, vmap

    torch.set_num_threads(given["threads"])
    torch.manual_seed(0)
    _, name, iterations, batch, _, _, _ = WORKS[given["work"]]
    net = build(name)
    shape = (1, 28, 28) if name == "fcn" else (3, 32, 32)
    count = 60_000 if name == "fcn" else 2000
    x, y = torch.randn(count, *shape), torch.randint(0, 10, (count,))
    leaves = list(net.parameters())
    size = sum(p.numel() for p in leaves)

    def epoch():
        optimizer = torch.optim.SGD(leaves, lr=0.1, momentum=0.9, weight_decay=5e-4, fused=given["choice"])
        order = torch.randperm(count)
        for step in range(iterations):
            index = order[step * batch : (step + 1) * batch]
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(net(x.index_select(0, index)), y.index_select(0, index)).backward()
            optimizer.step()

    out = torch.zeros(1 if given["work"] == "fcn_epoch" else iterations, size)
    out.fill_(0.0)

    def one(parameters, image, label):
        return F.cross_entropy(functional_call(net, parameters, (image[None],)), label[None])

    per_sample = vmap(grad(one), in_dims=(None, 0, 0))

    def by_vmap(chunk):
        net.eval()
        detached = {k: v.detach() for k, v in net.named_parameters()}
        for first in range(0, iterations, chunk):
            rows = slice(first, min(first + chunk, iterations))
            place = 0
            for g in per_sample(detached, x[rows], y[rows]).values():
                g = g.flatten(1)
                out[rows, place : place + g.shape[1]] = g
                place += g.shape[1]

    def by_loop(channels_last):
        layout = torch.channels_last if channels_last else torch.contiguous_format
        net.to(memory_format=layout)
        inputs = x.contiguous(memory_format=layout)
        for t in range(iterations):
            first = t * batch % (count - batch + 1)
            rows = slice(first, first + batch)
            place = 0
            for g in torch.autograd.grad(F.cross_entropy(net(inputs[rows]), y[rows]), leaves):
                out[t, place : place + g.numel()] = g.reshape(-1)
                place += g.numel()

    run = {"fcn_1": by_vmap, "fcn_epoch": lambda _: epoch()}.get(given["work"], by_loop)
    run(given["choice"])
    print(json.dumps(given | timing.summary(timing.repeat(lambda: run(given["choice"]), given["repeats"])) | {"torch": torch.__version__}))


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", default=os.environ.get("GRADSTUDY_DATA", "~/.cache/gradstudy/data"), help="folder of data sets, for ours")
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--only", choices=WORKS, action="append", help="only this work; repeatable")
    parse.add_argument("--ours", required=False, help="our command")
    parse.add_argument("--json", type=Path, help="write the results there too")
    parse.add_argument("--worker", help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.worker:
        return work(json.loads(given.worker))

    machine, rows, rounds = timing.machine(), [], []
    folder = Path(given.data).expanduser()
    for name in given.only or WORKS:
        words, model, iterations, batch, choices, settings, goal = WORKS[name]
        names = ("mnist",) if model == "fcn" else ("cifar10", "cifar-10")
        data = next((folder / n for n in names if (folder / n).is_dir()), folder)
        command = f"{given.ours} --model {model} --data {data} --batch {batch} --iterations {iterations} {settings}" if given.ours else None
        tried = []
        for threads, policy in SETTINGS:
            for choice in choices:
                r = timing.worker(__file__, {"work": name, "choice": choice, "repeats": 1}, threads, policy, limit=300)
                print(f"{name}, choice {choice}, {threads} threads {policy}: {r['best']:.3f} s", file=sys.stderr)
                tried.append(r)
        best = min(tried, key=lambda r: r["best"])
        ratios, ours = [], []
        for _ in range(given.rounds if command else 0):
            mine = timing.ours(command, 1)["best"]
            job = {"work": name, "choice": best["choice"], "repeats": 2}
            peer = timing.worker(__file__, job, best["threads"], best["wait_policy"], limit=600)["best"]
            ours.append(mine)
            ratios.append(peer / mine)
            rounds.append({"work": name, "ours": mine, "peer": peer, "load": os.getloadavg()[0]})
            print(f"{name}: ours {mine:.3f} s, peer {peer:.3f} s, ratio {ratios[-1]:.2f}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        setting = f"choice {best['choice']}, {best['threads']} threads {best['wait_policy']}"
        mine = float(np.median(ours)) if ours else None
        theirs = float(np.median(ratios)) * mine if ours else best["best"]
        rows.append((words, f"PyTorch, {setting}", theirs, mine, goal))
    timing.table(rows)
    print("(ratios are medians over rounds; the peer's seconds are the ratio times our median)")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "rounds": rounds, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
