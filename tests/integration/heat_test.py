"""What a run does about heat: pauses that let the machine cool, limits that stop it, calls that are
given up on a busy machine, the doctor's look at it, and the energy of each call."""
import csv
import json
import shutil
import time
import unittest

from assay_support import AssayTest, whole_lines
from recorded_machine import Recorded

RUN = ("--prompt", "hello there", "--no-progress", "-m", "mock", "--no-calibrate")


class Heat(AssayTest):
    def waits(self):
        return [line for line in self.ledger().lines if line["type"] == "wait"]

    def test_a_pause_between_calls_is_recorded_and_in_no_call(self):
        mock = self.mock()
        model = self.run_prompt(mock.url, "-r", "3", "--cooldown", "300ms", "--no-calibrate")
        ledger = self.ledger()
        self.assert_whole(ledger)
        waits = self.waits()
        self.assertEqual([w["gate"] for w in waits], ["call"] * 3)  # One call warms up.
        calls = sorted(ledger.finals, key=lambda c: c["sent_ns"])
        for wait, before, after in zip(waits, calls, calls[1:]):
            self.assertGreaterEqual(after["sent_ns"] - before["done_ns"], 300e6)
            self.assertGreaterEqual(wait["from_ns"], before["done_ns"])
            self.assertLessEqual(wait["to_ns"], after["sent_ns"])
            self.assertTrue(wait["cooled"])
        measured = [c for c in calls if c["phase"] == "measure"]
        with_pauses = (measured[-1]["done_ns"] - measured[0]["start_ns"]) / 1e9
        paused = sum(w["to_ns"] - w["from_ns"] for w in waits[1:]) / 1e9
        rate = model["legs"][0]["requests_per_sec"]
        self.assertAlmostEqual(rate * (with_pauses - paused) / 3, 1, delta=0.02)
        self.assertEqual(model["cooling"]["waits"], 3)
        self.assertGreater(model["cooling"]["seconds"], 0.85)
        self.assertIn("left to cool for", " ".join(model["notes"]))
        stages = [e["data"]["stage"] for e in ledger.events()[1] if e["event"] == "stage"]
        self.assertEqual(stages.count("cooling"), 3)
        self.assertEqual(stages.count("cooled"), 3)

    def test_calls_side_by_side_wait_together(self):
        mock = self.mock("--ttft", "20ms", "--gap", "5ms")
        model = self.run_prompt(mock.url, "-r", "9", "--max-concurrency", "3", "--cooldown", "200ms",
                                "--no-calibrate")
        self.assert_whole(self.ledger())
        waits = self.waits()
        self.assertGreaterEqual(len(waits), 2)
        for wait in waits:
            for call in self.ledger().finals:
                apart = call["done_ns"] <= wait["from_ns"] or call["sent_ns"] >= wait["to_ns"]
                self.assertTrue(apart, "nothing is in flight in a wait")
        (little,) = [c for c in model["measurement"]["checks"] if c["name"] == "littles_law"]
        self.assertTrue(little["ok"], "the account of calls in flight stays right")

    def test_a_gate_by_temperature_opens_when_it_is_cool_enough(self):
        mock = self.mock()
        with Recorded(self.box, "laptop", celsius=lambda t: max(50, 90 - 10 * t)) as machine:
            self.run_prompt(mock.url, "-r", "1", "--warmup", "1", "--cooldown", "60C",
                            "--sample-rate", "10", "--no-calibrate", env=machine.env)
        (wait,) = self.waits()
        self.assertEqual(wait["below_c"], 60)
        self.assertLessEqual(wait["temperature_c"], 60)
        self.assertTrue(wait["cooled"])
        words = [e["data"]["detail"] for e in self.ledger().events()[1]
                 if e["event"] == "stage" and e["data"]["stage"] == "cooling"]
        self.assertRegex(words[0], r"^cooling to 60 °C, now (\d+ °C|unknown)$")

    def test_a_sample_from_before_a_call_opens_no_gate(self):
        mock = self.mock("--ttft", "50ms", "--gap", "10ms", "--tokens", "45")
        began = time.monotonic()
        with Recorded(self.box, "laptop", celsius=lambda t: 50 if t < 2.5 else 90) as machine:
            self.run_prompt(mock.url, "-r", "5", "--warmup", "0", "--cooldown", "60C,max=1500ms",
                            "--sample-rate", "0.2", "--no-calibrate", env=machine.env)
        self.assertGreater(time.monotonic() - began, 2.5)
        ledger = self.ledger()
        rows = [json.loads(line) for line in whole_lines(ledger.directory / "telemetry.jsonl")]
        place = rows[0]["columns"].index("cpu_temperature_c") + 2
        # The samples are as many as the gates need, and each that opened one came before it.
        told = [(row[1] * 1e6, row[place]) for row in rows[1:]]
        calls = sorted(ledger.finals, key=lambda c: c["sent_ns"])
        for before, after in zip(calls, calls[1:]):
            ended, began = before["done_ns"], after["sent_ns"]
            if "not_cooled" in after["flags"]:  # Beside the moment in which the call ended.
                self.assertTrue(all(c > 60 for at, c in told if ended + 50e6 < at < began), told)
            else:
                self.assertTrue(any(c <= 60 for at, c in told if ended < at < began + 5e6), told)
        self.assertIn("not_cooled", calls[-1]["flags"])

    def test_a_gate_that_stays_hot_opens_at_its_bound_and_says_so(self):
        mock = self.mock()
        with Recorded(self.box, "laptop", celsius=lambda t: 80) as machine:
            model = self.run_prompt(mock.url, "-r", "1", "--cooldown", "60C,max=1s",
                                    "--no-calibrate", env=machine.env)
        (wait,) = self.waits()
        self.assertFalse(wait["cooled"])
        self.assertIn("not_cooled", self.ledger().finals[-1]["flags"])
        self.assertEqual(model["cooling"]["not_cooled"], 1)

    def test_the_gate_between_models_is_not_between_calls(self):
        mock = self.mock("--models", "a,b")
        self.assay("run", "--target", mock.url, "-m", "a", "-m", "b", "--prompt", "hello", "-r", "2",
                   "--cooldown", "model=200ms,batch=2:100ms", "--no-progress", "--no-calibrate")
        self.assertEqual([w["gate"] for w in self.waits()], ["batch", "model", "batch"])

    def test_without_a_sensor_a_temperature_is_an_error_before_anything_is_sent(self):
        mock = self.mock()
        machine = Recorded(self.box, "container")  # Nothing in it moves.
        for option, value in (("--cooldown", "60C"), ("--max-temp", "90C"), ("--max-power", "300W")):
            _, err = self.assay("run", "--target", mock.url, *RUN, option, value, env=machine.env,
                                code=2)
            self.assertIn("this machine shows no", err)
            self.assertIn(option, err)
        self.assertEqual(mock.stats()["by_model"], {})
        self.assertEqual(self.run_directories(), [])

    def stopped(self, *limits, **machine):
        """A run that a limit stops; its ledger and how long it went on."""
        mock = self.mock("--ttft", "50ms", "--gap", "50ms", "--tokens", "400")
        with Recorded(self.box, "laptop", **machine) as recorded:
            began = time.monotonic()
            out, err = self.assay("run", "--target", mock.url, *RUN, "-r", "50", "--warmup", "0",
                                  *limits, "--json", env=recorded.env, code=7)
            took = time.monotonic() - began
        self.assertIn("Stopping: ", err)
        return json.loads(out), self.ledger(), took

    def test_heat_stops_the_run_within_a_second(self):
        model, ledger, took = self.stopped("--max-temp", "75C",
                                           celsius=lambda t: 60 if t < 1.5 else 95)
        self.assertEqual(model["state"], "interrupted")
        self.assertEqual(model["stopped_by"], "max_temp: the CPU is at 95 °C, above 75 °C")
        self.assertEqual(ledger.end["stopped_by"], model["stopped_by"])
        self.assertLess(took, 15, "a call alone takes twenty seconds")
        rows = [json.loads(line) for line in whole_lines(ledger.directory / "telemetry.jsonl")]
        place = rows[0]["columns"].index("cpu_temperature_c")
        hot_ms = next(row[1] for row in rows[1:] if row[place + 2] > 75)
        self.assertLess(ledger.calls[0]["ended_ns"] / 1e6 - hot_ms, 1000)
        # The call in flight is on record, and left to a resume.
        self.assertEqual([(c["outcome"], c["final"]) for c in ledger.calls], [("cancelled", False)])
        self.assertIn("interrupted", [c["code"] for c in model["unreliable"]])

    def test_a_sensor_that_goes_away_stops_the_run(self):
        class Broken(Recorded):
            def put(self, file, text):
                if not file.startswith("sys/class/hwmon") or time.monotonic() - self.began < 3:
                    super().put(file, text)
                elif (chip := self.root / "sys/class/hwmon/hwmon4").exists():
                    shutil.rmtree(chip)

        mock = self.mock("--ttft", "50ms", "--gap", "50ms", "--tokens", "400")
        with Broken(self.box, "laptop", celsius=lambda t: 60) as machine:
            out, err = self.assay("run", "--target", mock.url, *RUN, "-r", "50", "--warmup", "0",
                                  "--max-temp", "75C", "--json", env=machine.env, code=7)
        self.assertRegex(json.loads(out)["stopped_by"],
                         "^max_temp: guard_blind: the sensor of the CPU tells nothing any more")
        self.assertIn("guard_blind", err)

    def test_power_stops_the_run(self):
        model, _, _ = self.stopped("--max-power", "40W", celsius=lambda t: 50)
        self.assertRegex(model["stopped_by"], r"^max_power: the machine takes \d+ W, above 40 W$")

    def test_a_stopped_run_goes_on_once_it_is_cool(self):
        mock = self.mock("--ttft", "20ms", "--gap", "20ms", "--tokens", "60")
        with Recorded(self.box, "laptop", celsius=lambda t: 60 if t < 2.5 else 95) as machine:
            self.assay("run", "--target", mock.url, *RUN, "-r", "3", "--max-temp", "75C",
                       env=machine.env, code=7)
        with Recorded(self.box / "cool", "laptop", celsius=lambda t: 60) as machine:
            self.assay("resume", "last", "--no-progress", env=machine.env)
        self.assert_whole(self.ledger())
        self.assertEqual(self.ledger().end["stopped_by"], "")

    def test_a_busy_machine_without_a_token_has_its_own_outcome(self):
        mock = self.mock()
        for fault, busy, code in (("hang_first", lambda t: 200 * t, "timeout:busy"),
                                  ("hang_first", lambda t: 5 * t, "timeout:first_token"),
                                  ("hang_mid", lambda t: 200 * t, "timeout:busy"),
                                  ("hang_mid", lambda t: 5 * t, "timeout:idle")):
            with self.subTest(fault=fault, code=code):
                with Recorded(self.box / code.replace(":", "_") / fault, "laptop",
                              busy=busy) as machine:
                    document = self.json(
                        "run", "--target", mock.url, "-m", f"fault:{fault}", "--prompt", "hi", "-r",
                        "1", "--warmup", "0", "--no-progress", "--no-calibrate", "--sample-rate",
                        "10", "--busy-timeout", "700ms", "--first-token-timeout", "3s",
                        "--idle-timeout", "3s", env=machine.env, code=6)
                call = self.ledger(document["run_id"]).finals[-1]
                self.assertEqual((call["outcome"], call["error_code"]), ("timeout", code))

    def test_each_call_has_its_energy(self):
        mock = self.mock("--ttft", "50ms", "--gap", "20ms", "--tokens", "60")
        with Recorded(self.box, "laptop") as machine:
            model = self.run_prompt(mock.url, "-r", "3", "--sample-rate", "10", "-o", "run.csv",
                                    "-o", "run.html", "-o", "run.md", env=machine.env)
        with open(self.work / "run.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["phase"] == "measure"]
        self.assertEqual(len(rows), 3)
        for row in rows:
            seconds = (int(row["done_ns"]) - int(row["sent_ns"])) / 1e9
            self.assertAlmostEqual(float(row["cpu_pkg_j"]), 45 * seconds, delta=9)
            self.assertEqual((row["energy_attributed"], row["energy_missing"]), ("false", ""))
            self.assertEqual(row["cpu_pkg_net_j"], "", "nobody knows the power at rest")
            self.assertIn("throttled", row["flags"])
        energy = model["legs"][0]["telemetry"]["energy"][0]
        self.assertAlmostEqual(energy["j_per_call"], sum(float(r["cpu_pkg_j"]) for r in rows) / 3,
                               delta=0.01)
        self.assertEqual(len(model["legs"][0]["telemetry"]["cpu_heat"]["band_shares"]), 5)
        self.assertIn(model["legs"][0]["telemetry"]["cpu_heat"]["hottest"], ("warm", "hot"))
        for name in ("run.html", "run.md"):
            text = (self.work / name).read_text(encoding="utf-8")
            self.assertIn("throttled", text)

    def test_throttled_follows_the_number_into_a_comparison(self):
        mock = self.mock("--ttft", "20ms", "--gap", "20ms", "--tokens", "60")
        ids = []
        with Recorded(self.box, "laptop") as machine:
            for env in ({}, machine.env):
                ids.append(self.run_prompt(mock.url, "-r", "3", env=env)["run_id"])
        comparison = self.json("compare", *ids)["comparisons"][0]
        rows = comparison["cells"][0]["metrics"]
        self.assertTrue(all("throttled" in row["new_marks"] for row in rows), rows)
        self.assertFalse(any("throttled" in row["base_marks"] for row in rows))
        out, _ = self.assay("compare", *ids)
        self.assertRegex(out, r"\d!")

    def test_the_doctor_looks_at_a_machine(self):
        with Recorded(self.box, "laptop", celsius=lambda t: 96) as machine:
            checks = {c["name"]: c for c in self.json("doctor", env=machine.env)["checks"]}
            out, _ = self.assay("doctor", env=machine.env)
        self.assertEqual(list(checks), ["governor", "turbo", "temperature", "sensors", "rapl",
                                        "clock_source", "load", "swap", "gpu_users", "container",
                                        "open_files"])
        self.assertEqual(checks["governor"]["health"], "warn")
        self.assertEqual(checks["temperature"]["health"], "warn")
        self.assertIn("cpupower", checks["governor"]["advice"])
        self.assertIn("warn     governor", out)
        for check in checks.values():
            self.assertTrue(check["found"])
        # This machine, whatever it is.
        self.assertEqual(len(self.json("doctor")["checks"]), 11)


if __name__ == "__main__":
    unittest.main()
