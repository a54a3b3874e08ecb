"""The commands beside `assay run`."""
import json
import os
import stat
import unittest

from assay_support import AssayTest, wait_until


class Runs(AssayTest):
    def setUp(self):
        super().setUp()
        self.server = self.mock()
        self.ids = [self.run_prompt(self.server.url, "-r", "2")["run_id"],
                    self.run_prompt(self.server.url, "-r", "3", "-m", "other")["run_id"]]

    def listed(self):
        return [run["run_id"] for run in self.json("runs", "list")["runs"]]

    def test_list_shows_the_newest_first(self):
        self.assertEqual(self.listed(), self.ids[::-1])
        self.assertEqual(len(self.json("runs", "list", "--limit", "1")["runs"]), 1)
        out, _ = self.assay("runs", "list")
        self.assertEqual([line.split()[0] for line in out.splitlines()],
                         [run_id[:8] for run_id in self.ids[::-1]])
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)

    def test_show_takes_a_prefix_or_last(self):
        shown = self.json("runs", "show", "last")
        self.assertEqual(shown["run_id"], self.ids[1])
        self.assertEqual(self.json("runs", "show", self.ids[0])["legs"][0]["n"], 2)
        out, _ = self.assay("runs", "show", self.ids[0])
        self.assertNotIn("\x1b", out)

    def test_rm_needs_yes_and_takes_everything(self):
        self.assay("runs", "rm", self.ids[0], code=2)
        self.assay("runs", "rm", self.ids[0], "--dry-run")
        self.assertEqual(self.listed(), self.ids[::-1])
        self.assay("runs", "rm", self.ids[0], "--yes")
        self.assertEqual(self.listed(), self.ids[1:])
        self.assertEqual([d.name for d in self.run_directories()], self.ids[1:])

    def test_rm_refuses_what_others_rely_on(self):
        self.assay("baseline", "set", self.ids[0])
        _, err = self.assay("runs", "rm", self.ids[0], "--yes", code=4)
        self.assertIn("is the baseline 'baseline'", err)
        with open(self.data / "state.jsonl", "a") as state:
            state.write(json.dumps({"type": "published", "run_id": self.ids[1],
                                    "where": "the archive", "at": "t"}) + "\n")
        _, err = self.assay("runs", "rm", self.ids[1], "--yes", code=4)
        self.assertIn("published in the archive", err)
        self.assertEqual(self.listed(), self.ids[::-1])

    def test_a_removed_run_stays_removed(self):
        ledger = (self.data / "runs" / self.ids[0] / "run.jsonl").read_bytes()
        self.assay("runs", "rm", self.ids[0], "--yes")
        # An older copy of the directory comes back.
        (self.data / "runs" / self.ids[0]).mkdir()
        (self.data / "runs" / self.ids[0] / "run.jsonl").write_bytes(ledger)
        _, err = self.assay("runs", "reindex")
        self.assertIn("was removed, but its files are there", err)
        self.assertEqual(self.listed(), self.ids[1:])
        self.assay("runs", "rm", self.ids[0], "--yes")
        self.assertEqual([d.name for d in self.run_directories()], self.ids[1:])

    def test_marks_are_put_shown_and_taken_away(self):
        self.assay("runs", "mark", self.ids[0], "invalid", "--note", "a door was open")
        self.assay("runs", "mark", self.ids[0], "odd", "--leg", "0")
        self.assay("runs", "mark", self.ids[0], "odd", "--leg", "99", code=2)
        self.assay("runs", "mark", self.ids[0], "two words", code=2)
        marks = self.json("runs", "list")["runs"][1]["marks"]
        self.assertEqual([(m["leg"], m["mark"], m["note"]) for m in marks],
                         [(None, "invalid", "a door was open"), (0, "odd", "")])
        out, _ = self.assay("runs", "list")
        self.assertIn("invalid: a door was open; leg 0 odd", out)
        self.assay("runs", "mark", self.ids[0], "invalid", "--off")
        self.assertEqual(len(self.json("runs", "list")["runs"][1]["marks"]), 1)

    def test_reindex_makes_the_index_from_the_ledgers(self):
        before = self.json("runs", "list")
        for file in self.data.iterdir():
            if file.is_file():
                file.unlink()
        report = self.json("runs", "reindex")
        self.assertEqual((report["runs"], report["calls"]), (2, 11))
        self.assertEqual(self.json("runs", "list"), before)

    def test_reports_have_the_same_bytes_twice(self):
        for name in ("json", "csv", "md", "html", "xml"):
            first, second = self.work / f"1.{name}", self.work / f"2.{name}"
            for path in (first, second):
                out, _ = self.assay("report", self.ids[1], "--output", path)
                self.assertIn("Wrote", out)
            self.assertEqual(first.read_bytes(), second.read_bytes())
            self.assertGreater(first.stat().st_size, 100)
        self.assertEqual(json.loads((self.work / "1.json").read_text()),
                         self.json("runs", "show", self.ids[1]))
        self.assay("report", self.ids[1], "--output", self.work / "x.pdf", code=2)
        out, _ = self.assay("report", self.ids[1], "--format", "csv")
        self.assertEqual(out.encode(), (self.work / "1.csv").read_bytes())

    def test_short_o_writes_a_report_too(self):
        self.assay("report", self.ids[1], "-o", self.work / "short.md")
        self.assertTrue((self.work / "short.md").exists())


class Servers(AssayTest):
    def test_probe_tells_the_kinds_apart(self):
        for flavor, kind in (("openai", "openai"), ("llamacpp", "llamacpp"), ("ollama", "ollama")):
            mock = self.mock("--flavor", flavor, "--models", "a:1,b")
            document = self.json("targets", "probe", mock.url)
            (target,) = document["targets"]
            self.assertEqual((document["schema"], target["kind"], target["up"]),
                             ("assay.targets/1", kind, True))
            self.assertEqual({m["name"] for m in target["models"]}, {"a:1", "b"})
            out, _ = self.assay("targets", "probe", mock.url)
            self.assertIn(kind, out)

    def test_probe_of_nobody_ends_with_5(self):
        mock = self.mock()
        mock.process.kill()
        mock.process.wait()
        out, _ = self.assay("targets", "probe", mock.url, code=5)
        self.assertIn("down", out)

    def test_models_are_listed(self):
        mock = self.mock("--models", "one,two")
        other = self.mock("--flavor", "openai", "--models", "other-model")
        both = self.json("models", "list", "--target", mock.url, "--target", other.url)["targets"]
        self.assertEqual([t["url"] for t in both], [mock.url, other.url])
        out, _ = self.assay("models", "list", "--target", mock.url)
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["one", "two"])
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)

    def test_mock_server_says_first_where_it_listens(self):
        mock = self.mock()
        first = json.loads(mock.first_line)
        self.assertEqual(set(first), {"listening", "reset"})
        self.assertTrue(first["listening"].startswith("http://127.0.0.1:"))
        mock.process.terminate()
        self.assertEqual(mock.process.wait(timeout=10), 0)


class Models(AssayTest):
    def test_dummy_models_are_the_same_each_time(self):
        out, _ = self.assay("dummy-model", "--shape", "tiny", "--output", "one.gguf")
        self.assertIn("random weights", out)
        out, _ = self.assay("dummy-model", "--output", "two.gguf", "--quiet")
        self.assertEqual(out, "two.gguf\n")
        one, two = (self.work / "one.gguf").read_bytes(), (self.work / "two.gguf").read_bytes()
        self.assertEqual(one[:4], b"GGUF")
        self.assertEqual(one, two)
        self.assay("dummy-model", "--script", "--output", "known.gguf")
        self.assertNotEqual((self.work / "known.gguf").read_bytes(), one)
        out, _ = self.assay("dummy-model", "--list")
        self.assertIn("tiny", out)
        _, err = self.assay("dummy-model", "--shape", "tinny", code=2)
        self.assertIn("tiny", err)


class Suites(AssayTest):
    def test_built_in_ones(self):
        out, _ = self.assay("suites", "list")
        for name in ("speed", "baseline", "smoke"):
            self.assertIn(name, out)
        out, _ = self.assay("suites", "show", "baseline")
        self.assertIn("P-HARD", out)

    def run_file(self, name, text):
        (self.work / name).write_text(text)
        mock = self.mock()
        return self.json("run", "--target", mock.url, "-m", "mock", "--suite", name, "-r", "1",
                         "--no-progress")

    def test_prompt_files_of_every_kind(self):
        yaml = "P-ONE:\n  prompt: |\n    say one\n  max_tokens: 3\nP-TWO: {prompt: say two}\n"
        lines = '{"id": "P-ONE", "prompt": "say one"}\n{"id": "P-TWO", "question": "say two"}\n'
        listed = '[{"id": "P-ONE", "prompt": "say one"}, {"id": "P-TWO", "prompt": "say two"}]'
        for name, text in (("p.yaml", yaml), ("p.jsonl", lines), ("p.json", listed)):
            document = self.run_file(name, text)
            self.assertEqual([leg["prompt_id"] for leg in document["legs"]], ["P-ONE", "P-TWO"])
            prompts = self.ledger(document["run_id"]).meta["prompts"]
            self.assertEqual([p["text"] for p in prompts], ["say one", "say two"])
        document = self.run_file("p.txt", "say one\nsay two\n")
        self.assertEqual([leg["prompt_id"] for leg in document["legs"]], ["1", "2"])
        out, _ = self.assay("suites", "show", "p.yaml")
        self.assertIn("P-TWO", out)

    def test_every_fault_is_told_with_its_line(self):
        (self.work / "bad.jsonl").write_text('{"prompt": "x"}\nnonsense\n{"id": 3}\n'
                                             '{"prompt": "y", "max_tokens": "many"}\n')
        (self.work / "bad.yaml").write_text("A: {prompt: x}\nB: {text: y}\nA: {prompt: z}\n")
        run = ["run", "--target", "http://127.0.0.1:1", "--suite"]
        _, err = self.assay(*run, "bad.jsonl", code=2)
        for line in (2, 3, 4):
            self.assertIn(f"bad.jsonl:{line}: ", err)
        _, err = self.assay(*run, "bad.yaml", code=2)
        for line in (2, 3):
            self.assertIn(f"bad.yaml:{line}: ", err)

    def test_the_baseline_is_one_cold_and_five_warm(self):
        mock = self.mock("--flavor", "ollama")
        document = self.json("run", "--target", mock.url, "-m", "mock", "--suite", "smoke",
                             "--no-progress")
        self.assertEqual([leg["prompt_id"] for leg in document["legs"]], ["P-EASY"])
        self.assertEqual(document["legs"][0]["cell_id"], "local:ollama:mock")


class Config(AssayTest):
    def test_init_validate_show_path(self):
        self.assay("config", "init")
        template = (self.work / "assay.yaml").read_text()
        self.assertIn("# budget: ", template)
        self.assay("config", "init", code=4)
        out, _ = self.assay("config", "validate")
        self.assertIn("1 file checked", out)
        out, _ = self.assay("config", "path")
        self.assertEqual(out.strip(), str(self.work / "assay.yaml"))
        live = "\n".join(line.removeprefix("# ") for line in template.splitlines()
                         if line.startswith("# retries:"))
        (self.work / "assay.yaml").write_text(live + "\n")
        self.assay("config", "validate", "assay.yaml")

    def test_validate_tells_every_fault(self):
        (self.work / "bad.yaml").write_text("budgt: 1s\nwarmup: few\nbudget: [1s, 2s]\n")
        _, err = self.assay("config", "validate", "bad.yaml", code=2)
        for line in (1, 2, 3):
            self.assertIn(f"bad.yaml:{line}: ", err)
        (self.work / "worse.yaml").write_text("a: [\n")
        _, err = self.assay("config", "validate", "worse.yaml", code=2)
        self.assertIn("worse.yaml:", err)

    def test_validate_checks_the_file_of_the_config_option(self):
        (self.work / "bad.yaml").write_text("budgt: 1s\n")
        _, err = self.assay("config", "validate", "--config", "bad.yaml", code=2)
        self.assertIn("bad.yaml:1: ", err)
        self.assertIn("0 files", self.assay("config", "validate", "--no-config")[0])

    def test_a_second_long_name_is_known_everywhere(self):
        (self.work / "assay.yaml").write_text("retest: true\n")
        self.assertEqual(self.shown()["force"]["value"], ["true"])
        (self.work / "assay.yaml").unlink()
        shown = self.shown(env={"ASSAY_RETEST": "yes"})["force"]
        self.assertEqual((shown["value"], shown["origin"]), (["true"], "ASSAY_RETEST"))

    def test_values_that_make_no_sense_say_what_does(self):
        for args, what in ((("--min-context", "-5"), "--min-context must be at least 1"),
                           (("--gpu-offload", "0-1"), "it is a number from 0 to 1")):
            _, err = self.assay("run", "--target", "http://127.0.0.1:9", *args, code=2)
            self.assertIn(what, err)

    def shown(self, *args, env=None):
        return self.json("config", "show", "--origin", *args, env=env)

    def test_flag_beats_environment_beats_file(self):
        config = self.box / "config" / "assay"
        config.mkdir()
        (config / "config.yaml").write_text("warmup: 2\nretries: 1\ngrace: 3s\n")
        (self.work / "assay.yaml").write_text("warmup: 4\nretries: 5\n")
        shown = self.shown(env={"ASSAY_WARMUP": "6"})
        self.assertEqual((shown["warmup"]["value"], shown["warmup"]["origin"]),
                         (["6"], "ASSAY_WARMUP"))
        self.assertEqual((shown["retries"]["value"], shown["retries"]["origin"]),
                         (["5"], f"{self.work}/assay.yaml:2"))
        self.assertEqual(shown["grace"]["origin"], f"{config}/config.yaml:3")
        self.assertEqual(shown["idle-timeout"]["origin"], "default")
        mock = self.mock()
        document = self.run_prompt(mock.url, "-r", "1", "--warmup", "1", env={"ASSAY_WARMUP": "6"})
        self.assertEqual(document["warmup"]["n"], 1)
        document = self.run_prompt(mock.url, "-r", "1", env={"ASSAY_WARMUP": "6"})
        self.assertEqual(document["warmup"]["n"], 6)
        document = self.run_prompt(mock.url, "-r", "1")
        self.assertEqual(document["warmup"]["n"], 4)
        document = self.run_prompt(mock.url, "-r", "1", "--no-config")
        self.assertEqual(document["warmup"]["n"], 1)


class Help(AssayTest):
    def test_topics(self):
        out, _ = self.assay("help", "metrics")
        for metric in ("ttft_ms", "itl_ms", "decode_tps"):
            self.assertIn(metric, out)
        out, _ = self.assay("help", "exit-codes")
        codes = [line.split()[0] for line in out.splitlines()]
        self.assertEqual(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "130", "143"])
        out, _ = self.assay("help", "run")
        self.assertIn("--max-concurrency", out)
        out, _ = self.assay("--version")
        self.assertTrue(out.startswith("assay "))


class Refusals(AssayTest):
    def test_what_cannot_be_written_is_told_before_the_first_call(self):
        server = self.mock()
        _, err = self.assay("run", "--target", server.url, "--prompt", "x", "-o", "/nodir/x.md",
                            code=2)
        self.assertIn("/nodir/x.md", err)
        self.assertEqual(self.run_directories(), [])

    def test_an_empty_prompt_is_no_suite(self):
        _, err = self.assay("run", "--target", "http://127.0.0.1:9", "--prompt", "", code=2)
        self.assertIn("--prompt is empty", err)

    def test_the_unknown_word_is_the_one_named(self):
        _, err = self.assay("--color", "never", "bogus", code=2)
        self.assertIn("unknown command 'bogus'", err)
        _, err = self.assay("--color", "never", "runs", code=2)
        self.assertIn("needs a command", err)

    def test_help_knows_metrics_and_says_what_it_does_not_know(self):
        out, _ = self.assay("help", "ttft_ms")
        self.assertIn("first text-bearing event", out)
        _, err = self.assay("help", "foo", code=2)
        self.assertIn("no help on 'foo'", err)

    def test_a_refused_key_is_a_caveat_and_no_attempt(self):
        server = self.mock()
        document = self.json("run", "--target", server.url, "-m", "fault:401", "--prompt", "x",
                             "-r", "4", code=6)
        self.assertIn("refused", [caveat["code"] for caveat in document["unreliable"]])
        (leg,) = document["legs"]
        self.assertEqual((leg["skipped"], leg["attempts"]), (4, 0))


class Compare(AssayTest):
    def setUp(self):
        super().setUp()
        quick = self.mock("--ttft", "20ms", "--gap", "2ms", "--role", "none")
        slow = self.mock("--ttft", "40ms", "--gap", "2ms", "--role", "none")
        self.ids = [self.run_prompt(server.url, "-r", "8")["run_id"]
                    for server in (quick, quick, slow)]

    def test_a_slower_server_ends_with_3(self):
        document = self.json("compare", self.ids[0], self.ids[2], code=3)
        self.assertEqual(document["schema"], "assay.compare/1")
        [comparison] = document["comparisons"]
        self.assertTrue(comparison["regressed"])
        [cell] = comparison["cells"]
        verdicts = {row["metric"]: row["verdict"] for row in cell["metrics"]}
        self.assertEqual(verdicts["ttft_ms"], "worse")
        out, _ = self.assay("compare", self.ids[0], self.ids[2], "--by-prompt", code=3)
        self.assertIn("TTFT", out)
        self.assertIn("FAILED", out)
        self.assertTrue(all(len(line) <= 77 for line in out.splitlines()), out)

    def test_the_same_server_is_no_regression_beyond_a_wide_tolerance(self):
        self.assay("compare", *self.ids[:2], "--tolerance", "80")

    def test_thresholds_are_told_apart(self):
        self.assay("compare", *self.ids[:2], "--tolerance", "80", "--threshold",
                   "ttft_ms.p50<10000", "--threshold", "success_rate>=1")
        out, _ = self.assay("compare", *self.ids[:2], "--tolerance", "80", "--threshold",
                            "ttft_ms.p50<1", code=3)
        self.assertIn("threshold ttft_ms.p50<1 missed", out)
        _, err = self.assay("compare", *self.ids[:2], "--threshold", "speed<1", code=2)
        self.assertIn("speed", err)

    def test_a_metric_is_explained_with_the_runs_values(self):
        out, _ = self.assay("explain", "ttft_ms", self.ids[0])
        self.assertIn("vLLM bench serve", out)
        self.assertTrue(all(len(line) <= 77 for line in out.splitlines()), out)
        document = self.json("explain", "e2e_tps", "last")
        (leg,) = document["legs"]
        self.assertIn("tokens / (", leg["formula"])
        self.assertGreater(leg["value"], 0)
        short = self.mock("--ttft", "1ms", "--gap", "1ms", "--tokens", "5")
        self.run_prompt(short.url, "-r", "3")
        out, _ = self.assay("explain", "decode_tps", "last")
        self.assertIn("no call has a value: fewer than 15 tokens", " ".join(out.split()))
        _, err = self.assay("explain", "speed", "last", code=2)
        self.assertIn("decode_tps", err)

    def test_a_comparison_of_nothing_is_no_success(self):
        other = self.mock("--ttft", "1ms", "--gap", "1ms")
        document = self.json("run", "--target", other.url, "--prompt", "another question", "-r", "3")
        out, _ = self.assay("compare", self.ids[0], document["run_id"], code=1)
        self.assertIn("nothing could be compared", out)

    def test_a_ledger_is_named_by_its_path_too(self):
        (path,) = [d / "run.jsonl" for d in self.run_directories() if d.name == self.ids[0]]
        self.assertEqual(self.json("runs", "show", path)["run_id"], self.ids[0])
        out, _ = self.assay("report", path, "--format", "v1-baseline")
        self.assertIn("## TTFT-warm-p50", out)
        self.assay("baseline", "set", path, code=2)

    def test_restarts_need_an_engine_that_can_load_anew(self):
        server = self.mock()
        _, err = self.assay("run", "--target", server.url, "--prompt", "x", "--restarts", "3", code=2)
        self.assertIn("can load", err)
        _, err = self.assay("doctor", "--pairs", "3", code=2)
        self.assertIn("--noise", err)
        self.assay("doctor", "--noise", "--pairs", "1", code=2)

    def test_a_baseline_has_a_name_and_is_kept(self):
        self.assay("compare", "baseline", "last", code=2)
        self.assay("baseline", "set", self.ids[0])
        self.assay("compare", "baseline", self.ids[2], code=3)
        [baseline] = self.json("baseline", "list")["baselines"]
        self.assertEqual(baseline["run_id"], self.ids[0])
        _, err = self.assay("runs", "rm", self.ids[0], "--yes", code=4)
        self.assertIn("baseline rm", err)
        self.assay("baseline", "rm", "baseline")
        self.assertEqual(self.json("baseline", "list")["baselines"], [])
        self.assay("runs", "rm", self.ids[0], "--yes")

    def test_it_is_written_to_files(self):
        self.assay("compare", self.ids[0], self.ids[2], "-o", self.work / "c.md", "-o",
                   self.work / "c.json", "-o", self.work / "c.html", code=3)
        page = (self.work / "c.html").read_text(encoding="utf-8")
        self.assertIn("the new run is worse", page)
        self.assertNotIn("://", page)
        self.assertNotIn("<script", page)
        self.assertIn("worse", (self.work / "c.md").read_text())
        self.assertTrue(json.loads((self.work / "c.json").read_text())["comparisons"])
        self.assay("compare", *self.ids[:2], "-o", self.work / "c.pdf", code=2)


if __name__ == "__main__":
    unittest.main()
