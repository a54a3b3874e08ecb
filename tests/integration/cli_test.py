"""`assay run` as people and scripts see it: its document, its text, its exit codes."""
import hashlib
import json
import os
import re
import signal
import socket
import unittest

from assay_support import AssayTest, Ledger, wait_until

NUMBER = (int, float)
PROMPT = "hello there"


def free_port():
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Document(AssayTest):
    def check_metric(self, name, metric):
        self.assertEqual(set(metric), {"unit", "n", "mean", "ci95", "p50", "p90", "p95", "p99",
                                       "min", "max", "low_n", "p50_ci95", "p90_ci95",
                                       "p95_ci95", "p99_ci95"}, name)
        self.assertIsInstance(metric["unit"], str)
        self.assertIsInstance(metric["n"], int)
        for key in ("mean", "p50", "min", "max"):
            self.assertIsInstance(metric[key], NUMBER, f"{name}.{key}")
        for key in ("p90", "p95", "p99"):
            self.assertIsInstance(metric[key], (*NUMBER, type(None)), f"{name}.{key}")
        if metric["ci95"] is not None:
            low, high = metric["ci95"]
            self.assertLessEqual(low, metric["mean"] + 1e-6)
            self.assertGreaterEqual(high, metric["mean"] - 1e-6)
        for key in ("p50", "p90", "p95", "p99"):
            if metric[key + "_ci95"] is not None and metric[key] is not None:
                low, high = metric[key + "_ci95"]
                self.assertLessEqual(low, metric[key] + 1e-6)
                self.assertGreaterEqual(high, metric[key] - 1e-6)
        self.assertLessEqual(metric["min"], metric["max"])
        self.assertIsInstance(metric["low_n"], list)

    def check_leg(self, leg):
        for key in ("n", "ok", "failed", "skipped", "attempts", "empty", "length", "concurrency"):
            self.assertIsInstance(leg[key], int, key)
        self.assertEqual(leg["n"], leg["ok"] + leg["failed"] + leg["skipped"])
        self.assertLessEqual(leg["empty"] + leg["length"], 2 * leg["ok"])
        self.assertIn(leg["prefix"], ("fresh", "reused", "unknown"))
        for key in ("aggregate_tps", "requests_per_sec"):
            self.assertIsInstance(leg[key], (*NUMBER, type(None)), key)
        for name, metric in leg["metrics"].items():
            self.check_metric(name, metric)

    def test_one_document_with_the_promised_shape(self):
        mock = self.mock("--ttft", "20ms", "--gap", "3ms")
        document = json.loads(self.assay("run", "--target", mock.url, "-m", "mock", "--prompt",
                                         PROMPT, "-r", "6", "--max-concurrency", "2", "--json")[0])
        self.assertEqual(document["schema"], "assay.run/1")
        self.assertTrue((self.data / "runs" / document["run_id"]).is_dir())
        for caveat in document["unreliable"]:
            self.assertEqual({type(caveat["code"]), type(caveat["detail"])}, {str})
        measurement = document["measurement"]
        self.assertIsInstance(measurement["ok"], bool)
        self.assertIn(measurement["stamps"], ("kernel", "read", "mixed"))
        for key in ("client_lag_ms_p99", "loop_lag_ms_p99", "coalesced_share"):
            self.assertIsInstance(measurement[key], (*NUMBER, type(None)), key)
        self.assertTrue(measurement["checks"])
        for check in measurement["checks"]:
            self.assertEqual(set(check), {"name", "ok", "value", "limit"})
            self.assertIsInstance(check["ok"], bool)
        (leg,) = document["legs"]
        self.check_leg(leg)
        self.assertEqual(leg["cell_id"], "local:openai:mock")
        digest = hashlib.sha256(PROMPT.encode()).hexdigest()
        self.assertEqual(leg["prompt_id"], "prompt-" + digest[:8])
        self.assertEqual((leg["phase"], leg["concurrency"], leg["n"], leg["ok"], leg["attempts"]),
                         ("measure", 2, 6, 6, 6))
        self.assertIsNone(leg["skipped_reason"])
        self.assertEqual(leg["metrics"]["ttft_ms"]["n"], 6)
        self.assertGreaterEqual(leg["metrics"]["ttft_ms"]["min"], 19)
        self.assert_whole(self.ledger(document["run_id"]))

    def test_failed_attempts_and_short_answers_are_counted_beside(self):
        mock = self.mock()
        leg = self.run_prompt(mock.url, "-r", "3", "--warmup", "0", model="fault:429:2")["legs"][0]
        self.assertEqual((leg["ok"], leg["attempts"]), (3, 5))
        leg = self.run_prompt(mock.url, "-r", "2", model="fault:empty")["legs"][0]
        self.assertEqual((leg["ok"], leg["empty"]), (2, 2))
        leg = self.run_prompt(mock.url, "-r", "2", "--max-tokens", "3")["legs"][0]
        self.assertEqual((leg["ok"], leg["length"]), (2, 2))

    def test_a_refused_member_is_recorded_and_left_out_from_then_on(self):
        mock = self.mock()
        model = "fault:refuse_stream_options"
        document = self.run_prompt(mock.url, "-r", "3", "--warmup", "0", model=model)
        calls = self.ledger(document["run_id"]).calls
        self.assertEqual([(c["index"], c["attempt"], c["final"], c["outcome"]) for c in calls],
                         [(0, 1, False, "error"), (0, 2, True, "ok"), (1, 1, True, "ok"),
                          (2, 1, True, "ok")])
        self.assertEqual(calls[0]["flags"], ["refused_member"])
        self.assertEqual(mock.stats()["attempts"][model], 4)

    def test_warmup_calls_are_in_no_figure(self):
        mock = self.mock()
        document = self.run_prompt(mock.url, "-r", "2", "--warmup", "3")
        self.assertEqual((document["warmup"]["n"], document["legs"][0]["n"]), (3, 2))
        document = self.run_prompt(mock.url, "-r", "2", "--warmup", "0")
        self.assertEqual(document["warmup"]["n"], 0)
        phases = {c["phase"] for c in self.ledger(document["run_id"]).calls}
        self.assertEqual(phases, {"measure"})

    def test_several_models_make_several_cells(self):
        mock = self.mock("--models", "one,two,three")
        document = self.run_prompt(mock.url, "-m", "two", "-r", "2", model="one")
        cells = ["local:openai:one", "local:openai:two"]
        self.assertEqual([leg["cell_id"] for leg in document["legs"]], cells)
        document = self.run_prompt(mock.url, "-r", "1", model="t*")
        self.assertEqual([leg["cell_id"] for leg in document["legs"]],
                         ["local:openai:two", "local:openai:three"])

    def test_an_unreachable_second_target_is_a_skipped_line(self):
        mock = self.mock()
        document = self.run_prompt(mock.url, "--target", f"http://127.0.0.1:{free_port()}", "-r",
                                   "2")
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        (skipped,) = [c for c in ledger.finals if c["phase"] == "skipped"]
        self.assertEqual(skipped["outcome"], "skipped")
        self.assertIn("unreachable", skipped["error"])
        (leg,) = [leg for leg in document["legs"] if leg["phase"] == "skipped"]
        self.assertEqual((leg["n"], leg["skipped"]), (1, 1))
        self.assertIn("unreachable", leg["skipped_reason"])

    def test_labels_and_responses_are_kept(self):
        mock = self.mock()
        document = self.run_prompt(mock.url, "-r", "2", "--label", "site=lab", "--label", "x=1=2",
                                   "--save-responses", "all")
        ledger = self.ledger(document["run_id"])
        self.assertEqual(ledger.meta["labels"], ["site=lab", "x=1=2"])
        texts = {r["index"]: r["text"] for r in ledger.responses()}
        self.assertEqual(sorted(texts), [0, 1, 2])
        for call in ledger.finals:
            digest = hashlib.sha256(texts[call["index"]].encode()).hexdigest()
            self.assertEqual(call["response_sha256"], digest)
        document = self.run_prompt(mock.url, "-r", "4", "--warmup", "0", "--save-responses",
                                   "sample:2")
        kept = self.ledger(document["run_id"]).responses()
        self.assertEqual([r["index"] for r in kept], [0, 2])

    def test_reports_are_written_beside_the_result(self):
        mock = self.mock()
        self.run_prompt(mock.url, "-r", "2", "-o", "a.json", "-o", "a.csv", "-o", "a.md")
        for name in ("a.json", "a.csv", "a.md"):
            self.assertTrue((self.work / name).stat().st_size > 100, name)


class Text(AssayTest):
    def run_text(self, url, *args, env=None):
        return self.assay("run", "--target", url, "-m", "fault:xss", "-m", "mock", "--prompt",
                          PROMPT, "-r", "3", *args, env=env)

    def check_width(self, text):
        for line in text.splitlines():
            if not line.startswith("Saved "):  # A path is never cut.
                self.assertLessEqual(len(line), 80, line)

    def test_piped_output_is_narrow_and_plain(self):
        url = self.mock().url
        for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
            out, err = self.run_text(url, env=env)
            self.check_width(out)
            self.assertNotIn("\x1b", out + err)
            self.assertRegex(out, r"(?m)^mock ")

    def test_the_c_locale_gets_ascii(self):
        out, err = self.run_text(self.mock().url, env={"LC_ALL": "C"})
        self.assertTrue(out.isascii(), [c for c in out if not c.isascii()])
        self.assertTrue(err.isascii(), [c for c in err if not c.isascii()])
        self.check_width(out)

    def test_colour_can_be_forced(self):
        out, _ = self.run_text(self.mock().url, "--color", "always")
        self.assertIn("\x1b[", out)
        self.check_width(re.sub(r"\x1b\[[0-9;]*m", "", out))

    def test_quiet_prints_the_run_id_alone(self):
        out, err = self.run_text(self.mock().url, "-q")
        self.assertEqual(out.strip(), self.run_directories()[0].name)
        self.assertEqual(err, "")

    def test_saved_responses_of_a_hostile_model_reach_no_terminal(self):
        out, err = self.run_text(self.mock().url, "--save-responses", "all")
        self.assertNotIn("\x1b", out + err)
        self.assertNotIn("evil.invalid", out + err)


class ExitCodes(AssayTest):
    def usage(self, *args, says):
        out, err = self.assay(*args, code=2)
        self.assertEqual(out, "")
        for text in says:
            self.assertIn(text, err)
        self.assertEqual(self.run_directories(), [])

    def test_2_for_wrong_usage(self):
        url = "http://127.0.0.1:1"
        self.usage("run", "--targt", url, says=["unknown option --targt", "did you mean --target"])
        self.usage("rum", says=["rum", "did you mean run?"])
        self.usage("run", "--target", url, "--prompt", "x", "--max-concurrency", "3", "-r", "2",
                   says=["--max-concurrency 3", "2 calls"])
        self.usage("run", "--target", url, "--suite", "smoek", says=["smoek", "did you mean smoke"])
        self.usage("run", "--target", url, "--suite", "nothing-like-it",
                   says=["no suite or file", "assay suites list"])
        self.usage("run", "--target", url, "--repetitions", "many", says=["many"])
        self.usage("run", "--target", url, "-o", "report.pdf", says=[".html, .md, .json, .csv and .xml"])
        self.usage("run", "--target", "ftp://host", "--prompt", "x", says=["ftp"])
        self.usage("runs", "show", "zzzzzz", says=["zzzzzz"])

    def test_2_tells_all_faults_of_a_configuration_at_once(self):
        (self.work / "assay.yaml").write_text("budgt: 3s\nwarmup: 2\nretries: many\n")
        self.usage("run", "--target", "http://127.0.0.1:1", says=[
            "assay.yaml:1: unknown option 'budgt', did you mean budget?", "assay.yaml:3: retries"])

    def test_4_names_who_measures_and_wait_waits(self):
        mock = self.mock("--ttft", "150ms")
        first = self.start("run", "--target", mock.url, "-m", "mock", "--prompt", PROMPT, "-r",
                           "16", "--warmup", "0", "--quiet")
        directory = wait_until(self.run_directories, "the first run")[0]
        wait_until(lambda: Ledger(directory).finals, "its first call")
        arguments = ["run", "--target", mock.url, "-m", "mock", "--prompt", PROMPT, "-r", "1"]
        _, err = self.assay(*arguments, code=4)
        self.assertIn(f"run {directory.name[:8]}", err)
        self.assertIn(f"pid {first.pid}", err)
        self.assertIn("--wait", err)
        _, err = self.assay("resume", directory.name, code=4)
        self.assertIn("another run is measuring", err)
        _, err = self.assay(*arguments, "--wait")
        self.assertIn("waiting: another run is measuring", err)
        self.assertEqual(first.wait(timeout=10), 0)
        starts = [Ledger(d) for d in self.run_directories()]
        self.assertEqual([ledger.end["state"] for ledger in starts], ["completed"] * 2)

    def test_4_ends_with_its_holder_even_by_kill_9(self):
        mock = self.mock("--ttft", "10s")
        first = self.start("run", "--target", mock.url, "-m", "mock", "--prompt", PROMPT)
        wait_until(self.run_directories, "the first run")
        first.send_signal(signal.SIGKILL)
        first.wait()
        quick = self.mock()
        self.run_prompt(quick.url, "-r", "1")

    def test_5_when_no_target_can_be_reached(self):
        _, err = self.assay("run", "--target", f"http://127.0.0.1:{free_port()}", "--prompt",
                            PROMPT, code=5)
        self.assertIn("no target can be reached", err)
        self.assertIn("hint:", err)
        _, err = self.assay("run", "--target", "http://no-such.invalid", "--prompt", PROMPT, code=5)
        self.assertEqual(self.run_directories(), [])

    def test_6_when_too_many_calls_failed(self):
        mock = self.mock()
        run = ["run", "--target", mock.url, "--prompt", PROMPT, "-r", "2", "--warmup", "0", "-q"]
        self.assay(*run, "-m", "fault:400", code=6)
        self.assay(*run, "-m", "fault:400", "--max-failed", "2")
        mixed = [*run, "-m", "mock", "-m", "fault:bad_json"]
        self.assay(*mixed)
        self.assay(*mixed, "--max-failed", "1", code=6)
        self.assay(*mixed, "--max-failed", "0", code=6)
        self.assay(*run, "-m", "mock", "--max-failed", "0")

    def test_401_stops_the_cell(self):
        mock = self.mock()
        document = self.run_prompt(mock.url, "-r", "4", "--warmup", "0", model="fault:401", code=6)
        leg = document["legs"][0]
        self.assertEqual((leg["failed"], leg["skipped"]), (1, 3))
        self.assertEqual(leg["skipped_reason"], "http 401")
        self.assertEqual(mock.stats()["attempts"]["fault:401"], 1)

    def test_1_when_the_data_cannot_be_written(self):
        (self.work / "file").write_text("")
        _, err = self.assay("run", "--target", self.mock().url, "-m", "mock", "--prompt", PROMPT,
                            "--data-dir", self.work / "file", code=1)
        self.assertIn("error: cannot create", err)


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main()
