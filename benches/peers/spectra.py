"""The Gram matrix of a gradient history and all its eigenvalues by NumPy, timed: the peer of gradstudy's spectra.

    python spectra.py [--data DIR] [--iterations 5000] [--rounds 3] [--ours "COMMAND"] [--json FILE]

LeNet on MNIST, B = 1: `M @ M.T` in float32 and `np.linalg.eigvalsh` in float64 of the same G. FCN (two hidden layers of
70, no batch normalisation), B = 1: the same, and before it G by torch.func.vmap(grad) (the best chunk of 64 to 256); ours
never forms G. COMMAND is examples/bench_spectra without its settings. Ours and the peer run one after the other,
each in a process of its own, `rounds` times; the ratio is the median over the rounds of the ratios. Every peer has the
better of passive and spinning threads, found in a first round that does not count. The eigenvalues are compared.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import timing

sys.path.insert(0, str(timing.REFERENCE))
CHUNKS = (64, 128, 256)
SETTINGS = ((2, "PASSIVE"), (2, "ACTIVE"))
FCN = (("fc1", 784, 70), ("fc2", 70, 70), ("fc3", 70, 10))


def default_data():
    named = os.environ.get("GRADSTUDY_DATA", "~/.cache/gradstudy/data")
    return str(Path(named).expanduser() / "mnist")


def fcn_gradients(given):
    """G [T, n] of the fully-connected network at the weights of our command, and the seconds it takes."""
    import torch
    import torch.nn.functional as F
    from torch.func import grad, vmap

    from lenet import load

    torch.set_num_threads(given["threads"])
    x, y, _ = load(given["data"])
    theta = torch.from_numpy(np.fromfile(given["theta"], dtype=np.float32))
    weights, first = {}, 0
    for name, inputs, outputs in FCN:
        for key, shape in ((f"{name}.weight", (outputs, inputs)), (f"{name}.bias", (outputs,))):
            size = int(np.prod(shape))
            weights[key] = theta[first : first + size].view(shape)
            first += size
    x, y = x[: given["iterations"]].flatten(1), y[: given["iterations"]]

    def one(w, image, label):
        h = image[None]
        for i, (name, _, _) in enumerate(FCN):
            h = F.linear(h, w[f"{name}.weight"], w[f"{name}.bias"])
            h = h if i == len(FCN) - 1 else F.relu(h)
        return F.cross_entropy(h, label[None])

    per_sample = vmap(grad(one), in_dims=(None, 0, 0))
    out = torch.zeros(given["iterations"], first)
    out.fill_(0.0)

    def fill(chunk):
        for start in range(0, given["iterations"], chunk):
            rows = slice(start, min(start + chunk, given["iterations"]))
            place = 0
            for g in per_sample(weights, x[rows], y[rows]).values():
                g = g.flatten(1)
                out[rows, place : place + g.shape[1]] = g
                place += g.shape[1]

    fill(CHUNKS[0])
    taken = []
    for chunk in CHUNKS:
        start = time.perf_counter()
        fill(chunk)
        taken.append(time.perf_counter() - start)
    return out.numpy(), min(taken)


def work(given):
    """One process of the peer; prints JSON."""
    making = 0.0
    if given["model"] == "fcn":
        g, making = fcn_gradients(given)
    else:
        g = np.fromfile(given["gradients"], dtype=np.float32).reshape(given["iterations"], -1)
    start = time.perf_counter()
    gram = g @ g.T
    product = time.perf_counter() - start
    values = np.linalg.eigvalsh(gram.astype(np.float64))[::-1] / given["iterations"]
    seconds = making + time.perf_counter() - start
    np.save(given["values"], values)
    print(json.dumps(given | {"best": seconds, "gradients_s": making, "product_s": product}))


def compare(ours, theirs):
    """Largest relative difference of the top 100; the peer's float32 product knows the small ones less well."""
    ours, theirs = np.array(json.loads(ours.read_text()))[:100], np.load(theirs)[:100]
    worst = float(np.max(np.abs(ours / theirs - 1)))
    assert worst < 1e-4, f"eigenvalues differ by {worst}"
    return worst


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", default=default_data(), help="folder with MNIST's idx files")
    parse.add_argument("--iterations", type=int, default=5000)
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--ours", help="our command")
    parse.add_argument("--json", type=Path, help="write the results there too")
    parse.add_argument("--worker", help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.worker:
        return work(json.loads(given.worker))
    if not given.ours:
        sys.exit("the peer needs the gradients and weights that `--ours` writes")

    rows, rounds, machine = [], [], timing.machine()
    with tempfile.TemporaryDirectory() as folder:
        place = lambda name: Path(folder) / name
        for model, words, goal in (
            ("lenet", "LeNet: Gram and all eigenvalues from G", 1.5),
            ("fcn", "FCN: minibatches to all eigenvalues, without G", 5),
        ):
            command = f"{given.ours} --model {model} --iterations {given.iterations} --values {place('ours.json')}"
            extra = f" --theta {place('theta')}" + (f" --gradients {place('g')}" if model == "lenet" else "")
            subprocess.run(command + extra, shell=True, check=True, cwd=timing.ROOT)
            job = {"model": model, "data": given.data, "iterations": given.iterations}
            job |= {"theta": str(place("theta")), "gradients": str(place("g")), "values": str(place("theirs.npy"))}
            tried = [timing.worker(__file__, job, *setting, limit=180) for setting in SETTINGS]
            best = SETTINGS[int(np.argmin([r["best"] for r in tried]))]
            ratios, ours, theirs = [], [], []
            for _ in range(given.rounds):
                mine = timing.ours(command, 1)["best"]
                peer = timing.worker(__file__, job, *best, limit=600)
                ours.append(mine)
                theirs.append(peer["best"])
                ratios.append(peer["best"] / mine)
                rounds.append({"model": model, "ours": mine, "peer": peer, "load": os.getloadavg()[0]})
                print(f"{model}: ours {mine:.2f} s, peer {peer['best']:.2f} s (G {peer['gradients_s']:.2f}, product {peer['product_s']:.2f}), ratio {ratios[-1]:.2f}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            print(f"{model}: top 100 differ by at most {compare(place('ours.json'), place('theirs.npy')):.1e}, relative")
            median = float(np.median(ratios))
            rows.append((f"{words}, T = {given.iterations}", f"NumPy{', vmap(grad)' if model == 'fcn' else ''}, {best[0]} threads {best[1]}", median * float(np.median(ours)), float(np.median(ours)), goal))
    timing.table(rows)
    print("(ratios are medians over rounds; the peer's seconds are the ratio times our median)")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "rounds": rounds, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
