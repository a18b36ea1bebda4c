"""PyTorch's time for one LeNet pretraining epoch on MNIST: the peer of gradstudy's `train`.

    python training.py [--data DIR] [--ours "COMMAND"] [--json FILE]

60 000 images, normalised and held in one tensor; shuffled minibatches of 128 by index_select, the last partial
one dropped; SGD with rate 0.1, momentum 0.9, weight decay 5e-4. Contiguous and channels-last, 1 and 2 threads
(waiting passively or spinning), with and without the fused optimizer; the median of three epochs of the best
setting of either policy counts. COMMAND trains one epoch and prints a line `seconds: X`.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

import timing

sys.path.insert(0, str(timing.REFERENCE))
from gradients import default_data  # noqa: E402


def work(given):
    """One process: `given["repeats"]` epochs after a short warm-up; prints their seconds as JSON."""
    import torch
    import torch.nn.functional as F

    from lenet import lenet, load

    torch.set_num_threads(given["threads"])
    layout = torch.channels_last if given["channels_last"] else torch.contiguous_format
    x, y, _ = load(given["data"])
    model = lenet(0).to(memory_format=layout)
    x = x.contiguous(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=given["fused"], foreach=not given["fused"])
    generator = torch.Generator().manual_seed(0)
    batch = given["batch"]
    last = None

    def epoch(steps):
        nonlocal last
        order = torch.randperm(len(x), generator=generator)
        for step in range(steps):
            index = order[step * batch : (step + 1) * batch]
            loss = F.cross_entropy(model(x.index_select(0, index)), y.index_select(0, index))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        last = float(loss.detach())

    epoch(20)
    taken = timing.repeat(lambda: epoch(len(x) // batch), given["repeats"])
    print(json.dumps(given | timing.summary(taken) | {"loss": last, "torch": torch.__version__}))


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--data", default=default_data(), help="folder with MNIST's idx files")
    parse.add_argument("--batch", type=int, default=128)
    parse.add_argument("--repeats", type=int, default=3)
    parse.add_argument("--ours", help="our command")
    parse.add_argument("--json", type=Path, help="write the results there too")
    parse.add_argument("--worker", help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.worker:
        return work(json.loads(given.worker))

    machine = timing.machine()
    first = timing.ours(given.ours)
    results = []
    for (threads, policy), channels_last, fused in itertools.product(timing.SETTINGS, (False, True), (False, True)):
        job = {"data": given.data, "batch": given.batch, "channels_last": channels_last, "fused": fused}
        # One epoch of every setting, then the full count of the best of each policy.
        r = timing.worker(__file__, job | {"repeats": 1}, threads, policy)
        results.append(r)
        print(f"{threads} threads {policy}, channels_last={channels_last}, fused={fused}: {r['best']:.2f} s", file=sys.stderr)
    finals = []
    for policy in ("PASSIVE", "ACTIVE"):
        best = min((r for r in results if r["wait_policy"] == policy), key=lambda r: r["best"])
        job = {k: best[k] for k in ("data", "batch", "channels_last", "fused")} | {"repeats": given.repeats}
        finals.append(timing.worker(__file__, job, best["threads"], policy, limit=30.0 * given.repeats))
    final = min(finals, key=lambda r: r["median"])
    again = timing.ours(given.ours)
    mine = min(first["median"], again["median"]) if first else None
    name = f"PyTorch, {final['threads']} threads {final['wait_policy']}{', channels_last' if final['channels_last'] else ''}{', fused' if final['fused'] else ''}"
    rows = [(f"one LeNet epoch on MNIST, batch {given.batch}", name, final["median"], mine, 1)]
    timing.table(rows)
    report = {"machine": machine, "peers": results, "medians": finals, "ours": [first, again], "rows": rows}
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    else:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
