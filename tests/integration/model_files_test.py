"""Which files are served with what: sets, projectors, memory that runs out, all that are enabled."""
import unittest

import gguf_files as g
from assay_support import Ledger, wait_until
from supervised import FakeEngine, engine_is_there, is_alive

EYE = g.gguf({"general.architecture": "clip"}, [("v", 32, 1, g.F32, 128)])


class Launches(FakeEngine):
    """Of one file."""

    def test_what_the_kernel_killed_is_tried_once_more_on_the_processor(self):
        document = self.run_fake(self.fake("killed", layers=0))
        self.assertEqual(self.asked_layers(), [3, 0])
        (cell,) = document["cells"]
        self.assertEqual([a["outcome"] for a in cell["load_attempts"]], ["oom_killed", "ok"])
        self.assertIn("signal 9", cell["load_attempts"][0]["error"])
        ledger = self.ledger(document["run_id"])
        self.assertEqual({tuple(c["flags"][:1]) for c in ledger.finals}, {("fallback_cpu",)})

    def test_what_the_kernel_kills_on_the_processor_too_is_final(self):
        _, err = self.assay("run", "--gguf", self.model, "--llama-server",
                            self.fake("killed", layers=-1), "--prompt", "x", "--no-calibrate",
                            code=5)
        self.assertEqual(self.asked_layers(), [3, 0])
        self.assertIn("oom_killed", err)

    def test_unload_of_a_load_that_failed_says_how_to_forget_it(self):
        self.assay("models", "load", self.model, "--llama-server", self.fake("load_failed"), code=5)
        _, err = self.assay("models", "unload", "tiny")
        self.assertIn("tiny failed and runs no more; 'assay models reset tiny' forgets it", err)
        self.assay("models", "reset", "tiny")
        self.assertEqual(self.ps(), [])

    def test_the_bundled_engine_says_that_it_takes_no_projector(self):
        if not engine_is_there():
            self.not_tested("the bundled engine is not installed (engine/node_modules)")
        (self.box / "mmproj-eye.gguf").write_bytes(EYE)
        _, err = self.assay("run", "--gguf", self.model, "--prompt", "x", "-r", "1",
                            "--max-tokens", "2", "--no-calibrate", limit_s=150)
        self.assertIn("tiny is served without its projector mmproj-eye.gguf", err)

    def test_a_projector_beside_the_model_goes_with_it(self):
        eye = self.box / "mmproj-eye.gguf"
        eye.write_bytes(EYE)
        document = self.run_fake(self.fake("serve"))
        (start,) = self.starts()
        arguments = start["arguments"]
        self.assertEqual(arguments[arguments.index("--mmproj") + 1], str(eye))
        (cell,) = document["cells"]
        self.assertEqual((cell["load_requested"]["projector"], cell["load_effective"]["projector"]),
                         ("mmproj-eye.gguf", "mmproj-eye.gguf"))
        with_eye = self.ledger(document["run_id"]).meta["legs"][0]["settings_hash"]
        eye.unlink()
        document = self.run_fake(self.fake("serve"))
        self.assertNotIn("--mmproj", self.starts()[-1]["arguments"])
        self.assertIsNone(document["cells"][0]["load_effective"]["projector"])
        self.assertNotEqual(self.ledger(document["run_id"]).meta["legs"][0]["settings_hash"],
                            with_eye)

    def test_files_that_are_no_whole_model_start_nothing(self):
        (self.box / "eye").mkdir()
        files = {"mmproj-eye.gguf": EYE,
                 "big-00001-of-00003.gguf": g.part(1, 3), "big-00003-of-00003.gguf": g.part(3, 3)}
        for name, data in files.items():
            (self.box / "eye" / name).write_bytes(data)
        program = self.fake("serve")
        for name, why in (("mmproj-eye", "projector"),
                          ("big-00001-of-00003", "big-00002-of-00003.gguf"),
                          ("big-00003-of-00003", "big-00002-of-00003.gguf")):
            for command in (("run", "--prompt", "x", "--no-calibrate", "--gguf"),
                            ("models", "load")):
                _, err = self.assay(*command, self.box / "eye" / f"{name}.gguf", "--llama-server",
                                    program, code=4)
                self.assertIn(why, err, (name, command))
        self.assertEqual(self.starts(), [])
        (self.box / "eye/big-00002-of-00003.gguf").write_bytes(g.part(2, 3))
        self.assay("models", "load", self.box / "eye/big-00003-of-00003.gguf", "--llama-server",
                   program)
        self.assertTrue(self.ps()[0]["gguf"].endswith("big-00001-of-00003.gguf"))
        self.assertIn("eye/big-00001-of-00003.gguf", " ".join(self.starts()[0]["arguments"]))


class Resumed(FakeEngine):
    """A matrix of an engine of ours, killed in the middle."""

    def kill_in(self, combination):
        """Starts four calls with each of two settings, and kills the run in one of them."""
        program = self.fake("serve", "--ttft", "2ms", "--gap", "20ms", "--tokens", "8")
        process = self.start("run", "--gguf", self.model, "--llama-server", program, "--threads",
                             "1,2", "--prompt", "hello", "-r", "4", "--warmup", "0",
                             "--no-progress", "--no-calibrate")
        directory = wait_until(self.run_directories, "the run's directory")[0]
        wait_until(lambda: len(Ledger(directory).finals) > 4 * combination, "a call in it")
        process.kill()
        process.wait()
        return directory

    def test_what_is_left_of_each_combination_is_made_with_its_own_settings(self):
        for combination in (0, 1):
            with self.subTest(combination):
                directory = self.kill_in(combination)
                before = Ledger(directory)
                self.assertLess(len(before.finals), 8)
                wait_until(lambda: not any(is_alive(s["pid"]) for s in self.starts()),
                           "the engine to be gone")
                seen = len(self.starts())
                self.assay("resume", directory.name)
                after = Ledger(directory)
                self.assert_whole(after)
                self.assertEqual({c["outcome"] for c in after.finals}, {"ok"})
                self.assertEqual(after.finals[:len(before.finals)], before.finals)
                threads = [s["arguments"][s["arguments"].index("--threads") + 1]
                           for s in self.starts()[seen:]]
                # Each is looked at; what has calls left is started again for them.
                self.assertEqual(threads, ["1", "2"] + ["1", "2"][combination:])
                for path in self.run_directories():
                    self.assay("runs", "rm", path.name, "--yes")


if __name__ == "__main__":
    unittest.main()
