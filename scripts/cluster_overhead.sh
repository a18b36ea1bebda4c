#!/usr/bin/env bash
# What submission, packing, Slurm and collection cost beside the work: 64 short units in tasks of about 30 s on 1, 2 and 4
# pretended nodes of one core. Usage, as root: scripts/cluster_overhead.sh GRADSTUDY; see docs/clusters.md.
set -euo pipefail
gradstudy=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap '"$here/slurm_down.sh" "$work/slurm" > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
cd "$work"
cat > units.study <<'STUDY'
study "64 short units" { seeds: 0..63 }
data  fashion = fashion_mnist_5k
model lenet   = lenet(logits: 10)
record g = gradients(of: lenet, on: fashion, batch: 50, iterations: 1000)
test tails = power_law(g, tail: top(500))
test bell  = normality(g, points: 100)
table one { of: [tails, bell] rows: [training, sg_type] columns: [d_ks, power_law_rate, gaussian_rate] }
STUDY
now() { date +%s.%N; }
for nodes in ${NODES_LIST:-1 2 4}; do
    export GRADSTUDY_CACHE=$work/cache-$nodes
    # Estimates are corrected by what three units took.
    for learn in 1 2 3; do
        "$gradstudy" submit units.study --set "study.seeds=$((100 + learn))" --threads 1 --to shell 2> /dev/null > tasks
        sh tasks > /dev/null 2>&1
    done
    CTL_PORT=${CTL_PORT:-36817} D_PORT=${D_PORT:-36818} NODES=$nodes CPUS=1 "$here/slurm_up.sh" "$work/slurm" > /dev/null
    . "$work/slurm/env"
    begin=$(now)
    "$gradstudy" submit units.study --threads 1 --task-time 30s > /dev/null 2>&1
    submitted=$(now)
    while [ -n "$(squeue --noheader)" ]; do sleep 0.2; done
    end=$(now)
    "$gradstudy" status units- --json > status.json 2> /dev/null || "$gradstudy" status "$(
        basename "$(ls -td "$GRADSTUDY_CACHE"/submissions/* | head -n 1)")" --json > status.json
    python3 - "$nodes" "$begin" "$submitted" "$end" <<'PYTHON'
import json, sys
nodes, begin, submitted, end = int(sys.argv[1]), *map(float, sys.argv[2:])
status = json.load(open("status.json"))
units = [unit for unit in status["units"] if unit["state"]]
assert status["counts"]["done"] == 64, status["counts"]
work = sum(unit["state"]["seconds"] for unit in units)
tasks = len({unit["state"]["task"] for unit in units})
wall = end - begin
print(f"| {nodes} | {tasks} | {work:.1f} s | {submitted - begin:.2f} s | {wall:.1f} s | {100 * (wall * nodes - work) / work:.0f} % |",
      flush=True)
PYTHON
    "$here/slurm_down.sh" "$work/slurm"
done
