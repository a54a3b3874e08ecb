#!/usr/bin/env bash
# Runs one fuzzer on its corpus, after a build of the preset 'fuzz'.
#   tools/fuzz.sh NAME_fuzz [SECONDS]
# Reads tests/fuzz/corpus/NAME; new inputs and crashes stay under build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzzer=$1 seconds=${2-60}
corpus=tests/fuzz/corpus/${fuzzer%_fuzz}
found=build/fuzz/found/$fuzzer
crashes=build/fuzz/crashes/$fuzzer
mkdir -p "$found" "$crashes"

inputs=("$found")
[[ ! -d $corpus ]] || inputs+=("$corpus")
exec "build/fuzz/tests/$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
  -print_final_stats=1 -artifact_prefix="$crashes/" "${inputs[@]}"
