"""An archive that can be given away: what goes into it, and what never does."""
import json
import subprocess
import unittest

from assay_support import AssayTest

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=m"]


class Publish(AssayTest):
    def setUp(self):
        super().setUp()
        self.server = self.mock("--flavor", "ollama", "--models", "qwen3.5:0.8b", "--ttft", "5ms",
                                "--gap", "1ms")
        (self.work / "cells.yaml").write_text(
            "max_rate: 1000\ncells:\n"
            '  - {node: tower, engine: ollama, model: "qwen3.5:0.8b", '
            f'endpoint: "{self.server.url}"}}\n')
        (self.work / "prompts.yaml").write_text(
            'P-NEW1: {prompt: "Is 10.0.0.1 private?", max_tokens: 8}\n')
        for command in (["init"], ["add", "-A"], ["commit", "-m", "first"]):
            subprocess.run([*GIT, *command], cwd=self.work, check=True, capture_output=True)
        self.archive = self.box / "archive"

    def measure(self, *args):
        document = self.json("run", "--cells-yaml", self.work / "cells.yaml", "--prompts-yaml",
                             self.work / "prompts.yaml", "--force-load", "--no-progress", *args)
        return document["run_id"]

    def publish(self, *args, code=0):
        return self.json("publish", *args, "--to", self.archive, code=code)

    def test_a_run_is_packed_without_addresses_and_paths(self):
        run = self.measure()
        result = self.publish(run)
        self.assertTrue(result["published"])
        folder = self.archive / "runs" / run
        self.assertEqual(sorted(p.name for p in folder.iterdir()),
                         ["metadata.json", "run.html", "run.jsonl", "run.log", "run.md"])
        lines = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
        (cell,) = lines[0]["cells"]
        self.assertEqual(cell["url"], self.server.url.replace("127.0.0.1", "tower"))
        self.assertEqual(lines[0]["host"], "harness")
        self.assertIn("10.0.0.1", lines[0]["prompts"][0]["text"])
        packed = "".join(p.read_text() for p in folder.iterdir())
        self.assertNotIn("127.0.0.1", packed)
        self.assertNotIn(str(self.box), packed)
        original = self.ledger(run)
        _, err = self.assay("runs", "rm", run, "--yes", code=4)
        self.assertIn("is published in", err)
        self.assertEqual([c["total_duration_ms"] for c in original.calls],
                         [c["total_duration_ms"] for c in lines if c["type"] == "call"])

    def test_the_archive_explains_itself_and_is_the_same_every_time(self):
        runs = sorted(self.measure() for _ in range(2))
        self.publish(*runs)
        before = {p: p.read_bytes() for p in self.archive.rglob("*") if p.is_file()}
        again = self.publish(*runs)
        self.assertTrue(all(r["was_there"] for r in again["runs"]))
        self.assertEqual(before,
                         {p: p.read_bytes() for p in self.archive.rglob("*") if p.is_file()})
        catalogue = json.loads((self.archive / "catalogue.json").read_text())
        self.assertEqual(sorted(b["benchmark_run_id"] for b in catalogue["benchmarks"]), runs)
        self.assertEqual({b["completeness"] for b in catalogue["benchmarks"]}, {"complete"})
        for name in ("README.md", "methodology.md", "LICENSE"):
            self.assertTrue((self.archive / name).exists(), name)
        self.assertIn("ttft_ms", (self.archive / "methodology.md").read_text())

    def test_its_own_documents_are_looked_at_and_stop_everything(self):
        run = self.measure()
        self.archive.mkdir()
        (self.archive / "methodology.md").write_text("Nodes\n\nmac: 10.8.0.3, /Users/somebody\n")
        result = self.publish(run, code=4)
        self.assertFalse(result["published"])
        self.assertEqual([(f["file"], f["line"], f["kind"]) for f in result["private"]["findings"]],
                         [("methodology.md", 3, "IPv4 address"),
                          ("methodology.md", 3, "home folder")])
        self.assertEqual([p.name for p in self.archive.iterdir()], ["methodology.md"])

    def test_a_label_with_an_address_is_refused_until_it_has_an_alias(self):
        run = self.measure("--label", "where=10.9.8.7")
        result = self.publish(run, code=4)
        self.assertEqual({f["text"] for f in result["private"]["findings"]}, {"10.9.8.7"})
        self.assertFalse((self.archive / "runs").exists())
        self.publish(run, "--alias", "10.9.8.7=cellar")
        self.assertIn("where=cellar", (self.archive / "runs" / run / "run.jsonl").read_text())

    def test_a_dry_run_leaves_nothing(self):
        run = self.measure()
        result = self.publish(run, "--dry-run")
        self.assertEqual(result["private"]["total"], 0)
        self.assertEqual(list(self.archive.iterdir()), [])
        self.assertEqual([p.name for p in self.box.glob("archive*")], ["archive"])

    def test_a_published_run_with_other_bytes_is_kept(self):
        run = self.measure()
        self.publish(run)
        ledger = self.archive / "runs" / run / "run.jsonl"
        ledger.write_text(ledger.read_text().replace("harness", "mac"))
        _, err = self.assay("publish", run, "--to", self.archive, code=4)
        self.assertIn("differs", err)
        self.assertIn('"mac"', ledger.read_text())

    def test_what_nobody_can_identify_is_kept_and_not_published(self):
        nameless = self.mock("--flavor", "openai")
        document = self.json("run", "--target", nameless.url, "--prompt", "hi", "--max-tokens",
                             "4", "-r", "1", "--no-progress")
        _, err = self.assay("publish", document["run_id"], "--to", self.archive, code=4)
        self.assertIn("incomplete_metadata", err)
        self.ledger(document["run_id"])

    def test_a_failed_check_of_another_kind_is_published_with_its_reservation(self):
        (self.work / "notes.txt").write_text("x")
        run = self.measure("--allow-dirty", "notes are being written")
        self.publish(run)
        folder = self.archive / "runs" / run
        metadata = json.loads((folder / "metadata.json").read_text())
        self.assertEqual(metadata["git_changes"], ["?? notes.txt"])
        for reservation in metadata["unreliable"]:
            self.assertIn(reservation.split(":")[0], (folder / "run.md").read_text())


if __name__ == "__main__":
    unittest.main()
