#!/usr/bin/env bash
# Runs one fuzzer on its corpus, after a build of the preset 'asan'.
#   tools/fuzz.sh NAME_fuzz [SECONDS]    looks for new inputs, going on from those found before
#   tools/fuzz.sh NAME_fuzz --runs N     the same N inputs every time, for a gate
# Reads tests/fuzz/corpus/NAME; new inputs and crashes stay under build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzzer=$1
corpus=tests/fuzz/corpus/${fuzzer%_fuzz}
crashes=build/fuzz/crashes/$fuzzer
found=build/fuzz/found/$fuzzer
limits=(-max_total_time="${2-60}")
if [[ ${2-} == --runs ]]; then
  limits=(-seed=1 -runs="$3")
  found=$(mktemp -d)
  trap 'rm -rf "$found"' EXIT
fi
mkdir -p "$crashes" "$found"

inputs=("$found")
[[ ! -d $corpus ]] || inputs+=("$corpus")
"build/asan/tests/$fuzzer" "${limits[@]}" -timeout=10 -rss_limit_mb=2048 \
  -print_final_stats=1 -artifact_prefix="$crashes/" "${inputs[@]}"
