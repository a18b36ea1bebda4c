#!/usr/bin/env python3
"""Faults on purpose. docs/reliability.md says what is tried, what must hold, and what was found.

    scripts/reliability/campaign.py [--only kills,cuts,…] [--scale 0.01] [--seed 0] [--work DIR] [--binary target/release/gradstudy]

Each part prints a line of JSON; the exit code is 1 if anything was lost, wrong or a panic."""
import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import Campaign
from cuts import cuts
from flips import flips
from kills import kills
from mutants import arrays, studies
from processes import processes

# Parts, and how many trials the whole campaign makes (of arrays: of each format).
PARTS = {
    "kills": (kills, 1000), "cuts": (cuts, 200), "flips": (flips, 3000), "processes": (processes, 200),
    "arrays": (arrays, 10_000), "studies": (studies, 100_000),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the trials, such as 0.01")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", default="reliability-work")
    parser.add_argument("--binary", default="target/release/gradstudy")
    arguments = parser.parse_args()
    campaign = Campaign(arguments.binary, arguments.work)
    good = True
    for name in arguments.only.split(","):
        part, trials = PARTS[name]
        began = time.time()
        found, faults = part(campaign, max(1, round(trials * arguments.scale)), arguments.seed)
        bad = {fault: found[fault] for fault in faults if found[fault]}
        good = good and not bad
        print(json.dumps({"part": name, "seconds": round(time.time() - began), **found, "faults": bad}), flush=True)
    sys.exit(0 if good else 1)


main()
