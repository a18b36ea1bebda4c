#!/bin/sh
# Runs gradstudy beside its peers, on this machine and in one session, and prints ratios.
#
#   benches/peers/run.sh [MNIST_DIR]
#
# MNIST_DIR (default: mnist below $GRADSTUDY_DATA or ~/.cache/gradstudy/data) holds MNIST's idx files. The Python
# packages go to a virtual environment, $GRADSTUDY_PEERS_VENV or target/peers-venv; PYTHON names another
# interpreter that has them. Results are written to target/peers/. Leave the machine otherwise idle.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${1:-${GRADSTUDY_DATA:-$HOME/.cache/gradstudy/data}/mnist}
[ -d "$data" ] || { echo "$data: no such folder; 'gradstudy data fetch mnist' makes it" >&2; exit 2; }
data=$(cd "$data" && pwd)
out="$root/target/peers"
mkdir -p "$out"

if [ -z "${PYTHON:-}" ]; then
    venv=${GRADSTUDY_PEERS_VENV:-$root/target/peers-venv}
    PYTHON="$venv/bin/python"
    [ -x "$PYTHON" ] || python3 -m venv "$venv"
    "$PYTHON" -c 'import torch, numpy, scipy, powerlaw, safetensors' 2>/dev/null ||
        "$PYTHON" -m pip install --quiet torch numpy scipy powerlaw safetensors
fi

cd "$root"
cargo build --release --examples
bench="$root/target/release/examples"
# An example that is missing leaves its peer alone in the table rather than stopping the run.
ours() { [ -x "$bench/$1" ] && { printf '%s' "$bench/$*"; } || true; }

echo "# gradient histories"
"$PYTHON" "$here/gradients.py" --data "$data" --json "$out/gradients.json" \
    --ours "$(ours bench_gradients --data "$data" --batch 1 --iterations 5000)" \
    --ours-batch "$(ours bench_gradients --data "$data" --batch 100 --iterations 5000)"
echo "# training"
"$PYTHON" "$here/training.py" --data "$data" --json "$out/training.json" \
    --ours "$(ours bench_gradients --epoch --data "$data")"
echo "# other networks"
"$PYTHON" "$here/networks.py" --data "$(dirname "$data")" --json "$out/networks.json" --ours "$(ours bench_gradients)"
echo "# tests over rows and columns"
"$PYTHON" "$here/row_tests.py" | tee "$out/statistics.txt"
echo "# Hessian"
"$PYTHON" "$here/hessian.py" --data "$data" --json "$out/hessian.json" --ours-values "$out/hessian_values.json" \
    --ours "$(ours bench_hessian --data "$data" --values "$out/hessian_values.json")"
echo "# Gram matrices and their eigenvalues"
"$PYTHON" "$here/spectra.py" --data "$data" --json "$out/spectra.json" --ours "$(ours bench_spectra --data "$data")"
# PLFIT names plfit's shared library; without it ours stands alone.
echo "# exact x_min scan"
"$PYTHON" "$here/scan.py" --ours "$bench/bench_scan" --powerlaw ${PLFIT:+--plfit "$PLFIT"}
