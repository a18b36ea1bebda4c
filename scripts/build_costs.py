#!/usr/bin/env python3
"""The crates that a build spends most time on, as the table of docs/architecture.md.

    cargo build --release --timings && scripts/build_costs.py
    cargo test --no-run --timings && scripts/build_costs.py

Reads the newest report of `cargo --timings` (or the one that is named) and prints seconds of compiling by crate: build scripts
(C libraries) and the crate itself, all targets. With two cores two units run side by side, so seconds are about CPU-seconds.
"""

import json
import pathlib
import re
import sys

LISTED = 12


def main():
    if len(sys.argv) > 1:
        path = pathlib.Path(sys.argv[1])
    else:
        target = pathlib.Path(__file__).resolve().parent.parent / "target" / "cargo-timings"
        path = max(target.glob("cargo-timing-*.html"), key=lambda it: it.stat().st_mtime)
    units = re.search(r"const UNIT_DATA = (\[.*?\]);\n", path.read_text(), re.S)
    if units is None:
        sys.exit(f"{path} has no units: is it a report of `cargo --timings`?")
    seconds = {}
    for unit in json.loads(units.group(1)):
        target = unit.get("target", "").strip()
        own = unit["name"] == "gradstudy" and target
        name = f"gradstudy: {target}" if own else unit["name"]
        seconds[name] = seconds.get(name, 0.0) + unit["duration"]
    largest = sorted(seconds.items(), key=lambda it: -it[1])
    print("| crate | seconds |\n| --- | ---: |")
    for name, spent in largest[:LISTED]:
        print(f"| `{name}` | {spent:.0f} |")
    others = sum(spent for _, spent in largest[LISTED:])
    print(f"| {len(largest) - LISTED} others | {others:.0f} |")
    print(f"| all | {sum(seconds.values()):.0f} |")


main()
