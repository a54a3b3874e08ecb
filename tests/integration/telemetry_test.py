"""What the machine does meanwhile: sampled from a recorded machine's files, stored beside the
ledger, joined with the calls, shown in the reports; another machine's by way of ssh."""
import json
import os
import shutil
import stat
import unittest

from assay_support import BINARY, AssayTest, whole_lines
from recorded_machine import Recorded


class Telemetry(AssayTest):
    def telemetry(self):
        """(headers, rows) of the only run."""
        (directory,) = self.run_directories()
        lines = [json.loads(line) for line in whole_lines(directory / "telemetry.jsonl")]
        return ([line for line in lines if isinstance(line, dict)],
                [line for line in lines if isinstance(line, list)])

    def test_a_recorded_machine_is_under_the_calls(self):
        mock = self.mock("--ttft", "50ms", "--gap", "10ms", "--tokens", "60")
        with Recorded(self.box, "laptop") as machine:
            model = self.run_prompt(mock.url, "-r", "6", "--sample-rate", "10", "-o", "run.html",
                                    "-o", "run.csv", "-o", "run.md", env=machine.env)
        headers, rows = self.telemetry()
        self.assertEqual([h["node"] for h in headers], ["local"])
        self.assertEqual(headers[0]["cells"], [model["cells"][0]["id"]])
        self.assertEqual(headers[0]["facts"]["governor"], "powersave")
        self.assertGreater(len(rows), 20)
        for row in rows:
            self.assertEqual(len(row), len(headers[0]["columns"]) + 2)
        leg = model["legs"][0]["telemetry"]
        (energy,) = [e for e in leg["energy"] if e["domain"] == "cpu_pkg"]
        self.assertAlmostEqual(energy["mean_power_w"], 45, delta=6)
        self.assertAlmostEqual(energy["j_per_token"], 45 * 0.64 / 60, delta=0.12)
        self.assertGreater(leg["peak_cpu_temperature_c"], 70)
        self.assertGreater(leg["throttled_calls"], 0)
        codes = [mark["code"] for mark in model["legs"][0]["marks"]]
        self.assertIn("throttled", codes)
        self.assertIn("clock_fell", codes)
        self.assertIn("throttled", [caveat["code"] for caveat in model["unreliable"]])
        page = (self.work / "run.html").read_text(encoding="utf-8")
        for words in ("Temperature, °C", "Power, W", "Clock, MHz", "Use, %"):
            self.assertIn(words, page)
        self.assertIn("throttled", (self.work / "run.csv").read_text(encoding="utf-8"))
        self.assertIn("J/token", (self.work / "run.md").read_text(encoding="utf-8"))
        kept = os.environ.get("ASSAY_KEEP_PAGE")
        if kept:
            shutil.copy(self.work / "run.html", kept)

    def test_nothing_is_sampled_where_it_is_not_wanted(self):
        mock = self.mock()
        model = self.run_prompt(mock.url, "-r", "2", "--sample-rate", "0")
        (directory,) = self.run_directories()
        self.assertFalse((directory / "telemetry.jsonl").exists())
        self.assertEqual(model["telemetry"], [])
        self.assertIsNone(model["legs"][0]["telemetry"])

    def test_a_cut_file_takes_nothing_else_away(self):
        mock = self.mock("--tokens", "30", "--gap", "20ms")
        with Recorded(self.box, "laptop") as machine:
            self.run_prompt(mock.url, "-r", "2", "--sample-rate", "10", env=machine.env)
        (directory,) = self.run_directories()
        path = directory / "telemetry.jsonl"
        data = path.read_bytes()
        path.write_bytes(data[:len(data) // 2])
        half = self.json("runs", "show", "last")["telemetry"][0]["samples"]
        self.assertGreater(half, 0)
        path.write_bytes(b"\x00\xff{[garbage\n" * 50)
        self.assertEqual(self.json("runs", "show", "last")["telemetry"], [])

    def test_sample_prints_lines(self):
        with Recorded(self.box, "laptop") as machine:
            out, _ = self.assay("sample", "--rate", "10", "--for", "500ms", env=machine.env)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(lines[0]["type"], "telemetry")
        self.assertGreaterEqual(len(lines), 3)
        place = lines[0]["columns"].index("cpu_temperature_c")
        self.assertGreaterEqual(lines[-1][place + 2], 70)
        self.assay("sample", "--rate", "11", code=2)

    def ssh(self, script):
        """Puts a program named ssh before the real one; the environment with it."""
        folder = self.box / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "ssh"
        program.write_text("#!/bin/sh\n" + script, encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return {"PATH": f"{folder}:{self.env['PATH']}"}

    def test_another_machine_is_sampled_by_ssh(self):
        mock = self.mock("--ttft", "50ms", "--gap", "10ms", "--tokens", "40")
        with Recorded(self.box, "laptop") as there:
            roots = " ".join(f"{name}={value}" for name, value in there.env.items())
            # What ssh does: the destination goes, the rest is a command over there.
            env = self.ssh(f'echo "$@" >> {self.box}/asked\n'
                           'while [ "$1" != "--" ]; do shift; done\nshift 3\n'
                           f'exec env {roots} {BINARY} "$@"\n')
            model = self.run_prompt(mock.url, "-r", "4", "--sample-rate", "10",
                                    "--sample-node", "local=bench@box", env=env)
        self.assertEqual((self.box / "asked").read_text(encoding="utf-8").split(),
                         ["-T", "-o", "BatchMode=yes", "--", "bench@box", "assay", "sample",
                          "--rate", "10", "--clock"])
        streams = {s["node"]: s for s in model["telemetry"] if s["cells"]}
        self.assertEqual(list(streams), ["local"])
        self.assertLess(streams["local"]["clock_bound_ms"], 1000)
        self.assertGreaterEqual(streams["local"]["clock_bound_ms"], 0)
        leg = model["legs"][0]["telemetry"]
        self.assertGreater(leg["peak_cpu_temperature_c"], 70)
        self.assertEqual([e["domain"] for e in leg["energy"]], ["cpu_pkg"])
        self.assertEqual([p for p in self.own_processes() if "sample" in p[1]], [])

    def test_an_engine_that_others_started_is_found_by_its_port(self):
        mock = self.mock("--ttft", "50ms", "--gap", "10ms", "--tokens", "40")
        model = self.run_prompt(mock.url, "-r", "3", "--sample-rate", "10")
        (leg,) = model["legs"]
        with open(f"/proc/{mock.process.pid}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        self.assertGreater(leg["telemetry"]["peak_engine_memory_bytes"], 0.5 * resident)
        self.assertLess(leg["telemetry"]["peak_engine_memory_bytes"], 2 * resident)
        self.assertNotIn("engine_memory_bytes", model["telemetry"][0]["missing"])

    def test_a_node_that_no_cell_has_is_an_error(self):
        mock = self.mock()
        env = self.ssh(f"touch {self.box}/asked\nexit 1\n")
        _, err = self.assay("run", "--target", mock.url, "-m", "mock", "--prompt", "hello",
                            "--no-progress", "--sample-node", "boxx=box", env=env, code=2)
        self.assertIn("--sample-node boxx: no cell of this run is of that node", err)
        self.assertIn("here: local", err)
        self.assertFalse((self.box / "asked").exists())
        _, err = self.assay("run", "--target", mock.url, "-m", "mock", "--prompt", "hello",
                            "--sample-node", "local=a", "--sample-node", "local=b", code=2)
        self.assertIn("--sample-node names local twice", err)

    def test_a_connection_that_ends_is_told_and_the_program_there_can_be_named(self):
        mock = self.mock("--ttft", "50ms", "--gap", "10ms", "--tokens", "100")
        with Recorded(self.box, "laptop") as there:
            roots = " ".join(f"{name}={value}" for name, value in there.env.items())
            env = self.ssh(f'echo "$@" >> {self.box}/asked\n'
                           'while [ "$1" != "--" ]; do shift; done\nshift 3\n'
                           f'exec timeout 4 env {roots} {BINARY} "$@"\n')
            out, err = self.assay("run", "--target", mock.url, "-m", "mock", "--prompt", "hello",
                                  "-r", "8", "--no-progress", "--no-calibrate", "--sample-rate",
                                  "10", "--sample-node", "local=box:/opt/assay", env=env)
        self.assertIn("box /opt/assay sample", (self.box / "asked").read_text(encoding="utf-8"))
        self.assertIn("node local: its samples end before the run does", err)

    def test_a_node_that_cannot_be_sampled_ends_the_run_before_it_begins(self):
        mock = self.mock()
        env = self.ssh("echo 'ssh: connect to host box port 22: No route to host' >&2\nexit 255\n")
        _, err = self.assay("run", "--target", mock.url, "-m", "mock", "--prompt", "hello",
                            "--no-progress", "--sample-node", "local=box", env=env, code=5)
        self.assertIn("No route to host", err)
        self.assertEqual(self.run_directories(), [])


if __name__ == "__main__":
    unittest.main()
