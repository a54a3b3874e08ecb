#!/usr/bin/env bash
# Runs every bench and prints one table. Build first: cmake --preset release, then --build.
#   bench/run_all.sh [--smoke] [--real-time] [--build FOLDER]
# Takes about seven minutes and 4 GB of disk. Exit code 1 when a figure misses its bar.
set -euo pipefail
cd "$(dirname "$0")"

status=0
for bench in cpu_per_event truth overhead big_ledger sampler; do
  python3 "$bench.py" "$@" || status=1
done
exit "$status"
