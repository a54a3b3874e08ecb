"""What the bench drivers share: the programs, the mock on a core of its own, bars and tables."""
import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOCK_CORE = 0
READER_CORE = 1


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release",
                        help="build folder (build/release)")
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    parser.add_argument("--smoke", action="store_true",
                        help="a second or two: only that it works; no bar is judged")
    parser.add_argument("--real-time", action="store_true",
                        help="real-time priority, so that other programs of a shared machine stay "
                             "out of the figures (needs the right to it)")
    return parser


class Setup:
    """The programs under test, and how they are started."""

    def __init__(self, options):
        self.build = options.build.resolve()
        self.assay = self.build / "assay"
        self.smoke = options.smoke
        self.priority = ["chrt", "-f", "5"] if options.real_time else []
        # Most streams of any bench, and some files besides.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 20_000 if most == resource.RLIM_INFINITY else min(20_000, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))

    def pinned(self, core, command):
        """The command on one core, where there are several."""
        command = self.priority + [str(part) for part in command]
        if shutil.which("taskset") is None or core not in os.sched_getaffinity(0):
            return command
        return ["taskset", "-c", str(core)] + command

    def run(self, program, *args):
        """The figures that one of the C++ benches prints."""
        done = subprocess.run(self.pinned(READER_CORE, [self.build / "bench" / program, *args,
                                                        "--json"]),
                              stdout=subprocess.PIPE, text=True, check=False)
        if not done.stdout:
            sys.exit(f"{program} gave no figures (exit code {done.returncode})")
        return json.loads(done.stdout)

    def assay_run(self, *args):
        """One `assay run` in a data folder of its own: (its JSON, its ledger's calls, CPU seconds,
        wall seconds)."""
        with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
            environment = dict(os.environ, ASSAY_DATA_DIR=folder,
                               ASSAY_LOCK_FILE=f"{folder}/lock")
            command = self.pinned(READER_CORE, [self.assay, "run", *args, "--json", "--quiet"])
            with open(f"{folder}/result.json", "w+b") as output:
                began = time.monotonic()
                child = subprocess.Popen(command, stdout=output, env=environment, cwd=folder)
                _, status, usage = os.wait4(child.pid, 0)
                wall_s = time.monotonic() - began
                child.returncode = os.waitstatus_to_exitcode(status)
                output.seek(0)
                text = output.read()
            if child.returncode != 0:
                sys.exit(f"assay run ended with {child.returncode}")
            ledgers = list(Path(folder).rglob("run.jsonl"))
            lines = [json.loads(line) for line in ledgers[0].read_text("utf-8").splitlines()]
            calls = [line for line in lines if line["type"] == "call"]
            return json.loads(text), calls, usage.ru_utime + usage.ru_stime, wall_s

    @contextlib.contextmanager
    def mock(self, *flags):
        """The mock's address while it runs."""
        command = self.pinned(MOCK_CORE, [self.assay, "mock-server", "--port", "0", *flags])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                yield json.loads(server.stdout.readline())["listening"]
            finally:
                server.terminate()


def machine():
    """The machine in one line, and how busy it is."""
    model = platform.processor()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release().split('-')[0]}"


def cpu_times():
    """(jiffies of all kinds, those that the host took) since this machine's start."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields), fields[7]


class Table:
    """Figures against their bars, one a row."""

    def __init__(self, title, options):
        self.title = title
        self.options = options
        self.rows = []
        self.load_before = os.getloadavg()[0]
        self.cpu_before = cpu_times()

    def add(self, name, value, unit="", most=None, note=""):
        """`most`: the bar; without one the figure only informs. A value of None failed."""
        passed = None if most is None else value is not None and value <= most
        self.rows.append({"name": name, "value": value, "unit": unit, "bar": most,
                          "pass": passed, "note": note})

    def finish(self):
        """Prints the table; the exit code."""
        load = (self.load_before, os.getloadavg()[0])
        # A virtual machine that gets no turn reads late, whatever its priorities are.
        whole, stolen = (after - before for after, before in zip(cpu_times(), self.cpu_before))
        steal = 100 * stolen / max(whole, 1)
        if self.options.json:
            print(json.dumps({"bench": self.title, "machine": machine(), "load": load,
                              "steal_percent": steal,
                              "smoke": self.options.smoke, "figures": self.rows}))
        else:
            print(f"{self.title}\n{machine()}; load average {load[0]:.1f} before, {load[1]:.1f} "
                  f"after, {steal:.2f} % taken by the host"
                  f"{'; real-time priority' if self.options.real_time else ''}\n")
            print(f"{'':<52} {'measured':>12} {'at most':>10}")
            for row in self.rows:
                value = "none" if row["value"] is None else f"{row['value']:.6g}"
                bar = "" if row["bar"] is None else f"{row['bar']:g}"
                verdict = {None: "", True: "PASS", False: "FAIL"}[row["pass"]]
                print(f"{row['name']:<52} {value:>12} {bar:>10} {row['unit']:<10} {verdict} "
                      f"{row['note']}".rstrip())
            print()
        failed = any(row["pass"] is False for row in self.rows)
        return 1 if failed and not self.options.smoke else 0


def median(values):
    return statistics.median(values) if values else None
