"""A recorded machine whose sensors go on while a test runs."""
import shutil
import threading
import time
from pathlib import Path

MACHINES = Path(__file__).resolve().parents[1] / "data" / "machines"


class Recorded:
    """A copy of a machine under tests/data/machines. By default 45 W, a processor that is busy, gets
    hotter and slower, and throttles at last; the arguments are functions of the seconds since."""

    def __init__(self, box, name, celsius=lambda t: 70 + 4 * t, watts=45, busy=lambda t: 180 * t):
        self.root = box / name
        shutil.copytree(MACHINES / name, self.root)
        self.env = {"ASSAY_PROC_ROOT": str(self.root / "proc"),
                    "ASSAY_SYS_ROOT": str(self.root / "sys")}
        self.celsius, self.watts, self.busy = celsius, watts, busy
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.go_on)
        self.began = time.monotonic()

    def put(self, file, text):
        """At once, so that no reader sees half of it."""
        target = self.root / file
        part = target.with_name(target.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.rename(target)

    def go_on(self):
        while not self.stopping.wait(0.02):
            t = time.monotonic() - self.began
            busy, idle = 160_000 + int(self.busy(t)), 3_205_000 + int(200 * t - self.busy(t))
            self.put("proc/stat", f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n")
            self.put("sys/class/powercap/intel-rapl:0/energy_uj", f"{int(1e6 * self.watts * t)}\n")
            self.put("sys/class/hwmon/hwmon4/temp1_input", f"{int(1000 * self.celsius(t))}\n")
            for cpu in range(4):
                folder = f"sys/devices/system/cpu/cpu{cpu}"
                self.put(f"{folder}/cpufreq/scaling_cur_freq", f"{int(max(8e5, 3.4e6 - 2e5 * t))}\n")
                self.put(f"{folder}/thermal_throttle/core_throttle_count", f"{int(12 + t)}\n")

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
