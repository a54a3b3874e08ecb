"""What answers on this machine's usual ports is found, and measured in one table.

The ports are those of a network of the test's own, where nobody else listens.
"""
import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import unittest

from assay_support import AssayTest, Mock

OWN_NETWORK = "ASSAY_TEST_OWN_NETWORK"
UNSHARE = ["unshare", "--user", "--map-root-user", "--net"]
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PORTS = {"ollama": 11434, "llamacpp": 8080, "llamacpp-router": 8080, "lmstudio": 1234,
         "lmstudio-v0": 1234, "vllm": 8000, "openai": 8000}
KINDS = {"llamacpp-router": "llamacpp", "lmstudio-v0": "lmstudio"}


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, name))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


class Discovery(AssayTest):
    def setUp(self):
        super().setUp()
        if OWN_NETWORK not in os.environ:
            self.not_tested("this system gives no network of one's own (unshare --user --net)")

    @contextlib.contextmanager
    def serving(self, flavors):
        """One server of each, with a model of its own; {kind: model}."""
        with contextlib.ExitStack() as stack:
            for flavor in flavors:
                server = Mock(self.env, "--port", str(PORTS[flavor]), "--flavor", flavor, "--models",
                              f"{flavor}-m", "--ttft", "2ms", "--gap", "1ms", "--tokens", "32")
                stack.callback(server.stop)
            yield {KINDS.get(flavor, flavor): f"{flavor}-m" for flavor in flavors}

    def test_every_engine_is_found_and_all_models_are_one_table(self):
        for flavors in (("ollama", "llamacpp", "lmstudio", "vllm"),
                        ("llamacpp-router", "lmstudio-v0", "openai")):
            with self.subTest(flavors), self.serving(flavors) as models:
                found = self.json("targets", "probe")["targets"]
                self.assertEqual({t["kind"]: t["url"] for t in found if t["up"]},
                                 {KINDS.get(f, f): f"http://127.0.0.1:{PORTS[f]}" for f in flavors})
                document = self.json("run", "--all-models", "--prompt", "hi", "-r", "6",
                                     "--no-progress", "--no-calibrate")
                self.assert_whole(self.ledger(document["run_id"]))
                self.assertEqual({c["kind"]: c["model"] for c in document["cells"]}, models)
                # One row each, with its speed; an interval only where no call was far off.
                text, _ = self.assay("runs", "show", document["run_id"], env={"COLUMNS": "120"})
                for model in models.values():
                    rows = [line for line in text.splitlines() if line.startswith(f"{model} ")]
                    self.assertRegex(rows[0], r" \d[\d,.]*( ± \d\S*)? +\S+ +\S+ +6 ", text)

    def test_nothing_answers(self):
        out, err = self.assay("targets", "probe", code=5)
        self.assertIn("no engine answers on ports 11434, 8080, 1234 and 8000", out + err)


if __name__ == "__main__":
    if OWN_NETWORK not in os.environ and subprocess.run(
            [*UNSHARE, "true"], check=False, capture_output=True).returncode == 0:
        os.environ[OWN_NETWORK] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])
    if OWN_NETWORK in os.environ:
        bring_loopback_up()
    unittest.main()
