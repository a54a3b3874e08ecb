"""Kills a run again and again with SIGKILL, and resumes it: nothing may be lost or done twice.

By hand, with 200 kills (about a minute and a half):

    ASSAY_BINARY=build/release/assay python3 tests/integration/kill_test.py --kills 200

--seed N repeats the kill times of an earlier go; the seed is printed.
"""
import argparse
import random
import sys
import time
import unittest

import assay_support
from assay_support import AssayTest, Ledger, whole_lines

CONCURRENCY = 4
OPTIONS = argparse.Namespace(kills=20, seed=None)
# Good calls, calls that are repeated after a refusal, and calls that always fail.
MODELS = ("mock", "fault:503loading:2", "fault:rst:2")


class Kill(AssayTest):
    def setUp(self):
        super().setUp()
        self.server = self.mock("--ttft", "20ms", "--gap", "4ms")
        self.arguments = ["run", "--target", self.server.url, "--prompt", "hello there",
                          "-r", "20", "--max-concurrency", str(CONCURRENCY), "--no-progress",
                          "--save-responses", "all", "--quiet"]
        for model in MODELS:
            self.arguments += ["-m", model]

    def wait_or_kill(self, process, delay_s):
        """True when it was killed, False when it was done before."""
        try:
            process.wait(timeout=delay_s)
            return False
        except assay_support.subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True

    def in_flight(self, directory):
        """Calls that were sent, by the run's own marks, and that have no final record."""
        ledger = Ledger(directory)
        marks = (directory / "sent.map").read_bytes()
        sent = {index for index, mark in enumerate(marks) if mark}
        return sent - {c["index"] for c in ledger.finals}

    def check_nothing_lost(self, directory, before):
        """Whole lines that were in the ledger at a kill are its beginning for ever."""
        now = whole_lines(directory / "run.jsonl")
        self.assertEqual(now[:len(before)], before, "a record that was in the ledger is gone")
        return now

    def check_events(self, ledger, kills):
        torn, events = ledger.events()
        self.assertLessEqual(torn, kills)
        run_id = ledger.meta["benchmark_run_id"]
        numbers = []
        for event in events:
            run, _, number = event["id"].rpartition("-")
            self.assertEqual(run, run_id)
            numbers.append(int(number))
        self.assertEqual(numbers, sorted(set(numbers)), "event numbers are used twice or fall")
        self.assertEqual(events[-1]["event"], "end")

    def check_responses(self, ledger):
        kept = {(r["index"], r["attempt"]) for r in ledger.responses()}
        for call in ledger.finals:
            if call["outcome"] == "ok":
                self.assertIn((call["index"], call["attempt"]), kept)

    def check_round(self, directory, kills, wanted, cut):
        ledger = Ledger(directory)
        self.assert_whole(ledger)
        self.assertEqual(ledger.final_set(), wanted)
        resumed = {c["index"] for c in ledger.finals if c["resumed"]}
        self.assertEqual(resumed, cut, "not those in flight at a kill are marked")
        # Those in flight, and those done within the time of a group commit.
        self.assertLessEqual(len(resumed), kills * 3 * CONCURRENCY)
        self.check_events(ledger, kills)
        self.check_responses(ledger)
        return len(resumed)

    def test_kill_9_loses_nothing_and_doubles_nothing(self):
        seed = OPTIONS.seed if OPTIONS.seed is not None else time.time_ns() % 1_000_000
        print(f"kill_test: seed {seed}, {OPTIONS.kills} kills", flush=True)
        moments = random.Random(seed)
        self.assay(*self.arguments)
        wanted = self.ledger().final_set()
        outcomes = {(outcome, code) for _, outcome, code in wanted}
        self.assertEqual(outcomes, {("ok", ""), ("error", "reset")})

        kills = early = rounds = resumed = 0
        while kills < OPTIONS.kills:
            rounds += 1
            self.server.reset()
            known = set(self.run_directories())
            process = self.start(*self.arguments)
            directory, lines, kills_here, cut = None, [], 0, set()
            while True:
                # Some kills hit the start, before and while the plan is written.
                delay = moments.uniform(0, 0.35 if moments.random() < 0.85 else 0.08)
                if kills >= OPTIONS.kills:
                    delay = 60
                killed = self.wait_or_kill(process, delay)
                new = [d for d in self.run_directories() if d not in known]
                directory = new[0] if new else None
                if directory is not None:
                    lines = self.check_nothing_lost(directory, lines)
                if not killed:
                    text = self.text_of(process.err)
                    complete = process.returncode == 2 and "is complete" in text
                    self.assertTrue(process.returncode == 0 or complete, text)
                    break
                kills += 1
                kills_here += 1
                if not lines:
                    # Killed before the plan was on the disk: no call was sent, nothing to resume.
                    early += 1
                    known.update(new)
                    self.server.reset()
                    process = self.start(*self.arguments)
                else:
                    cut |= self.in_flight(directory)
                    process = self.start("resume", directory.name, "--no-progress", "--quiet")
            resumed += self.check_round(directory, kills_here, wanted, cut)
        self.assertEqual([p for p in self.own_processes() if p[0] != self.server.process.pid], [])
        listed = self.json("runs", "list", "--limit", "1000")["runs"]
        self.assertEqual([r["state"] for r in listed].count("completed"), rounds + 1)
        print(f"kill_test: {kills} kills in {rounds} runs, {early} before the plan stood, "
              f"{resumed} calls done again", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, add_help=False)
    parser.add_argument("--kills", type=int, default=OPTIONS.kills)
    parser.add_argument("--seed", type=int)
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
