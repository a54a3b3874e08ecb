#!/usr/bin/env python3
"""Runs clang-tidy over src/, on every core, skipping files whose last clean run still holds.

A run holds while the file, every header of ours it reaches, its compile command and .clang-tidy
are the same. Usage: tidy.py [BUILD_FOLDER]; needs its compile_commands.json.
With LLVM's headers (libclang-16-dev, llvm-16-dev) it takes half the time: own_code.cc.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from check_layers import includes

TIDY = "clang-tidy-16"
COMPILER = "clang++-16"
LLVM_INCLUDE = Path("/usr/lib/llvm-16/include")
SLOWEST_SHOWN = 3
ROOT = Path(__file__).resolve().parent.parent


def reached(file, seen):
    """Adds `file` and every header under src/ that it includes, directly or not, to `seen`."""
    if file in seen or not file.is_file():
        return
    seen.add(file)
    for _, quoted, path in includes(file.read_text(encoding="utf-8")):
        if quoted:
            reached(ROOT / "src" / path, seen)


def fingerprint(entry):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    digest.update(entry["command"].encode())
    seen = set()
    reached(Path(entry["file"]), seen)
    for file in sorted(seen):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def own_code_options(build):
    """What keeps clang-tidy to our own code, as far as LLVM's headers are here."""
    if not (LLVM_INCLUDE / "clang/AST/ASTContext.h").is_file():
        return []
    plugin = build / "own_code.so"
    subprocess.run([COMPILER, "-std=c++17", "-O1", "-fno-rtti", "-fPIC", "-shared", "-isystem",
                    str(LLVM_INCLUDE), str(ROOT / "tools/own_code.cc"), "-o", str(plugin)],
                   check=True)
    return [f"--load={plugin}"]


def run_tidy(command, entry):
    """(seconds, output); the output is empty when the file is clean."""
    started = time.monotonic()
    done = subprocess.run([*command, entry["file"]],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    output = "" if done.returncode == 0 else done.stdout or done.stderr
    return time.monotonic() - started, output


def findings_of(output):
    """The parts of clang-tidy's output, each beginning with its file:line."""
    return [part for part in re.split(r"(?m)^(?=\S+:\d+:\d+: error: )", output) if part.strip()]


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/tidy").resolve()
    cache = build / "clean"
    cache.mkdir(exist_ok=True)
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if Path(entry["file"]).is_relative_to(ROOT / "src")]
    entries = [entry | {"stamp": cache / fingerprint(entry)} for entry in entries]
    stale = [entry for entry in entries if not entry["stamp"].exists()]

    command = [TIDY, *own_code_options(build), "--quiet", "-p", str(build)]
    failed, printed, seconds = 0, set(), []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for entry, (took, output) in zip(stale, pool.map(lambda e: run_tidy(command, e), stale)):
            seconds.append((took, os.path.relpath(entry["file"], ROOT)))
            if output:
                failed += 1
                # A finding in a header comes back from every file that includes it.
                new = [part for part in findings_of(output) if part not in printed]
                printed.update(new)
                print("".join(new), end="")
            else:
                entry["stamp"].touch()
    kept = {entry["stamp"].name for entry in entries}
    for stamp in cache.iterdir():
        if stamp.name not in kept:
            stamp.unlink()
    for took, name in sorted(seconds, reverse=True)[:SLOWEST_SHOWN]:
        print(f"{took:6.1f} s  {name}")
    print(f"clang-tidy: {len(stale)} files checked, {len(entries) - len(stale)} unchanged, "
          f"{failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
