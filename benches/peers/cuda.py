"""gradstudy on an NVIDIA GPU beside PyTorch on the same GPU, in one session.

    python cuda.py --ours target/release/examples/bench_gradients [--data DIR] [--device cuda] [--json FILE]

G of LeNet on MNIST, T = 5000: B = 1 by torch.func.vmap(grad) with the best chunk, B = 100 by a loop of autograd.grad
(200 timed, times 25) and by vmap(grad) of whole minibatches; G stays on the GPU for PyTorch, ours ends in host memory.
Then PyTorch's product of all gradients and torch.linalg.eigvalsh in float64. Medians of 5 after a warm-up; PyTorch's
TF32 is off, then on beside `--precision tf32`. `--device cpu` tries the script out without a GPU.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import timing
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, vmap

sys.path.insert(0, str(timing.REFERENCE))
from lenet import PARAMETERS, lenet, load, sequential  # noqa: E402

REPEATS, ITERATIONS, LOOP = 5, 5000, 200
CHUNKS = (64, 128, 256, 512, 1024, 2500, 5000)


class Peer:
    """LeNet and MNIST on a device."""

    def __init__(self, data, device):
        self.device = device
        x, y, _ = load(data)
        self.x, self.y = x.to(device), y.to(device)
        self.model = lenet(0).to(device)
        self.weights = {k: v.detach() for k, v in self.model.named_parameters()}
        self.out = torch.zeros(ITERATIONS, PARAMETERS, device=device)

        def loss(parameters, images, labels):
            return F.cross_entropy(functional_call(self.model, parameters, (images,)), labels)

        self.each = vmap(grad(loss), in_dims=(None, 0, 0))

    def sync(self):
        if self.device != "cpu":
            torch.cuda.synchronize()

    def by_vmap(self, batch, chunk, iterations=ITERATIONS):
        for first in range(0, iterations, chunk):
            last = min(first + chunk, iterations)
            index = torch.cat([torch.arange(len(self.x))[sequential(t, batch, len(self.x))] for t in range(first, last)])
            index = index.to(self.device)
            images = self.x[index].reshape(last - first, batch, *self.x.shape[1:])
            labels = self.y[index].reshape(last - first, batch)
            grads = self.each(self.weights, images, labels)
            self.out[first:last] = torch.cat([g.flatten(1) for g in grads.values()], 1)
        self.sync()

    def by_loop(self, batch, iterations):
        leaves = list(self.model.parameters())
        for t in range(iterations):
            s = sequential(t, batch, len(self.x))
            grads = torch.autograd.grad(F.cross_entropy(self.model(self.x[s]), self.y[s]), leaves)
            self.out[t] = torch.cat([g.flatten() for g in grads])
        self.sync()

    def spectrum(self):
        gram = (self.out.double() @ self.out.double().T) if self.device != "cpu" else self.out @ self.out.T
        torch.linalg.eigvalsh(gram)
        self.sync()


def median(work, scale=1.0):
    work()
    return scale * float(np.median(timing.repeat(work, REPEATS)))


def best(works):
    """The fastest of several ways, by one call each after a warm-up; those that do not fit the memory are left out."""
    found = {}
    for name, work in works.items():
        try:
            work()
            found[name] = timing.repeat(work, 1)[0]
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
    return min(found, key=found.get)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", help="path of bench_gradients, built with --features cuda")
    parser.add_argument("--data", default=str(Path("~/.cache/gradstudy/data/mnist").expanduser()))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json")
    args = parser.parse_args()
    device = "cpu" if args.device == "cpu" else "cuda"
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    peer = Peer(args.data, device)
    rows = []
    for precision in ("f32", "tf32") if device == "cuda" else ("f32",):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        for batch in (1, 100):
            chunks = [chunk for chunk in CHUNKS if chunk * batch <= 100_000]
            works = {f"vmap, chunk {c}": lambda c=c: peer.by_vmap(batch, c, min(ITERATIONS, 4 * c)) for c in chunks}
            chosen = best(works)
            chunk = int(chosen.split()[-1])
            theirs = {chosen: median(lambda: peer.by_vmap(batch, chunk))}
            if batch > 1:
                theirs["loop"] = median(lambda: peer.by_loop(batch, LOOP), ITERATIONS / LOOP)
            way = min(theirs, key=theirs.get)
            command = args.ours and (
                f"{args.ours} --data {args.data} --batch {batch} --iterations {ITERATIONS} --repeats {REPEATS + 1} "
                f"--device {args.device} --precision {precision}"
            )
            ours = timing.ours(command, 1)
            rows.append({"work": f"G, B = {batch}, {precision}", "peer": way, "peer_s": theirs[way]})
            if ours:
                rows[-1] |= {"ours_s": ours["median"], "ratio": theirs[way] / ours["median"]}
            print(json.dumps(rows[-1]), flush=True)
        rows.append({"work": f"Gram and eigenvalues, {precision}", "peer_s": median(peer.spectrum)})
        print(json.dumps(rows[-1]), flush=True)
    report = {"device": name, "torch": torch.__version__, "rows": rows}
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
