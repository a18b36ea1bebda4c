"""gradstudy on an NVIDIA GPU beside PyTorch on the same GPU, in one session.

    python gpu.py --ours target/release/examples/bench_gradients [--hessian target/release/examples/bench_hessian]
        [--data DIR] [--device cuda] [--json FILE]

G of LeNet on MNIST, T = 5000: B = 1 by torch.func.vmap(grad) with the best chunk, B = 100 by a loop of autograd.grad
(200 timed, times 25) and by vmap(grad) of whole minibatches. G stays on the GPU on both sides, but for our second time,
where it ends in the host's memory. ResNet18 on inputs of CIFAR-10's shape: G at B = 100 by the loop, and one epoch of SGD
at batch 128 (100 steps timed). Then PyTorch's product of all gradients and torch.linalg.eigvalsh in float64. The largest
1000 eigenvalues of LeNet's Hessian over all samples: the time of a Lanczos step in PyTorch (a product, by differentiating a
kept gradient a second time or by jvp of grad, whichever is faster with its best chunk, and reorthogonalisation in float64,
twice, against 1500 vectors; 100 steps timed) times as many products as ours makes. Medians of 5 after a warm-up; TF32 is
off. `--device cpu` tries the script out without a GPU, on less.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import timing
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, vmap

sys.path.insert(0, str(timing.REFERENCE))
sys.path.insert(0, str(timing.ROOT / "tests/reference/models"))
from lenet import PARAMETERS, lenet, load  # noqa: E402

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
            index = torch.arange(first * batch, last * batch, device=self.device) % len(self.x)
            images = self.x[index].reshape(last - first, batch, *self.x.shape[1:])
            labels = self.y[index].reshape(last - first, batch)
            grads = self.each(self.weights, images, labels)
            self.out[first:last] = torch.cat([g.flatten(1) for g in grads.values()], 1)
        self.sync()

    def by_loop(self, batch, iterations):
        leaves = list(self.model.parameters())
        for t in range(iterations):
            first = t * batch % (len(self.x) - batch)
            s = slice(first, first + batch)
            grads = torch.autograd.grad(F.cross_entropy(self.model(self.x[s]), self.y[s]), leaves)
            self.out[t] = torch.cat([g.flatten() for g in grads])
        self.sync()

    def spectrum(self):
        gram = (self.out.double() @ self.out.double().T) if self.device != "cpu" else self.out @ self.out.T
        torch.linalg.eigvalsh(gram)
        self.sync()


class Curvature:
    """Products with LeNet's Hessian over all samples."""

    def __init__(self, peer):
        self.peer = peer
        self.leaves = list(peer.model.parameters())
        self.sizes = [p.numel() for p in self.leaves]

    def parts(self, v):
        return [part.view_as(p) for part, p in zip(v.float().split(self.sizes), self.leaves)]

    def keep(self, chunk):
        """Gradients over chunks of samples, with their graphs."""
        x, y = self.peer.x, self.peer.y
        self.gradients = []
        for first in range(0, len(x), chunk):
            s = slice(first, first + chunk)
            loss = F.cross_entropy(self.peer.model(x[s]), y[s], reduction="sum") / len(x)
            self.gradients.append(torch.autograd.grad(loss, self.leaves, create_graph=True))

    def twice(self, v):
        total, parts = 0.0, self.parts(v)
        for gradient in self.gradients:
            found = torch.autograd.grad(gradient, self.leaves, grad_outputs=parts, retain_graph=True)
            total = total + torch.cat([part.flatten() for part in found]).double()
        return total

    def forward_over_reverse(self, v, chunk):
        x, y = self.peer.x, self.peer.y
        tangents = dict(zip(self.peer.weights, self.parts(v)))
        total = 0.0
        for first in range(0, len(x), chunk):
            s = slice(first, first + chunk)

            def loss(w):
                return F.cross_entropy(functional_call(self.peer.model, w, (x[s],)), y[s], reduction="sum") / len(x)

            _, found = torch.func.jvp(grad(loss), (self.peer.weights,), (tangents,))
            total = total + torch.cat([part.flatten() for part in found.values()]).double()
        return total

    def fastest(self):
        """Name, product and seconds of the fastest way that fits the memory."""
        v = torch.ones(PARAMETERS, dtype=torch.float64, device=self.peer.device)
        count, found = len(self.peer.x), {}
        for chunk in {count, -(-count // 6), 2000}:
            ways = {
                f"double backward, chunk {chunk}": self.twice,
                f"jvp of grad, chunk {chunk}": lambda v, chunk=chunk: self.forward_over_reverse(v, chunk),
            }
            for name, product in ways.items():
                try:
                    if product == self.twice:
                        self.keep(chunk)
                    seconds = median(lambda: (product(v), self.peer.sync()))
                    found[name] = (seconds, product, chunk)
                except torch.cuda.OutOfMemoryError:
                    pass
                self.gradients = []
                if self.peer.device != "cpu":
                    torch.cuda.empty_cache()
        name = min(found, key=lambda name: found[name][0])
        seconds, product, chunk = found[name]
        if product == self.twice:
            self.keep(chunk)
        return name, product, seconds

    def lanczos(self, product, steps, columns):
        """`steps` steps in a basis of `columns` vectors, reorthogonalised twice."""
        basis = torch.linalg.qr(torch.randn(PARAMETERS, columns, dtype=torch.float64, device=self.peer.device))[0]
        for _ in range(steps):
            w = product(basis[:, -1])
            for _ in range(2):
                w = w - basis @ (basis.T @ w)
            basis[:, -1] = w / w.norm()
        self.peer.sync()


def median(work, scale=1.0):
    work()
    return scale * float(np.median(timing.repeat(work, REPEATS)))


def best(works):
    """The fastest of several ways, by one call each after a warm-up; those that do not fit the memory are left out."""
    found = {}
    for name, work in works.items():
        try:
            work()
            found[name] = timing.repeat(work, 1)[0] / min(ITERATIONS, 4 * int(name.split()[-1]))
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
    return min(found, key=found.get)


class Residual:
    """ResNet18 on noise."""

    def __init__(self, device):
        from nets import ResNet18

        self.device = device
        self.count = 2000 if device == "cuda" else 200
        self.x = torch.randn(self.count, 3, 32, 32, device=device)
        self.y = torch.randint(0, 10, (self.count,), device=device)
        self.model = ResNet18(3, 64 if device == "cuda" else 4, 10).to(device)
        self.leaves = list(self.model.parameters())
        self.size = sum(p.numel() for p in self.leaves)

    def sync(self):
        if self.device != "cpu":
            torch.cuda.synchronize()

    def gradients(self, iterations):
        out = torch.empty(iterations, self.size, device=self.device)
        for t in range(iterations):
            first = t * 100 % (self.count - 99)
            s = slice(first, first + 100)
            grads = torch.autograd.grad(F.cross_entropy(self.model(self.x[s]), self.y[s]), self.leaves)
            out[t] = torch.cat([g.flatten() for g in grads])
        self.sync()

    def steps(self, count):
        optimizer = torch.optim.SGD(self.leaves, lr=0.1, momentum=0.9, weight_decay=5e-4)
        for t in range(count):
            index = torch.randint(0, self.count, (128,), device=self.device)
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(self.model(self.x[index]), self.y[index]).backward()
            optimizer.step()
        self.sync()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", help="path of bench_gradients, built with --features cuda")
    parser.add_argument("--hessian", help="path of bench_hessian, built so, too")
    parser.add_argument("--data", default=str(Path("~/.cache/gradstudy/data/mnist").expanduser()))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json")
    args = parser.parse_args()
    device = "cpu" if args.device == "cpu" else "cuda"
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    peer = Peer(args.data, device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    rows = []

    def tell(work, peer, seconds, command=None):
        row = {"work": work, "peer": peer, "peer_s": seconds}
        ours = timing.ours(command, 1) if args.ours and command else None
        if ours:
            row |= {"ours_s": ours["median"], "ratio": seconds / ours["median"]}
        rows.append(row)
        print(json.dumps(row), flush=True)

    ours = f"{args.ours} --repeats {REPEATS + 1} --device {args.device}"
    for batch in (1, 100):
        chunks = [chunk for chunk in CHUNKS if chunk * batch <= 100_000]
        works = {f"vmap, chunk {c}": lambda c=c: peer.by_vmap(batch, c, min(ITERATIONS, 4 * c)) for c in chunks}
        chosen = best(works)
        chunk = int(chosen.split()[-1])
        theirs = {chosen: median(lambda: peer.by_vmap(batch, chunk))}
        if batch > 1:
            theirs["loop"] = median(lambda: peer.by_loop(batch, LOOP), ITERATIONS / LOOP)
        way = min(theirs, key=theirs.get)
        command = f"{ours} --data {args.data} --batch {batch} --iterations {ITERATIONS}"
        tell(f"G, LeNet, B = {batch}, on the GPU", way, theirs[way], f"{command} --keep")
        tell(f"G, LeNet, B = {batch}, ours in the host's memory", way, theirs[way], command)
    tell("inner products and eigenvalues, T = 5000", "eigvalsh", median(peer.spectrum))
    curvature = Curvature(peer)
    way, product, seconds = curvature.fastest()
    print(json.dumps({"one product with the Hessian": way, "s": seconds}), flush=True)
    top, basis, steps = (1000, 1500, 100) if device == "cuda" else (20, 100, 2)
    each = timing.repeat(lambda: curvature.lanczos(product, steps, basis), 2)[1] / steps
    if args.hessian:
        command = f"{args.hessian} --data {args.data} --device {args.device} --samples {len(peer.x)} --top {top}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=timing.ROOT, check=True)
        products = int(re.search(r"(\d+) products", done.stderr)[1])
        ours_s = float(timing.SECONDS.search(done.stdout)[1])
        row = {"work": f"Hessian of LeNet, top {top}", "peer": way, "peer_step_s": each, "products": products}
        row |= {"peer_s": each * products, "ours_s": ours_s}
        row["ratio"] = row["peer_s"] / row["ours_s"]
        rows.append(row)
        print(json.dumps(row), flush=True)
    del peer, curvature, product
    residual = Residual(device)
    command = f"{ours} --synthetic --model resnet18"
    few = 20 if device == "cuda" else 2
    seconds = median(lambda: residual.gradients(few), 200 / few)
    tell("G, ResNet18, B = 100, T = 200, on the GPU", "loop", seconds, f"{command} --batch 100 --iterations 200 --keep")
    seconds = median(lambda: residual.steps(100 if device == "cuda" else 1), 391 / (100 if device == "cuda" else 1))
    tell("one ResNet18 epoch, batch 128", "eager", seconds, f"{command} --epoch --batch 128".replace("--repeats 6", "--repeats 2"))
    report = {"device": name, "torch": torch.__version__, "rows": rows}
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
