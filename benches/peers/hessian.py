"""The largest eigenvalues of LeNet's Hessian on MNIST by PyTorch and SciPy, timed: the peer of gradstudy's `hessian`.

    python hessian.py [--data DIR] [--top 200] [--samples 2000] [--products-only] [--ours "COMMAND"] [--json FILE]

Products are timed first: differentiating the gradient a second time (the graph of the gradient is kept, so that
a product is one backward pass through it; over chunks of samples) and torch.func.jvp of grad, each with 1 and 2
threads. The fastest goes into scipy.sparse.linalg.eigsh (tol 1e-4, which is relative to each eigenvalue, as ours
is) with its default number of Lanczos vectors and with twice that. COMMAND prints `seconds: X` and writes its
eigenvalues to --ours-values, which are compared. With --products-only, eigsh is left out.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import timing

sys.path.insert(0, str(timing.REFERENCE))
CHUNKS = (250, 500, 2000)
METHODS = [("double backward", chunk) for chunk in CHUNKS] + [("jvp of grad", 2000)]


def default_data():
    named = os.environ.get("GRADSTUDY_DATA", "~/.cache/gradstudy/data")
    return str(Path(named).expanduser() / "mnist")


def products(given):
    """v -> Hessian v, as float64 NumPy vectors, by the method of `given`."""
    import torch
    import torch.nn.functional as F
    from torch.func import functional_call, grad, jvp

    from lenet import flatten, lenet, load

    model = lenet(weights=timing.REFERENCE / "lenet_weights.safetensors")
    x, y, _ = load(given["data"])
    x, y = x[: given["samples"]], y[: given["samples"]]
    weights = {k: v for k, v in model.named_parameters()}
    leaves = list(weights.values())
    shapes = [p.shape for p in leaves]
    sizes = [p.numel() for p in leaves]

    def parts(v):
        return [part.view(shape) for part, shape in zip(torch.from_numpy(v).float().split(sizes), shapes)]

    if given["method"] == "jvp of grad":
        names = list(weights)
        detached = {k: v.detach() for k, v in weights.items()}
        gradient = grad(lambda w: F.cross_entropy(functional_call(model, w, (x,)), y))

        def product(v):
            _, tangent = jvp(gradient, (detached,), (dict(zip(names, parts(v))),))
            return flatten(tangent[name] for name in names).double().numpy()

        return product

    gradients = []
    for first in range(0, len(x), given["chunk"]):
        chunk = slice(first, first + given["chunk"])
        loss = F.cross_entropy(model(x[chunk]), y[chunk], reduction="sum") / len(x)
        gradients.append(torch.autograd.grad(loss, leaves, create_graph=True))

    def product(v):
        total, v = 0, parts(v)
        for gradient in gradients:
            total = total + flatten(torch.autograd.grad(gradient, leaves, grad_outputs=v, retain_graph=True))
        return total.double().numpy()

    return product


def work(given):
    """One process: times single products, or eigsh where `given` has `ncv`; prints JSON."""
    import numpy as np
    import scipy
    import torch
    from scipy.sparse.linalg import LinearOperator, eigsh

    from lenet import PARAMETERS

    torch.set_num_threads(given["threads"])
    versions = {"torch": torch.__version__, "scipy": scipy.__version__}
    start = time.perf_counter()
    product = products(given)
    setup = time.perf_counter() - start
    v = np.random.default_rng(0).standard_normal(PARAMETERS)
    v /= np.linalg.norm(v)
    if "ncv" not in given:
        check = float(np.linalg.norm(product(v)))
        taken = timing.repeat(lambda: product(v), given["repeats"])
        print(json.dumps(given | timing.summary(taken) | versions | {"setup": setup, "check": check}))
        return
    count = 0

    def matvec(v):
        nonlocal count
        count += 1
        return product(np.asarray(v).reshape(-1))

    operator = LinearOperator((PARAMETERS, PARAMETERS), matvec=matvec, dtype=np.float64)
    start, busy = time.perf_counter(), time.process_time()
    values, vectors = eigsh(operator, k=given["top"], ncv=given["ncv"], which="LA", tol=given["tolerance"], v0=v)
    seconds, busy = setup + time.perf_counter() - start, time.process_time() - busy
    used = count
    some = list(zip(values, vectors.T))[:: max(1, given["top"] // 20)]
    residual = max(np.linalg.norm(matvec(u) - value * u) / abs(value) for value, u in some)
    found = {"best": seconds, "median": seconds, "all": [seconds], "cpu": busy, "products": used, "worst_relative_residual": residual}
    print(json.dumps(given | versions | found | {"values": sorted(values, reverse=True)}))


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", default=default_data(), help="folder with MNIST's idx files")
    parse.add_argument("--top", type=int, default=200)
    parse.add_argument("--samples", type=int, default=2000)
    parse.add_argument("--tolerance", type=float, default=1e-4)
    parse.add_argument("--repeats", type=int, default=5)
    parse.add_argument("--products-only", action="store_true")
    parse.add_argument("--ours", help="our command")
    parse.add_argument("--ours-values", type=Path, help="the file of eigenvalues that our command writes")
    parse.add_argument("--json", type=Path, help="write the results there too")
    parse.add_argument("--worker", help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.worker:
        return work(json.loads(given.worker))

    machine = timing.machine()
    first = timing.ours(given.ours, 1)
    job = {"data": given.data, "samples": given.samples, "repeats": given.repeats}
    results = []
    for threads, policy in timing.SETTINGS:
        for method, chunk in METHODS:
            r = timing.worker(__file__, job | {"method": method, "chunk": chunk}, threads, policy, limit=120)
            results.append(r)
            print(f"{method}, chunk {chunk}, {threads} threads {policy}: {r['best']:.3f} s a product", file=sys.stderr)
    best = min(results, key=lambda r: r["best"])
    checks = [r["check"] for r in results if "check" in r]
    assert all(abs(c - checks[0]) < 1e-3 * checks[0] for c in checks), f"the peers disagree: {checks}"

    setting = f"{best['method']}, chunk {best['chunk']}, {best['threads']} threads {best['wait_policy']}"
    rows, solved = [], []
    if not given.products_only:
        for ncv in (2 * given.top + 1, 4 * given.top):
            eigen = {k: best[k] for k in ("data", "samples", "method", "chunk")}
            eigen |= {"top": given.top, "tolerance": given.tolerance, "ncv": ncv}
            solved.append(timing.worker(__file__, eigen, best["threads"], best["wait_policy"], limit=7200))
        again = timing.ours(given.ours, 1)
        mine = min(first["best"], again["best"]) if first else None
        for r in solved:
            how = f"eigsh, ncv {r['ncv']}, {r.get('products')} products; {setting}"
            rows.append((f"Hessian, top {given.top}, {given.samples} samples", how, r["best"], mine, 1.5))
        if given.ours and given.ours_values:
            ours = json.loads(given.ours_values.read_text())
            for r in solved:
                worst = max(abs(a / b - 1) for a, b in zip(ours, r["values"]))
                print(f"largest relative difference of an eigenvalue to ours: {worst:.1e}")
                assert worst < 1e-3, "eigenvalues differ"
    rows.append((f"one product, {given.samples} samples", setting, best["best"], None, None))
    timing.table(rows)
    report = {"machine": machine, "products": results, "eigsh": solved, "ours": first, "rows": rows}
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
