"""Every dialect, from the command line to the ledger: what was asked is what was sent, cold calls sum
to their wall, and what an engine cannot do is said."""
import json
import unittest
import urllib.request

from assay_support import AssayTest

# Flavor of the mock, kind of the engine, how a model is made cold.
COLD = [("ollama", "ollama", "unload"), ("lmstudio", "lmstudio", "unload"),
        ("llamacpp-router", "llamacpp", "unload"), ("vllm", "vllm", "sleep")]
ENDPOINTS = {"ollama": "/api/chat", "lmstudio": "/api/v1/chat",
             "lmstudio-v0": "/api/v0/chat/completions"}


def ms(call, start, end):
    return (call[end + "_ns"] - call[start + "_ns"]) / 1e6


class Dialects(AssayTest):
    def seen(self, mock):
        with urllib.request.urlopen(mock.url + "/requests", timeout=10) as answer:
            return json.load(answer)

    def test_the_kind_and_the_endpoint_are_recorded(self):
        for flavor, kind in (("ollama", "ollama"), ("lmstudio", "lmstudio"),
                             ("lmstudio-v0", "lmstudio"), ("llamacpp", "llamacpp"),
                             ("llamacpp-router", "llamacpp"), ("vllm", "vllm"),
                             ("openai", "openai")):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor)
                document = self.run_prompt(mock.url, "-r", "2")
                ledger = self.ledger(document["run_id"])
                self.assert_whole(ledger)
                self.assertEqual(ledger.meta["cells"][0]["kind"], kind)
                expected = ENDPOINTS.get(flavor, "/v1/chat/completions")
                self.assertEqual({c["endpoint"] for c in ledger.calls}, {expected})
                self.assertEqual({c["outcome"] for c in ledger.calls}, {"ok"})

    def test_a_process_is_the_memory_of_its_only_model_alone(self):
        for flavor, is_told in (("llamacpp", True), ("openai", True), ("llamacpp-router", False)):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor, "--models", "a,b" if not is_told else "a")
                document = self.json("run", "--target", mock.url, "-m", "a", "--budget", "2s",
                                     "--no-calibrate", "--no-progress")
                (cell,) = self.ledger(document["run_id"]).meta["cells"]
                self.assertEqual(cell["memory_bytes"] is not None, is_told)

    def test_settings_in_the_ledger_are_those_on_the_wire(self):
        names = {"ollama": ("options", "num_predict"), "lmstudio": (None, "max_output_tokens")}
        for flavor in ("ollama", "lmstudio", "vllm", "llamacpp", "openai"):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor)
                document = self.run_prompt(mock.url, "-r", "1", "--warmup", "0", "--max-tokens",
                                           "5", "--temperature", "0.25", "--top-k", "3")
                ledger = self.ledger(document["run_id"])
                settings = ledger.meta["legs"][-1]["settings"]
                self.assertEqual((settings["max_tokens"], settings["temperature"],
                                  settings["top_k"]), (5, 0.25, 3))
                self.assertIsNone(settings["context_length"])
                endpoint = ledger.finals[-1]["endpoint"]
                body = json.loads([s for s in self.seen(mock) if s["target"] == endpoint][-1]["body"])
                inside, limit = names.get(flavor, (None, "max_tokens"))
                place = body[inside] if inside else body
                self.assertEqual((place[limit], place["temperature"], place["top_k"]), (5, 0.25, 3))

    def test_what_an_engine_cannot_take_is_skipped_by_name(self):
        for flavor, kind, args, what in (
                ("vllm", "vllm", ("--context-length", "2048"), "context_length"),
                ("openai", "openai", ("--cache-prompt", "off"), "cache_prompt"),
                ("lmstudio", "lmstudio", ("--context-length", "2048", "--sampling-seed", "3"),
                 "seed")):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor)
                document = self.run_prompt(mock.url, "-r", "2", *args, code=2)
                ledger = self.ledger(document["run_id"])
                self.assertEqual({c["error"] for c in ledger.finals},
                                 {f"skipped: not supported by {kind}: {what}"})
                self.assertNotIn("/v1/chat/completions", [s["target"] for s in self.seen(mock)])

    def test_llama_server_is_told_not_to_use_its_cache(self):
        mock = self.mock("--flavor", "llamacpp")
        self.run_prompt(mock.url, "-r", "1", "--cache-prompt", "off")
        bodies = [json.loads(s["body"]) for s in self.seen(mock) if s["method"] == "POST"]
        self.assertEqual({b.get("cache_prompt") for b in bodies}, {False})

    def test_a_model_that_lm_studio_evicted_costs_one_attempt(self):
        mock = self.mock("--flavor", "lmstudio")
        document = self.run_prompt(mock.url, "-r", "2", "--warmup", "0", model="fault:unloaded")
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        self.assertEqual([(c["attempt"], c["final"], c["outcome"]) for c in ledger.calls],
                         [(1, False, "error"), (1, True, "ok"), (2, True, "ok"), (1, True, "ok")])
        self.assertEqual(ledger.calls[0]["flags"], ["model_unloaded"])
        # Its load is the time of a call beside the plan, and of no figure.
        self.assertEqual([(c["index"], c["phase"]) for c in ledger.calls],
                         [(0, "measure"), (-1, "warmup"), (0, "measure"), (1, "measure")])
        self.assertEqual(ledger.calls[2]["flags"], [])
        # A model that does not come back is asked for once more, and no more often.
        document = self.run_prompt(mock.url, "-r", "1", "--warmup", "0", "--max-failed", "9",
                                   model="fault:unloaded:9")
        ledger = self.ledger(document["run_id"])
        self.assertEqual([(c["index"], c["outcome"]) for c in ledger.calls],
                         [(0, "error"), (-1, "error"), (0, "error")])
        self.assertEqual(ledger.calls[2]["flags"], ["not_warm", "model_unloaded"])

    def test_servers_counters_are_read_around_each_stage(self):
        mock = self.mock("--flavor", "vllm", "--prefix-cache", "on")
        document = self.run_prompt(mock.url, "-r", "3", "--warmup", "1", "--max-tokens", "4")
        ledger = self.ledger(document["run_id"])
        warmup, measured = ledger.end["leg_counters"]
        self.assertEqual((warmup["legs"], warmup["output_tokens"]), ([0], 4))
        self.assertEqual((measured["legs"], measured["output_tokens"]), ([1], 12))
        self.assertEqual((measured["prefix_queries"], measured["prefix_hits"]), (6, 3))


class Cold(AssayTest):
    def assert_sums(self, call, load_ms):
        """Unload, load, prefill, decode and what is between them are the wall."""
        in_call = call["load_end_ns"] is None or call["load_end_ns"] > call["sent_ns"]
        prefill = ms(call, "sent", "first_text") - (load_ms if in_call else 0)
        self.assertGreaterEqual(prefill, 0)
        wall = ms(call, "unload_start", "done") - ms(call, "unload_end", "pause_end")
        parts = ms(call, "unload_start", "unload_end") + load_ms + prefill
        parts += ms(call, "first_text", "last_text")
        self.assertLessEqual(parts, wall + 0.001)
        return {"wall": wall, "other": wall - parts, "prefill": prefill}

    def test_cold_calls_come_first_and_their_parts_sum_to_the_wall(self):
        for flavor, kind, cold_kind in COLD:
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor, "--load-time", "60ms", "--ttft", "20ms",
                                 "--gap", "2ms")
                document = self.run_prompt(mock.url, "-r", "1", "--warmup", "0", "--cold", "1")
                ledger = self.ledger(document["run_id"])
                self.assert_whole(ledger)
                cold = ledger.finals[0]
                self.assertEqual((cold["phase"], cold["outcome"], cold["cold_kind"]),
                                 ("cold", "ok", cold_kind))
                (leg,) = [l for l in document["legs"] if l["phase"] == "cold"]
                figures = leg["metrics"]
                load = figures["cold.load_ms"]["mean"]
                self.assertGreaterEqual(load, 60)
                ours = self.assert_sums(cold, load)
                self.assertGreaterEqual(ours["prefill"], 19)
                total = sum(figures[name]["mean"] for name in
                            ("unload_ms", "cold.load_ms", "cold.prefill_ms", "cold.decode_ms",
                             "cold.other_ms"))
                self.assertAlmostEqual(total, figures["cold.wall_ms"]["mean"], delta=0.01)
                self.assertAlmostEqual(ours["wall"], figures["cold.wall_ms"]["mean"], delta=0.01)
                # Which file it reads is not known here, or it is not here: with a reason.
                self.assertIsNone(cold["page_cache_share"])
                why = "cannot be opened" if kind == "llamacpp" else "does not say which file"
                self.assertIn(why, cold["cold_note"])
                self.assertEqual(leg["cold_kinds"], [cold_kind])
                # Its process is known by its port.
                self.assertTrue(cold["read_bytes"] is not None or ";" in cold["cold_note"])
                text, _ = self.assay("report", document["run_id"])
                self.assertIn("Cold start", text)

    def test_an_engine_that_keeps_its_model_says_so(self):
        mock = self.mock("--flavor", "openai")
        document = self.run_prompt(mock.url, "-r", "1", "--cold", "2")
        ledger = self.ledger(document["run_id"])
        reasons = {c["error"] for c in ledger.finals if c["phase"] == "cold"}
        self.assertEqual(reasons, {"skipped: not supported by openai: cold"})
        self.assertEqual([c["outcome"] for c in ledger.finals if c["phase"] == "measure"], ["ok"])


if __name__ == "__main__":
    unittest.main()
