"""The exact x_min scan beside plfit's linear scan and powerlaw: |Student t, 1.5 degrees of freedom|.

    python scan.py --ours target/release/examples/bench_scan [--plfit LIBPLFIT.so] [--sizes 5000 62006 1000000]

plfit's exact search is quadratic and runs up to 100 000 points, powerlaw's up to 5000. All on one thread.
"""

import argparse
import ctypes
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from timing import ROOT, machine, repeat, table

sys.path.insert(0, str(ROOT / "tests/reference/stats"))
from make_scan import plfit, student  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--plfit")
    parser.add_argument("--powerlaw", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 62006, 1000000])
    given = parser.parse_args()
    print(machine())
    library = ctypes.CDLL(given.plfit) if given.plfit else None
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
    table(rows)


if __name__ == "__main__":
    main()
