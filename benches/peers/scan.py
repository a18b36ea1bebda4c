"""The exact x_min scan and the bootstrap beside plfit's linear scan and powerlaw: |Student t, 1.5 degrees of freedom|.

    python scan.py --ours target/release/examples/bench_scan [--plfit LIBPLFIT.so] [--sizes 5000 62006 1000000]
    python scan.py --command target/release/gradstudy [--plfit LIBPLFIT.so]     # CPU seconds of whole processes

On a busy machine only CPU time can be compared: with --command ours is that of `gradstudy test`, start and reading of the
file included, and plfit's that of its calls.

plfit's exact search is quadratic and runs up to 100 000 points, powerlaw's up to 5000. All on one thread. The bootstrap is of
1000 numbers and 2500 fits (plfit's exact p-value with a precision of 0.01), with both tools' own random draws.
"""

import argparse
import ctypes
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from timing import ROOT, machine, repeat, table

sys.path.insert(0, str(ROOT / "tests/reference/stats"))
from make_scan import Options, Result, plfit, student  # noqa: E402

EXACT_P = 2


def plfit_p(library, sample, xmin_method):
    """plfit's exact p-value with 2500 fits, each by `xmin_method`: 0 the linear scan, 1 what it does by default."""
    options, result = Options(), Result()
    library.plfit_continuous_options_init(ctypes.byref(options))
    options.xmin_method, options.p_value_method, options.p_value_precision = xmin_method, EXACT_P, 0.01
    pointer = sample.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    status = library.plfit_continuous(pointer, ctypes.c_size_t(len(sample)), ctypes.byref(options), ctypes.byref(result))
    if status:
        sys.exit(f"plfit ended with {status}")
    return result.p


def cpu(work):
    """CPU seconds of this process in work(), the least of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def command_cpu(command, x, test):
    """CPU seconds of `gradstudy test` on one thread, the least of three, and its JSON."""
    taken = []
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, x)
        file.flush()
        line = [command, "test", file.name, "--along", "all", "--threads", "1", "--json", "--test", test]
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            text = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True).stdout
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken), json.loads(text)["arrays"][0]["tests"][0]["outcome"]


def by_command(given, library):
    rows = []
    for n in given.sizes:
        x = student(n, 1.5)
        seconds, outcome = command_cpu(given.command, x, "power_law(tail: scan(at_least: 2))")
        print(n, seconds, outcome["mean_ks_distance"])
        if library and n <= 100_000:
            theirs = plfit(library, x)
            assert abs(theirs.D - outcome["mean_ks_distance"]) < 1e-12, theirs.D
            rows.append((f"scan, n = {n}", "plfit, linear scan", cpu(lambda: plfit(library, x)), seconds, 50))
    # A sample that is far from a power law, so that no drawing stops early.
    x = np.abs(np.random.default_rng(5).uniform(size=1000))
    seconds, outcome = command_cpu(given.command, x, "power_law(tail: scan(at_least: 2), bootstrap: 2500)")
    print("bootstrap", seconds, outcome["bootstrap"]["mean_replicates"], outcome["bootstrap"]["mean_p_value"])
    if library:
        for words, method in (("linear scan", 0), ("its default search", 1)):
            print(f"plfit, {words}: p = {plfit_p(library, x, method)}")
            taken = cpu(lambda: plfit_p(library, x, method))
            rows.append(("2500 bootstrap fits, n = 1000", f"plfit, {words}", taken, seconds, 5))
    table(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours")
    parser.add_argument("--command")
    parser.add_argument("--plfit")
    parser.add_argument("--powerlaw", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 62006, 1000000])
    given = parser.parse_args()
    print(machine())
    library = ctypes.CDLL(given.plfit) if given.plfit else None
    if given.command:
        return by_command(given, library)
    rows = []
    for n in given.sizes:
        x = student(n, 1.5)
        with tempfile.NamedTemporaryFile() as file:
            x.tofile(file.name)
            text = subprocess.run([given.ours, file.name], stdout=subprocess.PIPE, text=True, check=True).stdout
        mine = {key: float(value) for key, value in re.findall(r"^(\w+): (\S+)$", text, re.MULTILINE)}
        print(n, mine)
        if library and n <= 100_000:
            taken = repeat(lambda: plfit(library, x), 3)
            theirs = plfit(library, x)
            assert abs(theirs.D - mine["d"]) < 1e-12 and theirs.xmin == mine["x_min"], (theirs.D, theirs.xmin, mine)
            rows.append((f"scan, n = {n}", "plfit, linear scan", float(np.median(taken)), mine["seconds"], 50))
        if given.powerlaw and n <= 5000:
            import powerlaw

            fit = lambda: powerlaw.Fit(x, parameter_ranges={"alpha": [1.0, 1000.0]}, verbose=False)
            rows.append((f"scan, n = {n}", "powerlaw", float(np.median(repeat(fit, 3))), mine["seconds"], None))
    x = np.ascontiguousarray(student(1000, 1.5))
    with tempfile.NamedTemporaryFile() as file:
        x.tofile(file.name)
        command = [given.ours, file.name, "2500"]
        one = os.environ | {"RAYON_NUM_THREADS": "1"}
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=one).stdout
    mine = {key: float(value) for key, value in re.findall(r"^(\w+): (\S+)$", text, re.MULTILINE)}
    print("bootstrap", mine)
    for words, method in (("linear scan", 0), ("its default search", 1)):
        if library:
            taken = repeat(lambda: plfit_p(library, x, method), 3)
            p = plfit_p(library, x, method)
            print(f"plfit, {words}: p = {p}")
            # Two counts of 2500 draws, at most 0.01 of standard error each.
            assert method or abs(p - mine["p"]) < 0.06, (p, mine)
            rows.append(("2500 bootstrap fits, n = 1000", f"plfit, {words}", float(np.median(taken)), mine["seconds"], 5))
    table(rows)


if __name__ == "__main__":
    main()
