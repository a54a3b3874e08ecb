"""Model files: scanned, described, enabled, and found again across engines' folders."""
import hashlib
import json
import os
import struct
import unittest

import gguf_files as g
from assay_support import AssayTest

WHOLE = g.model(general__file_type=7)

# name -> (bytes, state, part of the reason)
BROKEN = {
    "cut-header": (WHOLE[:60], "ends inside"),
    "cut-data": (WHOLE[:-1], "cut short"),
    "magic": (b"PK" + WHOLE[2:], "does not begin with GGUF"),
    "empty": (b"", "ends inside its header"),
    "huge": (b"GGUF" + struct.pack("<IQQ", 3, 2**64 - 1, 2**64 - 1), "tensors"),
    "old": (g.gguf({}, [], version=1), "version 1"),
    "future": (g.gguf({}, [], version=9), "version 9"),
    "nameless": (g.gguf({}, [("t", 32, 1, g.F32, 128)]), "names no architecture"),
}


class Models(AssayTest):
    def setUp(self):
        super().setUp()
        self.models = self.box / "models"
        self.home = self.box / "home"
        self.models.mkdir()
        self.env["OLLAMA_MODELS"] = str(self.home / ".ollama/models")

    def put(self, path, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def put_models(self, files):
        for name, data in files.items():
            self.put(self.models / name, data)

    def put_ollama(self, name, data, projector=None):
        """A model of a store as Ollama keeps it."""
        store = self.home / ".ollama/models"
        layers = []
        for kind, content in (("model", data), ("projector", projector)):
            if content is None:
                continue
            digest = hashlib.sha256(content).hexdigest()
            self.put(store / f"blobs/sha256-{digest}", content)
            layers.append({"mediaType": f"application/vnd.ollama.image.{kind}",
                           "digest": f"sha256:{digest}", "size": len(content)})
        manifest = json.dumps({"schemaVersion": 2, "config": {}, "layers": layers}).encode()
        self.put(store / "manifests/registry.ollama.ai/library" / name.replace(":", "/"), manifest)

    def scan(self, *args, code=0):
        document = self.json("models", "scan", "--models-dir", self.models, *args, code=code)
        self.assertEqual(document["schema"], "assay.registry/1")
        return {model["name"]: model for model in document["models"]}, document

    def models_command(self, verb, *names, code=0):
        return self.assay("models", verb, "--models-dir", self.models, *names, code=code)

    def test_every_kind_of_file_is_described(self):
        self.put_models({f"{name}.gguf": data for name, (data, _) in BROKEN.items()})
        self.put_models({
            "plain.gguf": WHOLE,
            "sub/again.gguf": WHOLE,
            "mix.gguf": g.model(general__file_type=15),
            "untyped.gguf": g.gguf(g.LLAMA, [("a", 256, 1, g.Q6_K, 210)]),
            "single-00001-of-00001.gguf": WHOLE,
            "big-00001-of-00003.gguf": g.part(1, 3),
            "big-00002-of-00003.gguf": g.part(2, 3),
            "big-00003-of-00003.gguf": g.part(3, 3),
            "holed-00001-of-00003.gguf": g.part(1, 3),
            "holed-00003-of-00003.gguf": g.part(3, 3),
            "headless-00002-of-00002.gguf": g.part(2, 2),
            "renamed.gguf": g.part(1, 2),
            "swapped-00001-of-00002.gguf": g.part(2, 2),
            "swapped-00002-of-00002.gguf": g.part(1, 2),
            "eye/eye.gguf": g.model(tokenizer__chat_template="{{ x }}"),
            "eye/mmproj-eye.gguf": g.gguf({"general.architecture": "clip"},
                                          [("v", 32, 1, g.F32, 128)]),
            "lora.gguf": g.model(general__type="adapter"),
            "embed.gguf": g.model(llama__pooling_type=1),
            "words.gguf": g.gguf(g.LLAMA, []),
        })
        found, document = self.scan()
        self.assertEqual(len(found), len(BROKEN) + 15)
        for name, (_, reason) in BROKEN.items():
            self.assertEqual(found[name]["state"], "broken", name)
            self.assertIn(reason, found[name]["reason"], name)
        for name, state, reason in (
                ("holed", "incomplete", "holed-00002-of-00003.gguf"),
                ("headless", "incomplete", "headless-00001-of-00002.gguf"),
                ("renamed", "incomplete", "part 1 of 2"),
                ("swapped", "broken", "part 2 of 2")):
            self.assertEqual(found[name]["state"], state, name)
            self.assertIn(reason, found[name]["reason"], name)
        self.assertEqual(found["holed"]["missing_files"], ["holed-00002-of-00003.gguf"])
        for name, kind in (("plain", "text"), ("eye/mmproj-eye", "projector"), ("lora", "adapter"),
                           ("embed", "embedding"), ("words", "vocabulary")):
            self.assertEqual((found[name]["state"], found[name]["kind"]), ("whole", kind), name)
        plain = found["plain"]
        self.assertEqual((plain["architecture"], plain["quantization"], plain["parameters"],
                          plain["context_length"], plain["bytes"]),
                         ("llama", "q8_0", 32, 2048, len(WHOLE)))
        self.assertEqual(plain["fingerprint"], hashlib.sha1(b"plain.gguf").hexdigest())
        self.assertEqual(plain["digest"], hashlib.sha256(WHOLE).hexdigest())
        self.assertEqual(plain["memory"]["cache_bytes"], 2048 * 2 * 2 * 16 * 2 * 2)
        self.assertTrue(plain["memory"]["fits"])
        self.assertEqual(found["mix"]["quantization"], "q4_k_m")
        self.assertEqual(found["untyped"]["quantization"], "q6_k")
        self.assertEqual(len(found["big"]["files"]), 3)
        self.assertEqual(found["big"]["parameters"], 96)
        self.assertTrue(found["eye/eye"]["chat_template"])
        self.assertTrue(found["eye/eye"]["projector"].endswith("eye/mmproj-eye.gguf"))
        (group,) = document["same_weights"]
        self.assertEqual(group["models"], [found[name]["fingerprint"]
                                           for name in ("plain", "single", "sub/again")])
        out, _ = self.assay("models", "scan", "--models-dir", self.models)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
        self.assertIn("a part is missing: holed-00002-of-00003.gguf", out)
        self.assertIn("=1  the same weights", out)

    def test_the_three_facts_decide(self):
        self.put_models({"a.gguf": WHOLE, "holed-00001-of-00002.gguf": g.part(1, 2),
                         "eye.gguf": g.gguf({"general.architecture": "clip"},
                                            [("v", 32, 1, g.F32, 128)])})
        self.assertEqual(self.scan()[0]["a"]["why_not"], ["it is not enabled"])
        _, err = self.models_command("benchmark", "a", code=4)
        self.assertIn("assay models enable a", err)
        out, _ = self.models_command("enable", "a")
        self.assertEqual(out, "a is enabled\n")
        self.assertEqual(self.scan()[0]["a"]["why_not"], ["it is not enabled for benchmarks"])
        self.models_command("benchmark", "a")
        self.assertTrue(self.scan()[0]["a"]["eligible"])
        out, _ = self.models_command("show", "a")
        self.assertNotIn("why not?", out)
        self.models_command("disable", "a")
        model = self.scan()[0]["a"]
        self.assertEqual((model["enabled"], model["benchmark"], model["eligible"]),
                         (False, True, False))
        self.models_command("benchmark", "--off", "a")
        self.assertFalse(self.scan()[0]["a"]["benchmark"])
        # What cannot be used says why.
        _, err = self.models_command("enable", "holed", code=4)
        self.assertIn("a part is missing: holed-00002-of-00002.gguf", err)
        _, err = self.models_command("enable", "eye", code=4)
        self.assertIn("projector", err)
        _, err = self.models_command("enable", "b", code=2)
        self.assertIn("there is no model 'b'", err)
        # A pattern takes what it can.
        out, err = self.models_command("enable", "*")
        self.assertEqual(out, "a is enabled\n")
        self.assertIn("holed", err)
        document = json.loads(self.assay("models", "enable", "--models-dir", self.models, "a",
                                         "--json")[0])
        self.assertEqual(document["schema"], "assay.model_flags/1")

    def test_a_missing_file_loses_present_and_enabled(self):
        self.put_models({"a.gguf": WHOLE})
        self.models_command("enable", "a")
        self.models_command("benchmark", "a")
        os.rename(self.models / "a.gguf", self.box / "away.gguf")
        model = self.scan()[0]["a"]
        self.assertEqual((model["state"], model["present"], model["enabled"], model["benchmark"]),
                         ("missing", False, False, True))
        out, _ = self.models_command("show", "a")
        self.assertIn("there is no file a.gguf any more", out)
        self.models_command("enable", "a", code=4)
        os.rename(self.box / "away.gguf", self.models / "a.gguf")
        model = self.scan()[0]["a"]
        self.assertEqual((model["state"], model["present"], model["enabled"]),
                         ("whole", True, False))
        # A directory that is not there takes nothing away.
        self.models_command("enable", "a")
        os.rename(self.models, self.box / "unmounted")
        found, document = self.scan(code=1)
        self.assertIn("there is no directory", document["roots"][0]["problems"][0])
        os.rename(self.box / "unmounted", self.models)
        self.assertTrue(self.scan()[0]["a"]["enabled"])

    def test_the_same_weights_are_found_in_every_folder(self):
        eye = g.gguf({"general.architecture": "clip"}, [("v", 32, 1, g.F32, 128)])
        other = g.model(general__name="other")
        self.put_models({"plain-Q8_0.gguf": WHOLE, "other.gguf": other})
        self.put_ollama("tiny:1b", WHOLE, projector=eye)
        self.put_ollama("alone:latest", g.model(general__name="alone"))
        self.put(self.home / ".lmstudio/models/pub/Tiny-GGUF/tiny-q8_0.gguf", WHOLE)
        self.put(self.box / "cache/llama.cpp/other.gguf", other)
        found, document = self.scan()
        self.assertEqual([root["place"] for root in document["roots"]],
                         ["directory", "lmstudio", "llamacpp", "ollama"])
        self.assertEqual(found["tiny:1b"]["digest"], hashlib.sha256(WHOLE).hexdigest())
        self.assertIsNotNone(found["tiny:1b"]["projector"])
        groups = [{model["place"] for model in document["models"]
                   if model["same_weights"] == group["mark"]}
                  for group in document["same_weights"]]
        self.assertEqual(groups, [{"directory", "llamacpp"}, {"directory", "lmstudio", "ollama"}])
        out, _ = self.models_command("show", "tiny:1b")
        self.assertIn("pub/Tiny-GGUF/tiny-q8_0", out.replace("\n                 ", " "))

    def test_digests_are_read_once(self):
        self.put_models({"a.gguf": WHOLE})
        self.assertIsNone(self.scan("--no-digest")[0]["a"]["digest"])
        self.scan()
        cache = json.loads((self.data / "digests.json").read_text())
        self.assertEqual([file["sha256"] for file in cache["files"]],
                         [hashlib.sha256(WHOLE).hexdigest()])
        self.assertIsNotNone(self.scan("--no-digest")[0]["a"]["digest"])
        before = (self.data / "state.jsonl").read_bytes()
        self.scan()
        self.assertEqual((self.data / "state.jsonl").read_bytes(), before)

    def test_directories_come_from_the_configuration_too(self):
        self.put(self.home / "weights/a.gguf", WHOLE)
        self.put(self.work / "here/b.gguf", WHOLE)
        (self.work / "assay.yaml").write_text("models-dir: [~/weights, here]\n")
        document = self.json("models", "scan")
        self.assertEqual({model["name"] for model in document["models"]}, {"a", "b"})
        # Of commands that measure, the one that takes model files takes it as an option.
        self.assertIn("--models-dir", self.assay("run", "--help")[0])
        self.assertNotIn("--models-dir", self.assay("doctor", "--help")[0])

    def test_a_dummy_model_is_a_model(self):
        self.assay("dummy-model", "--shape", "tiny:q4_k_m", "-o", self.models / "tiny.gguf")
        model = self.scan()[0]["tiny"]
        self.assertEqual((model["state"], model["quantization"], model["random_weights"],
                          model["chat_template"], model["architecture"]),
                         ("whole", "q4_k_m", True, True, "llama"))
        out, _ = self.models_command("show", os.path.relpath(self.models / "tiny.gguf", self.work))
        self.assertEqual(out.splitlines()[0], "tiny")
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
        # Two layers of two heads of 32: keys and values of two bytes.
        self.assertEqual(model["memory"]["cache_bytes"], 2048 * 2 * 2 * (32 + 32) * 2)

    def test_nothing_to_scan_says_what_to_do(self):
        out, err = self.assay("models", "scan")
        self.assertEqual(out, "")
        self.assertIn("--models-dir DIR", err)


if __name__ == "__main__":
    unittest.main()
