#!/usr/bin/env python3
"""What sampling this machine costs: CPU time of `assay sample`, its start taken off.

The sampler of a run is the same code on a thread of its own. The cost of the start is that of a
short run, so that the difference of two runs is sampling alone.
"""
import os
import subprocess
import sys

from benchlib import Setup, Table, arguments

MOST_SHARE = 0.005  # Of a core, at one sample a second.


def cpu_and_lines(setup, rate, seconds):
    """(CPU seconds, samples) of one `assay sample`."""
    command = [setup.assay, "sample", "--rate", str(rate), "--for", f"{seconds}s"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    lines = child.stdout.read().splitlines()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"assay sample ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, len(lines) - 1, max(map(len, lines[1:]), default=0)


def main():
    options = arguments(__doc__.splitlines()[0]).parse_args()
    setup = Setup(options)
    table = Table("CPU time of sampling this machine", options)
    for rate, short_s, long_s in ((10, 1, 2),) if setup.smoke else ((1, 2, 32), (10, 2, 12)):
        short, few, _ = cpu_and_lines(setup, rate, short_s)
        long, many, size = cpu_and_lines(setup, rate, long_s)
        share = (long - short) / (long_s - short_s)
        table.add(f"{rate} a second: share of a core", 100 * share, "%",
                  most=100 * MOST_SHARE if rate == 1 else None,
                  note=f"{many - few} samples")
        table.add(f"{rate} a second: CPU of a sample", 1e6 * (long - short) / max(1, many - few),
                  "us")
        table.add(f"{rate} a second: longest line", size, "bytes")
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
