"""llama.cpp's own server, as `tools/llama_server.sh` brings it: started by us, by others, as a router.

ASSAY_LLAMA_SERVER_DIR holds llama-server and llama-bench.
"""
import json
import os
import signal
import socket
import subprocess
import unittest
import urllib.request
from pathlib import Path

from assay_support import AssayTest, Ledger, wait_until

DIRECTORY = Path(os.environ.get("ASSAY_LLAMA_SERVER_DIR",
                                Path(__file__).resolve().parents[2] / "build" / "llama-server"))
SERVER, BENCH = DIRECTORY / "llama-server", DIRECTORY / "llama-bench"
# What a model of `assay dummy-model --script` says to every prompt.
SCRIPT_ANSWER = "A river of light runs down from the mountain to our city"
LIMIT_S = 120


class Real(AssayTest):
    def setUp(self):
        super().setUp()
        if not os.access(SERVER, os.X_OK):
            self.not_tested("there is no llama-server (tools/llama_server.sh brings it)")

    def write_model(self, *args, name="tiny"):
        path = self.box / f"{name}.gguf"
        path.parent.mkdir(exist_ok=True)
        self.assay("dummy-model", "--shape", "tiny", "--output", path, "-q", *args)
        return path

    def run_own(self, model, *args, **kwargs):
        """A run on a llama-server that Assay starts; its document."""
        return self.json("run", "--gguf", model, "--llama-server", SERVER, "--no-calibrate",
                         "--no-progress", "--prompt", "hello there", *args, limit_s=LIMIT_S, **kwargs)

    def serve(self, *args):
        """A llama-server that somebody else started; its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = open(self.box / "server.log", "w", encoding="utf-8")
        self.addCleanup(log.close)
        process = subprocess.Popen([SERVER, "--host", "127.0.0.1", "--port", str(port),
                                    "--threads", "1", *map(str, args)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.work)

        def stop():
            process.terminate()
            process.wait(timeout=20)

        self.addCleanup(stop)
        url = f"http://127.0.0.1:{port}"

        def is_ready():
            self.assertIsNone(process.poll(), (self.box / "server.log").read_text())
            try:
                with urllib.request.urlopen(url + "/health", timeout=5) as answer:
                    return answer.status == 200
            except OSError:
                return False

        wait_until(is_ready, "the server to be ready", LIMIT_S)
        return url


class Started(Real):
    """By Assay's supervisor."""

    def test_the_known_answer_comes_byte_for_byte_and_all_counts_agree(self):
        document = self.run_own(self.write_model("--script"), "-r", "3", "--temperature", "0",
                                "--save-responses", "all")
        ledger = self.ledger()
        self.assert_whole(ledger)
        self.assertEqual({r["text"] for r in ledger.responses()}, {SCRIPT_ANSWER})
        (cell,) = document["cells"]
        self.assertEqual((cell["kind"], cell["launcher"], cell["managed"]),
                         ("llamacpp", "llama-server", True))
        self.assertRegex(cell["version"], r"^b\d+")
        for call in ledger.finals:
            self.assertEqual((call["outcome"], call["finish_reason"]), ("ok", "stop"))
            self.assertEqual(call["completion_tokens"], call["engine_output_tokens"])
            self.assertEqual(call["prompt_tokens"],
                             call["cached_tokens"] + call["engine_prompt_tokens"])
        # The warm-up call was new to it, the others it had in its cache.
        self.assertEqual([c["prefix"] for c in ledger.finals], ["fresh"] + 3 * ["reused"])

    def test_a_matrix_of_load_settings_comes_into_effect(self):
        document = self.run_own(self.write_model(), "-r", "1", "--warmup", "0", "--max-tokens", "8",
                                "--threads", "1,2", "--cache-type-k", "f16,q8_0",
                                "--flash-attention", "on", "--context-length", "300")
        self.assert_whole(self.ledger())
        cells = document["cells"]
        self.assertEqual(len(cells), 4)
        for cell in cells:
            self.assertEqual(cell["load_effective"]["threads"], int(cell["matrix"]["threads"]))
            self.assertEqual(cell["load_effective"]["cache_type_k"], cell["matrix"]["cache-type-k"])
            # llama.cpp rounds a context up, and the server's own word counts.
            self.assertEqual(cell["load_requested"]["context_length"], 300)
            self.assertGreaterEqual(cell["load_effective"]["context_length"], 300)
            self.assertEqual(cell["load_effective"]["context_length"] % 256, 0)
        self.assertEqual(len({leg["settings_hash"] for leg in document["legs"]}), 4)

    def test_a_cold_start_sums_to_the_wall_and_holds_what_the_server_says(self):
        document = self.run_own(self.write_model(), "-r", "1", "--warmup", "0", "--cold", "2",
                                "--max-tokens", "16")
        ledger = self.ledger()
        self.assert_whole(ledger)
        (leg,) = [leg for leg in document["legs"] if leg["phase"] == "cold"]
        mean = {name: figure["mean"] for name, figure in leg["metrics"].items()}
        self.assertAlmostEqual(sum(mean[name] for name in (
            "unload_ms", "cold.load_ms", "cold.prefill_ms", "cold.decode_ms", "cold.other_ms")),
            mean["cold.wall_ms"], delta=0.01)
        for call in (c for c in ledger.finals if c["phase"] == "cold"):
            self.assertEqual((call["cold_kind"], call["cached_tokens"]), ("restart", 0))
            wall_ms = (call["done_ns"] - call["load_end_ns"]) / 1e6
            self.assertLess(call["engine_prefill_ms"] + call["engine_decode_ms"], wall_ms)

    def test_kill_9_of_the_server_costs_one_call(self):
        process = self.start("run", "--gguf", self.write_model(), "--llama-server", SERVER, "--prompt",
                             "tell me", "-r", "4", "--warmup", "0", "--max-tokens", "1500",
                             "--no-progress", "--no-calibrate")
        directory = wait_until(self.run_directories, "the run's directory", LIMIT_S)[0]
        wait_until(lambda: any(e["event"] == "token" for e in Ledger(directory).events()[1]),
                   "a token", LIMIT_S)
        (pid,) = self.children_of(process)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(process.wait(timeout=LIMIT_S), 0, self.text_of(process.err))
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        self.assertEqual(sorted(c["error_code"] or c["outcome"] for c in ledger.finals),
                         ["engine_died", "ok", "ok", "ok"])

    def test_kill_9_of_the_run_leaves_no_server_and_a_resume_ends_it(self):
        process = self.start("run", "--gguf", self.write_model(), "--llama-server", SERVER, "--prompt",
                             "tell me", "-r", "12", "--max-tokens", "400", "--no-progress",
                             "--no-calibrate")
        directory = wait_until(self.run_directories, "the run's directory", LIMIT_S)[0]
        wait_until(lambda: Ledger(directory).finals, "its first record", LIMIT_S)
        process.kill()
        process.wait()
        wait_until(lambda: not self.own_processes(), "the server to be gone", 20)
        self.assay("resume", directory.name, "-q", limit_s=LIMIT_S)
        self.assert_whole(Ledger(directory))

    def test_a_file_it_cannot_load_says_why_in_its_own_words(self):
        model = self.write_model()
        data = bytearray(model.read_bytes())
        at = data.index(b"tokenizer.ggml.tokens")
        data[at:at + 21] = b"tokenizer.ggml.nokens"
        model.write_bytes(data)
        _, err = self.assay("run", "--gguf", model, "--llama-server", SERVER, "--prompt", "x", code=5,
                            limit_s=LIMIT_S)
        self.assertIn("load_failed", err)
        (attempt,) = self.ledger().meta["cells"][0]["load_attempts"]
        self.assertIn("cannot find tokenizer vocab in model file", attempt["log_tail"])

    def test_it_stays_loaded_and_serves_nobody_without_the_key(self):
        self.addCleanup(self.assay, "models", "unload", "--all", "-q")
        self.assay("models", "load", self.write_model(), "--llama-server", SERVER, limit_s=LIMIT_S)
        (engine,) = self.json("models", "ps")["engines"]
        document = self.json("run", "-m", "tiny", "--prompt", "x", "-r", "1", "--max-tokens", "4",
                             "--no-calibrate", limit_s=LIMIT_S)
        self.assertEqual(document["legs"][0]["ok"], 1)
        _, err = self.assay("run", "--target", engine["url"], "--engine", "llamacpp", "--prompt", "x",
                            "--data-dir", self.box / "elsewhere", code=5)
        self.assertIn("401", err)


class Found(Real):
    """Started by somebody else."""

    def test_its_counters_slots_and_errors_are_read(self):
        url = self.serve("-m", self.write_model(), "--parallel", "2", "--ctx-size", "1024", "--metrics")
        document = self.json("run", "--target", url, "--prompt", "hello there", "-r", "4", "--warmup",
                             "0", "--max-tokens", "16", "--max-concurrency", "2", "--no-calibrate",
                             limit_s=LIMIT_S)
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        (cell,) = ledger.meta["cells"]
        self.assertEqual((cell["kind"], cell["slots"], cell["context_length"]), ("llamacpp", 2, 512))
        (counted,) = ledger.end["server_counters"]
        self.assertEqual((counted["prompt_tokens"], counted["output_tokens"]),
                         (sum(c["engine_prompt_tokens"] for c in ledger.finals),
                          sum(c["completion_tokens"] for c in ledger.finals)))
        long = self.json("run", "--target", url, "--prompt", "hello world " * 600, "-r", "1",
                         "--no-calibrate", code=6, limit_s=LIMIT_S)
        (final,) = [c for c in self.ledger(long["run_id"]).finals if c["phase"] == "measure"]
        self.assertIn("exceeds the available context size", final["error"])

    def test_a_router_lists_loads_and_unloads(self):
        models = self.box / "models"
        for name in ("models/alpha", "models/beta"):
            self.write_model("--script", name=name)
        url = self.serve("--models-dir", models, "--models-max", "1")
        document = self.json("run", "--target", url, "--all-models", "--prompt", "hello", "-r", "2",
                             "--warmup", "0", "--cold", "1", "--temperature", "0",
                             "--save-responses", "all", "--no-calibrate", limit_s=LIMIT_S)
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        self.assertEqual({cell["model"] for cell in document["cells"]}, {"alpha", "beta"})
        self.assertEqual({r["text"] for r in ledger.responses()}, {SCRIPT_ANSWER})
        cold = [c for c in ledger.finals if c["phase"] == "cold"]
        self.assertEqual([c["outcome"] for c in cold], ["ok", "ok"])
        for call in cold:
            self.assertGreater(call["load_end_ns"], call["load_start_ns"])
            self.assertEqual(call["cached_tokens"], 0)

    def test_beside_the_bundled_engine_it_is_the_other_of_one_group(self):
        model = self.write_model("--script")
        url = self.serve("-m", model, "--flash-attn", "off")
        self.addCleanup(self.assay, "models", "unload", "--all", "-q")
        out, _ = self.assay("models", "load", model, "--threads", "2", "--flash-attention", "on",
                            "--json", limit_s=LIMIT_S)
        bundled = json.loads(out)["engines"][0]["url"]
        document = self.json("run", "--target", url, "--target", bundled, "-r", "2", "--budget", "20s",
                             "--no-calibrate", limit_s=LIMIT_S)
        (group,) = document["same_weights"]
        self.assertEqual(len(group["cells"]), 2)
        theirs, ours = sorted(group["differs"]["engine"])
        self.assertRegex(theirs, r"^llamacpp b\d+")
        self.assertRegex(ours, r"^llamacpp node-llama-cpp \d+")
        # Neither tells what memory it takes: each process is seen by itself.
        memory = [cell["memory_bytes"] for cell in self.ledger(document["run_id"]).meta["cells"]]
        self.assertEqual(len(set(memory)), 2)
        self.assertGreater(min(memory), 1_000_000)
        text, _ = self.assay("runs", "show", "last", env={"COLUMNS": "140"})
        self.assertRegex(text, r"(?m)^Model +Engine +pp +tg .* load +mem +engine$")
        self.assertRegex(text, r"(?m)^tiny +bundled +\d")
        self.assertRegex(text, r"(?m)^\S+ +llamacpp +\d")
        self.assertIn(f"^ same weights {group['digest'][:8]}: ", text)


class Bench(Real):
    def test_the_result_of_llama_bench_is_taken_in_as_it_says(self):
        done = subprocess.run([BENCH, "-m", self.write_model(), "-p", "64", "-n", "16", "-r", "3", "-t",
                               "1", "-o", "json"], capture_output=True, check=True, timeout=LIMIT_S)
        tests = json.loads(done.stdout)
        file = self.box / "bench.json"
        file.write_bytes(done.stdout)
        run_id = self.json("import", file)["run_id"]
        ledger = self.ledger(run_id)
        self.assertEqual(len(ledger.finals), sum(len(test["samples_ns"]) for test in tests))
        self.assertEqual(self.json("runs", "show", run_id)["imported"]["tool"], "llama-bench")
        figures = sorted(c["engine_decode_ms"] for c in ledger.finals if c["engine_decode_ms"])
        (generated,) = [test for test in tests if test["n_gen"]]
        self.assertEqual([round(f, 3) for f in figures],
                         sorted(round(ns / 1e6, 3) for ns in generated["samples_ns"]))


if __name__ == "__main__":
    unittest.main()
