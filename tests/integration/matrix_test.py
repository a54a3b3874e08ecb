"""Lists of settings make a matrix, levels of concurrency a headcount, in every dialect."""
import json
import unittest
import urllib.request

from assay_support import AssayTest

ASK = ("--prompt", "hi", "--warmup", "0", "--no-progress", "--no-calibrate")
FAST = ("--ttft", "1ms", "--gap", "1ms", "--tokens", "4")


class Matrix(AssayTest):
    def bodies(self, mock, path):
        with urllib.request.urlopen(mock.url + "/requests", timeout=10) as answer:
            seen = json.load(answer)
        return [json.loads(s["body"]) for s in seen if s["target"] == path]

    def matrix(self, mock, *args, **kwargs):
        return self.json("run", "--target", mock.url, *ASK, "-r", "2", *args, **kwargs)

    def test_each_combination_is_a_cell_with_a_hash_of_its_own(self):
        for flavor in ("openai", "ollama", "lmstudio", "lmstudio-v0", "llamacpp",
                       "llamacpp-router", "vllm"):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor, *FAST)
                document = self.matrix(mock, "--temperature", "0,0.7", "--max-tokens", "2,3")
                self.assertEqual([cell["matrix"] for cell in document["cells"]],
                                 [{"max-tokens": m, "temperature": t}
                                  for m in ("2", "3") for t in ("0", "0.7")])
                ledger = self.ledger(document["run_id"])
                self.assert_whole(ledger)
                self.assertEqual({c["outcome"] for c in ledger.finals}, {"ok"})
                self.assertEqual(len({leg["settings_hash"] for leg in document["legs"]}), 4)
                self.assertEqual([(leg["settings"]["max_tokens"], leg["settings"]["temperature"])
                                  for leg in document["legs"]],
                                 [(2, 0.0), (2, 0.7), (3, 0.0), (3, 0.7)])

    def test_ollama_is_asked_for_context_and_threads_with_each_call(self):
        mock = self.mock("--flavor", "ollama", *FAST)
        document = self.matrix(mock, "--context-length", "2048,4096", "--threads", "2,4",
                               "--gpu-layers", "0")
        asked = [body["options"] for body in self.bodies(mock, "/api/chat")]
        pairs = [(one["num_ctx"], one["num_thread"], one["num_gpu"]) for one in asked]
        self.assertEqual(pairs, [p for p in ((2048, 2, 0), (2048, 4, 0), (4096, 2, 0),
                                             (4096, 4, 0)) for _ in range(2)])
        load = document["legs"][-1]["settings"]["load"]
        self.assertEqual((load["threads"], load["gpu_layers"], load["mmap"]), (4, 0, None))

    def test_lm_studio_loads_the_model_anew_for_each_way_to_load_it(self):
        mock = self.mock("--flavor", "lmstudio", *FAST)
        self.matrix(mock, "--context-length", "2048,4096", "--flash-attention", "on,off",
                    "--temperature", "0,1")
        loads = [(body["context_length"], body["flash_attention"])
                 for body in self.bodies(mock, "/api/v1/models/load")]
        self.assertEqual(loads, [(2048, True), (2048, False), (4096, True), (4096, False)])
        chats = self.bodies(mock, "/api/v1/chat")
        self.assertEqual([body["context_length"] for body in chats], [2048] * 8 + [4096] * 8)

    def test_each_load_is_recorded_as_asked_and_as_the_server_has_it(self):
        for flavor, args in (("lmstudio", ()), ("ollama", ("--gpu-layers", "0"))):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor, *FAST)
                document = self.matrix(mock, "--context-length", "2048,4096", *args)
                cells = document["cells"]
                self.assertEqual([c["load_requested"]["context_length"] for c in cells],
                                 [2048, 4096])
                self.assertEqual([c["load_effective"]["context_length"] for c in cells],
                                 [2048, 4096])
                self.assertEqual([c["context_length"] for c in cells], [2048, 4096])
                loads = [line for line in self.ledger(document["run_id"]).lines
                         if line["type"] == "load"]
                self.assertEqual([line["cell"] for line in loads], [0, 1])
                if flavor == "lmstudio":  # Told beside what was asked.
                    self.assertEqual({c["load_effective"]["batch_size"] for c in cells}, {512})
                else:
                    memory = [s["memory_bytes"] for s in document["cells_summary"]]
                    self.assertEqual(memory, [1_002_048_000, 1_004_096_000])
                    self.assertEqual([line["vram_bytes"] for line in loads], [0, 0])

    def test_a_rank_by_memory_is_one_of_the_loaded_models(self):
        mock = self.mock("--flavor", "ollama", *FAST)
        out, _ = self.assay("run", "--target", mock.url, *ASK, "-r", "2", "--context-length",
                            "8192,2048", "--rank-by", "memory")
        rows = [line.split()[0] for line in out.splitlines() if line.startswith(("2048", "8192"))]
        self.assertEqual(rows[:2], ["2048", "8192"])

    def test_a_cold_model_is_loaded_as_asked(self):
        mock = self.mock("--flavor", "lmstudio", *FAST)
        document = self.json("run", "--target", mock.url, *ASK, "-r", "1", "--cold", "1",
                             "--flash-attention", "off", "--context-length", "2048")
        loads = [(body["context_length"], body["flash_attention"])
                 for body in self.bodies(mock, "/api/v1/models/load")]
        self.assertEqual(loads, [(2048, False)])
        load = document["cells"][0]["load_effective"]
        self.assertEqual((load["context_length"], load["flash_attention"]), (2048, "off"))

    def test_what_an_embedding_model_refuses_is_told(self):
        mock = self.mock("--flavor", "lmstudio", "--models", "text-embedding-m", *FAST)
        out, _ = self.assay("run", "--target", mock.url, *ASK, "-m", "text-embedding-m", "-r", "1",
                            "--kv-offload", "off")
        self.assertIn("text-embedding-m was not loaded as asked: kv_offload was refused", out)

    def test_what_a_server_cannot_be_asked_for_is_skipped_by_name(self):
        for flavor, args, what in (("openai", ("--threads", "2,4"), "threads"),
                                   ("vllm", ("--gpu-offload", "0,0.5,1"), "gpu_offload"),
                                   ("llamacpp", ("--context-length", "512,1024"), "context_length"),
                                   ("ollama", ("--think", "off,500,on"), "think")):
            with self.subTest(flavor):
                mock = self.mock("--flavor", flavor, *FAST)
                # Ollama takes two of its three, the others none of theirs.
                document = self.matrix(mock, *args, code=0 if flavor == "ollama" else 2)
                errors = [c["error"] for c in self.ledger(document["run_id"]).finals]
                skipped = {e for e in errors if e}
                self.assertEqual(skipped, {f"skipped: not supported by {flavor}: {what}"})
                if flavor == "ollama":  # A switch it has.
                    thinks = [body["think"] for body in self.bodies(mock, "/api/chat")]
                    self.assertEqual(thinks, [False, False, True, True])

    def test_one_value_is_skipped_in_the_same_way(self):
        mock = self.mock("--flavor", "llamacpp", *FAST)
        document = self.matrix(mock, "--threads", "2", code=2)
        self.assertEqual(document["cells"][0]["matrix"], {})
        self.assertEqual({c["error"] for c in self.ledger(document["run_id"]).finals},
                         {"skipped: not supported by llamacpp: threads"})

    def test_the_table_has_the_columns_that_differ(self):
        mock = self.mock("--flavor", "ollama", *FAST, "--tokens", "40")
        out, _ = self.assay("run", "--target", mock.url, *ASK, "-r", "6", "--context-length",
                            "2048,8192", "--temperature", "0,0.7")
        head = next(line for line in out.splitlines() if "tok/s ± 95% CI" in line)
        self.assertRegex(head, r"^context +temperature +")
        rows = [line.split()[:2] for line in out.splitlines() if line.startswith(("2048", "8192"))]
        # Those of the speeds, then those of what the engine says.
        for four in (rows[:4], rows[4:]):
            self.assertEqual(sorted(four), [["2048", "0"], ["2048", "0.7"], ["8192", "0"],
                                            ["8192", "0.7"]])
        self.assertRegex(out, r"(?m)^Engine says +")

    def test_a_matrix_that_is_too_large_or_beside_variants_is_refused(self):
        many = ",".join(str(n) for n in range(1, 18))
        _, err = self.assay("run", "--target", "http://127.0.0.1:9", *ASK, "--threads", many,
                            "--top-k", many, code=2)
        self.assertIn("too many combinations: 17 of --threads x 17 of --top-k", err)
        _, err = self.assay("run", "--target", "http://127.0.0.1:9", *ASK, "--threads", "1,2",
                            "--ab", "a=temperature=0", "--ab", "b=temperature=1", code=2)
        self.assertIn("--ab has variants of its own", err)

    def test_all_models_with_a_matrix_skip_what_has_results(self):
        mock = self.mock("--flavor", "ollama", "--models", "a:1b,b:1b", *FAST)
        first = self.matrix(mock, "--all-models", "--temperature", "0,1")
        self.assertEqual(len(first["cells"]), 4)
        again = self.matrix(mock, "--all-models", "--temperature", "0,1,2")
        measured = [cell["matrix"]["temperature"] for cell in again["cells"]
                    if cell["unavailable"] is None]
        self.assertEqual(measured, ["2", "2"])


class Known(AssayTest):
    def test_an_earlier_run_that_asked_more_has_the_results(self):
        mock = self.mock("--flavor", "openai", "--models", "a,b", *FAST)
        every = ("run", "--target", mock.url, *ASK, "-r", "2", "--all-models")
        self.json(*every, "--max-concurrency", "1,2")
        again = self.json(*every)
        self.assertEqual([c["unavailable"] is None for c in again["cells"]], [False, False])
        more = self.json(*every, "--max-concurrency", "1,2", "-r", "4", "--cold", "1")
        self.assertEqual([c["unavailable"] is None for c in more["cells"]], [True, True])

    def test_a_leg_that_failed_is_no_result(self):
        mock = self.mock("--flavor", "openai", "--models", "fault:http_500", *FAST)
        every = ("run", "--target", mock.url, *ASK, "-r", "1", "--retries", "0", "--all-models")
        self.assay(*every, code=6)
        again, _ = self.assay(*every, "--json", code=6)
        self.assertEqual([c["unavailable"] for c in json.loads(again)["cells"]], [None])


class Headcount(AssayTest):
    def test_a_queue_of_one_serves_one_user_in_time(self):
        # One call takes a quarter of a second, and four at once wait for one another.
        mock = self.mock("--flavor", "openai", "--ttft", "50ms", "--gap", "10ms", "--tokens", "20",
                         "--slots", "1")
        args = ("run", "--target", mock.url, *ASK, "-r", "12", "--max-concurrency", "1,4",
                "--goodput", "e2e:600ms", "--attainment", "0.5")
        document = self.json(*args)
        (cell,) = document["headcount"]["cells"]
        self.assertEqual(cell["users"], 1)
        one, four = cell["levels"]
        self.assertEqual((one["concurrency"], one["verdict"]), (1, "passes"))
        self.assertEqual((four["concurrency"], four["verdict"]), (4, "misses"))
        self.assertEqual(one["judged"], 12)
        self.assertGreater(one["goodput"], four["goodput"])
        self.assertEqual([leg["concurrency"] for leg in document["legs"]], [1, 4])
        text, _ = self.assay("runs", "show", "last")
        self.assertIn("at least 1 user at once: E2E at most 600ms for 50 % of calls", " ".join(
            text.split()))
        page = self.box / "run.html"
        self.assay("report", "last", "-o", page)
        self.assertIn("How many users at once are served as asked", page.read_text())
        paper = self.box / "run.md"
        self.assay("report", "last", "-o", paper)
        self.assertIn("| Headcount |", paper.read_text())

    def test_objectives_that_are_none_are_refused_before_any_call(self):
        _, err = self.assay("run", "--target", "http://127.0.0.1:9", *ASK, "--goodput", "ttft:soon",
                            code=2)
        self.assertIn("--goodput: 'ttft:soon' has no limit above 0", err)

    def test_levels_without_objectives_hint_at_them(self):
        mock = self.mock("--flavor", "openai", *FAST)
        out, _ = self.assay("run", "--target", mock.url, *ASK, "-r", "4", "--max-concurrency", "1,2")
        self.assertIn("--goodput ttft:2s,tps:10", out)


if __name__ == "__main__":
    unittest.main()
