"""PyTorch's gradient histories of LeNet on MNIST, timed: the peers of gradstudy's `record`.

    python gradients.py [--data DIR] [--full] [--ours "COMMAND" --ours-batch "COMMAND"] [--json FILE]

B = 1: torch.func.vmap(grad) over chunks of 32 to 256 samples, and a loop of autograd.grad. B = 100: the loop
(no vmap variant of a whole minibatch is faster). Each peer writes every column into a preallocated [T, 44 426]
float32 array, with 1 and with 2 threads (waiting passively or spinning); the best counts. T = 5000; at B = 100 only 200 iterations are timed
and scaled unless `--full` is given. COMMAND prints a line `seconds: X`; it is run in the same session so that
the ratios hold for one machine in one state.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import timing

sys.path.insert(0, str(timing.REFERENCE))
CHUNKS = (32, 64, 128, 256)


def default_data():
    named = os.environ.get("GRADSTUDY_DATA", "~/.cache/gradstudy/data")
    return str(Path(named).expanduser() / "mnist")


def work(given):
    """One process: the peer `given["peer"]` at its thread count; prints its seconds as JSON."""
    import torch
    import torch.nn.functional as F
    from torch.func import functional_call, grad, vmap

    from lenet import PARAMETERS, lenet, load, sequential

    torch.set_num_threads(given["threads"])
    batch, iterations = given["batch"], given["iterations"]
    x, y, _ = load(given["data"])
    model = lenet(0)
    weights = dict(model.named_parameters())
    detached = {k: v.detach() for k, v in weights.items()}
    out = torch.zeros(iterations, PARAMETERS)
    out.fill_(0.0)  # touches every page before the clock starts
    parts, first = {}, 0
    for key, p in weights.items():
        parts[key] = (slice(first, first + p.numel()), p)
        first += p.numel()

    def one(parameters, image, label):
        logits = functional_call(model, parameters, (image[None],))
        return F.cross_entropy(logits, label[None])

    per_sample = vmap(grad(one), in_dims=(None, 0, 0))

    def by_vmap(chunk):
        for first in range(0, iterations, chunk):
            rows = slice(first, min(first + chunk, iterations))
            for key, g in per_sample(detached, x[rows], y[rows]).items():
                out[rows, parts[key][0]] = g.flatten(1)

    def by_loop(columns):
        leaves = list(weights.values())
        places = [where for where, _ in parts.values()]
        for t in range(columns):
            s = sequential(t, batch, len(x))
            grads = torch.autograd.grad(F.cross_entropy(model(x[s]), y[s]), leaves)
            row = out[t]
            for where, g in zip(places, grads):
                row[where] = g.reshape(-1)

    if given["peer"] == "vmap":
        by_vmap(given["chunk"])
        taken = timing.repeat(lambda: by_vmap(given["chunk"]), given["repeats"])
    else:
        by_loop(min(20, iterations))  # the loop is steady after a few minibatches
        taken = timing.repeat(lambda: by_loop(iterations), given["repeats"])
    # The first and last rows are compared between the peers: a fast wrong answer is no peer.
    print(json.dumps(given | timing.summary(taken) | {"check": [float(out[0].norm()), float(out[-1].norm())], "torch": torch.__version__}))


def measure(data, iterations, batch_iterations, repeats, batch):
    """All peers' results as dictionaries, the slowest settings included."""
    single = {"data": data, "batch": 1, "iterations": iterations}
    batched = {"data": data, "batch": batch, "iterations": batch_iterations, "peer": "loop", "repeats": max(1, repeats // 2)}
    jobs = [single | {"peer": "vmap", "chunk": chunk, "repeats": repeats} for chunk in CHUNKS]
    jobs += [single | {"peer": "loop", "repeats": 1}, batched]
    results = []
    for threads, policy in timing.SETTINGS:
        for job in jobs:
            r = timing.worker(__file__, job, threads, policy, limit=3600 if job["batch"] > 1 else 30)
            results.append(r)
            what = f"vmap, chunk {r['chunk']}" if r["peer"] == "vmap" else "loop of autograd.grad"
            print(f"B={r['batch']} T={r['iterations']} {what}, {threads} threads {policy}: {r['best']:.3f} s", file=sys.stderr)
    return results


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", default=default_data(), help="folder with MNIST's idx files")
    parse.add_argument("--iterations", type=int, default=5000)
    parse.add_argument("--batch", type=int, default=100)
    parse.add_argument("--batch-iterations", type=int, default=200, help="iterations timed at B > 1, scaled to --iterations")
    parse.add_argument("--full", action="store_true", help="time all iterations at B > 1 too")
    parse.add_argument("--repeats", type=int, default=5)
    parse.add_argument("--ours", help="our command for B = 1")
    parse.add_argument("--ours-batch", help="our command for B > 1, over all --iterations")
    parse.add_argument("--json", type=Path, help="write the results there too")
    parse.add_argument("--worker", help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.worker:
        return work(json.loads(given.worker))

    machine = timing.machine()
    timed = given.iterations if given.full else min(given.batch_iterations, given.iterations)
    first = timing.ours(given.ours), timing.ours(given.ours_batch)
    results = measure(given.data, given.iterations, timed, given.repeats, given.batch)
    again = timing.ours(given.ours), timing.ours(given.ours_batch)
    # Ours runs before and after the peers: a machine that was busy for a while then slows neither alone.
    single, batched = (min(a["best"], b["best"]) if a else None for a, b in zip(first, again))

    def best(peer, batch):
        return min((r for r in results if r["peer"] == peer and r["batch"] == batch), key=lambda r: r["best"])

    checks = {(r["batch"], r["iterations"]): [] for r in results}
    for r in results:
        if "check" in r:
            checks[r["batch"], r["iterations"]].append(r["check"])
    for values in checks.values():
        assert all(abs(a - b) < 1e-3 * abs(b) for v in values for a, b in zip(v, values[0])), f"the peers disagree: {values}"

    vmap, loop, batch_loop = best("vmap", 1), best("loop", 1), best("loop", given.batch)
    scale = given.iterations / timed

    def setting(r):
        return f"{r['threads']} threads {r['wait_policy']}"

    how = "" if scale == 1 else f" ({timed} timed, x {scale:g})"
    rows = [
        (f"G, B=1, T={given.iterations}", f"vmap(grad), chunk {vmap['chunk']}, {setting(vmap)}", vmap["best"], single, 3),
        (f"G, B=1, T={given.iterations}", f"loop of autograd.grad, {setting(loop)}", loop["best"], single, None),
        (f"G, B={given.batch}, T={given.iterations}", f"loop of autograd.grad, {setting(batch_loop)}{how}", batch_loop["best"] * scale, batched, 2),
    ]
    timing.table(rows)
    report = {"machine": machine, "peers": results, "scale": scale, "ours": {"b1": [first[0], again[0]], f"b{given.batch}": [first[1], again[1]]}, "rows": rows}
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    else:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
