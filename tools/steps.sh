# shellcheck shell=bash
# Timed steps with quiet output, for the scripts at the top of the tree. Sourced, from that folder.

log_folder=build/log
shown_lines=60
# What ninja and ctest say of everything that went well.
routine='^\[[0-9]+/[0-9]+\] |^ +Start +[0-9]+: |\. +Passed +[0-9.]+ sec$'

# step NAME COMMAND...  Runs the command with its output in a log and says how long it took.
# The log's end follows on failure. Returns the command's status.
step() {
  local name=$1 log=$log_folder/$1.log started=$SECONDS status=0
  shift
  mkdir -p "$log_folder"
  printf '  %-18s ' "$name" >&2
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status == 0)); then
    printf '%5d s\n' $((SECONDS - started)) >&2
    return
  fi
  printf 'failed after %d s. The end of %s:\n' $((SECONDS - started)) "$log" >&2
  { grep -vE "$routine" "$log" || true; } | tail -n "$shown_lines" >&2
  return "$status"
}
