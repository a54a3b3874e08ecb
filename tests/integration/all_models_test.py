"""Every model of every server in one run: which are taken, and which are known already."""
import unittest

from assay_support import AssayTest

ASK = ("--prompt", "hi", "--max-tokens", "8", "-r", "2", "--warmup", "0", "--no-progress",
       "--no-calibrate")


class AllModels(AssayTest):
    def setUp(self):
        super().setUp()
        fast = ("--ttft", "1ms", "--gap", "1ms", "--tokens", "8")
        self.ollama = self.mock("--flavor", "ollama", "--models", "qwen3:8b,llama3.2:1b", *fast)
        self.other = self.mock("--flavor", "openai", "--models", "phi-4,gemma-3", *fast)

    def run_all(self, *args, **kwargs):
        return self.json("run", "--target", self.ollama.url, "--target", self.other.url, *ASK,
                         *args, **kwargs)

    @staticmethod
    def models(document, measured=True):
        return sorted(cell["model"] for cell in document["cells"]
                      if (cell["unavailable"] is None) == measured)

    def test_every_model_of_every_server_is_measured(self):
        document = self.run_all("--all-models")
        self.assertEqual(self.models(document), ["gemma-3", "llama3.2:1b", "phi-4", "qwen3:8b"])
        self.assertEqual(len(self.ledger(document["run_id"]).finals), 8)

    def test_what_has_results_for_the_same_settings_is_skipped_with_its_run(self):
        first = self.run_all("--all-models", "--include-models", "qwen|phi")
        self.assertEqual(self.models(first), ["phi-4", "qwen3:8b"])
        second = self.run_all("--all-models")
        self.assertEqual(self.models(second), ["gemma-3", "llama3.2:1b"])
        reasons = {cell["unavailable"] for cell in second["cells"]} - {None}
        (reason,) = reasons
        self.assertIn(first["run_id"][:8], reason)
        self.assertEqual({cell["known_in"] for cell in second["cells"]}, {None, first["run_id"]})
        out, _ = self.assay("run", "--target", self.ollama.url, "--target", self.other.url, *ASK,
                            "--all-models")
        for run, models in ((first, "qwen3:8b phi-4"), (second, "llama3.2:1b gemma-3")):
            below = out.partition(f"Known results: run {run['run_id'][:8]}")[2]
            for model in models.split():
                self.assertRegex(below, rf"(?m)^{model} .* 2 ")
        self.assertIn(f"skipped: run {first['run_id'][:8]} has results", out)
        skipped = [c for c in self.ledger(second["run_id"]).calls if c["outcome"] == "skipped"]
        self.assertEqual(len(skipped), 2)

    def test_other_settings_are_measured_and_force_measures_again(self):
        self.run_all("--all-models")
        for other in (("--max-tokens", "4"), ("--prompt", "hello"), ("--temperature", "0.5"),
                      ("--cold", "1"), ("--force",), ("--retest",)):
            document = self.run_all("--all-models", *other)
            self.assertEqual(len(self.models(document)), 4, other)

    def test_nothing_left_to_measure_is_done(self):
        self.run_all("--all-models")
        document = self.run_all("--all-models")
        self.assertEqual(self.models(document), [])

    def test_a_condition_asks_for_all_models_that_hold_it(self):
        document = self.run_all("--exclude-models", "^(phi|qwen)")
        self.assertEqual(self.models(document), ["gemma-3", "llama3.2:1b"])

    def test_what_engines_tell_of_their_models_is_what_conditions_ask(self):
        document = self.run_all("--arch", "mock", "--only-tools")
        self.assertEqual(self.models(document), ["llama3.2:1b", "qwen3:8b"])
        _, err = self.assay("run", "--target", self.ollama.url, *ASK, "--only-vision", code=2)
        self.assertIn("it does not take images", err)

    def test_a_regular_expression_that_is_none_stops_before_any_call(self):
        _, err = self.assay("run", "--target", self.ollama.url, *ASK, "--include-models", "qwen(",
                            code=2)
        self.assertIn("--include-models 'qwen(' is no regular expression", err)
        self.assertEqual(self.ollama.stats()["by_model"], {})

    def test_conditions_that_nothing_holds_say_why(self):
        _, err = self.assay("run", "--target", self.ollama.url, *ASK, "--params", "70B", code=2)
        self.assertIn("no model holds the conditions", err)
        self.assertIn("--params", err)


if __name__ == "__main__":
    unittest.main()
