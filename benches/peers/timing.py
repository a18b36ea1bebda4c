"""Timing, running our own command and printing ratios: what the peers' scripts share."""

import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests/reference/gradients"
SECONDS = re.compile(r"^\s*seconds:\s*([0-9.eE+-]+)\s*$", re.MULTILINE)


def repeat(work, times):
    """Seconds of each of `times` calls of work()."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def summary(taken):
    return {"best": min(taken), "median": float(np.median(taken)), "all": taken}


# (threads, OpenMP wait policy). Spinning threads (OpenMP's default) are faster on an idle machine and collapse on
# a busy one; with one thread there is nobody to wait for.
SETTINGS = ((1, "PASSIVE"), (2, "PASSIVE"), (2, "ACTIVE"))


def worker(script, arguments, threads, policy, limit=30.0):
    """Runs `script` in a fresh process with `threads` OpenMP threads; the JSON on its last line.

    OpenMP reads its variables when it is loaded, so each setting needs its own process. A setting that takes
    longer than `limit` seconds (spinning threads on a busy machine) is stopped and counts as infinitely slow.
    """
    environment = os.environ | {
        "OMP_WAIT_POLICY": policy,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
    }
    given = arguments | {"threads": threads, "wait_policy": policy}
    command = [sys.executable, script, "--worker", json.dumps(given)]
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return given | {"best": math.inf, "median": math.inf, "stopped_after": limit}
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(command, times=3):
    """Runs `command` `times` times and reads the seconds it prints (`seconds: X`); None without a command."""
    if not command:
        return None
    taken = []
    for _ in range(times):
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        found = SECONDS.findall(done.stdout)
        if done.returncode or not found:
            sys.exit(f"`{command}` ended with {done.returncode} and printed {len(found)} lines `seconds: X`")
        taken.append(float(found[-1]))
    return summary(taken)


def machine():
    """What ran this; says so where the machine has other work."""
    model = platform.processor() or platform.machine()
    try:
        model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        pass
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    if load and load[0] > 0.5:
        print(f"load average {load[0]:.1f}: other work slows peers and ours, and not alike", file=sys.stderr)
    return {"cpu": model, "cores": os.cpu_count(), "load_average": load, "python": platform.python_version()}


def table(rows):
    """Prints (work, peer, peer's seconds, ours or None, goal or None) as an aligned table of ratios."""
    head = ("work", "peer", "peer s", "ours s", "ratio", "goal")
    cells = [head]
    for work, peer, theirs, mine, goal in rows:
        ratio = f"{theirs / mine:.2f}x" if mine else "-"
        cells.append((work, peer, f"{theirs:.3f}", f"{mine:.3f}" if mine else "-", ratio, f">= {goal:g}x" if goal else "-"))
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print("  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())
