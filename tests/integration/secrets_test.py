"""The server's key reaches the server and nothing else."""
import base64
import json
import os
import unittest
import urllib.parse

from assay_support import AssayTest, Ledger, wait_until

KEY = "sk-canary-7f3a91c2e8+/b64=="


class Secrets(AssayTest):
    def forms(self):
        raw = KEY.encode()
        return {raw, base64.b64encode(raw), base64.b64encode(raw).rstrip(b"="),
                urllib.parse.quote(KEY).encode(), json.dumps(KEY)[1:-1].encode(),
                KEY.replace("/", "\\/").encode(), raw[:12]}

    def assert_kept(self, *outputs):
        """No output and no file of the sandbox holds the key in any form."""
        for text in outputs:
            for form in self.forms():
                self.assertNotIn(form, text.encode("utf-8", "surrogateescape"))
        for path in self.box.rglob("*"):
            if not path.is_file() or path.name == "key":
                continue
            data = path.read_bytes()
            for form in self.forms():
                self.assertNotIn(form, data, path)

    def run_against(self, answer, *args, env=None, code=0):
        server = self.scripted(answer)
        out, err = self.assay("run", "--target", server.url, "-m", "scripted", "--prompt", "hello",
                              "-r", "2", "--save-responses", "all", "-o", "r.md", "-o", "r.csv",
                              "-o", "r.json", *args, env=env, code=code)
        self.assertEqual(set(server.keys), {f"Bearer {KEY}"})
        shown, _ = self.assay("runs", "show", "last", "--json")
        self.assert_kept(out, err, shown)
        return self.ledger()

    def test_from_the_environment(self):
        ledger = self.run_against(lambda handler, _: handler.stream(), env={"ASSAY_API_KEY": KEY})
        self.assertEqual({c["outcome"] for c in ledger.finals}, {"ok"})

    def key_file(self, mode):
        path = self.box / "key"
        path.write_text(KEY + "\n")
        path.chmod(mode)
        return path

    def test_from_a_file_that_nobody_else_can_read(self):
        path = self.key_file(0o600)
        self.run_against(lambda handler, _: handler.stream(), "--api-key-file", path)

    def test_a_file_that_others_can_read_is_refused(self):
        path = self.key_file(0o644)
        out, err = self.assay("run", "--target", "http://127.0.0.1:1", "--prompt", "x",
                              "--api-key-file", path, code=2)
        self.assertIn("can be read by others", err)
        self.assertIn("chmod 600", err)
        self.assert_kept(out, err)

    def test_a_refusal_that_echoes_it(self):
        def answer(handler, _):
            said = f"invalid key {KEY}; you sent Authorization: Bearer {KEY}"
            handler.reply(401, json.dumps({"error": {"message": said}}))
        ledger = self.run_against(answer, env={"ASSAY_API_KEY": KEY}, code=6)
        (failed,) = [c for c in ledger.finals if c["outcome"] == "error"]
        self.assertEqual(failed["error_code"], "http_401")
        self.assertIn("[redacted]", failed["error"])

    def test_other_errors_that_echo_it(self):
        def answer(handler, count):
            error = {"error": {"message": f"no such key {KEY}"}}
            if count % 3 == 0:
                handler.reply(200, f"data: {json.dumps(error)}\n\n", "text/event-stream")
            elif count % 3 == 1:
                handler.reply(200, f"data: {{nonsense {KEY}\n\n", "text/event-stream")
            else:
                handler.reply(200, f"<html>{KEY}</html>", "text/html")
        ledger = self.run_against(answer, env={"ASSAY_API_KEY": KEY}, code=6)
        self.assertEqual([c["error_code"] for c in ledger.finals],
                         ["error_in_stream", "bad_json", "not_a_stream"])

    def test_a_resume_asks_for_it_again(self):
        mock = self.mock("--ttft", "150ms", "--api-key-file", self.key_file(0o600))
        env = {"ASSAY_API_KEY": KEY}
        process = self.start("run", "--target", mock.url, "-m", "mock", "--prompt", "hello", "-r",
                             "4", "--warmup", "0", env=env)
        directory = wait_until(self.run_directories, "the run's directory")[0]
        wait_until(lambda: Ledger(directory).finals, "a record")
        process.kill()
        process.wait()
        self.assay("resume", directory.name, code=5)
        out, err = self.assay("resume", directory.name, env=env)
        self.assert_whole(Ledger(directory))
        self.assert_kept(out, err)

    def test_it_is_on_no_command_line(self):
        _, err = self.assay("run", "--api-key", KEY, code=2)
        self.assertIn("unknown option --api-key", err)
        self.assert_kept(err.replace(KEY, "") if KEY not in err else err)


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main()
