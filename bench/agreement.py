#!/usr/bin/env python3
"""Whether Assay over HTTP and llama-bench inside the engine say the same of one build of llama.cpp.

Both measure the same file with as many threads, in turns (ABBA). llama-bench calls the library, so
what remains is the server's share: sampling, detokenising, JSON, HTTP. Needs `tools/llama_server.sh`.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchlib import ROOT, Setup, Table, arguments, median

PROGRAMS = ROOT / "build" / "llama-server"
SHAPE = "smollm2-135m:q8_0"
PROMPT, GENERATED = 512, 128


def by_llama_bench(model, threads, repetitions):
    """(pp512, tg128) in tokens a second."""
    done = subprocess.run([PROGRAMS / "llama-bench", "-m", model, "-p", str(PROMPT), "-n",
                           str(GENERATED), "-r", str(repetitions), "-t", str(threads), "-o", "json"],
                          capture_output=True, check=True)
    speed = {test["n_gen"]: test["avg_ts"] for test in json.loads(done.stdout)}
    return speed[0], speed[GENERATED]


def by_assay(setup, model, threads, repetitions):
    """The same of `assay run`: the prefill speed of its prompt of that length, and its tg. The pp of its
    table is another figure, over prompts of up to 4,096 tokens."""
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        done = subprocess.run([setup.assay, "run", "--gguf", model, "--llama-server",
                               PROGRAMS / "llama-server", "--threads", str(threads), "-r",
                               str(repetitions), "--budget", "10m", "--no-calibrate", "--json",
                               "--quiet"],
                              env=dict(os.environ, ASSAY_DATA_DIR=folder,
                                       ASSAY_LOCK_FILE=f"{folder}/lock"),
                              stdout=subprocess.PIPE, check=True)
    document = json.loads(done.stdout)
    (prompt,) = [leg for leg in document["legs"]
                 if leg["prompt_id"] == "pp512" and leg["phase"] == "measure"]
    return prompt["metrics"]["prefill_tps"]["mean"], document["cells_summary"][0]["tg_tps"]


def main():
    options = arguments(__doc__.splitlines()[0]).parse_args()
    setup = Setup(options)
    if not (PROGRAMS / "llama-bench").exists():
        sys.exit("error: no llama-bench here\n  hint: tools/llama_server.sh brings it")
    table = Table("Assay and llama-bench on one build of llama.cpp", options)
    threads = len(os.sched_getaffinity(0))
    pairs, repetitions = (1, 1) if setup.smoke else (3, 3)
    ratios = {"pp512": [], "tg128": []}
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        model = Path(folder) / "model.gguf"
        subprocess.run([setup.assay, "dummy-model", "--shape", SHAPE, "--output", model, "-q"],
                       stdout=subprocess.DEVNULL, check=True)
        for pair in range(pairs):
            order = (by_llama_bench, lambda *a: by_assay(setup, *a))
            said = {}
            for side in (0, 1) if pair % 2 == 0 else (1, 0):
                said[side] = order[side](model, threads, repetitions)
            for name, theirs, ours in zip(ratios, said[0], said[1]):
                ratios[name].append(ours / theirs)
    for name, values in ratios.items():
        table.add(f"{name}: Assay / llama-bench", median(values), note=f"median of {pairs} pairs, "
                  f"{min(values):.3f} to {max(values):.3f}")
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
