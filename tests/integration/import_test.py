"""`assay import`: another tool's result as a run."""
import pathlib
import shutil
import unittest

from assay_support import AssayTest

FILES = pathlib.Path(__file__).resolve().parent.parent / "golden" / "import"


class Import(AssayTest):
    def imported(self, name, *more):
        return self.json("import", FILES / name, *more)

    def test_the_run_says_everywhere_that_it_is_imported(self):
        run_id = self.imported("llama-bench.json")["run_id"]
        listed = self.json("runs", "list")["runs"][0]
        self.assertEqual((listed["run_id"], listed["source"], listed["ok"]),
                         (run_id, "llama-bench", 18))
        out, _ = self.assay("runs", "list")
        self.assertIn(" imported ", out)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
        shown = self.json("runs", "show", run_id)
        self.assertEqual(shown["imported"]["tool"], "llama-bench")
        self.assertEqual(shown["unreliable"][0]["code"], "imported")
        for kind in ("md", "html", "xml", "csv", "json"):
            path = self.work / f"report.{kind}"
            self.assay("report", run_id, "-o", path)
            self.assertIn("imported", path.read_text(), kind)
        out, _ = self.assay("explain", "engine_decode_tps", run_id)
        self.assertIn("imported from llama-bench 3f1c2ab7 (llama-bench.json)", out)
        self.assertEqual(self.json("explain", "prefill_tps", run_id)["imported_from"],
                         "llama-bench")

    def test_a_reindex_keeps_what_the_ledger_says(self):
        self.imported("guidellm.json")
        before = self.json("runs", "list")
        self.assay("runs", "reindex")
        self.assertEqual(self.json("runs", "list"), before)

    def test_two_imports_compare_within_the_run_only(self):
        ids = [self.imported("llama-bench.json")["run_id"] for _ in range(2)]
        out, _ = self.assay("compare", *ids)
        self.assertIn("within-run only", out)
        self.assertIn("base is imported from llama-bench", out)
        self.assertIn("new is imported from llama-bench", out)
        rows = self.json("compare", *ids)["comparisons"][0]["cells"][0]["metrics"]
        self.assertIn("engine_decode_tps", {row["metric"] for row in rows})
        self.assertNotIn("decode_tps", {row["metric"] for row in rows})

    def test_totals_are_shown_and_never_compared(self):
        totals = self.imported("vllm-bench-totals.json")["run_id"]
        requests = self.imported("vllm-bench-detailed.json")["run_id"]
        out, _ = self.assay("runs", "show", totals)
        self.assertIn("As vllm-bench reports it", out)
        self.assertIn("p99_ttft_ms", out)
        self.assertIn("--save-detailed", out)
        out, _ = self.assay("compare", totals, requests, code=1)
        self.assertIn("base was imported as totals only", " ".join(out.split()))

    def test_a_dry_run_writes_nothing(self):
        out, _ = self.assay("import", FILES / "aiperf.jsonl", "--dry-run", "--model", "tiny")
        self.assertIn("imported:openai:tiny", out)
        self.assertNotIn("Saved", out)
        self.assertEqual(self.json("runs", "list")["runs"], [])

    def test_labels_and_engine_are_taken(self):
        shown = self.imported("ollama-verbose.txt", "--model", "tiny:1b", "--label", "host=tower")
        self.assertEqual(shown["cells"][0]["id"], "imported:ollama:tiny:1b")
        _, err = self.assay("import", FILES / "aiperf.jsonl", "--label", "tower", code=2)
        self.assertIn("KEY=VALUE", err)

    def test_a_bad_file_is_named_and_leaves_nothing(self):
        bad = self.work / "bad.jsonl"
        shutil.copy(FILES / "openai-batch.jsonl", bad)
        bad.write_text(bad.read_text()[:-20])
        _, err = self.assay("import", bad, code=1)
        self.assertIn("bad.jsonl: line 6 is cut or no JSON", err)
        _, err = self.assay("import", self.work / "none.json", code=2)
        self.assertIn("none.json", err)
        self.assertEqual(self.json("runs", "list")["runs"], [])


if __name__ == "__main__":
    unittest.main()
