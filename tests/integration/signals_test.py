"""Ctrl-C, SIGTERM and a full disk: what was measured is kept, and a resume finishes the rest."""
import os
import signal
import subprocess
import time
import unittest

from assay_support import AssayTest, Ledger, wait_until, whole_lines


class Stopping(AssayTest):
    def start_run(self, url, *args, model="mock"):
        return self.start("run", "--target", url, "-m", model, "--prompt", "hello there",
                          "--warmup", "0", *args)

    def directory(self):
        return wait_until(self.run_directories, "the run's directory")[0]

    def wait_for_finals(self, count):
        directory = self.directory()
        wait_until(lambda: len(Ledger(directory).finals) >= count, f"{count} final records")

    def wait_for_sent(self, count):
        directory = self.directory()

        def sent():
            _, events = Ledger(directory).events()
            return sum(e["data"].get("stage") == "sent" for e in events) >= count
        wait_until(sent, f"{count} calls in flight")

    def wait_for_note(self, process, text):
        wait_until(lambda: text in self.text_of(process.err), text)

    def end_of(self, process, code):
        process.wait(timeout=30)
        self.assertEqual(process.returncode, code, self.text_of(process.err))

    def resume(self, code=0):
        directory = self.directory()
        out, _ = self.assay("resume", directory.name, "--json", code=code)
        return Ledger(directory), out

    def check_one_signal(self, signal_number, code):
        mock = self.mock("--ttft", "100ms", "--gap", "10ms")
        process = self.start_run(mock.url, "-r", "12", "--max-concurrency", "3")
        self.wait_for_finals(3)
        process.send_signal(signal_number)
        self.end_of(process, code)
        ledger = self.ledger()
        self.assertEqual(ledger.end["state"], "interrupted")
        self.assertTrue(3 <= len(ledger.finals) < 12, len(ledger.finals))
        # Those in flight went on to their end.
        self.assertEqual({c["outcome"] for c in ledger.calls}, {"ok"})
        self.assertIn("assay resume", self.text_of(process.out))
        ledger, _ = self.resume()
        self.assert_whole(ledger)
        self.assertEqual([c for c in ledger.finals if c["resumed"]], [])
        self.assertEqual(mock.stats()["attempts"]["mock"], 12)

    def test_ctrl_c_lets_calls_in_flight_finish(self):
        self.check_one_signal(signal.SIGINT, 130)

    def test_sigterm_does_the_same(self):
        self.check_one_signal(signal.SIGTERM, 143)

    def check_two_signals(self, first, second, code):
        mock = self.mock("--ttft", "3s")
        process = self.start_run(mock.url, "-r", "2", "--max-concurrency", "2")
        self.wait_for_sent(2)
        process.send_signal(first)
        self.wait_for_note(process, "again to drop them")
        before = time.monotonic()
        process.send_signal(second)
        self.end_of(process, code)
        self.assertLess(time.monotonic() - before, 1.5)
        ledger = self.ledger()
        self.assertEqual(ledger.end["state"], "interrupted")
        self.assertEqual(ledger.finals, [])
        self.assertEqual({c["outcome"] for c in ledger.calls}, {"cancelled"})
        ledger, _ = self.resume()
        self.assert_whole(ledger)
        self.assertTrue(all(c["resumed"] for c in ledger.finals))

    def test_a_second_ctrl_c_stops_at_once(self):
        self.check_two_signals(signal.SIGINT, signal.SIGINT, 130)

    def test_a_second_sigterm_stops_at_once(self):
        self.check_two_signals(signal.SIGTERM, signal.SIGTERM, 143)

    def test_after_the_grace_calls_in_flight_are_cut(self):
        mock = self.mock("--ttft", "1500ms")
        process = self.start_run(mock.url, "-r", "1", "--grace", "200ms")
        self.wait_for_sent(1)
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.end_of(process, 130)
        self.assertLess(time.monotonic() - before, 1.2)
        self.assertEqual(self.ledger().finals, [])
        ledger, _ = self.resume()
        self.assert_whole(ledger)

    def test_a_wait_before_the_next_attempt_is_cut(self):
        mock = self.mock()
        process = self.start_run(mock.url, "-r", "1", model="fault:429:1:30")
        directory = self.directory()
        wait_until(lambda: Ledger(directory).calls, "the refused attempt")
        before = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.end_of(process, 143)
        self.assertLess(time.monotonic() - before, 1.5)
        ledger, _ = self.resume()
        self.assert_whole(ledger)
        self.assertEqual([(c["attempt"], c["final"], c["outcome"]) for c in ledger.calls],
                         [(1, False, "error"), (2, True, "ok")])

    def test_an_attempt_that_stopping_left_without_its_next_is_not_final(self):
        def answer(handler, count):
            if count == 0:
                time.sleep(0.5)
                handler.reply(503, '{"error":{"message":"busy"}}')
            else:
                handler.stream()
        server = self.scripted(answer)
        process = self.start_run(server.url, "-r", "1", model="scripted")
        self.wait_for_sent(1)
        process.send_signal(signal.SIGINT)
        self.end_of(process, 130)
        self.assertEqual([c["final"] for c in self.ledger().calls], [False])
        ledger, _ = self.resume()
        self.assert_whole(ledger)
        self.assertEqual(ledger.finals[0]["outcome"], "ok")

    def test_resume_of_a_complete_run_is_refused(self):
        mock = self.mock()
        run_id = self.run_prompt(mock.url, "-r", "2")["run_id"]
        _, err = self.assay("resume", run_id[:8], code=2)
        self.assertIn("is complete", err)

    def test_resume_without_its_server_says_so(self):
        mock = self.mock("--ttft", "200ms")
        process = self.start_run(mock.url, "-r", "4")
        self.wait_for_finals(1)
        process.kill()
        process.wait()
        mock.process.kill()
        mock.process.wait()
        before = len(Ledger(self.directory()).lines)
        _, err = self.assay("resume", "last", code=5)
        self.assertIn("does not answer", err)
        self.assertEqual(len(Ledger(self.directory()).lines), before)


class DiskFull(AssayTest):
    def setUp(self):
        super().setUp()
        self.disk = self.box / "disk"
        self.disk.mkdir()
        try:
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.disk],
                                  capture_output=True, text=True, check=False)
            fault = done.stderr.strip() if done.returncode != 0 else ""
        except OSError as error:
            fault = str(error)
        if fault:
            self.not_tested(f"no tmpfs can be mounted: {fault}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)

    def fill(self):
        path = self.disk / "filler"
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return path

    def run_until_paused(self, mock):
        """A run on a disk that is filled up; (process, its directory, what fills the disk)."""
        process = self.start("run", "--target", mock.url, "-m", "mock", "--prompt", "hello there",
                             "-r", "120", "--max-concurrency", "2", "--save-responses", "all",
                             "--data-dir", self.disk)
        runs = self.disk / "runs"
        wait_until(lambda: runs.is_dir() and list(runs.iterdir()), "the run's directory")
        (directory,) = runs.iterdir()
        wait_until(lambda: len(Ledger(directory).finals) >= 4, "some records")
        filler = self.fill()
        wait_until(lambda: "paused:" in self.text_of(process.err), "the pause")
        wait_until(lambda: mock.stats()["active"] == 0, "calls in flight to end")
        return process, directory, filler

    def check_all_there(self, directory):
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        self.assertEqual({c["outcome"] for c in ledger.finals}, {"ok"})

    def test_a_full_disk_pauses_and_space_goes_on(self):
        mock = self.mock("--ttft", "40ms")
        process, directory, filler = self.run_until_paused(mock)
        attempts = mock.stats()["attempts"]["mock"]
        time.sleep(1.2)
        self.assertEqual(mock.stats()["attempts"]["mock"], attempts, "calls go on while paused")
        os.unlink(filler)
        self.assertEqual(process.wait(timeout=60), 0, self.text_of(process.err))
        self.assertIn("going on", self.text_of(process.err))
        self.check_all_there(directory)
        # What waited for space was kept: nothing was asked twice.
        self.assertEqual(mock.stats()["attempts"]["mock"], 121)

    def test_ctrl_c_while_paused_ends_and_a_resume_does_the_rest(self):
        mock = self.mock("--ttft", "40ms")
        process, directory, filler = self.run_until_paused(mock)
        before = whole_lines(directory / "run.jsonl")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=15), 130, self.text_of(process.err))
        os.unlink(filler)
        self.assay("resume", directory.name, "--data-dir", self.disk, "-q")
        self.assertEqual(whole_lines(directory / "run.jsonl")[:len(before)], before)
        self.check_all_there(directory)


if __name__ == "__main__":
    unittest.main()
