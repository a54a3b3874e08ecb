"""Cells of a file: what is planned, checked, refused and recorded."""
import datetime
import json
import subprocess
import unittest

from assay_support import AssayTest, wait_until

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=m"]


class HarnessTest(AssayTest):
    def cells(self, text, name="cells.yaml"):
        path = self.work / name
        path.write_text(text)
        return path

    def harness(self, path, *args, **kwargs):
        """A run of a file of cells; this machine may be busy with other tests."""
        return self.json("run", "--cells-yaml", path, "--force-load", "--no-progress", *args,
                         **kwargs)

    def git(self, *args):
        subprocess.run([*GIT, *args], cwd=self.work, check=True, capture_output=True,
                       env={**self.env, "GIT_CONFIG_NOSYSTEM": "1"})

    def commit_all(self):
        self.git("init")
        self.git("add", "-A")
        self.git("commit", "-m", "first")

    @staticmethod
    def check(document, name):
        (found,) = [c for c in document["preflight"] if c["name"] == name]
        return found


class Plan(HarnessTest):
    def setUp(self):
        super().setUp()
        self.ollama = self.mock("--flavor", "ollama", "--models", "qwen3.5:0.8b")
        self.llama = self.mock("--flavor", "llamacpp", "--models", "qwen3.5:0.8b")
        self.path = self.cells(f"""
max_rate: 1000
cells:
  - {{node: mac, engine: ollama, model: "qwen3.5:0.8b", endpoint: "{self.ollama.url}"}}
  - id: mac:llamacpp:qwen3.5:0.8b
    endpoint: {self.llama.url}
    expect: {{P-EASY: {{total_duration_ms: 90000}}}}
  - {{id: "predator:llamacpp:qwen3.5:0.8b", available: pending}}
  - {{id: "predator:ollama:qwen3.5:0.8b", endpoint: "http://127.0.0.1:1"}}
""")

    def test_each_prompt_is_asked_once_cold_and_five_times_warm(self):
        document = self.harness(self.path, "--cells", "mac:ollama:qwen3.5:0.8b")
        ledger = self.ledger(document["run_id"])
        self.assert_whole(ledger)
        phases = [(c["prompt_id"], c["phase"]) for c in ledger.calls]
        expected = []
        for prompt in ("P-EASY", "P-MEDIUM", "P-HARD"):
            expected += [(prompt, "cold")] + [(prompt, "warm")] * 5
        self.assertEqual(phases, expected)
        self.assertEqual({c["cold_kind"] for c in ledger.calls if c["phase"] == "cold"}, {"unload"})

    def test_cells_that_do_not_answer_are_skipped_with_their_reason_and_stay_declared(self):
        document = self.harness(self.path, "--prompts-yaml", self.cells("P-EASY: {prompt: hi}\n",
                                                                        "prompts.yaml"))
        meta = self.ledger(document["run_id"]).meta
        self.assertEqual(meta["cells_declared"],
                         ["mac:ollama:qwen3.5:0.8b", "mac:llamacpp:qwen3.5:0.8b",
                          "predator:llamacpp:qwen3.5:0.8b", "predator:ollama:qwen3.5:0.8b"])
        self.assertEqual(meta["cells_planned"], meta["cells_declared"][:2])
        skipped = [c for c in self.ledger(document["run_id"]).calls if c["phase"] == "skipped"]
        self.assertEqual([c["cell_id"] for c in skipped], meta["cells_declared"][2:])
        self.assertEqual(skipped[0]["error"], "skipped: pending")
        self.assertIn("skipped: unreachable", skipped[1]["error"])
        (off,) = [leg for leg in document["legs"]
                  if [m["code"] for m in leg["marks"]] == ["off_reference"]]
        self.assertEqual((off["cell_id"], off["phase"]), ("mac:llamacpp:qwen3.5:0.8b", "warm"))
        out, _ = self.assay("runs", "show", "last")
        self.assertIn("off_reference", out)

    def test_probe_records_nothing(self):
        document = self.json("run", "--cells-yaml", self.path, "--probe")
        self.assertEqual([c["available"] for c in document["cells"]], [True, True, False, False])
        self.assertEqual(self.run_directories(), [])
        self.assay("run", "--cells-yaml", self.path, "--probe", "--cells",
                   "predator:ollama:qwen3.5:0.8b", code=5)

    def test_smoke_is_one_cell_one_prompt_one_call(self):
        document = self.harness(self.path, "--smoke")
        calls = self.ledger(document["run_id"]).calls
        self.assertEqual([(c["cell_id"], c["prompt_id"]) for c in calls],
                         [("mac:ollama:qwen3.5:0.8b", "P-EASY")])

    def test_a_warm_call_without_one_before_it_is_preceded_by_a_discarded_one(self):
        path = self.cells(f"""
- node: mac
  engine: llamacpp
  model: m
  endpoint: {self.llama.url}
  max_rate: 1000
  patterns: [warm]
""", "warm.yaml")
        document = self.harness(path)
        ledger = self.ledger(document["run_id"])
        self.assertEqual([c["phase"] for c in ledger.calls], ["warmup"] + ["warm"] * 15)
        self.assertEqual(ledger.calls[0]["index"], -1)
        self.assertEqual(document["warmup"], {"n": 1, "ok": 1, "failed": 0})
        self.assertEqual(document["legs"][0]["n"], 5)
        self.assertNotIn("torn_ledger", [c["code"] for c in document["unreliable"]])
        (row,) = self.json("runs", "list")["runs"]
        self.assertEqual((row["planned"], row["ok"]), (15, 15))

    def test_calls_keep_the_cells_rate(self):
        path = self.cells(f"""
- node: mac
  engine: llamacpp
  model: m
  endpoint: {self.llama.url}
  max_rate: 20
""", "slow.yaml")
        prompts = self.cells("P-EASY: {prompt: hi}\n", "prompts.yaml")
        document = self.harness(path, "--prompts-yaml", prompts)
        sent = [c["sent_ns"] for c in self.ledger(document["run_id"]).calls]
        self.assertGreaterEqual(min(b - a for a, b in zip(sent, sent[1:])), 45_000_000)
        self.assertIn("20", self.check(document, "call_rate")["detail"])
        document = self.harness(path, "--prompts-yaml", prompts, "--authorize-load", "agreed")
        self.assertIn("agreed", self.check(document, "call_rate")["detail"])

    def test_parallel_calls_only_with_leave(self):
        prompts = self.cells("P-EASY: {prompt: hi}\n", "prompts.yaml")
        cell = ("--cells", "mac:llamacpp:qwen3.5:0.8b", "--prompts-yaml", prompts, "--full",
                "--max-concurrency", "3")
        document = self.harness(self.path, *cell)
        self.assertEqual({leg["concurrency"] for leg in document["legs"]}, {1})
        self.assertTrue(any("--authorize-load" in note for note in document["notes"]))
        document = self.harness(self.path, *cell, "--authorize-load", "agreed")
        self.assertEqual([(leg["phase"], leg["concurrency"]) for leg in document["legs"]],
                         [("cold", 1), ("warm", 1), ("measure", 3)])
        markdown, _ = self.assay("report", "last", "--format", "v1-baseline")
        warm = markdown.split("### Warm")[1].splitlines()[4]
        self.assertTrue(warm.endswith("| 5 |"), warm)

    def test_a_stopped_run_is_taken_up(self):
        slow = self.mock("--flavor", "llamacpp", "--ttft", "150ms")
        path = self.cells(f"""
- {{node: n, engine: llamacpp, model: m, endpoint: "{slow.url}", max_rate: 1000}}
""", "resumed.yaml")
        process = self.start("run", "--cells-yaml", path, "--force-load", "--no-progress")
        wait_until(lambda: self.run_directories() and len(self.ledger().calls) > 3, "some calls")
        process.kill()
        process.wait()
        self.assay("resume", "last", "--no-progress")
        self.assert_whole(self.ledger())


class Preflight(HarnessTest):
    def setUp(self):
        super().setUp()
        self.server = self.mock("--flavor", "ollama", "--models", "m:1")
        self.text = f"""
max_rate: 1000
cells:
  - {{node: n, engine: ollama, model: "m:1", endpoint: "{self.server.url}"}}
"""
        self.path = self.cells(self.text)
        self.prompts = self.cells("P-EASY: {prompt: hi}\n", "prompts.yaml")

    def quick(self, path, *args, **kwargs):
        return self.harness(path, "--prompts-yaml", self.prompts, *args, **kwargs)

    def test_a_dirty_tree_refuses_unless_allowed(self):
        self.commit_all()
        document = self.quick(self.path)
        self.assertTrue(self.check(document, "git_clean")["ok"])
        (self.work / "notes.txt").write_text("x")
        _, err = self.assay("run", "--cells-yaml", self.path, "--force-load", code=4)
        self.assertIn("notes.txt", err)
        document = self.quick(self.path, "--allow-dirty", "a new cell is tried")
        meta = self.ledger(document["run_id"]).meta
        self.assertEqual((meta["git_dirty"], meta["git_changes"]), (True, ["?? notes.txt"]))
        self.assertEqual(len(meta["git_sha"]), 40)

    def test_outside_of_every_tree_the_metadata_is_incomplete(self):
        document = self.quick(self.path, env={"GIT_CEILING_DIRECTORIES": str(self.box)})
        self.assertIn("incomplete_metadata", [c["code"] for c in document["unreliable"]])

    def test_another_digest_is_a_failed_check_and_a_caveat(self):
        self.path.write_text(self.text.replace("model:", "digest: no, model:"))
        document = self.quick(self.path)
        self.assertFalse(self.check(document, "model_digest_match")["ok"])
        details = [c["detail"] for c in document["unreliable"] if c["code"] == "preflight"]
        self.assertTrue(any("model_digest_match" in d for d in details), document["unreliable"])
        out, _ = self.assay("runs", "show", "last")
        self.assertIn("unreliable: preflight: model_digest_match", out)

    def test_for_publication_refuses_with_every_failure(self):
        self.path.write_text(self.text + '  - {node: o, engine: ollama, model: x, '
                             'endpoint: "http://127.0.0.1:1"}\n')
        self.commit_all()
        (self.work / "more").write_text("x")
        _, err = self.assay("run", "--cells-yaml", self.path, "--force-load", "--for-publication",
                            code=4)
        for name in ("git_clean", "cells_available"):
            self.assertIn(name, err)
        self.assertEqual(self.run_directories(), [])
        self.assertEqual(self.server.stats()["by_model"], {})

    def test_outside_of_a_window_it_needs_a_reason(self):

        now = datetime.datetime.now(datetime.timezone.utc)
        later = [(now + datetime.timedelta(hours=h)).strftime("%H:%M") for h in (6, 7)]
        self.path.write_text(self.text.replace("model:", f'windows: ["{later[0]}-{later[1]}"], '
                                                         'model:'))
        _, err = self.assay("run", "--cells-yaml", self.path, "--force-load", code=4)
        self.assertIn("--override-window", err)
        document = self.quick(self.path, "--override-window", "agreed")
        self.assertIn("agreed", self.check(document, "window")["detail"])
        self.assertEqual(document["legs"][1]["ok"], 5)

    def test_a_plain_run_records_the_checks_and_is_none_the_worse(self):
        (self.work / "notes.txt").write_text("x")
        document = self.run_prompt(self.server.url, "-r", "3", model="m:1")
        self.assertTrue(all(not c["decides"] for c in document["preflight"]))
        codes = [c["code"] for c in document["unreliable"]]
        self.assertNotIn("preflight", codes)
        self.assertNotIn("incomplete_metadata", codes)

    def test_what_names_people_and_hosts_is_kept_apart(self):
        document = self.quick(self.path)
        ledger = self.ledger(document["run_id"])
        raw = json.loads((ledger.directory / "environment_raw.json").read_text())
        self.assertEqual(raw["home"], self.env["HOME"])
        environment = json.dumps(ledger.meta["environment"])
        self.assertIn("cpu_model", environment)
        self.assertNotIn(self.env["HOME"], environment)
        self.assertNotIn(raw["host"], environment)


class Routed(HarnessTest):
    def setUp(self):
        super().setUp()
        self.engine = self.scripted(lambda handler, _: handler.stream("Hello there"))
        self.router = self.scripted(lambda handler, _: handler.stream("Hello there"))
        self.path = self.cells(f"""
max_rate: 1000
cells:
  - {{id: "n:openai:m:1", endpoint: "{self.engine.url}", route: "{self.router.url}"}}
""")
        self.prompts = self.cells("P-EASY: {prompt: hi}\n", "prompts.yaml")

    def test_calls_in_turn_tell_what_the_router_adds_and_that_they_are_tests(self):
        document = self.harness(self.path, "--prompts-yaml", self.prompts, "--routed",
                                "--tag-prefix", "X-Example", "-r", "6")
        warm = [c["cell_id"] for c in self.ledger(document["run_id"]).calls if c["phase"] == "warm"]
        pairs = [sorted(warm[i:i + 2]) for i in range(0, len(warm), 2)]
        self.assertEqual(pairs, [["n+routed:openai:m:1", "n:openai:m:1"]] * 6)
        self.assertEqual([(r["cell_id"], r["metric"], r["pairs"]) for r in document["routing"]],
                         [("n:openai:m:1", "ttft_ms", 6), ("n:openai:m:1", "e2e_ms", 6)])
        self.assertEqual({c["backend"] for c in self.ledger(document["run_id"]).calls
                          if "+routed" in c["cell_id"]}, {"brain-routed"})
        self.assertEqual((len(self.engine.requests), len(self.router.requests)), (7, 6))
        headers, body = self.router.requests[2]
        metadata = {"test": True, "benchmark_run_id": document["run_id"],
                    "benchmark_cell_id": "n+routed:openai:m:1", "benchmark_prompt_id": "P-EASY",
                    "benchmark_phase": "warm", "benchmark_run_idx": 2, "harness_version": "1"}
        self.assertEqual(json.loads(body)["metadata"], metadata)
        self.assertEqual(json.loads(body)["labels"], {"test": True})
        sent = {name: value for name, value in headers.items() if name.startswith("X-Example-")}
        self.assertEqual(sent, {
            "X-Example-Test": "true",
            "X-Example-Benchmark-Run-Id": document["run_id"],
            "X-Example-Benchmark-Cell-Id": "n+routed:openai:m:1",
            "X-Example-Benchmark-Prompt-Id": "P-EASY",
            "X-Example-Benchmark-Phase": "warm",
            "X-Example-Benchmark-Run-Idx": "2",
            "X-Example-Harness-Version": "1"})
        out, _ = self.assay("runs", "show", "last")
        self.assertRegex(out, r"(?m)^Routing .*overhead")

    def test_without_a_tag_routers_are_left_alone(self):
        self.assay("run", "--cells-yaml", self.path, "--routed", code=2)
        self.assay("run", "--cells-yaml", self.path, "--full", code=2)
        document = self.harness(self.path, "--prompts-yaml", self.prompts)
        self.assertEqual(len(self.router.requests), 0)
        headers, body = self.engine.requests[0]
        self.assertFalse(any(name.startswith("X-Example") for name in headers))
        self.assertNotIn("metadata", json.loads(body))
        self.assertEqual(document["routing"], [])

    def test_a_server_that_refuses_metadata_is_asked_without_it(self):
        def answer(handler, count):
            _, body = self.picky.requests[-1]
            for member in ("metadata", "labels"):
                if member in json.loads(body):
                    return handler.reply(400, json.dumps({"error": {"message": f"no {member}"}}))
            return handler.stream("Hello")
        self.picky = self.scripted(answer)
        document = self.run_prompt(self.picky.url, "-r", "3", "--tag-prefix", "X-Example",
                                   model="scripted")
        self.assertEqual(document["legs"][0]["ok"], 3)
        self.assertEqual(self.picky.requests[-1][0]["X-Example-Test"], "true")


class Told(HarnessTest):
    def setUp(self):
        super().setUp()
        self.fast = self.mock("--ttft", "20ms")
        self.slow = self.mock("--ttft", "120ms")
        self.base = self.run_prompt(self.fast.url, "-r", "5")["run_id"]

    def hooks(self):
        """What each event's command got on its input."""
        out = self.work / "told"
        out.mkdir(exist_ok=True)
        text = "notify:\n"
        for event in ("regression", "win", "red_flag", "finished"):
            text += f"  - {{command: [sh, -c, 'cat > {out}/{event}'], events: [{event}]}}\n"
        (self.work / "assay.yaml").write_text(text)
        return out

    def test_a_regression_against_the_baseline_is_told(self):
        self.assay("baseline", "set", self.base)
        out = self.hooks()
        run_id = self.run_prompt(self.slow.url, "-r", "5")["run_id"]
        self.assertEqual(sorted(f.name for f in out.iterdir()), ["finished", "regression"])
        told = json.loads((out / "regression").read_text())
        self.assertEqual((told["schema"], told["event"], told["run_id"]),
                         ("assay.notify/1", "regression", run_id))
        self.assertIn("regression", {f["kind"] for f in told["findings"]})
        compared = self.json("compare", "baseline", run_id, "--rules", "baseline30", code=3)
        self.assertEqual(told["comparisons"], compared["comparisons"])

    def test_without_a_baseline_the_end_is_told_and_red_flags(self):
        out = self.hooks()
        self.run_prompt(self.fast.url, "-r", "5", model="fault:400", code=6)
        self.assertEqual(sorted(f.name for f in out.iterdir()), ["finished", "red_flag"])

    def test_a_hook_that_fails_changes_nothing(self):
        hook = json.dumps({"command": ["false"]})
        _, err = self.assay("run", "--target", self.fast.url, "-m", "mock", "--prompt", "hi",
                            "-r", "3", "--notify", hook, "--no-progress")
        self.assertIn("warning: notify finished: false ended with 1", err)
        meta = self.ledger(self.run_directories()[-1].name).meta
        self.assertNotIn("notify", meta["options"])

    def test_a_hook_that_cannot_be_read_stops_before_the_run(self):
        self.assay("run", "--target", self.fast.url, "--notify", "{}", code=2)
        (self.work / "assay.yaml").write_text("notify:\n  - {comand: x}\n")
        _, err = self.assay("config", "validate", code=2)
        self.assertIn("assay.yaml:1: notify: unknown key 'comand'", err)

    def test_the_baseline_report_ends_with_what_the_rules_say(self):
        run_id = self.run_prompt(self.slow.url, "-r", "5")["run_id"]
        plain, _ = self.assay("report", run_id, "--format", "v1-baseline")
        against, _ = self.assay("report", run_id, "--format", "v1-baseline", "--against", self.base)
        self.assertTrue(against.startswith(plain))
        added = against[len(plain):]
        self.assertIn(f"## Against {self.base}", added)
        self.assertLess(added.index("### Regressions"), added.index("### Wins"))
        # The first event is a role chunk, at no time to speak of: it is no regression.
        self.assertIn("warm.total_duration_ms.p50", added)
        self.assay("report", run_id, "--against", self.base, code=2)


if __name__ == "__main__":
    unittest.main()
