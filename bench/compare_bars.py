#!/usr/bin/env python3
"""How often a comparison is wrong, and what it finds.

A/A: pairs of identical runs of the bundled engine, each with its model loaded anew three times; a
comparison may call at most 5 % of them better or worse. Power: an injected slowdown of 5 % of the
simulated engine, and one of the smallest effect that the comparison itself says it can find of the
bundled engine, are found in at least 80 %. Takes about half an hour on two cores.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchlib import ROOT, Setup, Table, arguments

PRIMARY = "decode_tps"
SLOWER = 1.05


class Runs:
    """Runs and comparisons in a data folder of their own."""

    def __init__(self, setup, folder):
        self.assay = setup.assay
        self.folder = Path(folder)
        self.environment = dict(os.environ, ASSAY_DATA_DIR=folder,
                                ASSAY_LOCK_FILE=f"{folder}/lock")

    def command(self, *args, slower=None):
        environment = dict(self.environment)
        if slower is not None:
            environment["ASSAY_ENGINE_DIR"] = str(self.slower_engine(slower))
        return subprocess.run([self.assay, *map(str, args)], env=environment, text=True,
                              stdout=subprocess.PIPE, check=False)

    def slower_engine(self, factor):
        """A folder that passes for the bundled engine's and stretches its answers in time."""
        engine = self.folder / f"engine-{factor}"
        if not engine.exists():
            engine.mkdir()
            (engine / "node_modules").symlink_to(ROOT / "engine/node_modules")
            (engine / "server.mjs").write_text(
                f'process.env.ASSAY_BENCH_SLOWER = "{factor}";\n'
                f'await import("{(ROOT / "bench/slow_answers.mjs").as_uri()}");\n'
                f'await import("{(ROOT / "engine/server.mjs").as_uri()}");\n', encoding="utf-8")
        return engine

    def run(self, *args, slower=None):
        done = self.command("run", "--quiet", "--no-progress", *args, slower=slower)
        if done.returncode != 0:
            sys.exit(f"assay run ended with {done.returncode}")
        return done.stdout.strip()

    def compare(self, base, new, *args):
        """(Rows by metric, whether the exit code says that something became worse.)"""
        done = self.command("compare", base, new, "--json", *args)
        if done.returncode not in (0, 3):
            sys.exit(f"assay compare ended with {done.returncode}")
        rows = json.loads(done.stdout)["comparisons"][0]["cells"][0]["metrics"]
        return {row["metric"]: row for row in rows}, done.returncode == 3


def engine_run(smoke):
    return ("--shape", "smollm2-135m:q8_0", "--prompt", "Count.", "--max-tokens", 20, "--warmup", 1,
            "-r", 2 if smoke else 3, "--restarts", 3)


def share(found):
    return sum(found) / len(found)


def add_identical(table, runs, pairs, smoke):
    called, failed, detectable = [], [], []
    for _ in range(pairs):
        base, new = (runs.run(*engine_run(smoke)) for _ in range(2))
        rows, regressed = runs.compare(base, new)
        called.append(rows[PRIMARY]["verdict"] in ("better", "worse"))
        failed.append(regressed)
        detectable.append(rows[PRIMARY]["detectable_change"])
    table.add(f"A/A: pairs called better or worse, of {pairs}", 100 * share(called), "%", most=5)
    table.add(f"A/A: pairs with exit code 3, of {pairs}", 100 * share(failed), "%", most=5)
    effect = statistics.median(detectable)
    table.add("A/A: smallest effect that is found, by the comparison", 100 * effect, "%")


def add_engine_power(table, runs, pairs, smoke):
    """Each pair of equal runs states what it finds; a run slower by that follows at once."""
    found, stated = [], []
    for _ in range(pairs):
        base, same = (runs.run(*engine_run(smoke)) for _ in range(2))
        stated.append(runs.compare(base, same)[0][PRIMARY]["detectable_change"])
        new = runs.run(*engine_run(smoke), slower=1 + stated[-1])
        found.append(runs.compare(base, new)[0][PRIMARY]["verdict"] == "worse")
    table.add("bundled engine: smallest effect that is found, median",
              100 * statistics.median(stated), "%")
    table.add(f"bundled engine slower by what each pair states: missed, of {len(found)}",
              100 * (1 - share(found)), "%", most=20)


def add_mock_power(table, setup, runs, pairs):
    flags = ("--ttft", "10ms", "--role", "none", "--gap-dist", "lognormal")
    run = ("--prompt", "Count.", "--max-tokens", 32, "--warmup", 1, "-r", 10)
    found, same = [], []
    with setup.mock(*flags, "--gap", "5ms", "--gap-sd", "0.5ms") as usual, \
            setup.mock(*flags, "--gap", f"{5 * SLOWER}ms", "--gap-sd", "0.5ms") as slower:
        for _ in range(pairs):
            base, again, new = (runs.run("--target", url, *run) for url in (usual, usual, slower))
            found.append(runs.compare(base, new)[0][PRIMARY]["verdict"] == "worse")
            same.append(runs.compare(base, again)[0][PRIMARY]["verdict"] in ("better", "worse"))
    table.add(f"mock 5 % slower, n = 10: missed, of {pairs}", 100 * (1 - share(found)), "%",
              most=20)
    table.add(f"mock as before, n = 10: called better or worse, of {pairs}", 100 * share(same),
              "%", most=5)


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40, help="pairs of each kind (40)")
    parser.add_argument("--only", choices=("mock", "engine", "engine-power"),
                        help="one part")
    options = parser.parse_args()
    pairs = 2 if options.smoke else options.pairs
    setup = Setup(options)
    table = Table("Comparisons", options)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        runs = Runs(setup, folder)
        if options.only in (None, "mock"):
            add_mock_power(table, setup, runs, pairs)
        if options.only != "mock":
            if options.only != "engine-power":
                add_identical(table, runs, pairs, options.smoke)
            add_engine_power(table, runs, pairs, options.smoke)
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
