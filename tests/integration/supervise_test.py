"""Models that Assay loads itself: every way a launch can go, what dies with whom, what is kept."""
import json
import os
import signal
import stat
import unittest

from assay_support import BINARY, Ledger, wait_until
from supervised import FakeEngine, Supervised, engine_is_there, is_alive

LIMIT_S = 150
# `dummy-model --shape tiny` has two layers: with the output layer three can be on a GPU.


class Fake(FakeEngine):
    """With a llama-server that goes by a script."""

    def test_a_slow_start_is_waited_for_and_nothing_of_ours_leaks_into_it(self):
        program = self.fake("slow")
        document = self.run_fake(program, "--threads", "3", "--context-length", "2048", "--parallel",
                                 "2", "--batch-size", "256", "--ubatch-size", "128",
                                 "--flash-attention", "on", "--cache-type-k", "q8_0",
                                 "--cache-type-v", "f16", "--mmap", "off", "--mlock", "on",
                                 env={"CANARY": "secret", "ASSAY_API_KEY": "sk-canary"})
        (start,) = self.starts()
        arguments = " ".join(start["arguments"])
        for wanted in ("--threads 3", "--ctx-size 4096", "--parallel 2", "--n-gpu-layers 3",
                       "--batch-size 256", "--ubatch-size 128", "--flash-attn on",
                       "--cache-type-k q8_0", "--cache-type-v f16", "--no-mmap", "--mlock",
                       "--host 127.0.0.1", f"--model {self.model}"):
            self.assertIn(wanted, arguments)
        key = start["environment"]["LLAMA_API_KEY"]
        self.assertGreaterEqual(len(key), 32)
        self.assertNotIn(key, arguments)
        self.assertNotIn("CANARY", start["environment"])
        self.assertNotIn("ASSAY_API_KEY", start["environment"])
        self.assertEqual((start["environment"]["LLAMA_ARG_FIT"], start["folder"]), ("off", "/"))
        self.assertLessEqual(len(start["files"]), 5)  # The three, the script's and the listing's.
        (cell,) = document["cells"]
        self.assertEqual((cell["managed"], cell["launcher"], cell["kind"]),
                         (True, "llama-server", "llamacpp"))
        self.assertGreaterEqual(cell["load_ms"], 1000)
        self.assertEqual([a["outcome"] for a in cell["load_attempts"]], ["ok"])
        self.assertEqual((cell["load_requested"]["gpu_layers"], cell["load_effective"]["gpu_layers"],
                          cell["load_effective"]["threads"]), (None, 3, 2))
        for path in self.box.rglob("*"):
            if path.is_file() and path != self.notes:
                self.assertNotIn(key.encode(), path.read_bytes(), path)
        self.assertFalse(is_alive(start["pid"]))

    def test_the_ladder_is_walked_down_to_what_fits_and_recorded(self):
        program = self.fake("gpu_oom", layers=1)
        document = self.run_fake(program)
        # 1.0, 0.7 and 0.5 of three layers; a third of them is none, so the processor would be next.
        self.assertEqual(self.asked_layers(), [3, 2, 1])
        (cell,) = document["cells"]
        self.assertEqual([a["outcome"] for a in cell["load_attempts"]], ["gpu_oom", "gpu_oom", "ok"])
        failed = cell["load_attempts"][0]
        self.assertIn("cudaMalloc failed", failed["error"])
        self.assertIn("unable to allocate CUDA0 buffer", failed["log_tail"])
        self.assertIn("[redacted]", failed["log_tail"])
        self.assertEqual((cell["load_effective"]["gpu_layers"],
                          cell["load_effective"]["gpu_hidden"]), (1, False))
        ledger = self.ledger(document["run_id"])
        self.assertEqual({tuple(c["flags"][:1]) for c in ledger.finals}, {("fallback_offload",)})

    def test_at_the_end_of_the_ladder_no_gpu_is_seen_and_the_hash_is_another(self):
        document = self.run_fake(self.fake("gpu_oom", layers=0))
        self.assertEqual(self.asked_layers(), [3, 2, 1, 0])
        for start in self.starts()[:-1]:
            self.assertNotIn("CUDA_VISIBLE_DEVICES", start["environment"])
        for name in ("CUDA", "HIP", "ROCR", "GGML_VK"):
            self.assertEqual(self.starts()[-1]["environment"][name + "_VISIBLE_DEVICES"], "")
        ledger = self.ledger(document["run_id"])
        self.assertEqual({tuple(c["flags"][:1]) for c in ledger.finals}, {("fallback_cpu",)})
        asked = self.run_fake(self.fake("serve"), "--gpu-layers", "0")
        asked_legs = self.ledger(asked["run_id"]).meta["legs"]
        full = self.run_fake(self.fake("serve"))
        full_legs = self.ledger(full["run_id"]).meta["legs"]
        fallen = ledger.meta["legs"][0]
        self.assertEqual(fallen["requested_settings_hash"], full_legs[0]["requested_settings_hash"])
        self.assertNotEqual(fallen["settings_hash"], full_legs[0]["settings_hash"])
        self.assertNotEqual(fallen["settings_hash"], asked_legs[0]["settings_hash"])

    def test_failures_have_their_kind_and_are_recorded_in_a_run(self):
        for play, outcome, code in (("load_failed", "load_failed", 5), ("exit", "process_exit", 5)):
            program = self.fake(play)
            _, err = self.assay("run", "--gguf", self.model, "--llama-server", program, "--prompt",
                                "x", code=code)
            self.assertIn(outcome, err)
            ledger = self.ledger(self.run_directories()[-1].name)
            (cell,) = ledger.meta["cells"]
            (attempt,) = cell["load_attempts"]
            self.assertEqual(attempt["outcome"], outcome)
            self.assertIn("loaded meta data", attempt["log_tail"])
            (call,) = ledger.finals
            self.assertTrue(call["error"].startswith(f"skipped: {outcome}: "), call["error"])

    def test_one_that_is_never_ready_is_given_up(self):
        program = self.fake("never")
        _, err = self.assay("run", "--gguf", self.model, "--llama-server", program, "--prompt", "x",
                            "--load-timeout", "1s", code=5)
        self.assertIn("startup_timeout: not ready within 1s", err)
        self.assertFalse(is_alive(self.starts()[0]["pid"]))

    def test_a_port_that_was_taken_meanwhile_costs_one_more_try(self):
        document = self.run_fake(self.fake("port"))
        self.assertEqual(len(self.starts()), 2)
        self.assertEqual(self.asked_layers(), [3, 3])
        ports = {s["arguments"][s["arguments"].index("--port") + 1] for s in self.starts()}
        self.assertEqual(len(ports), 2)
        self.assertEqual(self.ledger(document["run_id"]).end["state"], "completed")

    def long_run(self, program, *args):
        process = self.start("run", "--gguf", self.model, "--llama-server", program, "--prompt",
                             "hello", "--warmup", "0", "--no-progress", "--no-calibrate", *args)
        directory = wait_until(self.run_directories, "the run's directory")[0]
        return process, directory

    def kill_under_call(self, directory, death):
        """Kills the engine while it streams, after so many calls under which it died."""
        tokens = lambda: sum(e["event"] == "token" for e in Ledger(directory).events()[1])
        wait_until(lambda: [c["error_code"] for c in Ledger(directory).calls].count("engine_died") ==
                   death, "the record of its last death")
        wait_until(lambda: len(self.starts()) > death, "its start")
        before = tokens()
        wait_until(lambda: tokens() > before, "a token")
        os.kill(self.starts()[death]["pid"], signal.SIGKILL)

    def test_an_engine_that_dies_is_started_again_a_few_times_and_then_left(self):
        program = self.fake("serve", "--gap", "100ms", "--tokens", "40")
        process, directory = self.long_run(program, "-r", "12")
        for death in range(4):
            self.kill_under_call(directory, death)
        self.assertIn(process.wait(timeout=60), (0, 6), self.text_of(process.err))
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        died = [c for c in ledger.finals if c["error_code"] == "engine_died"]
        self.assertEqual(len(died), 4)
        for call in died:
            self.assertEqual(call["outcome"], "error")
            self.assertIn("signal 9", call["error"])
            self.assertGreater(call["text_bytes"], 0)
        # What came of the answer is kept, though no responses were asked for.
        self.assertEqual(len(ledger.responses()), 4)
        self.assertTrue(all(r["text"] for r in ledger.responses()))
        skipped = [c for c in ledger.finals if c["outcome"] == "skipped"]
        self.assertEqual({c["error"] for c in skipped}, {"skipped: engine_died 4 times"})
        self.assertEqual(len(skipped) + 4 + sum(c["outcome"] == "ok" for c in ledger.finals), 12)
        self.assertEqual(len(self.starts()), 4)
        self.assertIn("engine: ", (directory / "run.log").read_text())

    def test_one_that_cannot_be_started_again_costs_its_cell_the_rest(self):
        program = self.fake("once", "--gap", "100ms", "--tokens", "60")
        process, directory = self.long_run(program, "-r", "3")
        self.kill_under_call(directory, 0)
        self.assertEqual(process.wait(timeout=60), 6, self.text_of(process.err))
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        self.assertEqual([c["outcome"] for c in ledger.finals], ["error", "skipped", "skipped"])
        self.assertIn("load_failed", ledger.finals[1]["error"])

    def test_calls_side_by_side_that_lose_their_engine_all_say_so_and_start_one(self):
        program = self.fake("serve", "--gap", "100ms", "--tokens", "40")
        process, directory = self.long_run(program, "-r", "6", "--max-concurrency", "3")
        self.kill_under_call(directory, 0)
        self.assertEqual(process.wait(timeout=60), 0, self.text_of(process.err))
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        codes = [c["error_code"] for c in ledger.finals]
        self.assertEqual(sorted(codes, key=str), [None] * 3 + ["engine_died"] * 3)
        self.assertEqual(len(self.starts()), 2)

    def test_a_comparison_of_two_engines_of_ours_is_resumed(self):
        program = self.fake("serve", "--gap", "20ms", "--tokens", "10")
        process, directory = self.long_run(program, "-r", "8", "--ab", "one=temperature=0",
                                           "--ab", "two=temperature=1")
        wait_until(lambda: len(Ledger(directory).finals) >= 3, "some of its records", 60)
        process.kill()
        process.wait()
        wait_until(lambda: not self.own_processes(), "the engines to be gone")
        self.assay("resume", directory.name, "-q", limit_s=60)
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        self.assertEqual({c["outcome"] for c in ledger.finals}, {"ok"})
        self.assertEqual(len(self.starts()), 4)

    def test_what_an_engine_does_not_take_is_refused(self):
        for flag, value in (("--gpu-layers", "3"), ("--ubatch-size", "64")):
            _, err = self.assay("run", "--gguf", self.model, flag, value, "--prompt", "x", code=2)
            self.assertIn(f"not supported by bundled: {flag}", err)
        server = self.mock()
        document = self.run_prompt(server.url, "-r", "1", "--mlock", "on", code=2)
        self.assertEqual({c["error"] for c in self.ledger(document["run_id"]).finals},
                         {f"skipped: not supported by {document['cells'][0]['kind']}: mlock"})
        for flag, value in (("--gpu-offload", "1.5"), ("--gpu-layers", "-1"), ("--parallel", "0"),
                            ("--cache-type-k", "q9"), ("--flash-attention", "maybe")):
            _, err = self.assay("run", "--gguf", self.model, f"{flag}={value}", "--prompt", "x", code=2)
            self.assertIn(flag, err)
        _, err = self.assay("run", "--gguf", self.model, "--llama-server", "no-such-server", code=2)
        self.assertIn("no-such-server on PATH", err)

    def test_names_are_data_and_no_options(self):
        folder = self.box / "$(touch pwned); rm -rf ."
        folder.mkdir()
        odd = folder / "--port.gguf"
        odd.write_bytes(self.model.read_bytes())
        self.model = odd
        self.run_fake(self.fake("serve"))
        (start,) = self.starts()
        self.assertIn(str(odd), start["arguments"])
        self.assertFalse((self.work / "pwned").exists())

    def test_load_ps_run_unload(self):
        program = self.fake("serve")
        out, _ = self.assay("models", "load", self.model, "--llama-server", program)
        (engine,) = self.ps()
        self.assertEqual((engine["name"], engine["state"], engine["url"], engine["launcher"]),
                         ("tiny", "running", out.strip(), "llama-server"))
        self.assertTrue(is_alive(engine["pid"]))
        (record,) = self.records()
        self.assertEqual(stat.S_IMODE(record.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(record.parent.stat().st_mode), 0o700)
        shown, _ = self.assay("models", "ps")
        self.assertIn("running", shown)
        self.assertNotIn(json.loads(record.read_text())["key"], shown + json.dumps(self.ps()))
        _, err = self.assay("models", "load", self.model, "--llama-server", program, code=4)
        self.assertIn("running already", err)
        # It is found and asked with its key, without a word of either.
        document = self.json("run", "-m", "tiny", "--prompt", "hello", "-r", "2", "--no-progress",
                             "--no-calibrate")
        self.assertEqual(document["legs"][0]["ok"], 2)
        (cell,) = document["cells"]
        self.assertEqual((cell["launcher"], cell["load_effective"]["gpu_layers"]), ("llama-server", 3))
        self.assay("models", "unload", "tiny")
        self.assertFalse(is_alive(engine["pid"]))
        self.assertEqual((self.ps(), self.records()), ([], []))
        self.assay("models", "unload", "tiny", code=2)

    def test_a_model_of_the_registry_is_loaded_by_its_name_once_it_is_enabled(self):
        folder = self.box / "models" / "some" / "vendor"
        folder.mkdir(parents=True)
        (folder / "tiny.gguf").write_bytes(self.model.read_bytes())
        places = ("--models-dir", self.box / "models")
        program = self.fake("serve")
        load = ("models", "load", "tiny", "--llama-server", program, *places)
        _, err = self.assay(*load, code=4)
        self.assertIn("is not enabled", err)
        self.assay("models", "enable", "tiny", *places)
        self.assay(*load)
        (engine,) = self.ps()
        self.assertEqual(engine["gguf"], str(folder / "tiny.gguf"))
        self.assay("models", "load", "no-such-model", "--llama-server", program, *places, code=2)

    def test_a_load_walks_the_ladder_too(self):
        program = self.fake("gpu_oom", layers=1)
        self.assay("models", "load", self.model, "--llama-server", program)
        (engine,) = self.ps()
        self.assertEqual([a["outcome"] for a in engine["load"]["attempts"]],
                         ["gpu_oom", "gpu_oom", "ok"])
        self.assertEqual(engine["load"]["effective"]["gpu_layers"], 1)
        document = self.json("run", "-m", "tiny", "--prompt", "hello", "-r", "1", "--no-progress",
                             "--no-calibrate")
        (call,) = [c for c in self.ledger(document["run_id"]).finals if c["phase"] == "measure"]
        self.assertEqual(call["flags"], ["fallback_offload"])

    def test_a_process_that_took_the_number_is_not_touched(self):
        self.assay("models", "load", self.model, "--llama-server", self.fake("serve"))
        (record,) = self.records()
        engine = json.loads(record.read_text())
        real = dict(engine["process"])
        engine["process"]["start_ticks"] -= 1  # As if the number had belonged to an earlier one.
        record.write_text(json.dumps(engine))
        (shown,) = self.ps()
        self.assertEqual(shown["state"], "failed")
        self.assertIn("engine_died", shown["error"])
        self.assay("models", "unload", "--all")
        self.assertTrue(is_alive(real["pid"]))
        os.kill(real["pid"], signal.SIGKILL)

    def test_a_failed_load_is_remembered_until_it_is_reset(self):
        program = self.fake("load_failed")
        _, err = self.assay("models", "load", self.model, "--llama-server", program, code=5)
        self.assertIn("load_failed", err)
        (engine,) = self.ps()
        self.assertEqual(engine["state"], "failed")
        self.assertIn("unknown model architecture", engine["error"])
        self.assay("models", "reset", "tiny")
        self.assertEqual((self.ps(), self.records()), ([], []))

    def loading(self):
        process = self.start("models", "load", self.model, "--llama-server", self.fake("never"))
        pid = wait_until(self.starts, "its start")[0]["pid"]
        return process, pid

    def test_ctrl_c_stops_a_load(self):
        process, pid = self.loading()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=20), 130)
        self.assertIn("cancelled", self.text_of(process.err))
        self.assertFalse(is_alive(pid))
        self.assertEqual(self.records(), [])

    def test_a_load_is_stopped_from_elsewhere(self):
        process, pid = self.loading()
        self.assay("models", "unload", "tiny")
        self.assertEqual(process.wait(timeout=20), 130)
        self.assertIn("unloaded while it was loading", self.text_of(process.err))
        self.assertFalse(is_alive(pid))
        self.assertEqual(self.records(), [])

    def test_an_engine_whose_loader_was_killed_is_swept_at_the_next_start(self):
        process, pid = self.loading()
        process.kill()
        process.wait()
        self.assertTrue(is_alive(pid))
        _, err = self.assay("models", "ps")
        self.assertIn("ended the engine of tiny", err)
        self.assertFalse(is_alive(pid))
        self.assertEqual(self.records(), [])

    def test_an_engine_of_a_killed_run_dies_with_it(self):
        program = self.fake("serve", "--gap", "100ms", "--tokens", "50")
        process, _ = self.long_run(program, "-r", "3")
        pid = self.starts()[0]["pid"]
        process.kill()
        process.wait()
        wait_until(lambda: not is_alive(pid), "the engine to be gone")

    def test_a_run_that_is_stopped_while_its_engine_loads_leaves_nothing(self):
        process = self.start("run", "--gguf", self.model, "--llama-server", self.fake("never"),
                             "--prompt", "x", "--no-progress")
        pid = wait_until(self.starts, "its start")[0]["pid"]
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(timeout=20), (-signal.SIGINT, 130))
        wait_until(lambda: not is_alive(pid), "the engine to be gone")
        self.assertEqual(self.run_directories(), [])

    def test_stop_managed_makes_room_before_a_leg(self):
        self.assay("models", "load", self.model, "--llama-server", self.fake("serve"))
        (engine,) = self.ps()
        server = self.mock()
        self.run_prompt(server.url, "-r", "1", "--no-calibrate")
        self.assertTrue(is_alive(engine["pid"]))
        self.run_prompt(server.url, "-r", "1", "--no-calibrate", "--prepare", "stop-managed")
        self.assertFalse(is_alive(engine["pid"]))
        self.assertEqual(self.ps(), [])

    def test_unload_others_asks_the_server_of_the_leg(self):
        server = self.mock("--flavor", "ollama", "--models", "a,b")
        self.run_prompt(server.url, "-r", "1", "--no-calibrate", model="a")
        loaded = lambda: {m["name"] for m in self.json("models", "list", "--target", server.url)
                          ["targets"][0]["models"] if m["loaded"]}
        self.assertEqual(loaded(), {"a"})
        self.run_prompt(server.url, "-r", "1", "--no-calibrate", "--prepare", "unload-others",
                        model="b")
        self.assertEqual(loaded(), {"b"})


class Bundled(Supervised):
    """The same with the real engine that comes with Assay."""

    def setUp(self):
        super().setUp()
        if not engine_is_there():
            self.not_tested("the bundled engine is not installed (engine/node_modules)")

    def start_run(self, *args):
        process = self.start("run", "--gguf", self.model, "--threads", "1", "--prompt", "tell me",
                             "--warmup", "0", "--no-progress", "--no-calibrate", *args)
        directory = wait_until(self.run_directories, "the run's directory", LIMIT_S)[0]
        return process, directory

    def test_settings_reach_it_and_come_back_as_effective(self):
        document = self.json("run", "--gguf", self.model, "--threads", "1", "--context-length", "512",
                             "--batch-size", "64", "--flash-attention", "off", "--mmap", "off",
                             "--prompt", "x", "-r", "1", "--max-tokens", "4", "--no-calibrate",
                             limit_s=LIMIT_S)
        (cell,) = document["cells"]
        self.assertEqual((cell["launcher"], cell["load_effective"]), ("bundled", {
            "threads": 1, "context_length": 512, "parallel": 1, "gpu_layers": None,
            "gpu_offload": None, "batch_size": 64, "ubatch_size": None, "flash_attention": "off",
            "cache_type_k": None, "cache_type_v": None, "mmap": False, "mlock": None,
            "projector": None, "kv_offload": None,
            "gpu_hidden": False}))

    def test_a_damaged_file_fails_to_load_and_says_why(self):
        data = bytearray(self.model.read_bytes())
        at = data.index(b"tokenizer.ggml.tokens")
        data[at:at + 21] = b"tokenizer.ggml.nokens"
        self.model.write_bytes(data)
        _, err = self.assay("run", "--gguf", self.model, "--prompt", "x", code=5, limit_s=LIMIT_S)
        self.assertIn("load_failed", err)
        ledger = self.ledger()
        self.assertEqual(ledger.meta["cells"][0]["load_attempts"][0]["outcome"], "load_failed")

    def test_kill_9_of_the_engine_costs_one_call(self):
        process, directory = self.start_run("-r", "6", "--max-tokens", "400")
        wait_until(lambda: any(e["event"] == "token" for e in Ledger(directory).events()[1]),
                   "a token", LIMIT_S)
        (pid,) = self.children_of(process)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(process.wait(timeout=LIMIT_S), 0, self.text_of(process.err))
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        self.assertEqual([c["error_code"] for c in ledger.finals].count("engine_died"), 1)
        self.assertEqual([c["outcome"] for c in ledger.finals].count("ok"), 5)

    def test_load_run_unload_and_the_key_is_needed(self):
        self.assay("models", "load", self.model, "--threads", "1", limit_s=LIMIT_S)
        (engine,) = self.ps()
        self.assertEqual((engine["launcher"], engine["load"]["effective"]["threads"]), ("bundled", 1))
        document = self.json("run", "-m", "tiny", "--prompt", "x", "-r", "1", "--max-tokens", "4",
                             "--no-calibrate", limit_s=LIMIT_S)
        self.assertEqual(document["legs"][0]["ok"], 1)
        # Whoever comes without the key is not served.
        _, err = self.assay("run", "--target", engine["url"], "--engine", "llamacpp", "--prompt", "x",
                            "--data-dir", self.box / "elsewhere", code=5)
        self.assertIn("401", err)
        self.assay("models", "unload", engine["id"])
        self.assertFalse(is_alive(engine["pid"]))


if __name__ == "__main__":
    unittest.main()
