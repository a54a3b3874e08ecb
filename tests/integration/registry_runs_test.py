"""Model files that are enabled for benchmarks: measured with all others, one at a time, and reset."""
import json
import unittest

import gguf_files as g
import own_network
from assay_support import Ledger, wait_until
from supervised import FakeEngine

ASK = ("--prompt", "hi", "--max-tokens", "8", "-r", "2", "--warmup", "0", "--no-progress",
       "--no-calibrate")
ALONE = False


def setUpModule():
    global ALONE  # pylint: disable=global-statement
    ALONE = own_network.enter()


class Registry(FakeEngine):
    def setUp(self):
        super().setUp()
        if not ALONE:
            self.not_tested("no network namespace of its own: other servers may answer")
        self.models = self.box / "models"
        self.models.mkdir()
        self.program = self.fake("serve")
        for name, quantization in (("small", 7), ("large", 15)):
            (self.models / f"{name}.gguf").write_bytes(g.model(general__file_type=quantization))
        self.places = ("--models-dir", self.models)

    def enable(self, *names, benchmark=True):
        self.assay("models", "enable", *self.places, *names)
        if benchmark:
            self.assay("models", "benchmark", *self.places, *names)

    def command(self, *args):
        return ("run", *self.places, "--llama-server", self.program, *ASK, *args)

    def run_files(self, *args, **kwargs):
        return self.json(*self.command(*args), **kwargs)

    @staticmethod
    def measured(document):
        return sorted(c["model"] for c in document["cells"] if c["unavailable"] is None)

    def test_all_models_means_the_eligible_files_and_each_of_them_runs_alone(self):
        self.enable("small", "large")
        document = self.run_files("--all-models")
        self.assertEqual(self.measured(document), ["large", "small"])
        self.assertTrue(all(c["managed"] for c in document["cells"]))
        self.assertEqual({c["fingerprint"] for c in document["cells"]} & {None, ""}, set())
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        self.assertEqual({c["outcome"] for c in ledger.finals}, {"ok"})
        # Each to be looked at, and again before its calls; never two at once.
        served = [s["arguments"][s["arguments"].index("--alias") + 1] for s in self.starts()]
        self.assertEqual(served, ["large", "small", "large", "small"])
        again = self.run_files("--all-models")
        self.assertEqual(self.measured(again), [])
        for cell in again["cells"]:
            self.assertEqual(cell["unavailable"], f"run {document['run_id'][:8]} has results")

    def test_a_name_means_its_file_and_says_why_it_does_not(self):
        _, err = self.assay(*self.command("-m", "small"), code=5)
        self.assertIn("the model file small: it is not enabled", err)
        self.assertIn("assay models enable small", err)
        self.enable("small", benchmark=False)
        _, err = self.assay(*self.command("-m", "small"), code=5)
        self.assertIn("it is not enabled for benchmarks", err)
        self.assertEqual(self.starts(), [])
        self.enable("small")
        document = self.run_files("-m", "small")
        self.assertEqual([c["id"] for c in document["cells"]], ["local:llamacpp:small"])
        self.assertEqual(len(self.starts()), 1)
        _, err = self.assay(*self.command("-m", "other"), code=5)
        self.assertIn("no engine answers", err)

    def test_conditions_are_judged_by_the_header(self):
        self.enable("small", "large")
        self.assertEqual(self.measured(self.run_files("--quants", "q8_0")), ["small"])
        self.assertEqual(self.measured(self.run_files("--include-models", "lar")), ["large"])
        for refused in (("--arch", "qwen3"), ("--min-context", "4096"), ("--params", "7B"),
                        ("--only-tools",)):
            before = len(self.starts())
            _, err = self.assay(*self.command("--all-models", *refused), code=2)
            self.assertIn("no model holds the conditions", err)
            self.assertEqual(len(self.starts()), before, refused)

    def test_conditions_without_a_server_or_a_file_start_nothing_else(self):
        for asked in (("--all-models",), ("--all-models", "--arch", "nonexist"), ("--quants", "q4")):
            _, err = self.assay(*self.command(*asked), code=5)
            self.assertIn("no engine answers", err)
            self.assertIn("no model file is enabled for benchmarks", err)
        self.assertEqual((self.starts(), self.run_directories()), ([], []))

    def test_servers_and_files_are_one_table(self):
        self.enable("small")
        ollama = self.mock("--flavor", "ollama", "--models", "qwen3:8b,small")
        place = {"OLLAMA_HOST": ollama.url}
        document = self.run_files("--all-models", env=place)
        self.assertEqual([(c["kind"], c["model"]) for c in document["cells"]],
                         [("ollama", "qwen3:8b"), ("ollama", "small"), ("llamacpp", "small")])
        self.assertEqual(self.measured(document), ["qwen3:8b", "small", "small"])
        # A name that a server offers is the server's.
        document = self.run_files("-m", "small", env=place)
        self.assertEqual([c["kind"] for c in document["cells"]], ["ollama"])
        self.assertEqual([c["kind"] for c in self.run_files(
            "-m", "small", "--engine", "llamacpp", env=place)["cells"]], ["llamacpp"])

    def test_a_file_that_stays_loaded_is_listed_once(self):
        self.enable("small")
        self.assay("models", "load", "small", *self.places, "--llama-server", self.program)
        document = self.run_files("--all-models")
        self.assertEqual([c["model"] for c in document["cells"]], ["small"])

    def test_a_matrix_of_files_runs_one_engine_at_a_time(self):
        self.enable("small", "large")
        document = self.run_files("--all-models", "--threads", "1,2")
        self.assertEqual(sorted((c["model"], c["matrix"]["threads"]) for c in document["cells"]),
                         [(m, t) for m in ("large", "small") for t in ("1", "2")])
        self.assert_whole(self.ledger(document["run_id"]))

    def test_a_killed_run_of_files_is_resumed_from_another_folder(self):
        self.enable("small", "large")
        self.program = self.fake("serve", "--ttft", "2ms", "--gap", "20ms", "--tokens", "8")
        process = self.start("run", "--models-dir", "../models", "--llama-server",
                             "../llama-server", *ASK, "-r", "4", "--all-models")
        directory = wait_until(self.run_directories, "the run's directory")[0]
        wait_until(lambda: len(Ledger(directory).finals) > 4, "a call of the second model")
        process.kill()
        process.wait()
        before = Ledger(directory).finals
        self.work = self.box / "home"
        self.assay("resume", directory.name)
        after = Ledger(directory)
        self.assert_whole(after)
        self.assertEqual(after.finals[:len(before)], before)

    def test_reset_deletes_what_was_measured_of_one_model_only(self):
        self.enable("small", "large")
        both = self.run_files("--all-models")["run_id"]
        own = self.run_files("-m", "small", "--prompt", "again")["run_id"]
        held = self.run_files("-m", "small", "--prompt", "base")["run_id"]
        self.assay("baseline", "set", held)
        reset = ("models", "reset", *self.places)
        self.assay(*reset, "nobody", code=2)
        _, err = self.assay(*reset, "small", code=2)
        self.assertIn("--yes", err)
        self.assay(*reset, "small", "--dry-run")
        self.assertEqual(len(self.run_directories()), 3)
        document = self.json(*reset, "small", "--yes")
        self.assertEqual((document["deleted"], [k["run_id"] for k in document["kept"]],
                          [m["run_id"] for m in document["marked_invalid"]]),
                         ([own], [held], [both]))
        self.assertEqual({d.name for d in self.run_directories()}, {both, held})
        facts = [json.loads(line) for line in
                 (self.data / "state.jsonl").read_text(encoding="utf-8").splitlines()]
        (tombstone,) = [f for f in facts if f.get("type") == "model_reset"]
        self.assertEqual(tombstone["run_ids"], [own])
        # What was marked is no known result; the other model's still is.
        self.assertEqual(self.measured(self.run_files("--all-models")), ["small"])

    def test_a_run_marked_invalid_is_no_known_result(self):
        self.enable("small", "large")
        first = self.run_files("--all-models")["run_id"]
        self.assay("runs", "mark", first, "invalid", "--leg", "0")
        self.assertEqual(len(self.measured(self.run_files("--all-models"))), 1)
        for directory in self.run_directories():
            self.assay("runs", "mark", directory.name, "invalid")
        self.assertEqual(self.measured(self.run_files("--all-models")), ["large", "small"])


if __name__ == "__main__":
    unittest.main()
